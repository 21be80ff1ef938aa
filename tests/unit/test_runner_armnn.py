"""What the profile of Arm NN's tells: the kernels, whatever the layers are called."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support import runners


@pytest.fixture(scope="module")
def armnn() -> ModuleType:
    """The runner's module; it imports the runtime only when it serves."""
    spec = importlib.util.spec_from_file_location("armnn_runner", runners.RUNNERS / "armnn/runner.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "inferometer_sdk", runners.import_sdk())
        spec.loader.exec_module(module)
    return module


def profile(*kernels: str) -> dict[str, Any]:
    """A profile as release 23.08 nests it."""
    executed = {name: {"type": "Event", "Wall clock time_#9": {"raw": [1.0]}} for name in kernels}
    inference = {"type": "Event", "Execute_#6": {"type": "Event", **executed}}
    return {"ArmNN": {"optimize_measurements_#1": {"type": "Event"}, "inference_measurements_#3": inference}}


@pytest.mark.parametrize(
    ("kernel", "node"),
    [
        ("Conv2D:0:1_NeonConvolution2dWorkload_Execute_#19", ("Conv2D:0:1", "Convolution2d", "CpuAcc")),
        ("Add:0:3_RefElementwiseBinaryWorkload_Execute_#3", ("Add:0:3", "ElementwiseBinary", "CpuRef")),
        ("RefSoftmaxWorkload_Execute_#4", ("Softmax", "Softmax", "CpuRef")),
        ("my_Reference_NeonX_RefPadWorkload_Execute_#5", ("my_Reference_NeonX", "Pad", "CpuRef")),
    ],
)
def test_a_kernel_names_layer_operation_and_backend(
    armnn: ModuleType, kernel: str, node: tuple[str, str, str]
) -> None:
    assert armnn.executed_nodes(profile(kernel)) == [dict(zip(("name", "op", "on"), node, strict=True))]


def test_what_computes_nothing_is_no_node(armnn: ModuleType) -> None:
    kernels = ["Constant:weights_NeonConstantWorkload_Execute_#7", "CopyMemGeneric_Execute_#8"]
    assert armnn.executed_nodes(profile(*kernels)) == []


class Network:
    """A loaded network, and its profiler, that executed these kernels."""

    def __init__(self, *kernels: str) -> None:
        self.kernels = kernels

    def GetProfiler(self, network: object) -> Network:
        return self

    def EnableProfiling(self, on: bool) -> None:
        pass

    def as_json(self) -> str:
        return json.dumps(profile(*self.kernels))


def placement(armnn: ModuleType, backend: str, *kernels: str) -> dict[str, Any]:
    """What the runner says of a run with this backend that executed these kernels."""
    runner = armnn.ArmNN.__new__(armnn.ArmNN)
    runner.request = SimpleNamespace(options={"backend": backend, "fp16": "off"})
    runner.backends, runner.messages = backend.split("+"), []
    runner.armnn, runner.network, runner.infer = Network(*kernels), 0, lambda: None
    found: dict[str, Any] = runner.placement()
    return found


CONV, PAD = "a_NeonConvolution2dWorkload_Execute_#1", "b_RefPadWorkload_Execute_#2"


@pytest.mark.parametrize(
    ("backend", "kernels", "executed"),
    [
        ("CpuAcc", [CONV], {"CpuAcc": 1}),
        ("CpuAcc+CpuRef", [CONV, PAD], {"CpuAcc": 1, "CpuRef": 1}),
        ("CpuRef", [PAD], {"CpuRef": 1}),
    ],
)
def test_layers_are_counted_by_backend(
    armnn: ModuleType, backend: str, kernels: list[str], executed: dict[str, int]
) -> None:
    assert placement(armnn, backend, *kernels)["executed"] == executed


@pytest.mark.parametrize("kernels", [[PAD], []])
def test_neon_that_was_asked_for_and_took_nothing_fails(armnn: ModuleType, kernels: list[str]) -> None:
    with pytest.raises(armnn.sdk.RunnerError) as caught:
        placement(armnn, "CpuAcc+CpuRef", *kernels)
    assert caught.value.code == "accelerator"
    assert str(caught.value) == "CpuAcc took none of the model's layers"
