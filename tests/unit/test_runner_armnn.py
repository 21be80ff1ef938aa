"""What the profile of Arm NN's tells: the kernels, whatever the layers are called."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
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
