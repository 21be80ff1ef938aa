"""Results folders of many machines for ``merge_size``: schema-valid summaries, of the size real ones have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.domain import Case, CaseSummary, Finding, Interval, Parity, Quantile, Severity, Verdict
from orchestrator.merge import summary_document

LAUNCHES = 5
_RUNTIMES = ("onnxruntime", "pytorch", "tflite", "armnn", "tensorrt")
_NOTE = Finding(
    "no_power_source",
    Severity.NOTE,
    "no power source is read on this device, so there are no joules",
    "Connect a meter that this device's profile names.",
)
_MODES = Finding(
    "multimodal",
    Severity.SUSPECT,
    "launches fall into 2 speed modes: 21.7 ms (3 launches), 25.3 ms (2 launches)",
    "Read the modes, not their mean, and add launches; pinned cores and fixed clocks may remove them.",
)


def write_folders(parent: Path, devices: int, cases: int) -> Iterator[Path]:
    """One results folder for each device, each with ``cases`` cases of LAUNCHES launches."""
    text = json.dumps(document("board-00", cases), indent=1, sort_keys=True)
    for number in range(devices):
        folder = parent / f"run-{number:02d}"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(text.replace("board-00", f"board-{number:02d}"))
        yield folder


def document(device: str, cases: int) -> dict[str, Any]:
    """The summary of one run on ``device``."""
    run = {
        "name": f"20261120T201500Z-{device}",
        "suite": "0.1.0",
        "protocol": "1.0.0",
        "created_utc": "2026-11-20T20:15:00+00:00",
        "device": device,
        "machine": f"machine of {device}",
        "host": {"cpu_model": "Example CPU @ 2.60GHz", "kernel": "6.1.0", "os": "Debian GNU/Linux 12"},
        "engines": ["docker"],
        "seed": 0,
        "quick": False,
        "findings": [],
    }
    rows = [_row(device, number) for number in range(cases)]
    return summary_document(run, rows, _artifacts(rows), [])


def _row(device: str, number: int) -> CaseSummary:
    rest, runtime = divmod(number, len(_RUNTIMES))
    options = (("mode", "eager"),) if _RUNTIMES[runtime] == "pytorch" else ()
    case = Case(device, _RUNTIMES[runtime], f"model-{rest // 4:03d}", "nq", 1, 1 + rest % 4, options)
    p50_ns = 1e6 + 1e4 * number + len(device)
    return CaseSummary(
        case,
        Verdict.VALID if number % 3 else Verdict.SUSPECT,
        (_NOTE,) if number % 3 else (_NOTE, _MODES),
        launches=LAUNCHES,
        failed=0,
        count=2500,
        p50_ns=p50_ns,
        interval=Interval(p50_ns * 0.99, p50_ns * 1.01, "bootstrap-t over launches"),
        p90=Quantile(p50_ns * 1.1),
        p99=Quantile(None, "n too small: 500 of 662"),
        mean_ns=p50_ns * 1.02,
        between_launch_cv=0.0123456789,
        first_ns=p50_ns * 2,
        load_ns=8.4e7,
        rate_hz=1e9 / p50_ns,
        artifact_bytes=102_230_000,
        container_peak_bytes=231 * 2**20,
        vm_hwm_bytes=198 * 2**20,
        parity=Parity(4, 4, 4.8e-6),
        weights="random(0)",
        engine="docker",
        launch_p50_ns=tuple(p50_ns * (1 + 0.001 * launch) for launch in range(LAUNCHES)),
    )


def _artifacts(rows: list[CaseSummary]) -> list[dict[str, Any]]:
    models = sorted({row.case.model for row in rows})
    return [
        {
            "model": model,
            "variant": "nq",
            "batch": 1,
            "format": "onnx",
            "sha256": f"{index:064x}",
            "bytes": 102_230_000,
            "weights": "random(0)",
        }
        for index, model in enumerate(models)
    ]
