"""Every name of TensorRT's and CUDA's that the runner uses, against NVIDIA's own packages; no GPU is needed.

The Python module of a release comes from its wheel and loads beside stubs of the C++ libraries, of which
none is called. 8.2, older than any wheel, is held against its documentation:
https://docs.nvidia.com/deeplearning/tensorrt/archives/tensorrt-823/api/python_api/
"""

from __future__ import annotations

import ast
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import runners, tensorrt

RUNNER = tensorrt.RUNNER.parent
WHEELS = {
    "8.6.1": "tensorrt-bindings==8.6.1",
    "10.3.0": "tensorrt-cu12-bindings==10.3.0",
    "10.16.1": "tensorrt-cu12-bindings==10.16.1.11",
    "11.4.0": "tensorrt-cu12-bindings==11.4.0.106",
}
CUDA_WHEELS = {
    "11.8": "nvidia-cuda-runtime-cu11==11.8.89",
    "12.9": "nvidia-cuda-runtime-cu12==12.9.79",
    "13.5": "nvidia-cuda-runtime==13.5.37",
}
LIBRARIES = ("libnvinfer", "libnvonnxparser", "libnvinfer_plugin", "libnvparsers")
# Those that a release may lack, and what the runner asks before it uses them.
GUARDED = {
    "EXPLICIT_BATCH", "FP16", "INT8", "IInt8EntropyCalibrator2", "int8_calibrator", "max_workspace_size",
    "set_memory_pool_limit", "platform_has_tf32", "platform_has_fast_fp16", "platform_has_fast_int8",
    "execute_async_v2", "num_bindings", "get_binding_name", "binding_is_input", "get_binding_shape",
    "get_binding_dtype",
}  # fmt: skip
CLASSES = {
    "module": (
        "Builder", "BuilderFlag", "DataType", "LayerInformationFormat", "LayerType", "ILogger",
        "NetworkDefinitionCreationFlag", "OnnxParser", "ProfilingVerbosity", "Runtime",
        "init_libnvinfer_plugins", "IInt8EntropyCalibrator2", "__version__",
    ),
    "Builder": (
        "create_network", "create_builder_config", "build_serialized_network", "platform_has_fast_fp16",
        "platform_has_fast_int8", "platform_has_tf32",
    ),
    "BuilderFlag": ("TF32", "FP16", "INT8"),
    "DataType": ("FLOAT", "HALF", "INT8", "INT32", "BOOL"),
    "EngineInspector": ("get_engine_information",),
    "IBuilderConfig": (
        "clear_flag", "set_flag", "profiling_verbosity", "int8_calibrator", "max_workspace_size",
        "set_memory_pool_limit",
    ),
    "ICudaEngine": ("create_execution_context", "create_engine_inspector"),
    "IExecutionContext": ("execute_async_v2",),
    "ILogger": ("INTERNAL_ERROR", "ERROR", "WARNING", "log"),
    "IInt8EntropyCalibrator2": (
        "get_batch_size", "get_batch", "read_calibration_cache", "write_calibration_cache",
    ),
    "ILayer": ("type", "num_outputs", "get_output"),
    "INetworkDefinition": ("num_layers", "get_layer", "num_inputs", "get_input"),
    "ITensor": ("name", "dtype", "shape"),
    "LayerInformationFormat": ("JSON",),
    "LayerType": ("QUANTIZE",),
    "NetworkDefinitionCreationFlag": ("EXPLICIT_BATCH",),
    "OnnxParser": ("parse", "num_errors", "get_error"),
    "ProfilingVerbosity": ("DETAILED",),
    "Runtime": ("deserialize_cuda_engine",),
}  # fmt: skip
NAMED = {
    "module": ("TensorIOMode",),
    "TensorIOMode": ("INPUT", "OUTPUT"),
    "ICudaEngine": (
        "num_io_tensors", "get_tensor_name", "get_tensor_mode", "get_tensor_shape", "get_tensor_dtype",
    ),
    "IExecutionContext": ("set_tensor_address", "execute_async_v3"),
}  # fmt: skip
BINDINGS = {
    "ICudaEngine": (
        "num_bindings", "get_binding_name", "binding_is_input", "get_binding_shape", "get_binding_dtype",
    ),
    "IExecutionContext": ("execute_async_v2",),
}  # fmt: skip
GONE = {  # what each release no longer has, as its migration guide says
    "8.6.1": set(),
    "10.3.0": {"max_workspace_size", "execute_async_v2"},
    "10.16.1": {"max_workspace_size", "execute_async_v2"},
    "11.4.0": GUARDED - {"set_memory_pool_limit"},
}
ASK = """
import json, sys
import {module} as trt
found = {{}}
for place, names in json.load(sys.stdin).items():
    holder = trt if place == "module" else getattr(trt, place, None)
    found[place] = [name for name in names if hasattr(holder, name)]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every wheel unpacked in a folder of its own; none is installed."""
    folder = tmp_path_factory.mktemp("wheels")
    for name, requirement in {**WHEELS, **CUDA_WHEELS}.items():
        words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder / name)]
        done = subprocess.run([*words, requirement], capture_output=True, text=True, timeout=300)
        if done.returncode and os.environ.get("CI") != "true":
            pytest.skip(f"{requirement} is out of reach")
        assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder)


