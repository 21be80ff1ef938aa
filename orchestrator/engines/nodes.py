"""Who owns the device nodes of an accelerator: groups that a container's user joins to open them.

Their numbers differ between machines, and so between the host and the image's own ``/etc/group``.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from orchestrator.engines.ssh import Link

Owners = Callable[[tuple[str, ...]], set[int]]


def owners(patterns: Sequence[str]) -> set[int]:
    """Group ids of what these patterns find on this machine; empty where they find nothing."""
    found = set()
    for path in (path for pattern in patterns for path in glob.glob(pattern)):
        with suppress(OSError):  # a node may go with its driver
            found.add(Path(path).stat().st_gid)
    return found


def owners_there(link: Link, patterns: Sequence[str]) -> set[int]:
    """The same on a board. Raises Broken."""
    if not patterns:
        return set()
    # Unquoted, for its shell to expand; the catalog lets nothing else pass than a path below /dev.
    return {int(word) for word in link.run(f"stat -L -c %g {' '.join(patterns)} 2>/dev/null; true").split()}
