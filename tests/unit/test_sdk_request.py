"""What the SDK takes for a request, and what it says to anything else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import runners

sdk = runners.import_sdk()

MODEL = {"path": "/m", "format": "onnx", "sha256": "0" * 64}
VALID: dict[str, Any] = {"protocol": 1, "model": MODEL, "inputs": "/i.npy"}


class Runner(sdk.Runner):  # type: ignore[name-defined,misc]
    runtime = "test"
    formats = ("onnx",)
    accelerators = ("cpu", "npu")
    options = {"mode": ("eager", "fast"), "free": ("", "*")}


def read(data: Any, command: str = "run") -> Any:
    return sdk.read_request(json.dumps(data).encode() + b"\n", command, Runner())


def refusal(data: Any, command: str = "run") -> Any:
    with pytest.raises(sdk.RunnerError) as caught:
        read(data, command)
    return caught.value


def test_defaults() -> None:
    request = read(VALID)
    assert (request.threads, request.batch, request.accelerator, request.outputs) == (1, 1, "cpu", True)
    assert request.idle_ns == request.idle_after_ns == 0
    assert request.warmup == {"window": 20, "cap": 300, "max_duration_ns": 60 * 10**9, "settle": 3}
    assert request.measure == {"min_duration_ns": 10**9, "min_iterations": 64, "max_iterations": 10**7}
    assert request.options == {"mode": "eager", "free": ""}
    assert request.model == MODEL


def test_what_is_given_counts_and_what_is_unknown_does_not() -> None:
    request = read(
        VALID
        | {"threads": 4, "warmup": {"cap": 0, "new": 1}, "options": {"mode": "fast", "free": "x"}, "new": {}}
    )
    assert request.threads == 4
    assert (request.warmup["cap"], request.warmup["window"]) == (0, 20)
    assert request.options == {"mode": "fast", "free": "x"}


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("inspect", "model.path"),
        ("compile", "model.path"),
        ("compile", "output_dir"),
        ("run", "model.path"),
        ("run", "inputs"),
    ],
)
def test_required_fields_are_named(command: str, missing: str) -> None:
    complete = VALID | {"output_dir": "/o"}
    read(complete, command)
    error = refusal({key: value for key, value in complete.items() if key != missing.split(".")[0]}, command)
    assert error.code == "protocol"
    assert f"request: {missing} must be given" in error.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": 1.0}, "threads"),
        ({"threads": "1"}, "threads"),
        ({"threads": 2**60}, "threads"),
        ({"threads": None}, "threads"),
        ({"batch": 0}, "batch"),
        ({"idle_ns": -1}, "idle_ns"),
        ({"idle_after_ns": -1}, "idle_after_ns"),
        ({"idle_after_ns": 1.5}, "idle_after_ns"),
        ({"outputs": 1}, "outputs"),
        ({"inputs": "/a\0b"}, "inputs"),
        ({"inputs": 7}, "inputs"),
        ({"model": []}, "model"),
        ({"model": {"path": "/m", "format": "onnx"}}, "model.sha256"),
        ({"warmup": {"window": 0}}, "warmup.window"),
        ({"warmup": 3}, "warmup"),
        ({"measure": {"min_iterations": 0}}, "measure.min_iterations"),
        ({"measure": {"max_iterations": 0}}, "measure.max_iterations"),
        ({"measure": {"min_duration_ns": -1}}, "measure.min_duration_ns"),
        ({"options": []}, "options"),
    ],
)
def test_a_malformed_field_is_named(change: dict[str, Any], field: str) -> None:
    error = refusal(VALID | change)
    assert error.code == "protocol"
    assert error.message.startswith(f"request: {field} ")


@pytest.mark.parametrize("protocol", [0, 2, -1, 10**30, True, 1.0, "1", None, []])
def test_another_protocol_is_told_the_supported_ones(protocol: Any) -> None:
    for command in sdk.COMMANDS:
        error = refusal(VALID | {"protocol": protocol, "output_dir": "/o"}, command)
        assert (error.code, error.details) == ("protocol", {"protocols": ["1.3.0"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accelerator": "gpu"}, "accelerator gpu is not supported; known: cpu, npu"),
        ({"model": MODEL | {"format": "pt2"}}, "format pt2 is not supported; known: onnx"),
        ({"options": {"node": "x"}}, "option node is not supported; known: free, mode"),
        ({"options": {"mode": "slow"}}, "option mode slow is not supported; known: eager, fast"),
        ({"options": {"mode": ["eager"]}}, "option mode ['eager'] is not supported; known: eager, fast"),
        ({"options": {"free": 1}}, "option free 1 is not supported; known: , *"),
    ],
)
def test_a_valid_wish_that_cannot_be_fulfilled(change: dict[str, Any], message: str) -> None:
    error = refusal(VALID | change)
    assert (error.code, error.message) == ("unsupported", message)


def test_describe_needs_no_request() -> None:
    assert sdk.read_request(b"", "describe", Runner()).options == {"mode": "eager", "free": ""}
    assert read({"protocol": 1}, "describe").threads == 1
    assert refusal({"protocol": 1, "threads": 0}, "describe").code == "protocol"


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"\xff\n", b"[]", b"null", b"1", b'"x"', b"[" * 100_000])
def test_a_line_that_is_no_object(line: bytes) -> None:
    with pytest.raises(sdk.RunnerError) as caught:
        sdk.read_request(line, "run", Runner())
    assert caught.value.code == "protocol"


def test_a_request_has_at_most_one_mebibyte() -> None:
    padded = json.dumps(VALID | {"x": "y" * 2**20}).encode()
    with pytest.raises(sdk.RunnerError, match="longer than 1048576 bytes"):
        sdk.read_request(padded, "run", Runner())


@pytest.mark.parametrize("command", ["", "help", "run run", "--help"])
def test_an_unknown_command_is_told_the_known_ones(command: str) -> None:
    with pytest.raises(sdk.RunnerError, match="known: describe, inspect, compile, run") as caught:
        read(VALID, command)
    assert caught.value.code == "protocol"


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["mode", "path", "cap"]), inner)
    ),
    max_leaves=5,
)
fields = st.sampled_from([*sdk.FIELDS, "protocol"])


@given(st.dictionaries(fields, anything), st.sampled_from(list(sdk.COMMANDS)))
def test_any_object_is_a_request_or_a_coded_error(change: dict[str, Any], command: str) -> None:
    try:
        request = read(VALID | change, command)
    except sdk.RunnerError as error:
        assert error.code in ("protocol", "unsupported")
        assert error.message.strip()
    else:
        assert request.threads >= 1
        assert request.measure["max_iterations"] >= 1


@given(st.binary(max_size=60), st.sampled_from(list(sdk.COMMANDS)))
def test_any_bytes_are_a_request_or_a_coded_error(line: bytes, command: str) -> None:
    try:
        sdk.read_request(line, command, Runner())
    except sdk.RunnerError as error:
        assert error.code in ("protocol", "unsupported")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_array_or_a_coded_error(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with pytest.raises(sdk.RunnerError, match=r"is no \.npy file"):
            sdk.npy_header(file.name)


@pytest.mark.parametrize(
    ("descr", "dtype"), [("<f4", "float32"), ("|u1", "uint8"), ("|i1", "int8"), ("<i8", "int64")]
)
def test_shape_and_type_of_an_array(descr: str, dtype: str, tmp_path: Path) -> None:
    path = runners.write_npy(tmp_path / "x.npy", (4, 1, 8, 8), descr)
    assert sdk.npy_header(path) == ((4, 1, 8, 8), dtype)


def test_inputs_must_be_what_the_model_takes(tmp_path: Path) -> None:
    path = runners.write_npy(tmp_path / "x.npy", (4, 1, 8, 8))

    def tensor(shape: list[Any], dtype: str = "float32") -> list[dict[str, Any]]:
        return [{"name": "x", "shape": shape, "dtype": dtype, "quantization": None}]

    for fitting in ([1, 8, 8], [None, 8, 8], ["batch", 8, "width"]):
        sdk.check_inputs(path, tensor(fitting))
    for shape in ([8, 8], [1, 8, 8, 1], [1, 8, 9], []):
        with pytest.raises(sdk.RunnerError, match=r"hold float32 \[1, 8, 8\]; the model takes float32 \["):
            sdk.check_inputs(path, tensor(shape))
    with pytest.raises(sdk.RunnerError, match="takes uint8"):
        sdk.check_inputs(path, tensor([1, 8, 8], "uint8"))
    with pytest.raises(sdk.RunnerError, match="the model takes 2 inputs"):
        sdk.check_inputs(path, tensor([1, 8, 8]) * 2)
