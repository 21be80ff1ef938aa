"""What the ONNX Runtime runner asks its runtime for, without a GPU."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support import runners


@pytest.fixture
def module() -> ModuleType:
    """The runner's module; it imports the runtime only when it serves."""
    spec = importlib.util.spec_from_file_location(
        "onnxruntime_runner", runners.RUNNERS / "onnxruntime/runner.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "inferometer_sdk", runners.import_sdk())
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("accelerator", "providers"),
    [
        ("cpu", [("CPUExecutionProvider", {})]),
        ("cuda", [("CUDAExecutionProvider", {"use_tf32": "0"})]),  # else fp32 is not fp32 there
    ],
)
def test_providers(module: ModuleType, accelerator: str, providers: list[Any]) -> None:
    asked: list[Any] = []

    def session(path: str, options: Any, providers: list[Any]) -> Any:
        asked.extend(providers)
        return SimpleNamespace(get_providers=lambda: [name for name, _ in providers])

    vars(module)["ort"] = SimpleNamespace(
        InferenceSession=session, ExecutionMode=SimpleNamespace(ORT_SEQUENTIAL=0)
    )
    runner = module.OnnxRuntime.__new__(module.OnnxRuntime)
    runner.request = SimpleNamespace(threads=1, accelerator=accelerator, model={"path": "model.onnx"})
    runner.make_session(SimpleNamespace())
    assert asked == providers
