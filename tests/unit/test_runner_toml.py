"""What a runner.toml promises is what its runner declares. Nothing is imported: the class is read."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import read_runtime
from tests.support import runners

FOLDERS = sorted(path.parent for path in runners.RUNNERS.glob("*/runner.toml"))


def declared(folder: Path) -> dict[str, Any]:
    """The literal fields of the runner's class."""
    tree = ast.parse((folder / "runner.py").read_text("utf-8"))
    (runner,) = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["sdk.Runner"]
    ]
    fields: dict[str, Any] = {"accelerators": ("cpu",), "options": {}}
    for node in runner.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                fields[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return fields


def test_they_are_there() -> None:
    assert {"armnn", "onnxruntime", "pytorch", "tflite", "fake"} <= {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_formats_and_options_agree(folder: Path) -> None:
    runtime, fields = read_runtime(folder / "runner.toml"), declared(folder)
    assert {*runtime.formats, *(made for _, _, made in runtime.compile)} == set(fields["formats"])
    assert set(runtime.options) == set(fields["options"])
    for name, option in runtime.options.items():
        values = fields["options"][name]
        assert set(option.values) == ({"*"} if "*" in values else set(values))
        assert option.help


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_compiled_values_and_tools_name_existing_options(folder: Path) -> None:
    runtime = read_runtime(folder / "runner.toml")
    for option, value, _ in runtime.compile:
        assert value in runtime.options[option].values
    for tool in runtime.tools:
        assert set(tool.values) <= set(runtime.options[tool.option].values)


def test_which_options_ask_for_less_precision_than_the_model_s() -> None:
    known = {folder.name: read_runtime(folder / "runner.toml") for folder in FOLDERS}
    assert [
        v
        for v in known["tensorrt"].options["precision"].values
        if known["tensorrt"].is_lowered({"precision": v})
    ] == ["tf32", "fp16", "int8"]
    assert known["armnn"].is_lowered({"backend": "CpuAcc", "fp16": "on"})
    assert known["armnn"].is_lowered({"fast_math": "on", "fp16": "off"})
    assert not known["armnn"].is_lowered({"backend": "CpuAcc", "fp16": "off"})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_sdk_is_imported_first(folder: Path) -> None:
    tree = ast.parse((folder / "runner.py").read_text("utf-8"))
    first = tree.body[1 if ast.get_docstring(tree) else 0]
    assert isinstance(first, ast.Import)
    assert first.names[0].name == "inferometer_sdk"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_requirements_are_pinned_and_hold_the_package(folder: Path) -> None:
    lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "--"))]
    assert all("==" in line for line in wanted)
    package = read_runtime(folder / "runner.toml").package
    assert not package or any(line.startswith(package + "==") for line in wanted)