def ask(folder: Path, stubs: Path, names: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Those of the names that the module in a folder has, its C++ libraries replaced by empty functions."""
    (library,) = folder.glob("*/tensorrt.so")
    undefined = subprocess.run(["nm", "-D", "-u", library], capture_output=True, text=True, check=True).stdout
    functions = re.findall(r" U ((?:create|get)\w+|initLib\w+|_ZN\d+nv\w+)$", undefined, re.MULTILINE)
    text = "".join(f"void *{name}(void) {{ return 0; }}\n" for name in functions)
    needed = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    stubs.mkdir()
    for name in re.findall(r"\[(lib\w+\.so\.\d+)\]", needed):
        if name.split(".")[0] in LIBRARIES:
            words = [
                "gcc",
                "-shared",
                "-fPIC",
                f"-Wl,-soname,{name}",
                "-x",
                "c",
                "-",
                "-o",
                str(stubs / name),
            ]
            source = text if name.startswith("libnvinfer.") else ""
            subprocess.run(words, input=source, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(module=library.parent.name)],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder), "LD_LIBRARY_PATH": str(stubs)},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def merged(*tables: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        key: tuple(n for table in tables for n in table.get(key, ())) for table in tables for key in table
    }


@pytest.mark.parametrize("release", WHEELS)
def test_the_runner_uses_what_is_there(wheels: Path, tmp_path: Path, release: str) -> None:
    names = merged(CLASSES, NAMED)
    found = ask(wheels / release, tmp_path / "stubs", names)
    missing = {name for place in names for name in set(names[place]) - set(found[place])}
    missing -= set(CLASSES["IInt8EntropyCalibrator2"]) if "IInt8EntropyCalibrator2" in missing else set()
    assert missing == {name for name in GONE[release] if name in {n for part in names.values() for n in part}}


@pytest.mark.parametrize("release", ["8.6.1", "10.3.0", "11.4.0"])
def test_the_double_has_nothing_that_the_real_one_lacks(
    wheels: Path, tmp_path: Path, release: str, cudart: Path
) -> None:
    """Public names of every class of the double, in the generation of that release."""
    code = (
        "import json, tensorrt as t\n"
        "kinds = {n: c for n, c in vars(t).items() if isinstance(c, type) and n[0] != '_'}\n"
        "print(json.dumps({n: [a for a in vars(c) if a[0] != '_' and a not in ('flags', 'said', 'model')] "
        "for n, c in kinds.items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={
            "PYTHONPATH": f"{tensorrt.DOUBLES}",
            "LD_LIBRARY_PATH": str(cudart.parent),
            "TENSORRT_DOUBLE": release,
        },
    )
    assert done.returncode == 0, done.stderr
    names = {place: tuple(members) for place, members in json.loads(done.stdout).items()}
    assert names["Builder"] and names["ICudaEngine"]
    found = ask(wheels / release, tmp_path / "stubs", names)
    assert {place: sorted(found[place]) for place in names} == {p: sorted(names[p]) for p in names}


@pytest.fixture(scope="module")
def cudart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tensorrt.build_cudart(tmp_path_factory.mktemp("cudart"))


def test_no_name_of_the_runner_is_left_out() -> None:
    """What the sources take from TensorRT's objects is in the tables above."""
    known = {name for names in merged(CLASSES, NAMED, BINDINGS).values() for name in names}
    used = set()
    for path in ("build.py", "tensors.py", "inspection.py", "runner.py", "calibration.py", "log.py"):
        for node in ast.walk(ast.parse((RUNNER / path).read_text())):
            if isinstance(node, ast.Attribute):
                root = node.value
                while isinstance(root, (ast.Attribute, ast.Call)):
                    root = root.value if isinstance(root, ast.Attribute) else root.func
                holders = ("trt", "builder", "network", "parser", "config", "layer", "engine", "context")
                if isinstance(root, ast.Name) and root.id in holders:
                    used.add(node.attr)
    assert used - known == {"get", "__init__"}  # of a dictionary, and of every class


@pytest.mark.parametrize("release", CUDA_WHEELS)
def test_cuda_s_functions(wheels: Path, release: str) -> None:
    """Every function is exported; without a GPU the library says so in words."""
    (library,) = (wheels / release).rglob("libcudart.so.*")
    cuda = ctypes.CDLL(str(library))
    tree = ast.parse((RUNNER / "cudart.py").read_text())
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    functions = {name for name in names if isinstance(name, str) and re.fullmatch(r"cuda[A-Z]\w+", name)}
    assert len(functions) > 12
    assert [name for name in sorted(functions) if not hasattr(cuda, name)] == []


@pytest.mark.parametrize("release", CUDA_WHEELS)
def test_without_a_gpu_the_real_library_is_answered(wheels: Path, tmp_path: Path, release: str) -> None:
    """Found among Python's packages, as NVIDIA's wheels bring it. The SDK turns what is printed to stderr."""
    code = "import cudart\ntry:\n    cudart.Cuda()\nexcept cudart.CudaError as e:\n    print(e)"
    (library,) = (wheels / release).rglob("libcudart.so.*")
    lone = tmp_path / "nvidia/cuda_runtime/lib"
    lone.mkdir(parents=True)
    shutil.copy(library, lone)
    shutil.copy(RUNNER / "cudart.py", tmp_path)
    only = (
        "import ctypes, sys\nsys.path.insert(0, sys.argv[1])\nreal = ctypes.CDLL\n"
        "def none(name, *rest, **more):\n"
        "    if name.startswith('libcudart'):\n        raise OSError(name)\n"
        "    return real(name, *rest, **more)\nctypes.CDLL = none\n"
    )
    words = [sys.executable, "-c", only + code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, env={"PYTHONPATH": str(runners.SDK)})
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a GPU")
    assert re.match(r"cudaGetDeviceCount: .+ \(\d+\)$", done.stderr.strip()), (done.stdout, done.stderr)
