"""How a case was measured, field by field, and what follows where two sides differ in a field.

An *obstacle* makes two figures incomparable: something else than what is compared would show. A *subject*
is what a comparison is usually about (another image, another version of a runtime); it is told. Which is
which, and why, stands in docs/adr/0025-compare.md. Unknown on one side is told and hinders nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain import CaseSummary, TrialRecord, Verdict

INVALID = "invalid"  # not a field: that a row's own verdict says so
_SETTINGS = ("min_duration_ns", "min_iterations", "warmup_window", "warmup_cap", "idle_ns", "sustained_ns")
OBSTACLES = {
    "device": "the board's profile",
    "machine": "which machine it was",
    "processor": "its model",
    "microcode": "of the processor",
    "kernel": "of the machine",
    "governor": "of the clock domains",
    "turbo": "clocks above the rated one",
    "power_mode": "a Jetson's",
    "clocks_locked": "by domain",
    "smt": "simultaneous threads",
    "swap": "whether there is any",
    "aslr": "randomised addresses",
    "preemption": "of the kernel",
    "isolated_cores": "that the kernel keeps free",
    "tuned": "what --tune changed",
    "engine": "docker or process",
    "emulated": "whether an emulator stood in",
    "forced": "the device this machine really is",
    "threads": "of the runtime",
    "cores": "that the runner was given",
    "artifact": "SHA-256 of the file that was loaded",
    "settings": "quick or full, windows, warm-up",
}
SUBJECTS = {
    "image": "the runner's image digest",
    "runtime": "its version",
    "sdk": "version",
    "protocol": "version",
    "suite": "version",
    "commit": "of the suite's checkout",
    "placement": "what executed the model",
    "os": "of the machine",
    "telemetry": "what was read meanwhile",
}
Facts = Mapping[str, str | None]


@dataclass(frozen=True)
class Difference:
    """A field whose values differ; None: unknown on that side."""

    field: str
    a: str | None
    b: str | None

    def words(self) -> str:
        """``kernel 6.1.0 / 6.6.2``."""
        return f"{self.field} {' / '.join(self.sides())}"

    def sides(self) -> tuple[str, str]:
        """Both values for people: digests short, of lists only what is not in both."""
        return _short(_rest(self.a, self.b)), _short(_rest(self.b, self.a))


def of_run(
    header: Mapping[str, Any], records: Sequence[TrialRecord], row: CaseSummary
) -> dict[str, str | None]:
    """From a results folder: ``run.json`` and all records of the case."""
    facts, identity = header["environment"], header["identity"]
    good = [record for record in records if record.artifact_sha256] or list(records)
    settings = header["plan"]["settings"]
    versions = {
        name: _all(record.versions.get(name) for record in good)
        for name in ("runtime", "sdk", "suite", "protocol")
    }
    commit = facts.get("git_commit")
    return {
        **_isolation(facts.get("isolation") or {}),
        **versions,
        "device": row.case.device,
        "machine": identity["machine"],
        "processor": facts.get("cpu_model"),
        "microcode": facts.get("microcode"),
        "kernel": facts.get("kernel"),
        "os": facts.get("os"),
        "tuned": _pairs(identity.get("tuned") or {}) or "nothing",
        "engine": identity["engine"],
        "emulated": _word(identity["emulated"]),
        "forced": identity.get("forced") or "not forced",
        "threads": str(row.case.threads),
        "cores": _all(_list(record.cores) for record in good if record.cores),
        "artifact": _all(record.artifact_sha256 for record in good),
        "settings": _settings(settings),
        "image": _all(record.image for record in good),
        "commit": f"{commit}{' and changes' if facts.get('git_dirty') else ''}" if commit else None,
        "placement": _all(_pairs((record.placement or {}).get("executed") or {}) or None for record in good),
        "telemetry": ", ".join(header.get("sources") or []) or None,
    }


def of_document(
    run: Mapping[str, Any], artifacts: Iterable[Mapping[str, Any]], row: CaseSummary
) -> dict[str, str | None]:
    """From a run's head in a summary or merged file, which tells less than the folder."""
    host = run.get("host") or {}
    format_ = row.artifact.format if row.artifact else None
    key = (row.case.model, row.case.variant, row.case.batch, format_)
    hashes = [
        item["sha256"]
        for item in artifacts
        if (item["model"], item["variant"], item["batch"], item["format"]) == key
    ]
    return {
        **_isolation(run.get("isolation") or {}),
        "device": row.case.device,
        "machine": run.get("machine"),
        "processor": host.get("cpu_model"),
        "kernel": host.get("kernel"),
        "os": host.get("os"),
        "engine": row.engine,
        "emulated": _word(row.emulated),
        "threads": str(row.case.threads),
        "artifact": _all(hashes),
        "settings": "quick" if run.get("quick") else "full",
        "protocol": run.get("protocol"),
        "suite": run.get("suite"),
    }


