"""How the golden transcripts were made; ``python -m tests.support.golden`` makes them again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support import loadgen, runners

FOLDER = runners.RUNNERS / "protocol"
SCRIPTS = {
    "ok": {"behaviour": "ok"},
    "error": {"behaviour": "error", "at": "load"},
    "crash": {"behaviour": "crash", "at": "warmup"},
    "noisy": {"behaviour": "noise", "at": "warmup"},
    "truncated": {"behaviour": "truncate", "at": "outputs"},
    "probe": {},
    "driver": {},
}


DRIVER = {"name": "loadgen", "scenario": "SingleStream", "min_duration_ns": 0, "min_query_count": 5}


def make(name: str) -> runners.Ended:
    """What the double says to this script."""
    if name == "probe":
        return runners.launch(runners.FAKE, {"protocol": 1, "duration_ns": 0}, ("probe",))
    with tempfile.TemporaryDirectory() as folder:
        request = runners.scripted(Path(folder), seed="1", **SCRIPTS[name])
        warmup = {"window": 2, "cap": 8, "max_duration_ns": 10**9, "settle": 2}
        idle = {"idle_ns": 1_000_000, "idle_after_ns": 2_000_000}
        if name == "driver":
            loadgen.write(Path(folder) / "double")
            path = f"PYTHONPATH={runners.SDK}:{folder}/double"
            return runners.launch(
                runners.FAKE, {**request, "warmup": warmup, "driver": DRIVER}, below=("env", path)
            )
        return runners.launch(runners.FAKE, {**request, "warmup": warmup, **idle})


if __name__ == "__main__":
    for name in SCRIPTS:
        (FOLDER / f"{name}.jsonl").write_bytes(make(name).stdout)
