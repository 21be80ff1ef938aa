"""A study with all that can happen to it: failures, skips, seeds, an early end, published values."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.catalog import suite_root
from orchestrator.domain import Case, Memory, Score, Skip
from orchestrator.findings import Circumstances
from orchestrator.merge import Facts, summary_document
from orchestrator.study import document
from orchestrator.study.card import Study
from orchestrator.study.reading import read
from orchestrator.study.steps import Request, Way, way
from tests.support.results import header, summary

TEXT = """
title = "Two networks made small"
models = ["alpha", "beta"]
variants = ["nq", "fiq", "kd", "wcl"]
data = ["cifar10"]
runtimes = ["tflite", "onnxruntime"]
devices = ["rpi4"]

[citation]
authors = ["A. Author", "B. Author"]
year = 2022
title = "A paper"
venue = "A journal"
doi = "10.1000/1"
parts = "Table 5"

[[tables]]
title = "Accuracy, size, latency"
columns = [
  "accuracy", "accuracy_drop", "bytes", "bytes_reduction", "deflated_bytes", "parameters", "macs",
  "unique_weights", "unique_weights_factor", "latency", "latency_reduction", "peak_memory",
]

[[tables]]
title = "By runtime"
rows = "runtimes"
columns = ["accuracy", "latency"]
variants = ["nq", "fiq"]

[[figures]]
title = "Latency of Alpha"
model = "alpha"

[repeats]
models = ["alpha"]
variant = "kd"
against = "nq"
seeds = 5

[smoke]
models = ["alpha"]

[[published]]
metric = "accuracy"
model = "alpha"
variant = "fiq"
data = "cifar10"
value = 91.5
unit = "%"
source = "Table 5"

[[published]]
metric = "latency"
variant = "nq"
value = 56
upper = 68
unit = "ms"
source = "Figure 2"
runtime = "tflite"
device = "rpi4"
"""


class Runtimes:
    """As much of a catalog as a plan of steps looks at."""

    def __init__(self, *names: str):
        self.names, self.root = names, suite_root()

    def runtimes(self) -> dict[str, Any]:
        """Known runtimes."""
        return dict.fromkeys(self.names)


def study(folder: Path, text: str = TEXT) -> Study:
    """The study of a file made from ``text``."""
    path = folder / "orchestrator" / "studies" / "two.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return read(path)


def path(folder: Path, scale: str | None = None, text: str = TEXT) -> Way:
    """Its whole way."""
    return way(study(folder, text), Request(scale), Runtimes("tflite", "onnxruntime"))  # type: ignore[arg-type]


def manifest(variant: str, correct: int, **fields: Any) -> dict[str, Any]:
    """What an exporter records of a variant."""
    shrunk = 4 if variant == "fiq" else 1
    size = 4_000_000 // shrunk
    techniques = []
    if variant == "wcl":
        techniques.append(
            {"code": "wcl", "facts": {"unique_after": 320, "unique_before": 32_000, "reduction": 100.0}}
        )
    return {
        "accuracy": {"correct": correct, "total": 1000},
        "parameters": 1_000_000,
        "nonzero_parameters": 1_000_000,
        "macs": 41_000_000,
        "training": {"epochs": 20, "epochs_done": 7 if variant == "kd" else 20, "seconds": 60.0},
        "techniques": techniques,
        "artifacts": [
            {"format": name, "bytes": size, "deflated_bytes": round(0.9 * size)}
            for name in ("onnx", "tflite")
        ],
        **fields,
    }


def report(scale: str | None = None) -> dict[str, Any]:
    """The report document of a finished study."""
    found: dict[str, Any] = json.loads(_report(scale))
    return found


@lru_cache
def _report(scale: str | None) -> str:
    with tempfile.TemporaryDirectory() as name:
        return json.dumps(_built(Path(name), scale))


def _built(folder: Path, scale: str | None) -> dict[str, Any]:
    steps = path(folder, scale)
    made: dict[tuple[str, str], Any] = {
        (model, variant): manifest(variant, 905 + 3 * index)
        for index, (model, variant) in enumerate(steps.keys())
    }
    made[steps.models[-1], "wcl"] = "the export failed: no memory | left"
    repeated = {
        seed: {(step.model, v): manifest(v, 900 + seed + 12 * (v == "kd")) for v in step.variants}
        for step in steps.repeated
        for seed in [step.seed]
    }
    return document.build(
        steps,
        made,
        repeated,
        _summary(steps),
        {"tflite": ("tflite",), "onnxruntime": ("onnx",)},
        {Case("x86", "onnxruntime", model, "fiq").id for model in steps.models},
    )


def _summary(steps: Way) -> dict[str, Any]:
    given = Circumstances(weights="trained")
    cases, skips = [], []
    for index, (model, variant) in enumerate(steps.keys()):
        for speed, runtime in ((30e6, "tflite"), (20e6, "onnxruntime")):
            case = Case("x86", runtime, model, variant)
            if (model, variant) == (steps.models[-1], "wcl"):
                continue
            if (variant, runtime) == ("fiq", "onnxruntime"):
                skips.append(Skip(case, "onnxruntime runs nq, not fiq"))
                continue
            p50_ns = (
                None
                if (variant, runtime) == ("wcl", "onnxruntime")
                else speed / (3 if variant == "fiq" else 1)
            )
            cases.append(
                summary(
                    case,
                    p50_ns,
                    circumstances=given,
                    count=100,
                    between=0.005,
                    facts=Facts(4_000_000, "trained"),
                    **({} if p50_ns is None else {"accuracy": Score(905 + 3 * index, 1000), "memory": PEAK}),
                )
            )
    return summary_document(header(), cases, [], skips)


PEAK = Memory(inference_container_peak_bytes=50_000_000, inference_container_peak_method="cgroup_peak")