def differences(a: Facts, b: Facts, fields: Iterable[str]) -> list[Difference]:
    """The fields that both sides know and that differ."""
    return [
        Difference(name, a[name], b[name])
        for name in fields
        if a.get(name) is not None and b.get(name) is not None and not _same(name, a[name], b[name])
    ]


def unknown(a: Facts, b: Facts) -> list[Difference]:
    """The fields that one side alone knows."""
    names = [*OBSTACLES, *SUBJECTS]
    return [
        Difference(name, a.get(name), b.get(name))
        for name in names
        if (a.get(name) is None) != (b.get(name) is None)
    ]


def invalid(row: CaseSummary) -> str | None:
    """Why a row's figures of speed are not to be believed, by its own findings."""
    if row.verdict is not Verdict.INVALID or row.p50_ns is None:
        return None
    said = [finding.code for finding in row.findings if finding.severity.value == "invalid"]
    return ", ".join(said) or "its verdict"


def _same(name: str, a: str | None, b: str | None) -> bool:
    if name == "settings" and a and b:  # a file says no more than the first word
        return a == b or (a.split(",")[0] == b.split(",")[0] and ("," in a) != ("," in b))
    return a == b


def _isolation(facts: Mapping[str, Any]) -> dict[str, str | None]:
    """See ``environment.isolation``; what it does not tell stays unknown."""
    told: dict[str, Callable[[], str]] = {
        "governor": lambda: _list(sorted(set(facts["governors"].values()))),
        "turbo": lambda: "on" if facts["turbo"] else "off",
        "power_mode": lambda: str(facts["nvpmodel"]),
        "clocks_locked": lambda: _list(k for k, v in facts["clocks_locked"].items() if v) or "none",
        "smt": lambda: str(facts["smt"]),
        "swap": lambda: "on" if facts["swaps"] else "off",
        "aslr": lambda: str(facts["aslr"]),
        "preemption": lambda: str(facts["preemption"]),
        "isolated_cores": lambda: _list(facts["isolated_cores"]) or "none",
    }
    keys = {"governor": "governors", "power_mode": "nvpmodel", "swap": "swaps"}
    return {
        name: make() if facts.get(keys.get(name, name)) is not None else None for name, make in told.items()
    }


def _settings(settings: Mapping[str, Any]) -> str:
    """``quick, min_duration 500000000, ...``: the launches may be more or fewer, each is the same."""
    head = "quick" if settings["quick"] else "full"
    return ", ".join([head, *(f"{name} {settings[name]}" for name in _SETTINGS if name in settings)])


def _all(values: Iterable[str | None]) -> str | None:
    """The one value of all launches, or all of them; None where none is known."""
    known = sorted({value for value in values if value})
    return " and ".join(known) or None


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={value}" if value is not None else name for name, value in sorted(values.items())
    )


def _list(values: Iterable[Any]) -> str:
    return ",".join(map(str, values))


def _word(value: bool) -> str:
    return "yes" if value else "no"


def _rest(value: str | None, other: str | None) -> str | None:
    """The parts of a list that the other does not have; the whole where that would be nothing."""
    if value is None or other is None:
        return value
    theirs = other.split(", ")
    return ", ".join(part for part in value.split(", ") if part not in theirs) or value


def _short(value: str | None) -> str:
    """Digests by their first digits, as people name them."""
    if value is None:
        return "unknown"
    head, _, digest = value.rpartition(":")
    if len(digest) == 64 and all(char in "0123456789abcdef" for char in digest):
        return f"{head}:{digest[:12]}" if head else digest[:12]
    return value
