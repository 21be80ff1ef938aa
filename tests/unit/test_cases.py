"""Which cases an order leads to on a device with a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cases import Order, make_plan
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.plan import Plan, Wish

CATALOG = Catalog(suite_root())


def planned(cache: Path, **wish: tuple[object, ...]) -> Plan:
    """Of PyTorch on a PC whose GPU is within reach."""
    order = Order(Wish("", models=("digits-cnn",), runtimes=("pytorch",), **wish))  # type: ignore[arg-type]
    return make_plan(CATALOG, cache, order, CATALOG.device("x86"), "docker", {}, 4)


def modes(plan: Plan) -> set[tuple[str, str]]:
    return {(case.accelerator, dict(case.options)["mode"]) for case in plan.cases}


def test_a_default_for_another_accelerator_is_left_out(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert modes(plan) == {("cpu", "eager"), ("cpu", "aot"), ("cuda", "eager")}
    assert plan.skips == ()


@pytest.mark.parametrize("accelerators", [("cuda",), ("cpu", "cuda")])
def test_one_that_is_named_is_skipped_with_the_reason(tmp_path: Path, accelerators: tuple[str, ...]) -> None:
    named = (("pytorch", "mode", ("aot", "compiled")),)
    plan = planned(tmp_path, options=named, accelerators=accelerators)
    assert ("cuda", "compiled") in modes(plan) and ("cuda", "aot") not in modes(plan)
    assert [skip.reason for skip in plan.skips] == ["pytorch.mode=aot is for cpu, not cuda"]


def test_a_pc_that_may_have_a_gpu_reads_its_power() -> None:
    devices = CATALOG.devices().values()
    gpus = [item for item in devices if item.arch == "x86_64" and "cuda" in item.accelerators]
    assert gpus
    assert all("nvml@0.1" in item.sources for item in gpus)


@pytest.mark.parametrize("batches", [(4,), (1, 2)])
def test_a_batch_that_loadgen_cannot_query_is_refused_before_anything_is_measured(
    tmp_path: Path, batches: tuple[int, ...]
) -> None:
    def plan(scenario: str) -> Plan:
        wish = Wish("", models=("digits-cnn",), runtimes=("pytorch",), batches=batches)
        order = Order(wish, loadgen=scenario)
        return make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)

    with pytest.raises(InferometerError, match=f"--loadgen SingleStream .* batch {batches[-1]}.*; give"):
        plan("SingleStream")
    assert {case.batch for case in plan("Offline").cases} == set(batches)
