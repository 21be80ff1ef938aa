"""int8 and fp16: each note stands on what was seen, and none is made without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain import Execution
from orchestrator.explain import told
from tests.support.explained import NO_INSTRUCTIONS, noted, only, row

VNNI = {**NO_INSTRUCTIONS, "dot_product": ["avx_vnni"]}
NODES = Execution(nodes={"CPUExecutionProvider": 60})


def test_slower_int8_without_instructions_for_it_says_so() -> None:
    note = only("int8_not_faster", noted(row("fiq", 36e6), row("nq", 30e6), processor=NO_INSTRUCTIONS))
    assert note
    assert "is slower than nq here: 36.0 ms against 30.0 ms, 1.20 times as long" in note.text
    assert "Likely because this processor (x86_64) has no dot-product instructions for int8." in note.text
    assert note.evidence["ratio"] == pytest.approx(1.2)
    assert note.evidence["ratio_low"] < 1.2 < note.evidence["ratio_high"]  # type: ignore[operator]


def test_equal_int8_is_no_faster() -> None:
    note = only("int8_not_faster", noted(row("blq", 30e6), row("nq", 30e6), processor=VNNI))
    assert note and "is no faster than nq" in note.text
    assert "Nothing that was recorded points to a cause." in note.text


@pytest.mark.parametrize(
    ("int8", "fp32"),
    [
        (row("fiq", 20e6), row("nq", 30e6)),  # faster
        (row("fiq", 29e6, width=0.5), row("nq", 30e6)),  # a real gain is not excluded
        (row("fiq", 36e6, width=None), row("nq", 30e6)),  # no interval
        (row("fiq", 36e6), row("nq", 30e6, threads=2)),  # another place
        (row("fiq", 36e6), row("nq", 30e6, runtime="tflite")),
        (row("fiq", 36e6), row("nq", None)),
        (row("f16", 36e6), row("nq", 30e6)),
        (replace(row("fiq", 36e6), emulated=True), replace(row("nq", 30e6), emulated=True)),
    ],
)
def test_int8_has_no_note_where_nothing_shows_it(int8: object, fp32: object) -> None:
    assert not only("int8_not_faster", noted(int8, fp32, processor=NO_INSTRUCTIONS))  # type: ignore[arg-type]


def test_an_unknown_processor_is_no_cause() -> None:
    unknown = {**NO_INSTRUCTIONS, "dot_product": None, "dot_product_reason": "not recorded"}
    note = only("int8_not_faster", noted(row("fiq", 36e6), row("nq", 30e6), processor=unknown))
    assert note and "dot-product" not in note.text
    on_gpu = [row(variant, p50_ns, accelerator="cuda") for variant, p50_ns in (("fiq", 36e6), ("nq", 30e6))]
    note = only("int8_not_faster", noted(*on_gpu, processor=NO_INSTRUCTIONS))
    assert note and "dot-product" not in note.text


def test_float_nodes_come_before_instructions_and_conversions() -> None:
    seen = Execution(
        float_fallback={"MAX_POOL_2D": 2, "RESHAPE": 1},
        operators={"xnnpack": {"DEQUANTIZE": 4, "QUANTIZE": 3, "CONV_2D": 13}},
    )
    int8 = row("blq", 36e6, execution=seen)
    note = only("int8_not_faster", noted(int8, row("nq", 30e6), processor=NO_INSTRUCTIONS))
    assert note
    causes = (
        "3 nodes of its file stayed in fp32 (2 MAX_POOL_2D, 1 RESHAPE)",
        "no dot-product instructions",
        "7 of the 20 nodes that ran only convert between int8 and fp32",
    )
    places = [note.text.index(cause) for cause in causes]
    assert places == sorted(places)
    assert note.evidence["float_nodes"] == 3 and note.evidence["conversion_nodes"] == 7


def test_converting_at_input_and_output_is_no_cause() -> None:
    seen = Execution(operators={"xnnpack": {"DEQUANTIZE": 1, "QUANTIZE": 1, "CONV_2D": 13}})
    int8 = row("fiq", 36e6, execution=seen)
    note = only("int8_not_faster", noted(int8, row("nq", 30e6), processor=VNNI))
    assert note and "convert" not in note.text


@pytest.mark.parametrize(("fp32_ns", "small"), [(120e3, True), (30e6, False)])
def test_a_network_of_short_nodes_is_small(fp32_ns: float, small: bool) -> None:
    int8, fp32 = row("fiq", 1.2 * fp32_ns), row("nq", fp32_ns, execution=NODES)
    note = only("int8_not_faster", noted(int8, fp32, processor=VNNI))
    assert note and ("the network is small: in fp32 a node takes 2.00 us" in note.text) is small


def test_of_a_disturbed_pair_the_figures_come_first() -> None:
    int8 = row("fiq", 36e6, findings=("noisy_neighbour",))
    note = only("int8_not_faster", noted(int8, row("nq", 30e6), processor=NO_INSTRUCTIONS))
    assert (
        note
        and "was disturbed (noisy_neighbour): measure again first. If it stays: likely because" in note.text
    )
    assert note.evidence["disturbed"] == "noisy_neighbour" and note.evidence["dot_product"] == "none"


@pytest.mark.parametrize(
    ("variant", "others", "against"),
    [
        ("prq", ("prn", "nq"), "prn"),
        ("prq", ("nq",), "nq"),
        ("kd-fiq", ("kd", "nq"), "kd"),
        ("kd-fiq", ("nq",), None),
    ],
)
def test_int8_is_set_against_its_own_network(
    variant: str, others: tuple[str, ...], against: str | None
) -> None:
    found = noted(row(variant, 40e6), *(row(other, 30e6) for other in others))
    note = only("int8_not_faster", found)
    assert (note.evidence["fp32"] if note else None) == (against and row(against).case.id)


def test_fp16_files_that_compute_in_fp32_say_so() -> None:
    seen = Execution(compute={"float32": 8}, operators={"xnnpack": {"DEQUANTIZE": 8}})
    note = only("fp16_in_fp32", noted(row("f16", 31e6, execution=seen), row("nq", 30e6)))
    assert note and "all 8 nodes of its file compute in fp32" in note.text
    assert "1.03 times that of nq (95 % interval 1.00 to 1.06)" in note.text
    assert note.evidence["float32_nodes"] == 8


def test_casts_around_fp16_nodes_are_counted() -> None:
    seen = Execution(compute={"float16": 10}, operators={"CPUExecutionProvider": {"Cast": 8, "Conv": 3}})
    note = only("fp16_in_fp32", noted(row("f16", execution=seen)))
    assert note and "8 of the 11 nodes that ran convert" in note.text


@pytest.mark.parametrize(
    ("variant", "seen"),
    [
        ("f16", Execution(compute={"float16": 10}, operators={"cpu": {"Cast": 2, "Conv": 3}})),
        ("f16", Execution(compute={"float16": 8, "float32": 1})),
        ("f16", None),
        ("nq", Execution(compute={"float32": 8})),
    ],
)
def test_fp16_has_no_note_where_nothing_shows_fp32(variant: str, seen: Execution | None) -> None:
    assert not only("fp16_in_fp32", noted(row(variant, execution=seen), row("fiq", 30e6)))


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [(0.5, "0.500 ns"), (16_100, "16.1 us"), (99_940, "99.9 us"), (99_960, "100 us"), (2.5e9, "2.50 s")],
)
def test_times_have_three_digits(value_ns: float, text: str) -> None:
    assert told.time(value_ns) == text
