"""Each finding is raised by what it names and by nothing less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain import (
    Finding,
    Memory,
    Parity,
    Score,
    Severity,
    Status,
    TrialRecord,
    Verdict,
)
from orchestrator.findings import Circumstances, Code, case_findings, trial_findings, verdict
from tests.support.results import case, failed, record, window

P50 = 10_000_000.0


def codes(found: tuple[Finding, ...]) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in found}


def calm(launch: int = 0, p50_ns: float = P50, **fields: Any) -> TrialRecord:
    """A launch without any finding: 1000 values within 2 %."""
    values = [round(p50_ns * (1 + 0.01 * ((7 * i) % 5 - 2) / 2)) for i in range(1000)]
    return record(case(), launch, values, **fields)


def five(**fields: Any) -> list[TrialRecord]:
    return [calm(launch, **fields) for launch in range(5)]


def test_a_calm_case_has_no_finding() -> None:
    assert calm().findings == ()
    assert case_findings(five(), Circumstances(weights="trained")) == ()
    assert verdict(()) is Verdict.VALID


def test_every_code_has_advice_and_renders_itself() -> None:
    assert len({code.code for code in Code}) == len(Code)
    for code in Code:
        finding = code.finding("seen")
        assert (finding.code, finding.severity, finding.message) == (code.code, code.severity, "seen")
        assert finding.advice.endswith(".")


@pytest.mark.parametrize(
    ("fields", "code", "severity"),
    [
        ({"steady": False}, "not_steady", Severity.SUSPECT),
        ({"harness_p50_ns": 0.006 * P50}, "harness_cost", Severity.NOTE),
        ({"harness_p50_ns": 0.06 * P50}, "harness_cost", Severity.SUSPECT),
        ({"parity": Parity(3, 4, 0.5)}, "parity_mismatch", Severity.SUSPECT),
        ({"parity": Parity(4, 4, None)}, "parity_mismatch", Severity.INVALID),
        ({"parity": Parity(4, 4, 0.5, 0.1)}, "parity_mismatch", Severity.SUSPECT),
        ({"parity": Parity(354, 360, 0.5, None, 355)}, "parity_mismatch", Severity.SUSPECT),
        ({"parity": Parity(360, 360, None, None, 355)}, "parity_mismatch", Severity.INVALID),
        ({"memory": None}, "memory_unavailable", Severity.NOTE),
        ({"memory": Memory(reasons={"container_peak_bytes": "why"})}, "memory_unavailable", Severity.NOTE),
        (
            {"telemetry": {"telemetry": {"reason": "no telemetry was taken", "interval_ns": None}}},
            "telemetry_missing",
            Severity.NOTE,
        ),
        (
            {"telemetry": {"telemetry": {"reason": "boot id differs: a, b", "interval_ns": 10**9}}},
            "clock_not_aligned",
            Severity.NOTE,
        ),
    ],
)
def test_a_trial_finding_and_its_severity(fields: dict[str, Any], code: str, severity: Severity) -> None:
    assert codes(calm(**fields).findings) == {code: severity}


@pytest.mark.parametrize(
    "fields",
    [{"harness_p50_ns": 0.005 * P50}, {"harness_p50_ns": None}, {"steady": None}, {"parity": None}],
)
def test_what_is_within_limits_or_unknown_is_no_finding(fields: dict[str, Any]) -> None:
    assert calm(**fields).findings == ()


def placed(executed: dict[str, int | None]) -> tuple[Finding, ...]:
    return calm(placement={"requested": "cpu", "executed": executed, "notes": []}).findings


@pytest.mark.parametrize(
    ("executed", "message"),
    [
        ({"armnn": 1, "builtin": 59}, "59 of 60 nodes on builtin, 1 on armnn"),
        ({"builtin": 2, "xnnpack": 67}, "67 of 69 nodes on xnnpack, 2 on builtin"),
        ({"CpuAcc": 6, "CpuRef": 3, "GpuAcc": 1}, "6 of 10 nodes on CpuAcc, 3 on CpuRef, 1 on GpuAcc"),
        ({"builtin": 7, "libnpu.so": None}, "nodes: 7 on builtin, unknown on libnpu.so"),
    ],
)
def test_nodes_in_several_places_are_counted(executed: dict[str, int | None], message: str) -> None:
    (finding,) = placed(executed)
    assert (finding.code, finding.severity, finding.message) == ("placement_mixed", Severity.SUSPECT, message)


@pytest.mark.parametrize(
    "executed", [{"CPUExecutionProvider": 122}, {"xnnpack": 8, "builtin": 0}, {"libnpu.so": None}]
)
def test_one_place_is_no_finding(executed: dict[str, int | None]) -> None:
    assert placed(executed) == ()


def test_mixed_places_make_a_case_suspect_and_never_invalid() -> None:
    mixed = {"requested": "cpu", "executed": {"armnn": 1, "builtin": 59}, "notes": []}
    found = case_findings(five(placement=mixed), Circumstances())
    assert verdict(found) is Verdict.SUSPECT
    assert [finding.message for finding in found] == ["59 of 60 nodes on builtin, 1 on armnn"]


def test_a_process_tells_its_own_peak_where_there_is_no_container() -> None:
    memory = Memory(vm_hwm_bytes=190 * 2**20, reasons={"container_peak_bytes": "runs in no container"})
    assert calm(memory=memory).findings[0].message == (
        "container peak: runs in no container; the process itself peaked at 190.0 MiB"
    )


def window_codes(values: list[int]) -> dict[str, Severity]:
    return codes(record(case(), 0, values).findings)


def test_unsteady_windows() -> None:
    calm_values = window(P50, 0)
    assert window_codes([*calm_values[:-1], 2 * 10**7]) == {
        "unstable": Severity.NOTE,  # one slow value in 500 does not move the median
        "outliers": Severity.NOTE,
    }
    rough = [round(P50 * (1 + 0.3 * (i % 2))) for i in range(500)]
    assert window_codes(rough) == {"unstable": Severity.SUSPECT}
    rising = [round(value * (1 + 0.2 * i / 500)) for i, value in enumerate(calm_values)]
    assert window_codes(rising) == {"trend": Severity.SUSPECT}


def test_a_failed_trial_has_no_finding_but_a_fallback() -> None:
    lost = failed(case(), 0, Status.CRASHED, "killed by SIGSEGV")
    assert trial_findings(lost, []) == ()
    found = trial_findings(lost, [], "cuda was asked for, executed on CPUExecutionProvider")
    assert codes(found) == {"placement_fallback": Severity.INVALID}


def test_circumstances_become_findings() -> None:
    given = Circumstances(
        quick=True,
        weights="random(7)",
        weights_reason="the network is away",
        forced_device="this machine is x86",
        cgroup_memory_disabled=True,
        no_power_source="none is read",
        tuned="turbo=off",
    )
    found = case_findings([calm(i, engine="process") for i in range(5)], given)
    assert codes(found) == {
        "forced_device": Severity.SUSPECT,
        "quick_run": Severity.SUSPECT,
        "weights_random": Severity.NOTE,
        "process_engine": Severity.NOTE,
        "cgroup_memory_disabled": Severity.NOTE,
        "no_power_source": Severity.NOTE,
        "tuned": Severity.NOTE,
    }
    assert verdict(found) is Verdict.SUSPECT
    assert [finding.severity for finding in found] == sorted(
        (finding.severity for finding in found), key=["invalid", "suspect", "note"].index
    )
    assert "weights: random(7) because the network is away" in {finding.message for finding in found}


def test_joules_that_were_asked_for_and_are_missing() -> None:
    found = case_findings(five(), Circumstances(energy_missing="rapl.psys: stale"))
    assert codes(found) == {"energy_unavailable": Severity.NOTE}
    assert found[0].message == "rapl.psys: stale"
    # Without any source there is one cause, told once.
    both = Circumstances(no_power_source="nvml: no_sensor", energy_missing="telemetry read no power source")
    assert codes(case_findings(five(), both)) == {"no_power_source": Severity.NOTE}


def test_of_an_emulated_case_no_latency_is_judged() -> None:
    wild = [calm(launch, P50 * factor) for launch, factor in enumerate((1, 1.3, 1.001))]
    found = case_findings(wild, Circumstances(emulated=True, quick=True))
    assert codes(found) == {"emulated": Severity.INVALID}
    assert verdict(found) is Verdict.INVALID


def test_launches_below_the_wanted_number() -> None:
    found = case_findings(five()[:4], Circumstances())
    assert codes(found) == {"too_few_launches": Severity.SUSPECT}
    assert found[0].message == "4 good launches, at least 5 are needed"
    assert case_findings(five()[:4], Circumstances(least_launches=4)) == ()


def test_modes_take_the_place_of_an_unstable_spread() -> None:
    records = [calm(launch, P50 * factor) for launch, factor in enumerate((1, 1.3, 1.001, 1.302, 1.001))]
    found = case_findings(records, Circumstances())
    assert codes(found) == {"multimodal": Severity.SUSPECT}
    assert (
        found[0].message
        == "2 speed modes: 10.01 ms (3 of 5 launches, 60 %), 13.01 ms (2 of 5 launches, 40 %)"
    )


def test_launches_that_differ_are_unstable() -> None:
    records = [calm(launch, P50 * factor) for launch, factor in enumerate((1, 1.1, 1.2, 1.3, 1.4))]
    assert codes(case_findings(records, Circumstances())) == {"unstable": Severity.SUSPECT}


def test_a_slow_first_launch_is_told_only_of_launch_zero() -> None:
    records = [calm(launch, P50 * (1.2 if launch == 0 else 1)) for launch in range(6)]
    assert "slow_first_launch" in codes(case_findings(records, Circumstances()))
    later = [replace(item, launch=item.launch + 1) for item in records]
    assert "slow_first_launch" not in codes(case_findings(later, Circumstances()))


def test_few_iterations_leave_p99_unknown() -> None:
    records = [record(case(), launch, window(P50, launch, 100)) for launch in range(5)]
    assert codes(case_findings(records, Circumstances()))["percentile_floor"] is Severity.NOTE


@pytest.mark.parametrize(("correct", "marked"), [(357, False), (355, True)])
def test_accuracy_below_99_percent_of_the_reference(correct: int, marked: bool) -> None:
    records = five(accuracy=Score(correct, 360))
    known = Circumstances(weights="trained", reference=Score(360, 360))
    assert ("accuracy_below_reference" in codes(case_findings(records, known))) is marked
    random = replace(known, weights="random(0)")
    assert "accuracy_below_reference" not in codes(case_findings(records, random))


def test_some_failed_launches_make_suspect_and_all_make_invalid() -> None:
    lost = [failed(case(), launch, reason="no memory") for launch in range(5)]
    some = case_findings([*five(), replace(lost[0], launch=5)], Circumstances())
    assert codes(some) == {"failed_launches": Severity.SUSPECT}
    assert some[0].message == "1 of 6 launches failed, first: oom, no memory"
    every = case_findings(lost, Circumstances())
    assert verdict(every) is Verdict.INVALID
    assert codes(every) == {"failed_launches": Severity.INVALID}


def test_a_fallback_in_any_launch_makes_the_case_invalid() -> None:
    lost = failed(case(), 5, Status.ERROR, "accelerator: gone")
    lost = replace(lost, findings=trial_findings(lost, [], "cuda was asked for, executed on CPU"))
    assert verdict(case_findings([*five(), lost], Circumstances())) is Verdict.INVALID


def test_one_disturbed_launch_is_told_but_two_make_suspect() -> None:
    once = [calm(launch, steady=launch != 2) for launch in range(5)]
    found = case_findings(once, Circumstances())
    assert codes(found) == {"not_steady": Severity.NOTE}
    assert found[0].message.startswith("in 1 of 5 launches, ")
    twice = [calm(launch, steady=launch not in (1, 2)) for launch in range(5)]
    assert codes(case_findings(twice, Circumstances())) == {"not_steady": Severity.SUSPECT}
    assert codes(case_findings(once[2:3], Circumstances(least_launches=1))) == {
        "not_steady": Severity.SUSPECT
    }


def test_one_wrong_output_is_never_a_note() -> None:
    records = [calm(launch, parity=Parity(4 - (launch == 3), 4, 0.1)) for launch in range(5)]
    assert codes(case_findings(records, Circumstances())) == {"parity_mismatch": Severity.SUSPECT}


def test_a_code_stands_once_even_if_seen_inside_and_between_launches() -> None:
    spread = [round(P50 * (1 + 0.3 * (i % 2))) for i in range(1000)]
    factors = (1, 1.1, 1.2, 1.3, 1.4)
    records = [record(case(), i, [round(v * f) for v in spread]) for i, f in enumerate(factors)]
    found = case_findings(records, Circumstances())
    assert codes(found) == {"unstable": Severity.SUSPECT}
    assert "launches differ by" in found[0].message
    assert "standard deviation 13% of the mean" in found[0].message


def test_a_lossy_file_that_differs_as_its_exporter_saw_is_no_mismatch() -> None:
    agrees = trial_findings(calm(parity=Parity(356, 360, 2.5, None, 355)), [])
    assert "parity_mismatch" not in {finding.code for finding in agrees}
    (said,) = [
        finding.message
        for finding in trial_findings(calm(parity=Parity(350, 360, 2.5, None, 355)), [])
        if finding.code == "parity_mismatch"
    ]
    assert "on 10 of 360 inputs" in said and said.endswith("its exporter's own agreement allows 5")


def test_made_up_calibration_and_cut_training_make_a_case_suspect() -> None:
    given = Circumstances(calibration_synthetic=True, training_cut="a budget ended training early: nq")
    found = {finding.code: finding for finding in case_findings(five(), given)}
    assert found["calibration_synthetic"].severity is Severity.SUSPECT
    assert found["training_cut"].message == "a budget ended training early: nq"
