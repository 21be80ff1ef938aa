"""Where figures come from: versions, digests and hashes of each case, settings and machine of each run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.domain import TrialRecord
from orchestrator.plan import WIDTH
from orchestrator.report.isolation import isolation_lines
from orchestrator.report.notes import budget_lines, observer_lines, power_lines, reproduction_lines
from orchestrator.scaling import MULTI_STREAM, OFFLINE

# Fields of a bench's wish and the options of the command line that ask for them.
_LISTS = (
    ("models", "--models"),
    ("variants", "--variants"),
    ("runtimes", "--runtimes"),
    ("accelerators", "--accelerators"),
    ("threads", "--threads"),
    ("batches", "--batch"),
)
_REPEATED = (("meters", "--meter"),)
_PLAIN = (str, int, float, bool)


def of_case(records: Iterable[TrialRecord]) -> dict[str, Any]:
    """``{field: [values]}`` of a case's launches: one value where all launches agree."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        for field, value in _facts(record):
            found.setdefault(field, {}).setdefault(value)
    return {field: list(values) for field, values in found.items()}


def _facts(record: TrialRecord) -> Iterable[tuple[str, str]]:
    if record.image:
        yield "image", record.image
    if record.artifact_sha256:
        yield "artifact SHA-256", record.artifact_sha256
    for name, version in record.versions.items():
        if version:
            yield f"version of {name.replace('_name', ' (name)')}", str(version)
    if record.cores:
        yield "cores", ", ".join(map(str, record.cores))
    if record.placement:
        executed = record.placement.get("executed") or {}
        told = [f"{name} ({nodes} nodes)" if nodes else name for name, nodes in executed.items()]
        yield "executed on", ", ".join(told)
    yield "engine", record.engine


def of_run(run: Mapping[str, Any], header: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a run's section says. ``header``: its ``run.json``, where there is a folder."""
    made: dict[str, Any] = {
        "name": run["name"],
        "facts": _rows(
            {
                "suite": run["suite"],
                "protocol": run["protocol"],
                "begun": run["created_utc"],
                "device": run["device"],
                "machine": run["machine"],
                **{str(name).replace("_", " "): value for name, value in run["host"].items()},
                "engine": ", ".join(run["engines"]),
                "seed": run["seed"],
                "scenario": run.get("scenario"),
                "quick": run["quick"],
            }
        ),
        "lines": [
            line
            for lines in (isolation_lines, observer_lines, power_lines, budget_lines, reproduction_lines)
            for line in lines([run])
        ],
        "findings": [dict(finding) for finding in run["findings"]],
        "ceilings": run.get("ceilings") or [],
    }
    if header:
        made["environment"] = _rows(header["environment"])
        made["settings"] = _rows(header["plan"]["settings"])
        made["images"] = _rows(header["identity"].get("runtimes") or {})
        made["command"] = command(header)
    return made


def _rows(facts: Mapping[str, Any]) -> list[list[str]]:
    """Names and values of what is plain; what nests has lines of its own."""
    return [
        [name, "yes" if value is True else "no" if value is False else str(value)]
        for name, value in facts.items()
        if isinstance(value, _PLAIN)
    ]


def command(header: Mapping[str, Any]) -> str:
    """The command that asks for the same plan again; FILE stands for a model file of the user's own."""
    wish, settings = header["plan"]["wish"], header["plan"]["settings"]
    words = ["inferometer", "bench", "--device", str(wish["device"])]
    for field, option in _LISTS:
        if wish.get(field) and not (field == "batches" and wish.get("scenario") == MULTI_STREAM):
            words += [option, ",".join(map(str, wish[field]))]
    for runtime, option, values in wish.get("options") or ():
        words += ["--option", f"{runtime}.{option}={','.join(map(str, values))}"]
    for field, option in _REPEATED:
        for value in wish.get(field) or ():
            words += [option, str(value)]
    words += [word for _ in wish.get("own") or () for word in ("--model", "FILE")]
    words += _scenario(wish)
    words += ["--energy"] if wish.get("energy") else []
    words += _extent(settings)
    words += ["--seed", str(wish["seed"]), *_conditions(header["identity"])]
    return shlex.join(words)


def _scenario(wish: Mapping[str, Any]) -> list[str]:
    if wish.get("scenario") == MULTI_STREAM:
        return ["--scenario", MULTI_STREAM, "--streams", str(wish["batches"][0])]
    return ["--scenario", OFFLINE] if wish.get("scenario") == OFFLINE else []  # single-stream: the default


def _extent(settings: Mapping[str, Any]) -> list[str]:
    """How much is measured, as far as it is not the default; runs of older versions lack some fields."""
    words = ["--quick"] if settings.get("quick") else []
    sustained_ns, budget_s = settings.get("sustained_ns"), settings.get("budget_s")
    if sustained_ns:
        words += ["--sustained", f"{sustained_ns // 10**9}s"]
    else:
        words += ["--launches", str(settings["launches"])]
    words += ["--budget", f"{budget_s:.0f}s"] if budget_s else []
    width = settings.get("width", WIDTH)
    words += ["--width", f"{100 * width:g}%"] if width != WIDTH else []
    return words + (["--loadgen", settings["loadgen"]] if settings.get("loadgen") else [])


def _conditions(identity: Mapping[str, Any]) -> list[str]:
    """On what it ran, where that was asked for."""
    tuned = ",".join(f"{knob}={value}" for knob, value in (identity.get("tuned") or {}).items())
    words = ["--engine", str(identity["engine"])] if identity.get("engine") else []
    words += ["--emulate"] if identity.get("emulated") else []
    words += ["--force"] if identity.get("forced") else []
    return words + (["--tune", tuned] if tuned else [])
