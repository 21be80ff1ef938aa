"""A model card that is wrong is refused in one line that names the file and the field."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import card as cards
from models.errors import ExportError
from orchestrator.catalog import suite_root

ROOT = suite_root()
CARDS = sorted((ROOT / "models").glob("*.toml"))
SHA256 = "0" * 64
GOOD: dict[str, Any] = {
    "title": "A net",
    "builder": "torchvision:resnet50",
    "classes": 10,
    "input": {"shape": [3, 8, 9], "maximum": 255, "mean": [0.5, 0.5, 0], "std": [1.0, 0.25, 1]},
    "weights": {"kind": "pretrained", "url": "https://weights.example/w.pth", "sha256": SHA256},
    "variants": {"nq": {"formats": ["onnx", "pt2"]}},
}
BUNDLED = {"kind": "bundled", "file": "w.pth", "seed": 0, "sha256": SHA256}
# The field, what stands there instead (... for nothing), and what is said of it.
WRONG: list[tuple[str, Any, str]] = [
    *[
        (name, ..., "is missing")
        for name in (
            "title",
            "builder",
            "classes",
            "input",
            "input.shape",
            "input.maximum",
            "input.mean",
            "input.std",
            "weights",
            "weights.kind",
            "weights.url",
            "weights.sha256",
            "variants.nq.formats",
        )
    ],
    ("title", 7, "must be a str, not 7"),
    ("classes", 1, "must be at least 2, not 1"),
    ("classes", True, "must be a int, not True"),
    ("classes", "ten", "must be a int, not 'ten'"),
    ("builder", "resnet50", 'must look like "torchvision:resnet50"'),
    ("builder", "../evil:Net", 'must look like "torchvision:resnet50"'),
    ("input", [], "must be a dict"),
    ("input.shape", [3, 8], "must be [channels, height, width], not [3, 8]"),
    ("input.shape", [3, 8, 0], "must be [channels, height, width]"),
    ("input.shape", [3, 8, True], "must be [channels, height, width]"),
    ("input.mean", [0.5], "must hold 3 numbers, not [0.5]"),
    ("input.std", [1, 1, "1"], "must hold 3 numbers"),
    ("input.std", [1, 0, 1], "must be above 0"),
    ("input.maximum", 0, "must be at least 1"),
    ("weights.kind", "rumoured", "must be one of pretrained, bundled, none, not 'rumoured'"),
    ("weights.sha256", "0" * 63, "must be 64 hexadecimal digits"),
    ("weights.sha256", "F" * 64, "must be 64 hexadecimal digits"),
    ("variants", [], "must be a dict, not []"),
    ("variants.nq", 3, "must be a dict, not 3"),
    ("variants.nq.formats", [], "must be some of onnx, onnx-s8, tflite, pt2, not []"),
    ("variants.nq.formats", ["onnx", "dos"], "must be some of onnx, onnx-s8, tflite, pt2"),
    ("family", 3, "must be a str, not 3"),
    ("small", "resnet", 'must look like "torchvision:resnet50"'),
    ("options", [], "must be a dict, not []"),
    ("settings", {"prn": 3}, "prn: must be a dict, not 3"),
    ("scales", {"smoke": 3}, "smoke: must be a dict, not 3"),
    ("scales", {"smoke": {"builder": "x"}}, 'smoke.builder: must look like "torchvision:resnet50"'),
    ("scales", {"smoke": {"settings": {"nq": 1}}}, "smoke.settings.nq: must be a dict, not 1"),
]


def toml(value: Any) -> str:
    """A value in TOML's inline form, which but for tables is JSON's."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{json.dumps(name, ensure_ascii=False)} = {toml(item)}" for name, item in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # TOML escapes no halves of characters


def write(path: Path, content: dict[str, Any]) -> Path:
    """A card file."""
    path.write_text("".join(f"{name} = {toml(value)}\n" for name, value in content.items()))
    return path


