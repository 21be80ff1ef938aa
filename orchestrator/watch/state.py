"""How far a bench is: trials done, time left, what each case and the machine show so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

# Between two trials the bench cools down, prepares, or was interrupted: that is no measure of the rest.
_LONGEST_GAP_S = 120.0


@dataclass(frozen=True)
class Trial:
    """One line of ``trials.jsonl`` as a page shows it; unknown is None."""

    id: str
    case: str
    launch: int
    status: str
    reason: str | None
    started_s: float  # Unix time
    wall_s: float
    p50_ns: float | None
    emulated: bool
    hottest_c: float | None  # highest of all sensors in the window
    clock_hz: float | None  # the fastest domain's mean
    power_w: float | None  # by the first source that has one
    power_scope: str | None
    findings: tuple[tuple[str, str], ...]  # (severity, code)
    sha256: str | None = None  # of what it loaded


@dataclass(frozen=True)
class Flight:
    """A trial that began and has not ended."""

    trial: str  # its id
    launch: int  # from 0
    planned: int  # launches of its case
    since_s: float  # Unix time
    is_certain: bool  # else it is what comes next in the plan, where another one may be meant


@dataclass
class Progress:
    """One case: launches planned and done, and the median of each good one in order (ns)."""

    planned: int
    done: int = 0
    failed: int = 0
    p50s_ns: list[float] = field(default_factory=list)
    walls_s: list[float] = field(default_factory=list)


@dataclass
class State:
    """A run as its folder tells it."""

    folder: str
    device: str
    engine: str
    quick: bool
    plan: Sequence[tuple[str, str]]  # (trial id, case id) in the order they run
    cases: dict[str, Progress]
    trials: list[Trial] = field(default_factory=list)
    findings: dict[tuple[str, str], int] = field(default_factory=dict)  # (severity, code) -> trials
    flight: Flight | None = None
    changed_s: float | None = None  # Unix time at which the last trial ended
    finished: bool = False
    emulated: bool = False  # speeds then say nothing about the board

    @classmethod
    def of(cls, folder: str, header: Mapping[str, Any]) -> State:
        """From ``run.json``. Raises KeyError, TypeError or AttributeError on what is none."""
        plan = [
            (f"{name}#{item['launch']}", name) for item in header["plan"]["trials"] for name in [_id(item)]
        ]
        cases: dict[str, Progress] = {}
        for _, name in plan:
            cases.setdefault(name, Progress(0)).planned += 1
        identity = header["identity"]
        quick = bool(header["plan"]["settings"]["quick"])
        emulated = bool(identity.get("emulated"))
        device, engine = str(identity["device"]), str(identity["engine"])
        return cls(folder, device, engine, quick, plan, cases, emulated=emulated)

    def add(self, trial: Trial) -> None:
        """One more trial; it may be of no planned case: a budget goes on after the plan."""
        self.trials.append(trial)
        case = self.cases.setdefault(trial.case, Progress(0))
        case.done += 1
        case.walls_s.append(trial.wall_s)
        if trial.p50_ns is None:
            case.failed += 1
        else:
            case.p50s_ns.append(trial.p50_ns)
        for finding in trial.findings:
            self.findings[finding] = self.findings.get(finding, 0) + 1

    @property
    def failed(self) -> int:
        """Trials without a figure."""
        return sum(case.failed for case in self.cases.values())

    def left(self) -> list[tuple[str, str]]:
        """The planned trials to come, the one in flight first.

        What lies before the last trial done was skipped, as trials run in the plan's order.
        """
        done = {trial.id for trial in self.trials}
        last = max((place for place, (name, _) in enumerate(self.plan) if name in done), default=-1)
        skipped = {case for name, case in self.plan[: last + 1] if name not in done}
        return [item for item in self.plan[last + 1 :] if item[1] not in skipped or self.cases[item[1]].done]

    def left_s(self, now_s: float) -> float | None:
        """Seconds until the plan is done, at the pace so far; None before the first trial ended.

        A trial of a case takes what its last ones took, of a new one what all took.
        """
        if not self.trials or self.changed_s is None:
            return None
        usual_s = median([trial.wall_s for trial in self.trials[-50:]])
        total_s = 0.0
        for _, name in (coming := self.left()):
            walls_s = self.cases[name].walls_s[-3:]
            total_s += median(walls_s) if walls_s else usual_s
        return max(0.0, total_s + len(coming) * self._gap_s() - max(0.0, now_s - self.changed_s))

    def _gap_s(self) -> float:
        """What passes between two trials; records tell whole seconds."""
        recent = self.trials[-50:]
        gaps_s = [
            after.started_s - before.started_s - before.wall_s
            for before, after in zip(recent, recent[1:], strict=False)
        ]
        counted = [gap for gap in gaps_s if gap < _LONGEST_GAP_S]
        return max(0.0, sum(counted) / len(counted)) if counted else 0.0


def _id(item: Mapping[str, Any]) -> str:
    from orchestrator.domain import Case

    return Case.from_json(item["case"]).id


def trial_of(record: Mapping[str, Any]) -> Trial:
    """From one parsed line. Raises KeyError, TypeError, ValueError or AttributeError on what is none."""
    latency, name = record["latency"], str(record["trial"])
    compiled = (record.get("artifact") or {}).get("compiled") or {}
    sampled = [told for told in record["telemetry"].values() if told.get("method") == "sampled"]
    power = next((one for one in record.get("energy", ()) if one.get("mean_w") is not None), None)
    return Trial(
        name,
        name.rpartition("#")[0],
        int(record["launch"]),
        str(record["status"]),
        record["reason"],
        datetime.fromisoformat(record["started_utc"]).timestamp(),
        record["wall_ns"] / 1e9,
        None if latency is None or record["status"] != "ok" else float(latency["p50_ns"]),
        bool(record.get("emulated")),
        _highest(sampled, "c", "max"),
        _highest(sampled, "hz", "mean"),
        power and float(power["mean_w"]),
        power and str(power["scope"]),
        tuple((str(one["severity"]), str(one["code"])) for one in record["findings"]),
        compiled.get("sha256") or record.get("artifact_sha256"),
    )


def _highest(sampled: Sequence[Mapping[str, Any]], unit: str, figure: str) -> float | None:
    values = [told[figure] for told in sampled if told.get("unit") == unit and told.get(figure) is not None]
    return max(values, default=None)
