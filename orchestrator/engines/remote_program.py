"""The telemetry program on a board: one file, sent once, found again by what it holds."""

from __future__ import annotations

import hashlib
import io
import zipfile

from orchestrator.engines import observer
from orchestrator.engines.ssh import Link


def bring(link: Link, timeout_s: float = 60) -> str:
    """Where the program lies there. Raises Broken, InferometerError."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in sorted(observer.PROGRAM.glob("*.py")):
            # A fixed date: the same program has the same name.
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
    data = stream.getvalue()
    name = f"telemetry-{hashlib.sha256(data).hexdigest()[:16]}.pyz"
    place = '"${XDG_CACHE_HOME:-$HOME/.cache}"/inferometer'
    store = f"[ -s {name} ] || {{ cat >{name}.$$ && mv {name}.$$ {name}; }}"
    command = f"mkdir -p {place} && cd {place} && {store} && echo $PWD/{name}"
    return link.run(command, data, timeout_s).decode().strip()
