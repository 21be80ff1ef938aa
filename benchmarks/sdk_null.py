"""What the SDK costs per inference: a runner whose inference does nothing, beside LoadGen's null run.

Ours is a whole ``run`` of the protocol: ``null_window`` is the p50 of the latencies the runner sends,
``null_iteration`` the time between the marks of ``measure`` over the iterations. The peer is
mlcommons-loadgen driven the way a Python program drives it, in the scenario that is our loop (one query
after the other), its trace log off, by its own figures: the 50th percentile, and 1 / QPS with its
overhead. Fair, because both run on the same interpreter with the same number of null inferences, take
turns (ABBA) as fresh processes, and neither is tied to a core, as LoadGen logs from a second thread.
LoadGen crosses from C++ to Python for each query, which is what it costs whoever measures a Python runtime.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.peer import HERE, PeerAbsent, python
from benchmarks.place import Place, scratch
from orchestrator import wire
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

FIGURES = ("null_window", "null_iteration")
WINDOW_LIMIT_US, ITERATION_LIMIT_US = 0.5, 1.5
ITERATIONS = 200_000
TURNS = "abbaabba"
# A .npy file of one float32 tensor of shape [1]: 118 bytes of header after the 10 of magic and length.
_FIELDS = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }"
INPUTS = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + _FIELDS.ljust(117) + b"\n" + bytes(4)

Costs = tuple[float, float]  # us in the window at p50, us per iteration in all


def measure(place: Place) -> Iterator[Figure]:
    """Both figures from the same processes."""
    ours: list[Costs] = []
    peers: list[Costs] = []
    reason = "peer: mlcommons-loadgen, null run"
    with scratch() as folder:
        try:
            loadgen = python(place.cache, "loadgen")
        except PeerAbsent as problem:
            loadgen, reason = None, f"peer absent: {problem}"
        for turn in TURNS:
            if turn == "a":
                ours.append(_ours(place, folder))
            elif loadgen:
                peers.append(_loadgen(loadgen, folder))
    for index, (name, limit) in enumerate(zip(FIGURES, (WINDOW_LIMIT_US, ITERATION_LIMIT_US), strict=True)):
        mine = median(costs[index] for costs in ours)
        theirs = median(costs[index] for costs in peers) if peers else None
        ok = mine <= limit and (theirs is None or mine < theirs)
        yield Figure(name, "us", mine, theirs, f"<= {limit} us, < peer", ok, reason)


def _ours(place: Place, folder: Path) -> Costs:
    model, inputs = folder / "model", folder / "inputs.npy"
    model.write_bytes(b"null")
    inputs.write_bytes(INPUTS)
    request = {
        "protocol": 1,
        "model": {"path": str(model), "format": "null", "sha256": sha256_file(model)},
        "inputs": str(inputs),
        "warmup": {"cap": 40, "settle": 3},
        "measure": {"min_duration_ns": 0, "min_iterations": ITERATIONS, "max_iterations": ITERATIONS},
        "outputs": False,
    }
    with (folder / "transcript").open("w+b") as stream:
        done = subprocess.run(
            [sys.executable, str(HERE / "programs" / "null_runner.py"), "run"],
            input=json.dumps(request).encode() + b"\n",
            stdout=stream,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(place.root / "runners" / "sdk")},
        )
        stream.seek(0)
        transcript = wire.read(stream)
    values, window = transcript.latencies_ns.get("measure"), transcript.window("measure")
    if not values or not window:
        raise InferometerError(f"the null runner measured nothing: {done.stderr.decode()[-300:]}")
    return median(values) / 1e3, (window[1] - window[0]) / len(values) / 1e3


def _loadgen(interpreter: Path, folder: Path) -> Costs:
    words = [str(interpreter), str(HERE / "programs" / "null_loadgen.py"), str(folder), str(ITERATIONS)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return _number(r"50.00 percentile latency \(ns\)", text) / 1e3, 1e6 / _number(
        "QPS w/ loadgen overhead", text
    )


def _number(label: str, text: str) -> float:
    found = re.search(rf"{label}\s*: ([0-9.]+)", text)
    if not found:
        raise InferometerError(f"LoadGen's summary has no {label!r}")
    return float(found[1])
