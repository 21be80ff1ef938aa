"""Model ids ``MODEL[@DATA][~SCALE]`` and variants as chains, read by both programs alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import card as cards
from models import variants as exporter_variants
from models.errors import ExportError
from orchestrator.cases import Order, make_plan
from orchestrator.catalog import Catalog, parse_variant, suite_root
from orchestrator.catalog.models import parts
from orchestrator.domain import InferometerError
from orchestrator.plan import Wish

CATALOG = Catalog(suite_root())
TECHNIQUES = CATALOG.techniques()
CARD = """
title = "Net"
family = "nets"
builder = "torchvision:net"
small = "little:Net"
classes = 1000
teacher = "resnet50"
[options]
depth = 28
[input]
shape = [3, 224, 224]
maximum = 255
mean = [0, 0, 0]
std = [1, 1, 1]
[weights]
kind = "pretrained"
url = "https://example.org/net.pth"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[settings.prn]
epochs = 9
[scales.tiny]
depth = 10
widen = 1
teacher = "net"
settings = {prn = {epochs = 1}}
[scales.other]
builder = "other:Net"
"""


@dataclass(frozen=True)
class DataCard:
    """What a model card takes from a data card."""

    id: str
    title: str
    classes: int
    input: dict[str, Any]
    path: Path = Path("set.toml")


def data(side: int) -> DataCard:
    table = {"shape": [3, side, side], "maximum": 255, "mean": [0, 0, 0], "std": [1, 1, 1]}
    return DataCard("set", "Set", 7, table)


@pytest.fixture
def card(tmp_path: Path) -> cards.Card:
    path = tmp_path / "net.toml"
    path.write_text(CARD)
    return cards.read(path)


@pytest.mark.parametrize(
    ("side", "scale", "builder"),
    [
        (224, None, "torchvision:net"),
        (65, None, "torchvision:net"),
        (64, None, "little:Net"),
        (32, "tiny", "little:Net"),
        (224, "other", "other:Net"),
        (32, "other", "other:Net"),
    ],
)
def test_the_builder_suits_the_images_and_a_scale_s_goes_first(
    card: cards.Card, side: int, scale: str | None, builder: str
) -> None:
    found = cards.derive(card, data(side), scale)  # type: ignore[arg-type]
    assert (found.builder, found.shape, found.classes) == (builder, (3, side, side), 7)
    assert found.id == "net@set" + (f"~{scale}" if scale else "")
    assert found.family == "nets"


def test_a_scale_lies_over_the_card(card: cards.Card) -> None:
    found = cards.derive(card, data(32), "tiny")  # type: ignore[arg-type]
    assert found.options == {"depth": 10, "widen": 1}
    assert found.settings == {"prn": {"epochs": 1}}
    assert found.teacher == "net"
    whole = cards.derive(card, data(32))  # type: ignore[arg-type]
    assert (whole.options, whole.settings, whole.teacher) == (
        {"depth": 28},
        {"prn": {"epochs": 9}},
        "resnet50",
    )


def test_pretrained_weights_are_a_start_for_images_of_their_size_alone(card: cards.Card) -> None:
    starts = {
        (side, scale): cards.derive(card, data(side), scale).weights["start"]  # type: ignore[arg-type]
        for side in (224, 96)
        for scale in (None, "tiny")
    }
    assert starts.pop((224, None)) == card.weights
    assert set(starts.values()) == {None}


def test_what_does_not_fit_is_refused(card: cards.Card) -> None:
    with pytest.raises(ExportError, match=r"net\.toml: scales: there is no 'huge'; known: tiny, other"):
        cards.derive(card, data(32), "huge")  # type: ignore[arg-type]
    flat = DataCard("set", "Set", 7, {"shape": [12]})
    with pytest.raises(ExportError, match=r"set\.toml: input\.shape: net takes images, not \[12\]"):
        cards.derive(card, flat)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("resnet50", ("resnet50", None, None)),
        ("resnet50@cifar10", ("resnet50", "cifar10", None)),
        ("vgg16@digits~smoke", ("vgg16", "digits", "smoke")),
        ("wide-resnet@a.b-c~16-4", ("wide-resnet", "a.b-c", "16-4")),
    ],
)
def test_an_id_has_three_parts(text: str, found: tuple[str, str | None, str | None]) -> None:
    assert parts(text) == found


@pytest.mark.parametrize("text", ["", "@digits", "net@", "net@digits~", "net~smoke", "~", "@~"])
def test_an_id_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InferometerError, match="^model "):
        parts(text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet5@digits", "unknown model 'resnet5'. Did you mean resnet50?"),
        ("resnet50@digitz", "unknown data 'digitz'. Did you mean digits?"),
        ("digits-cnn@digits~huge", "unknown scale of digits-cnn 'huge'."),
    ],
)
def test_a_wrong_part_is_named(tmp_path: Path, name: str, said: str) -> None:
    order = Order(Wish("", models=(name,), runtimes=("onnxruntime",)))
    with pytest.raises(InferometerError) as caught:
        make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)
    assert str(caught.value).startswith(said)


CODES = ["nq", "blq", "fiq", "f16", "qat", "prn", "prq", "fpr", "wcl", "kd"]


@pytest.mark.parametrize(
    ("code", "precision", "trains"),
    [
        ("nq", "nq", False),
        ("fiq", "fiq", False),
        ("prn", "nq", True),
        ("prq", "fiq", True),
        ("kd-f16", "f16", True),
        ("wcl-fiq", "fiq", True),
        ("kd-prn", "nq", True),
        ("qat", "qat", True),
        ("kd-fpr-qat", "qat", True),
    ],
)
def test_a_chain_s_precision_is_its_last_step_s(code: str, precision: str, trains: bool) -> None:
    found = parse_variant(code, TECHNIQUES)
    assert (found.precision, found.trains) == (precision, trains)
    assert found.formats


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("fp32", "there is no technique 'fp32'"),
        ("", "there is no technique ''"),
        ("kd-", "there is no technique ''"),
        ("fiq-prn", "fiq makes the files, so it stands last"),
        ("qat-fiq", "qat makes the files, so it stands last"),
        ("prn-prn", "names a technique twice"),
        ("prn-prq", "names a technique twice"),
        ("nq-prn", "nq is the empty chain; leave it out"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(code: str, said: str) -> None:
    with pytest.raises(InferometerError) as caught:
        parse_variant(code, TECHNIQUES)
    assert said in str(caught.value)


CODE = st.lists(st.sampled_from([*CODES, "", "x"]), min_size=1, max_size=4).map("-".join)


@given(CODE)
def test_suite_and_exporter_read_a_code_alike(code: str) -> None:
    card = cards.read(suite_root() / "models/digits-cnn.toml")
    try:
        theirs = exporter_variants.parse(code, card)
    except ExportError:
        with pytest.raises(InferometerError):
            parse_variant(code, TECHNIQUES)
        return
    ours = CATALOG.models()["digits-cnn"].variant(code)
    assert (ours.precision, ours.trains) == (theirs.last or "nq", theirs.trains)
    assert ours.formats == theirs.formats


def reasons(tmp_path: Path, model: str, variants: tuple[str, ...], runtimes: tuple[str, ...]) -> set[str]:
    """Why cases are skipped."""
    order = Order(Wish("", models=(model,), variants=variants, runtimes=runtimes))
    plan = make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)
    return {skip.reason for skip in plan.skips}


def test_a_plain_model_has_no_trained_variants_and_says_what_has(tmp_path: Path) -> None:
    said = reasons(tmp_path, "digits-cnn", ("prn",), ("tflite",))
    assert said == {"prn must be trained, and digits-cnn has no data for that; try digits-cnn@digits"}
    assert reasons(tmp_path, "digits-cnn@digits", ("prn", "kd-fiq"), ("tflite",)) == set()


def test_a_runtime_runs_the_precisions_it_names(tmp_path: Path) -> None:
    (said,) = reasons(tmp_path, "resnet50", ("blq",), ("onnxruntime", "tflite"))
    assert said.startswith("onnxruntime runs nq, ") and said.endswith(", not blq")


def test_int8_files_are_built_as_int8_and_no_others(tmp_path: Path) -> None:
    order = Order(Wish("", models=("resnet50",), variants=("nq", "fiq"), runtimes=("tensorrt",)))
    plan = make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)
    found = {(case.variant, dict(case.options)["precision"]) for case in plan.cases}
    assert found == {("nq", "fp32"), ("nq", "fp16"), ("fiq", "int8")}


def test_what_nobody_wants_measured_is_skipped_with_the_reason(tmp_path: Path) -> None:
    runtimes, accelerators = ("tflite", "onnxruntime"), ("cpu",)
    wish = Wish("", ("digits-cnn@digits",), ("nq", "prn"), runtimes, accelerators=accelerators)
    order = Order(wish, spared=((("onnxruntime", "prn"), "it takes long"),))
    plan = make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)
    assert [(skip.case.runtime, skip.case.variant, skip.reason) for skip in plan.skips] == [
        ("onnxruntime", "prn", "it takes long")
    ]


def test_what_cannot_run_at_all_is_skipped_with_that_reason_first(tmp_path: Path) -> None:
    wish = Wish("", ("digits-cnn",), ("blq",), ("onnxruntime",), accelerators=("cpu",))
    order = Order(wish, spared=((("onnxruntime", "blq"), "its file was run elsewhere"),))
    (skip,) = make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4).skips
    assert skip.reason.endswith(", not blq")
