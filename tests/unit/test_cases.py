"""Which cases an order leads to on a device with a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cases import Order, make_plan
from orchestrator.catalog import Catalog, suite_root
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