def changed(field: str, value: Any) -> dict[str, Any]:
    """A good card with one thing wrong."""
    content = json.loads(json.dumps(GOOD))
    *tables, name = field.split(".")
    table = content
    for one in tables:
        table = table[one]
    if value is ...:
        del table[name]
    else:
        table[name] = value
    return content


def test_a_good_card_is_read(tmp_path: Path) -> None:
    card = cards.read(write(tmp_path / "a-net.toml", GOOD))
    assert (card.id, card.title, card.builder, card.classes) == ("a-net", "A net", GOOD["builder"], 10)
    assert card.shape == (3, 8, 9)
    assert card.input == GOOD["input"]
    assert card.weights == GOOD["weights"]
    assert card.variants == {"nq": ("onnx", "pt2")}


def test_bundled_weights_take_a_file_and_a_seed(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    assert cards.read(write(path, changed("weights", BUNDLED))).weights == BUNDLED
    for name in ("file", "seed"):
        partial = {key: value for key, value in BUNDLED.items() if key != name}
        with pytest.raises(ExportError, match=rf"net\.toml: weights\.{name}: is missing"):
            cards.read(write(path, changed("weights", partial)))


@pytest.mark.parametrize("path", CARDS, ids=[path.stem for path in CARDS])
def test_every_card_of_the_suite_is_good(path: Path) -> None:
    assert cards.read(path).id == path.stem


@pytest.mark.parametrize(
    ("field", "value", "said"), WRONG, ids=[f"{field}={value!r:.20}" for field, value, _ in WRONG]
)
def test_a_wrong_field_is_named(tmp_path: Path, field: str, value: Any, said: str) -> None:
    path = write(tmp_path / "net.toml", changed(field, value))
    with pytest.raises(ExportError) as caught:
        cards.read(path)
    joined = "." if re.match(r"(prn|smoke)[:.]", said) else ": "  # the field lies below the changed one
    assert str(caught.value).startswith(f"{path}: {field}{joined}{said}")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content", [b"title = \n", b"[input\n", b"a = 1\na = 2\n", b"\xff\xfe", b"title = 'a\x00'"]
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes(content)
    with pytest.raises(ExportError) as caught:
        cards.read(path)
    assert str(caught.value).startswith(f"{path}: cannot read the card: ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"none\.toml: cannot read the card: "):
        cards.read(tmp_path / "none.toml")


# JSON writes the delete character as it is; TOML does not take it.
texts = st.text(st.characters(exclude_characters="\x7f", codec="utf-8"), max_size=5)
FIELDS = sorted({field for field, _, _ in WRONG})
anything = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(FIELDS), anything)
def test_whatever_stands_in_a_field_is_taken_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    try:
        card = cards.read(write(path, changed(field, value)))
    except ExportError as problem:
        text = str(problem)
        assert text.startswith(f"{path}: ")
        assert "cannot read the card" not in text, "the card itself was TOML"
        # Of a field that holds a table or fixes another's length, that one may be named.
        assert any(text.startswith(f"{path}: {other}") for other in [*FIELDS, f"{field}."])
        assert len(text.split("\n")) == 1
    else:
        assert card.classes >= 2
        assert len(card.input["mean"]) == len(card.input["std"]) == card.shape[0]
        assert set().union(*card.variants.values()) <= set(cards.FORMATS)


def test_a_wrong_card_is_refused_without_torch(tmp_path: Path) -> None:
    """By the exporter's own command, in an environment that has nothing to export with."""
    path = write(tmp_path / "net.toml", changed("classes", 1))
    blocked = "import sys; sys.modules['torch'] = sys.modules['numpy'] = None; import runpy;"
    code = f"{blocked} sys.argv[1:] = {['export', '--card', str(path), '--out', str(tmp_path / 'o')]!r};"
    done = subprocess.run(
        [sys.executable, "-c", code + "runpy.run_module('models', run_name='__main__')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert told == {"type": "error", "message": f"{path}: classes: must be at least 2, not 1"}
    assert not (tmp_path / "o").exists()
