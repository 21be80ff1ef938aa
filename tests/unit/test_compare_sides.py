"""Sides read from results: figures launch by launch from a folder, what a summary still tells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.compare import provenance
from orchestrator.compare.figures import from_launches, from_summary
from orchestrator.compare.side import read
from orchestrator.domain import CaseEnergy, Energy, InferometerError
from tests.support.results import artifact, case, document, header, record, summary, window

HEADER: dict[str, Any] = {
    "environment": {
        "kernel": "6.1.0",
        "cpu_model": "Example",
        "microcode": None,
        "os": "Debian",
        "git_commit": "c" * 40,
        "git_dirty": True,
        "isolation": {
            "governors": {"policy0": "performance", "policy4": "schedutil"},
            "turbo": False,
            "nvpmodel": None,
            "clocks_locked": {"cpu.policy0": True, "cpu.policy4": False},
            "swaps": [],
            "aslr": 0,
            "smt": "off",
            "isolated_cores": [2, 3],
            "preemption": "PREEMPT_RT",
        },
    },
    "identity": {
        "machine": "0" * 64,
        "engine": "docker",
        "emulated": False,
        "forced": None,
        "tuned": {"turbo": "off"},
    },
    "plan": {"settings": {"quick": False, "min_duration_ns": 5, "warmup_cap": 300}},
    "sources": ["cgroup", "load"],
}


def test_a_folder_tells_how_it_was_measured() -> None:
    which = case(threads=2)
    records = [record(which, launch, window(1e6, launch)) for launch in range(2)]
    found = provenance.of_run(HEADER, records, summary(which, 1e6))
    assert {name: found[name] for name in found if found[name] is None} == {
        "microcode": None,
        "power_mode": None,
    }
    assert {
        "governor": "performance,schedutil",
        "turbo": "off",
        "clocks_locked": "cpu.policy0",
        "swap": "off",
        "aslr": "0",
        "isolated_cores": "2,3",
        "tuned": "turbo=off",
        "forced": "not forced",
        "threads": "2",
        "cores": "3",
        "artifact": "a" * 64,
        "settings": "full, min_duration_ns 5, warmup_cap 300",
        "image": f"sha256:{'0' * 64}",
        "runtime": "1.31.1",
        "commit": f"{'c' * 40} and changes",
        "placement": "CPUExecutionProvider=122",
        "telemetry": "cgroup, load",
    }.items() <= found.items()
    assert set(found) == {*provenance.OBSTACLES, *provenance.SUBJECTS}


def test_launches_of_two_images_are_both_told() -> None:
    records = [record(case(), n, window(1e6, n), image=f"sha256:{n}") for n in range(2)]
    assert provenance.of_run(HEADER, records, summary(case(), 1e6))["image"] == "sha256:0 and sha256:1"


def test_a_summary_tells_less_and_agrees_in_what_it_tells() -> None:
    row = summary(case(), 1e6)
    row = replace(row, artifact=None)
    told = provenance.of_document(header(), [artifact()], row)
    assert (told["kernel"], told["settings"], told["artifact"]) == ("6.1.0", "full", None)
    folder = {**told, "settings": "full, min_duration_ns 5", "image": "x"}
    assert provenance.differences(folder, told, provenance.OBSTACLES) == []
    assert [one.field for one in provenance.unknown(folder, told)] == ["image"]
    quick = {**told, "settings": "quick"}
    assert [one.words() for one in provenance.differences(folder, quick, provenance.OBSTACLES)] == [
        "settings full, min_duration_ns 5 / quick"
    ]


def test_figures_launch_by_launch() -> None:
    which = case()
    windows = [window(1e6, launch) for launch in range(3)]
    joules = Energy("rapl", "package", "counter", 1, 1, 1.0, 1.0, 1, gross_per_inference_j=0.5)
    records = [record(which, n, values, energy=(joules,)) for n, values in enumerate(windows)]
    row = summary(which, 1e6, launches=3)
    found = from_launches(row, records, {"p90": [1.0, None, 3.0], "p99": [None] * 3})
    assert found["p50"].launches == row.launch_p50_ns
    assert (found["p90"].value, found["p90"].launches) == (2.0, (1.0, 3.0))
    assert (found["p99"].value, found["p99"].reason) == (
        None,
        "n too small: 662 iterations a launch are needed",
    )
    assert found["load"].launches == (84e6, 85e6, 86e6)
    assert found["peak_memory"].value == 231 * 2**20
    assert found["energy:rapl, package, counter"].launches == (0.5, 0.5, 0.5)
    assert found["accuracy"].reason == "no accuracy is known"


def test_figures_of_a_row_alone() -> None:
    energy = CaseEnergy("rapl", "package", "counter", 5, 1.0, 0.9, 1.1)
    row = replace(summary(case(), 1e6), energy=(energy, replace(energy, source="plug", gross_low_j=None)))
    found = from_summary(row)
    assert len(found["p50"].launches) == 5
    assert (found["mean"].launches, found["mean"].value) == ((), pytest.approx(row.mean_ns))
    assert found["energy:rapl, package, counter"].error == pytest.approx(0.1 / 2.7764)
    plug = found["energy:plug, package, counter"]
    assert (plug.error, plug.value) == (None, 1.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"run": {}}, 'field run: "name" is a required property'),
        ({"artifacts": [{}]}, r'field artifacts\[0\]: "model" is a required property'),
        (
            {"cases": [replace(summary(case(), 1e6), launch_p50_ns=(float("nan"),) * 5).to_json()]},
            r"field cases\[0\].launch_p50_ns\[0\] is nan, which no figure of a machine is",
        ),
    ],
)
def test_a_damaged_file_is_refused(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    """A traceback would end with 1, which a gate and git bisect read as slower."""
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({**document(), **change}))
    with pytest.raises(InferometerError, match=complaint):
        read(path)
