"""How fast our TFLite files run, beside files the reference converter made of the same networks.

``ours`` is the artifact that the suite exported with LiteRT Torch. The peer is the same network, weight for
weight: rebuilt in Keras from our own ONNX file (so with the paddings of the PyTorch source, and
normalisation already in the convolutions) and converted by TensorFlow's TFLiteConverter, in an environment
of its own that nothing else uses. Both files are run by the suite's LiteRT runner with its default delegate
at one thread on the same inputs, in lockstep: two processes that live at once, on one core, taking turns in
blocks, a b b a. One file on both sides showed that the first process is some 4 % faster on a busy machine, so
each pair of processes is followed by one with the files changed over, and both make one ratio (geometric
mean). The median ratio is shown, and the interval is that of the mean over all (Student). That the two
are the same network is seen from their outputs, which must agree as the exporter's own formats do.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import abba
from benchmarks.entry import PROGRAMS, Entry, program
from benchmarks.figure import Figure, absent
from benchmarks.lockstep import BLOCK, Beside, blocks
from benchmarks.peer import PeerAbsent, python
from benchmarks.place import Place, scratch
from orchestrator import scoring, wire
from orchestrator.domain import InferometerError, Status
from orchestrator.execute import Load, execute
from orchestrator.files import sha256_file
from orchestrator.plan import FULL
from orchestrator.statistics.student import mean_interval

# name -> (model, rounds of a b b a)
CASES = {"converted_mobilenet": ("mobilenet-v2", 6), "converted_resnet50": ("resnet50", 2)}
FIGURES = tuple(CASES)
RUNTIME, RATIOS = "tflite", 5
LIMIT, LIMIT_TEXT = 1.05, "ratio <= 1.05"


def measure(place: Place) -> Iterator[Figure]:
    """A figure for each model that is there."""
    with place.alone(), program(place, RUNTIME, "lockstep_runner") as runner, scratch() as folder:
        first, second = (replace(runner, environment={**runner.environment, "SIDE": side}) for side in "ab")
        for name, (model, rounds) in CASES.items():
            try:
                ours, peer = _files(place, model, folder)
            except PeerAbsent as problem:
                yield absent(name, LIMIT_TEXT, str(problem))
                continue
            both, order = (first, second), abba.ORDER * rounds
            found = [
                balanced(_pair(place, ours, peer, both, order), _pair(place, peer, ours, both, order))
                for _ in range(RATIOS)
            ]
            yield _figure(name, model, found)


def balanced(pair: abba.Pair, changed: abba.Pair) -> abba.Pair:
    """Of a pair and one with the sides changed over: what being the first side gives cancels in the ratio."""
    return math.sqrt(pair[0] * changed[1]), math.sqrt(pair[1] * changed[0])


def _figure(name: str, model: str, found: list[abba.Pair]) -> Figure:
    ours, peer = abba.middle(found)
    ratios = sorted(one / other for one, other in found)
    interval = mean_interval(ratios)
    text = interval if isinstance(interval, str) else f"{interval[0]:.3f} to {interval[1]:.3f}"
    each = " ".join(f"{ratio:.3f}" for ratio in ratios)
    note = f"peer: TFLiteConverter, {model}, same weights; ratio {text} (95 %); pairs: {each}"
    return Figure(name, "us", ours / 1e3, peer / 1e3, LIMIT_TEXT, ours / peer <= LIMIT, note)


def _files(place: Place, model: str, folder: Path) -> tuple[Load, Load]:
    """Our artifact and the peer's, side by side in one folder. Raises PeerAbsent."""
    load, source = place.load(model, "tflite"), place.load(model, "onnx")
    if load is None or source is None:
        raise PeerAbsent(f"{model} is not exported; make models MODELS={model}")
    interpreter = python(place.cache, "tensorflow")
    own, peer, inputs = (folder / f"{model}{end}" for end in (".tflite", "-peer.tflite", ".npy"))
    place.watcher.say(f"converting {model} with TensorFlow")
    words = [str(interpreter), str(PROGRAMS / "keras_reference.py"), str(source.path), str(peer)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(words, capture_output=True, text=True, env=quiet)
    if done.returncode:
        raise InferometerError(f"TensorFlow converted no {model}: {(done.stderr.splitlines() or ['?'])[-1]}")
    shutil.copyfile(load.path, own)
    shutil.copyfile(load.artifact.inputs, inputs)
    for path in (own, peer, inputs):
        path.chmod(0o644)
    ours = replace(load, path=own, artifact=replace(load.artifact, path=own, inputs=inputs))
    return ours, replace(ours, path=peer, sha256=sha256_file(peer))


def _pair(place: Place, one: Load, other: Load, entries: tuple[Entry, Entry], order: str) -> abba.Pair:
    count = BLOCK * order.count("a")
    settings = replace(
        FULL,
        min_duration_ns=0,
        min_iterations=count,
        max_iterations=count,
        warmup_window=5,
        warmup_cap=15,
        idle_ns=0,
        timeout_s=1800.0,
    )
    sums = one.sha256.encode(), other.sha256.encode()
    names = one.path.name.encode(), other.path.name.encode()
    with scratch() as raw, scratch() as turns:
        turns.chmod(0o777)  # the runner's user is another one
        for side in "ab":
            os.mkfifo(turns / side)
            (turns / side).chmod(0o666)
        engine = Beside(place.engine, entries, order, turns, lambda line: line.replace(*sums).replace(*names))
        record = execute(
            place.trial(RUNTIME, one),
            one,
            entries[0].target,
            place.conditions(settings, engine, False),
            raw,
        )
        if record.status is not Status.OK:
            raise InferometerError(f"the runner in lockstep: {record.reason}")
        transcripts = []
        for name in ("transcript.jsonl", "beside.out"):
            with (raw / name).open("rb") as stream:
                transcripts.append(wire.read(stream))
    _agree(*transcripts)
    values = (transcript.latencies_ns["measure"] for transcript in transcripts)
    return abba.middle(abba.pairs(blocks(order, *values)))


def _agree(ours: wire.Transcript, peer: wire.Transcript) -> None:
    """Raises InferometerError where the two files are not the same network."""
    found = scoring.compare(peer.outputs, list(ours.outputs.values()), 1, None, scoring.FLOAT_TOLERANCE)
    if found.max_abs_difference is None or found.tolerance is None:
        raise InferometerError("the peer's file gives no outputs to compare")
    if found.max_abs_difference > found.tolerance:
        raise InferometerError(f"the peer's file is another network: outputs differ by {found}")
