"""``python -m tests``: every test; what needs a quiet machine comes last, alone. Words go on to pytest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

# One worker more than the smallest machine has cores: many tests wait for a clock, a disk or a network.
WORKERS = "3"
PARTS = (
    ("-n", WORKERS, "--no-loadscope-reorder", "-m", "not quiet"),
    ("-m", "quiet"),
)


def main(words: Sequence[str]) -> int:
    """Exit status: 0 where every part that has any of the tests asked for passed."""
    codes = []
    for part in PARTS:
        codes.append(subprocess.call([sys.executable, "-m", "pytest", *part, *words]))
        if codes[-1] == pytest.ExitCode.INTERRUPTED:
            break
    ran = [code for code in codes if code != pytest.ExitCode.NO_TESTS_COLLECTED]
    return max(ran, key=abs) if ran else pytest.ExitCode.NO_TESTS_COLLECTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
