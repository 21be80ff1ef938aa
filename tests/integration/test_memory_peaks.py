"""A short spike of memory in a container is caught by the kernel's peaks and charged to its own phase.

Takes about 10 seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain import Memory, Status, Trial
from orchestrator.engines.images import Image
from orchestrator.engines.launch import Target
from orchestrator.execute import execute
from tests.support import containers, doubles

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SPIKE_BYTES = 200_000_000
SETTINGS = replace(doubles.SHORT, min_duration_ns=500_000_000, idle_after_ns=1_000_000, timeout_s=20.0)
NEAR = 0.02
PHASES = {"load": "load", "first": "inference", "warmup": "inference"}


def measured(folder: Path, image: Image, **script: str) -> tuple[Memory, int | None]:
    """The figures of a trial of the double, and the version of its memory cgroup."""
    folder.mkdir()
    conditions = doubles.conditions_of(containers.engine(), SETTINGS, memory_bytes=1 << 30)
    trial = Trial(doubles.case(**script), 0)
    record = execute(trial, doubles.load(), Target("fake", image.tag), conditions, folder)
    assert (record.status, record.reason) == (Status.OK, None)
    lines = (folder / "transcript.jsonl").read_text().splitlines()
    (footprint,) = [message for message in map(json.loads, lines) if message["type"] == "footprint"]
    assert record.memory
    assert not record.memory.reasons.get("inference_vm_hwm_bytes"), "a shut-off container may reset its VmHWM"
    return record.memory, footprint["cgroup_version"]


def test_a_spike_of_5_ms_is_caught_in_its_phase(
    double_image: Image, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    quiet, version = measured(tmp_path / "quiet", double_image)
    if quiet.container_peak_method != "cgroup_peak":
        pytest.skip(
            f"no peak of the kernel's: {quiet.reasons.get('container_peak_bytes', 'version 2 without it')}"
        )
    assert version in (1, 2)
    record_property("cgroup_version", version)
    for at, phase in PHASES.items():
        script = {"behaviour": "spike", "at": at, "bytes": str(SPIKE_BYTES)}
        found, _ = measured(tmp_path / at, double_image, **script)
        for view in ("container_peak", "vm_hwm"):
            before, spiked = (getattr(memory, f"{phase}_{view}_bytes") for memory in (quiet, found))
            caught = spiked - before
            assert caught == pytest.approx(SPIKE_BYTES, rel=NEAR), f"{view} at {at}, cgroup version {version}"
            assert spiked == getattr(found, f"{view}_bytes"), "the whole is the higher of the two"
            other = "load" if phase == "inference" else "inference"
            assert getattr(found, f"{other}_{view}_bytes") < before + SPIKE_BYTES // 10, f"{view} at {at}"
        methods = found.load_container_peak_method, found.inference_container_peak_method
        # A peak of load hides the lower ones that follow: the inferences' is sampled then.
        assert methods == ("cgroup_peak", "cgroup_peak" if phase == "inference" else "sampled")
        assert found.system_drop_method == "sampled" or found.reasons["system_drop_bytes"]
