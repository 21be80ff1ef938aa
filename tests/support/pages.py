"""Runs made up for the report page: everything a document can hold, and as many cases as a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.domain import Case, CaseEnergy, CaseSummary, Parity, Score, Size, Skip, Status, TrialRecord
from orchestrator.findings import Circumstances, case_findings, verdict
from orchestrator.merge import Facts, summarise, summary_document
from orchestrator.report.page.launches import Launch
from tests.support import results

_STEPS = ("import", "load", "first", "warmup", "idle", "measure", "outputs")
PHASES_MS = dict(zip(_STEPS, (240, 90, 40, 320, 500, 5000, 130), strict=True))
SOURCES = (  # name, scope, method, unit, least, most
    ("thermal.cpu", "thermal_zone", "sampled", "c", 48.0, 71.0),
    ("cpufreq.policy0", "clock_domain", "sampled", "hz", 1.5e9, 2.4e9),
    ("board.power", "board_input", "sampled", "w", 3.1, 7.4),
    ("process.vm_rss", "process_tree", "sampled", "bytes", 40e6, 210e6),
    ("cgroup.memory_current", "container", "sampled", "bytes", 50e6, 260e6),
    ("host.memory_available", "host", "sampled", "bytes", 3.1e9, 3.4e9),
    ("process.cpu_time", "process_tree", "counter", "ns", 0.0, 5.9e9),
    ("cgroup.memory_peak", "container", "peak", "bytes", 50e6, 260e6),
)
# model, parameters, multiply-accumulates, p50 in ns, right of 1000
MODELS = (
    ("digits-cnn", 11_946, 342_272, 31_500, 921),
    ("mobilenet-v2", 3_504_872, 300_774_272, 9.4e6, 718),
    ("mobilenet-v3-small", 2_542_856, 56_510_000, 3.1e6, 676),
    ("resnet50", 25_557_032, 4_089_184_256, 58.2e6, 761),
)
RUNTIMES = (
    ("onnxruntime", "", 1.0),
    ("tflite", "xnnpack", 0.82),
    ("pytorch", "eager", 2.3),
    ("pytorch", "aot", 1.2),
)
VARIANTS = (("nq", 1.0, 0.0, 4.0), ("fiq", 0.56, 0.011, 1.0))  # id, time, accuracy lost, bytes a parameter


def readings(seconds: float = 7.0, interval_s: float = 0.1) -> list[dict[str, Any]]:
    """Telemetry of one launch: each source rises and falls once."""
    lines: list[dict[str, Any]] = []
    count = int(seconds / interval_s)
    for step in range(count):
        for name, scope, method, unit, least, most in SOURCES:
            share = step / count if method == "counter" else 1 - abs(2 * step / count - 1)
            start_ns = 10**12 + int(step * interval_s * 1e9)
            lines.append(
                {
                    "type": "reading",
                    "source": name,
                    "scope": scope,
                    "method": method,
                    "unit": unit,
                    "value": least + share * (most - least),
                    "reason": None,
                    "t0_ns": start_ns,
                    "t1_ns": start_ns + 40_000,
                }
            )
    return lines


def phases() -> dict[str, tuple[int, int]]:
    """The windows of one launch."""
    found, at_ns = {}, 10**12
    for name, length_ms in PHASES_MS.items():
        found[name] = (at_ns, at_ns + length_ms * 10**6)
        at_ns += (length_ms + 8) * 10**6
    return found


def launch(case: Case, number: int, values: Sequence[int]) -> Launch:
    """A good launch with raw data."""
    record = results.record(case, number, list(values), placement={"executed": {"CPUExecutionProvider": 122}})
    return Launch(record, values, phases(), readings)


def cases(device: str = "x86", models: int = len(MODELS)) -> Iterator[tuple[Case, float, Score, Size]]:
    """Cases with their median, score and size."""
    for model, parameters, macs, p50_ns, right in MODELS[:models]:
        for runtime, mode, slower in RUNTIMES:
            for variant, faster, lost, width in VARIANTS:
                which = results.case(runtime, model, mode, device, variant=variant)
                size = Size(
                    "onnx",
                    int(parameters * width),
                    int(parameters * width * 0.9),
                    parameters,
                    parameters,
                    macs,
                )
                yield which, p50_ns * slower * faster, Score(round(right * (1 - lost)), 1000), size


def energy(p50_ns: float) -> tuple[CaseEnergy, ...]:
    """Joules by two power sources of different scopes."""
    joules = 5.2e-9 * p50_ns
    return tuple(
        CaseEnergy(
            source, scope, "sampled", 5, share * joules, 0.96 * share * joules, 1.04 * share * joules,
            0.6 * share * joules, 0.57 * share * joules, 0.63 * share * joules, 5.2 * share, 2.1 * share,
            10.0, 0.99, 0.01,
        )
        for source, scope, share in (("board.power", "board_input", 1.0), ("pmic.soc", "cpu_package", 0.55))
    )  # fmt: skip


def run(
    device: str = "x86", models: int = len(MODELS), launches: int = 5, count: int = 400
) -> tuple[dict[str, Any], list[Launch]]:
    """A document and its launches: modes, a failed case, skips, energy, notes, rooflines, curves, MLPerf."""
    summaries, tries = [], []
    given = Circumstances(weights="trained")
    for place, (which, p50_ns, score, size) in enumerate(cases(device, models)):
        modes = (1.0, 1.0, 1.32) if place % 8 == 4 else (1.0,)
        made = [
            launch(
                which,
                number,
                results.window(p50_ns * modes[number % len(modes)], number, count, 0.006, place),
            )
            for number in range(launches)
        ]
        if place % 16 == 15:
            tries += [
                Launch(results.failed(which, number, Status.OOM, "killed for lack of memory in phase load"))
                for number in range(launches)
            ]
            summaries.append(results.summary(which, None, launches=launches))
            continue
        records = [replace(one.record, accuracy=score, parity=Parity(4, 4, 4e-6)) for one in made]
        summaries.append(_summary(which, records, made, given, size, energy(p50_ns)))
        tries += made
    skips = [
        Skip(results.case("armnn", model, "", device), "runtime armnn needs linux/arm64; this is linux/amd64")
        for model, *_ in MODELS
    ]
    document = summary_document(
        results.header(f"run-{device}", device), summaries, [results.artifact()], skips
    )
    _add_extras(document)
    return document, tries


def many(count: int, iterations: int = 150) -> tuple[dict[str, Any], list[Launch]]:
    """A run of so many cases, five launches each: the same few again and again, their models numbered."""
    document, tries = run(count=iterations)
    rows, launches, copies = [], [], -(-count // len(document["cases"]))
    for copy in range(copies):
        for row in document["cases"]:
            rows.append({**row, "case": {**row["case"], "model": f"{row['case']['model']}-{copy}"}})
        for one in tries:
            which = replace(one.record.case, model=f"{one.record.case.model}-{copy}")
            launches.append(replace(one, record=replace(one.record, case=which)))
    kept = {Case.from_json(row["case"]).id for row in rows[:count]}
    return {**document, "cases": rows[:count]}, [one for one in launches if one.record.case.id in kept]


def _summary(
    which: Case,
    records: Sequence[TrialRecord],
    made: Sequence[Launch],
    given: Circumstances,
    size: Size,
    joules: tuple[CaseEnergy, ...],
) -> CaseSummary:
    every = case_findings(records, given)
    facts = Facts(size.bytes, "trained", False, None, size)
    base = summarise(which, records, [one.latencies_ns for one in made], every, verdict(every), facts)
    return replace(base, energy=joules)


def _add_extras(document: dict[str, Any]) -> None:
    """What newer rooms add to a document."""
    document["run"]["ceilings"] = [
        {
            "runtime": name,
            "accelerator": "cpu",
            "threads": 1,
            "flop_per_s": peak,
            "bandwidth_bytes_per_s": 11e9,
            "flop_kernel": "sgemm 512",
            "bandwidth_kernel": "add",
            "reason": None,
        }
        for name, peak in (("onnxruntime", 92e9), ("tflite", 88e9), ("pytorch", 61e9))
    ]
    for place, row in enumerate(document["cases"]):
        if row["p50_ns"] is None:
            continue
        intensity = 2.0 + 3 * (place % 9)
        limit = min(80e9, intensity * 11e9)
        row["roofline"] = {
            "flop_per_s": limit * (0.25 + 0.07 * (place % 10)),
            "intensity_flop_per_byte": intensity,
            "limit_flop_per_s": limit,
            "share": 0.25 + 0.07 * (place % 10),
            "bound": "memory" if limit < 80e9 else "compute",
            "reason": None,
        }
        if place % 5 == 0:
            row["notes"] = [
                {
                    "code": "memory_bound",
                    "text": "bound by memory, not by arithmetic",
                    "evidence": {"intensity_flop_per_byte": intensity, "ridge_flop_per_byte": 8.4},
                }
            ]
    document["curves"] = [
        {
            "kind": kind,
            "case": {
                "model": "mobilenet-v2",
                "runtime": runtime,
                "variant": "nq",
                "device": "x86",
                "options": {},
            },
            "points": [
                {"x": x, "case_id": f"c{x}", "p50_ns": 9.4e6 / min(x, 3), "rate_hz": 106.0 * min(x, 3) ** 0.9}
                for x in (1, 2, 4, 8)
            ],
            "knee": 4 if runtime == "tflite" else None,
            "reason": None if runtime == "tflite" else "the rate rises to the last point",
        }
        for runtime in ("onnxruntime", "tflite")
        for kind in ("threads", "batch")
    ]
    document["citation"] = {"text": "Inference measurements of digits-cnn.", "bibtex": "@misc{inferometer-1}"}
    document["cases"][0]["mlperf"] = {
        "scenario": "SingleStream", "verdict": "VALID", "metric": "90th percentile latency",
        "value_ns": 34_100, "reasons": [], "settings": {},
    }  # fmt: skip


def header() -> dict[str, Any]:
    """A ``run.json`` for the made-up runs."""
    return {
        "environment": {"cpu_model": "Example CPU", "memory_bytes": 8 * 2**30},
        "identity": {"runtimes": {"onnxruntime": "inferometer/onnxruntime:6d56e9910d5e"}},
        "plan": {
            "settings": {"launches": 5, "quick": False, "min_duration_ns": 5_000_000_000, "sustained_ns": 0},
            "wish": {
                "device": "x86",
                "models": ["resnet50"],
                "threads": [1, 2],
                "options": [["pytorch", "mode", ["eager", "aot"]]],
                "seed": 0,
                "energy": True,
            },
        },
    }


def comparison(devices: Sequence[str] = ("x86", "y86", "z86")) -> dict[str, Any]:
    """Several runs as one file, as ``inferometer merge`` writes it."""
    documents = [run(device, 2, 3, 120)[0] for device in devices]
    return {
        "schema": documents[0]["schema"],
        "runs": [document["run"] for document in documents],
        "cases": [
            {**row, "run": document["run"]["name"]} for document in documents for row in document["cases"]
        ],
        "artifacts": [],
        "skips": documents[0]["skips"],
    }


HOSTILE = (
    "</script><script>window.hurt=1</script><img src=x onerror='window.hurt=2'>\u2028\"'&amp;${window.hurt=3}"
)


def hostile() -> tuple[dict[str, Any], list[Launch]]:
    """A run whose names, reasons and texts try to become markup or script."""
    document, tries = run(models=1, launches=2, count=60)
    text = json.dumps(document).replace("digits-cnn", json.dumps(HOSTILE)[1:-1])
    found: dict[str, Any] = json.loads(text)
    found["skips"][0]["reason"] = HOSTILE
    found["run"]["host"]["cpu_model"] = HOSTILE
    found["cases"][0]["notes"] = [{"code": HOSTILE, "text": HOSTILE, "evidence": {HOSTILE: HOSTILE}}]
    for row in found["cases"]:
        row["findings"] = [{"code": HOSTILE, "severity": "note", "message": HOSTILE, "advice": HOSTILE}]
    moved = [
        replace(one, record=replace(one.record, case=replace(one.record.case, model=HOSTILE), reason=HOSTILE))
        for one in tries
    ]
    return found, moved
