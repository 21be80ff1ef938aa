"""Peak memory, load and inference apart: read, or sampled, or None with its reason."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.domain import Memory, TrialRecord
from orchestrator.measurement import memory as module
from orchestrator.measurement.memory import memory
from tests.support import records, schemas

CLOCK = {"boot_id": "b", "time_namespace": None}
START = {"type": "clock", **CLOCK, "interval_ns": 10}
MARKS = {
    "import": [50, 90],
    "load": [100, 200],
    "first": [210, 220],
    "warmup": [230, 290],
    "settle": [300, 310],
    "measure": [320, 400],
    "outputs": [410, 420],
}
FOOTPRINT = {
    "vm_hwm_bytes": 900,
    "load_vm_hwm_bytes": 900,
    "inference_vm_hwm_bytes": 500,
    "cgroup_peak_bytes": 1000,
    "load_cgroup_peak_bytes": 800,
    "cgroup_version": 1,
    "reasons": {},
}
OLDER = {"vm_hwm_bytes": 900, "load_vm_hwm_bytes": 500, "cgroup_peak_bytes": 1000, "reasons": {}}
FIGURES = [name for name in Memory.__dataclass_fields__ if name.endswith("_bytes")]
METHODS = [name for name in Memory.__dataclass_fields__ if name.endswith("_method")]


def reading(source, t_ns, value, reason="eagain"):
    reason = reason if value is None else None
    return {
        "type": "reading",
        "source": source,
        "value": value,
        "reason": reason,
        "t0_ns": t_ns,
        "t1_ns": t_ns + 2,
    }


def peak(value, reason="eagain", at=250):
    return reading("cgroup.memory_peak", at, value, reason)


def current(value, reason="eagain", at=250):
    return reading("cgroup.memory_current", at, value, reason)


def found(footprint, lines=(), marks=MARKS, clock=CLOCK, contained=True):
    return memory(footprint, [START, *lines], marks, clock, contained)


@pytest.mark.parametrize(
    "footprint, lines, expected",
    [
        (FOOTPRINT, [], (1000, "cgroup_peak")),
        (FOOTPRINT, [peak(700), current(600)], (1000, "cgroup_peak")),
        # Read after the window, when the runner looks up its placement: not the inference's memory.
        (FOOTPRINT, [peak(1100), current(600)], (1000, "cgroup_peak")),
        (None, [peak(700), peak(800)], (800, "cgroup_peak")),
        (None, [peak(None, "no_sensor"), current(600), current(650), current(630)], (650, "sampled")),
        ({**FOOTPRINT, "cgroup_peak_bytes": None}, [current(600)], (600, "sampled")),
        ({**FOOTPRINT, "cgroup_peak_bytes": 0}, [current(600)], (600, "sampled")),
    ],
)
def test_the_true_peak_is_preferred_and_its_method_named(footprint, lines, expected):
    of = found(footprint, lines)
    assert (of.container_peak_bytes, of.container_peak_method) == expected
    assert "container_peak_bytes" not in of.reasons


@pytest.mark.parametrize(
    "footprint, lines, contained, words",
    [
        (None, [], True, "the runner sent no footprint; telemetry: no reading"),
        (
            {**FOOTPRINT, "cgroup_peak_bytes": None, "reasons": {"cgroup_peak_bytes": "switched off"}},
            [peak(None, "no_sensor"), current(None, "no_sensor")],
            True,
            "switched off; telemetry: no_sensor",
        ),
        ({**FOOTPRINT, "cgroup_peak_bytes": 0}, [peak(0), current(0)], True, "the runner gave no reason"),
        (FOOTPRINT, [peak(None, "not_supported"), current(None, "not_supported")], True, "shared"),
        (FOOTPRINT, [peak(800)], False, "no container"),
    ],
)
def test_no_container_peak_has_a_reason(footprint, lines, contained, words):
    of = found(footprint, lines, contained=contained)
    assert (of.container_peak_bytes, of.container_peak_method) == (None, None)
    assert words in of.reasons["container_peak_bytes"]
    assert words in of.reasons["container_peak_method"]


def test_outside_a_container_no_figure_of_the_cgroup_is_the_runners():
    of = found(FOOTPRINT, [peak(800), current(700), reading("cgroup.memory_anon", 250, 5)], contained=False)
    for name in ("load_container_peak", "inference_container_peak", "inference_anon_peak"):
        assert getattr(of, f"{name}_bytes") is getattr(of, f"{name}_method") is None
        assert of.reasons[f"{name}_bytes"] == "it ran in no container"


def test_a_peak_that_rose_after_load_is_the_inferences():
    of = found(FOOTPRINT, [current(600)])
    assert (of.load_container_peak_bytes, of.load_container_peak_method) == (800, "cgroup_peak")
    assert (of.inference_container_peak_bytes, of.inference_container_peak_method) == (1000, "cgroup_peak")


@pytest.mark.parametrize("at, expected", [(211, 600), (398, 600), (150, None), (205, None), (405, None)])
def test_a_peak_of_load_hides_the_inferences_which_are_then_sampled(at, expected):
    footprint = {**FOOTPRINT, "load_cgroup_peak_bytes": 1000}
    of = found(footprint, [current(600, at=at)])
    assert of.load_container_peak_bytes == of.container_peak_bytes == 1000
    assert of.inference_container_peak_bytes == expected
    assert of.inference_container_peak_method == (expected and "sampled")
    if expected is None:
        reason = "cgroup.memory_current: no reading in time"
        assert of.reasons["inference_container_peak_bytes"] == reason


def test_the_highest_reading_of_each_part_where_the_kernel_keeps_no_peak():
    """Kernels before 5.19 in version 2."""
    footprint = {**FOOTPRINT, "cgroup_peak_bytes": None, "load_cgroup_peak_bytes": None}
    lines = [
        current(value, at=at) for value, at in ((100, 60), (750, 150), (500, 250), (550, 350), (9999, 412))
    ]
    of = found(footprint, lines)
    assert (of.load_container_peak_bytes, of.load_container_peak_method) == (750, "sampled")
    assert (of.inference_container_peak_bytes, of.inference_container_peak_method) == (550, "sampled")


def test_a_runner_of_an_older_protocol_has_the_sampled_figures():
    of = found(OLDER, [current(400, at=150), current(600), reading("cgroup.memory_anon", 250, 300)])
    assert (of.container_peak_bytes, of.load_container_peak_bytes) == (1000, 400)
    assert (of.inference_container_peak_bytes, of.inference_container_peak_method) == (600, "sampled")
    assert (of.inference_anon_peak_bytes, of.inference_anon_peak_method) == (300, "sampled")
    assert of.inference_vm_hwm_bytes is None
    assert of.reasons["inference_vm_hwm_bytes"] == "the runner does not tell it"


def test_the_runners_own_peaks_stand_beside_the_containers():
    of = found(FOOTPRINT)
    assert (of.vm_hwm_bytes, of.load_vm_hwm_bytes, of.inference_vm_hwm_bytes) == (900, 900, 500)
    assert of.vm_hwm_method == "vmhwm"
    of = found({**FOOTPRINT, "load_vm_hwm_bytes": None, "reasons": {"load_vm_hwm_bytes": "no /proc"}})
    assert (of.vm_hwm_bytes, of.load_vm_hwm_bytes) == (900, None)
    assert of.reasons["load_vm_hwm_bytes"] == "no /proc"
    silent = memory(None, [], {}, {})
    assert silent.reasons["vm_hwm_bytes"] == silent.reasons["vm_hwm_method"] == "the runner sent no footprint"


@pytest.mark.parametrize(
    "field, source, values",
    [
        ("system_drop", "host.memory_available", (9000, 8800, 8500, 8300, 8400, 8900)),
        ("gpu", "nvmap.used", (100, 300, 600, 800, 700, 5)),
    ],
)
def test_what_the_machine_gave_up_from_before_load_to_its_worst_moment(field, source, values):
    lines = [
        reading(source, at, value) for at, value in zip((60, 95, 150, 250, 350, 412), values, strict=True)
    ]
    of = found(FOOTPRINT, lines)
    assert (getattr(of, f"{field}_bytes"), getattr(of, f"{field}_method")) == (700, "sampled")


@pytest.mark.parametrize(
    "lines, words",
    [
        ([], "nvmap.used was not read"),
        ([(250, 9)], "nvmap.used: no reading before load"),
        ([(60, 9)], "nvmap.used: no reading during inference"),
        ([(60, None)], "nvmap.used: permission"),
        ([(60, 9), (250, 9)], "nvmap.used did not rise above that before load"),
        ([(60, 9), (250, 8)], "nvmap.used did not rise above that before load"),
    ],
)
def test_no_memory_of_a_gpu_has_a_reason(lines, words):
    of = found(FOOTPRINT, [reading("nvmap.used", at, value, "permission") for at, value in lines])
    assert (of.gpu_bytes, of.gpu_method) == (None, None)
    assert of.reasons["gpu_bytes"] == of.reasons["gpu_method"] == words


def test_memory_that_others_gave_back_is_no_figure_of_the_runners():
    of = found(FOOTPRINT, [reading("host.memory_available", at, at) for at in (60, 250)])
    assert of.system_drop_bytes is None
    assert of.reasons["system_drop_bytes"] == "host.memory_available did not fall below that before load"


LINES = [
    reading(source, at, 1000 - at)
    for source in ("host.memory_available", "cgroup.memory_current", "cgroup.memory_anon")
    for at in (60, 150, 250)
]


@pytest.mark.parametrize(
    "lines, marks, clock, words",
    [
        (LINES, MARKS, CLOCK, "no telemetry was taken"),
        ([START, *LINES], MARKS, {**CLOCK, "boot_id": "other"}, "boot id differs"),
        ([START, *LINES], {}, CLOCK, "load was not reached"),
        (
            [START, *LINES],
            {"load": [100, 200], "first": [210]},
            CLOCK,
            "the window was not reached or not closed",
        ),
        ([START, *LINES], {**MARKS, "measure": [320]}, CLOCK, "the window was not reached or not closed"),
    ],
)
def test_without_the_runners_marks_on_this_clock_nothing_is_sampled(lines, marks, clock, words):
    of = memory({**FOOTPRINT, "load_cgroup_peak_bytes": None}, lines, marks, clock)
    assert of.system_drop_bytes is of.inference_container_peak_bytes is of.inference_anon_peak_bytes is None
    assert words in of.reasons["system_drop_bytes"]
    assert of.container_peak_bytes == 1000


def check(record):
    """Its memory against the published schema."""
    part = {"$ref": "trial.schema.json#/$defs/memory"}
    Draft202012Validator(part, registry=schemas.REGISTRY).validate(json.loads(json.dumps(record["memory"])))


values = st.none() | st.integers(0, 99)
sources = st.sampled_from(
    ["cgroup.memory_peak", *(getattr(module, n) for n in ("CURRENT", "ANON", "AVAILABLE", "GPU"))]
)
footprints = st.fixed_dictionaries(
    {}, optional={name: values for name in FOOTPRINT if name.endswith("_bytes")}
)
marks = st.lists(st.integers(0, 500), max_size=18).map(
    lambda times: {
        name: sorted(times)[2 * number : 2 * number + 2]
        for number, name in enumerate(MARKS)
        if sorted(times)[2 * number :]
    }
)


@given(
    st.none() | footprints,
    st.lists(st.builds(reading, sources, st.integers(0, 500), values)),
    marks,
    st.booleans(),
)
def test_memory_is_a_number_that_was_read_or_none_with_a_reason(footprint, lines, marks, contained):
    of = found(footprint, lines, marks, contained=contained)
    read = {line["value"] for line in lines} | set((footprint or {}).values())
    for name in FIGURES + METHODS:
        value = getattr(of, name)
        assert (value is None) == bool(of.reasons.get(name)), name
        assert value != 0
        if name in FIGURES and name not in ("system_drop_bytes", "gpu_bytes"):
            assert value is None or value in read
    for name in METHODS:
        assert (getattr(of, name) is None) == (getattr(of, name.replace("_method", "_bytes")) is None)
    record = replace(records.record(0), memory=of)
    check(record.to_json())
    assert TrialRecord.from_json(record.to_json()) == record


def test_a_record_from_before_these_fields_is_read():
    data = replace(records.record(0), memory=Memory(container_peak_bytes=7)).to_json()
    known = ("container_peak_bytes", "container_peak_method", "vm_hwm_bytes", "load_vm_hwm_bytes", "reasons")
    data["memory"] = {name: data["memory"][name] for name in known}
    of = TrialRecord.from_json(data).memory
    assert of.container_peak_bytes == 7
    assert of.inference_container_peak_bytes is of.gpu_bytes is None
