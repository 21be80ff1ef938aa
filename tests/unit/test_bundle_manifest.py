"""A manifest that fits its own sums can still lie: nothing of it is believed that could do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.bundle.archive import Bundle
from orchestrator.domain import InferometerError
from tests.support import bundles


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return bundles.document(bundles.make(tmp_path_factory.mktemp("bundle") / "good.tar"))


def refusal(path: Path) -> str:
    with pytest.raises(InferometerError) as caught:
        Bundle(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "../suite.tar",
        "/etc/passwd",
        "wheels/../../x",
        "wheels/.x",
        "artifacts/m/nq/b1/../../../../x",
        "artifacts/../nq/b1/x",
        "images/a/b",
        "suite.tar\n",
        "",
        7,
    ],
)
def test_a_member_outside_the_bundles_folders(document: dict[str, Any], tmp_path: Path, path: Any) -> None:
    member = {"path": path, "bytes": 1, "sha256": "0" * 64}
    forged = bundles.forge(tmp_path / "f.tar", {**document, "members": [*document["members"], member]})
    assert "has no place in a bundle" in refusal(forged)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda members: members[1:], "member suite.tar is missing"),
        (lambda members: members[:-1], "member images/fake.tar is missing"),
        (lambda members: [*members, members[0]], "member suite.tar is there twice"),
        (
            lambda members: [*members, {**members[0], "path": "wheels/x"}],
            "wheels/x is one that nothing names",
        ),
        (lambda members: [{**members[0], "bytes": -1}, *members[1:]], "suite.tar has no size"),
        (lambda members: [{**members[0], "bytes": 10**40}, *members[1:]], "suite.tar has no size"),
        (lambda members: [{**members[0], "bytes": 1.5}, *members[1:]], "suite.tar has no size"),
        (lambda members: [{**members[0], "sha256": 3}, *members[1:]], "suite.tar has no size or no SHA"),
        (lambda members: [{**members[0], "sha256": "x"}, *members[1:]], "suite.tar has no size or no SHA"),
        (lambda members: {}, "missing"),
        (lambda members: 3, "of another kind"),
    ],
)
def test_members_that_do_not_fit(document: dict[str, Any], tmp_path: Path, change: Any, text: str) -> None:
    forged = bundles.forge(tmp_path / "f.tar", {**document, "members": change(document["members"])})
    assert text in refusal(forged)


@pytest.mark.parametrize("name", ["suite", "device", "platform", "images", "exports", "wheels", "members"])
@pytest.mark.parametrize("value", [..., None, 3, [3], {"x": 3}])
def test_a_field_that_is_missing_or_of_another_kind(
    document: dict[str, Any], tmp_path: Path, name: str, value: Any
) -> None:
    changed = {key: item for key, item in {**document, name: value}.items() if item is not ...}
    assert "manifest.json" in refusal(bundles.forge(tmp_path / "f.tar", changed))


@pytest.mark.parametrize("field", ["version", "commit", "files"])
@pytest.mark.parametrize("value", [None, 3, ["x"], {"x": 3}])
def test_a_suite_of_another_kind(document: dict[str, Any], tmp_path: Path, field: str, value: Any) -> None:
    suite = {**document["suite"], field: value}
    assert "of another kind" in refusal(bundles.forge(tmp_path / "f.tar", {**document, "suite": suite}))


@pytest.mark.parametrize("name", ["models/a\0.py", "models/\ud800", "models/../../x", "/models/x"])
def test_a_file_of_the_suite_that_is_none(document: dict[str, Any], tmp_path: Path, name: str) -> None:
    suite = {**document["suite"], "files": {name: "0" * 64}}
    assert "of another kind" in refusal(bundles.forge(tmp_path / "f.tar", {**document, "suite": suite}))


@pytest.mark.parametrize("text", ["two\nlines", "\ud800", "\x1b[2J"])
def test_text_that_is_no_line(document: dict[str, Any], tmp_path: Path, text: str) -> None:
    assert "of another kind" in refusal(bundles.forge(tmp_path / "f.tar", {**document, "platform": text}))


@pytest.mark.parametrize(
    "change",
    [{"batch": 0}, {"batch": "1"}, {"files": "model.onnx"}, {"files": [3]}, {"model": None}, {"x": 1}],
)
def test_an_export_of_another_kind(document: dict[str, Any], tmp_path: Path, change: dict[str, Any]) -> None:
    exports = [{**item, **change} for item in document["exports"]]
    assert "of another kind" in refusal(bundles.forge(tmp_path / "f.tar", {**document, "exports": exports}))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"{}", b"\xff", b"[" * 100_000])
def test_no_manifest_at_all(tmp_path: Path, content: bytes) -> None:
    assert "no JSON object with a field schema" in refusal(bundles.forge(tmp_path / "f.tar", content))


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_names_the_way_on(document: dict[str, Any], tmp_path: Path, schema: Any) -> None:
    message = refusal(bundles.forge(tmp_path / "f.tar", {**document, "schema": schema}))
    assert f"manifest.json has schema {schema!r}, this suite reads 1" in message
    assert "use the suite in the bundle: tar xf" in message
