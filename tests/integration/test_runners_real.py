"""The real runtimes on the real digits: same answers everywhere, and each says what it executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orchestrator import artifacts
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines.process import ProcessEngine
from tests.support import runners

pytestmark = [pytest.mark.runtimes, pytest.mark.slow]

DIGITS = suite_root() / "models/artifacts/digits-cnn/nq/b1"
MANIFEST = json.loads((DIGITS / "manifest.json").read_bytes())
REFERENCE = json.loads((DIGITS / MANIFEST["reference"]).read_bytes())["outputs"]
LABELS = json.loads((DIGITS / MANIFEST["labels"]).read_bytes())
SCHEMA = Draft202012Validator(json.loads((runners.RUNNERS / "protocol/v1.schema.json").read_bytes()))
FORMATS = {"onnxruntime": "onnx", "pytorch": "pt2", "tflite": "tflite"}
# Runtime, options, and what the placement must name.
CASES: list[tuple[str, dict[str, str], str]] = [
    ("onnxruntime", {}, "CPUExecutionProvider"),
    ("tflite", {"delegate": "xnnpack"}, "xnnpack"),
    ("tflite", {"delegate": "none"}, "builtin"),
    ("pytorch", {"mode": "eager"}, "eager"),
    ("pytorch", {"mode": "channels_last"}, "channels_last"),
    ("pytorch", {"mode": "compiled"}, "inductor"),
    ("pytorch", {"mode": "aot"}, "aot_inductor"),
]
NAMES = ["-".join([runtime, *options.values()]) for runtime, options, _ in CASES]


@dataclass(frozen=True)
class Real:
    """A runtime in its own environment."""

    python: str
    runner: Path

    def launch(self, line: runners.Message, command: str = "run") -> runners.Ended:
        """Run to the end; every line must be valid."""
        ended = runners.launch(self.runner, line, [command], self.python, timeout_s=600)
        for message in ended.messages:
            SCHEMA.validate(message)
        return ended


Runtimes = Callable[[str], Real]


@pytest.fixture(scope="module")
def real() -> Runtimes:
    """Environments by runtime, made on first use in the user's cache as a bench makes them."""
    engine, known = ProcessEngine(suite_root(), artifacts.cache_root()), Catalog(suite_root()).runtimes()
    made: dict[str, Real] = {}

    def get(runtime: str) -> Real:
        if runtime not in made:
            try:
                target = engine.prepare(known[runtime], lambda text: None).target
            except InferometerError as problem:
                pytest.skip(f"NO ENVIRONMENT FOR {runtime.upper()}, NOTHING OF IT IS TESTED: {problem}")
            python, runner = target.split("\0")
            made[runtime] = Real(python, Path(runner))
        return made[runtime]

    return get


def request(runtime: str, options: dict[str, str], **fields: Any) -> runners.Message:
    (entry,) = [entry for entry in MANIFEST["artifacts"] if entry["format"] == FORMATS[runtime]]
    return {
        "protocol": 1,
        "model": {
            "path": str(DIGITS / entry["file"]),
            "format": entry["format"],
            "sha256": entry["sha256"],
        },
        "inputs": str(DIGITS / entry["inputs"]),
        "options": options,
        "measure": {"min_duration_ns": 50_000_000, "min_iterations": 100},
        **fields,
    }


def compiled(real: Real, line: runners.Message, folder: Path) -> runners.Message:
    """The request with what `compile` made of its model."""
    ended = real.launch({**line, "output_dir": str(folder)}, "compile")
    if ended.exit_code and "C++ compiler" in ended.one("error")["message"]:
        pytest.skip(f"NO C++ COMPILER, AHEAD-OF-TIME IS NOT TESTED: {ended.one('error')['message']}")
    artifact = ended.one("artifact")
    assert artifact["bytes"] == Path(artifact["path"]).stat().st_size
    assert artifact["build_ns"] > 0
    return {**line, "model": {name: artifact[name] for name in ("path", "format", "sha256")}}


def top1(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


@pytest.mark.parametrize(("runtime", "options", "place"), CASES, ids=NAMES)
def test_every_runtime_gives_the_reference_and_says_where(
    runtime: str, options: dict[str, str], place: str, real: Runtimes, tmp_path: Path
) -> None:
    line = request(runtime, options)
    if options.get("mode") == "aot":
        line = compiled(real(runtime), line, tmp_path)
    ended = real(runtime).launch(line)
    if ended.exit_code and "this mode needs" in ended.one("error")["message"]:
        pytest.skip(f"NO C++ COMPILER, {options} IS NOT TESTED: {ended.one('error')['message']}")
    assert ended.exit_code == 0, ended.stderr

    outputs = [message["values"] for message in ended.all("outputs")]
    assert len(outputs) == len(REFERENCE)
    pairs = list(zip(outputs, REFERENCE, strict=True))
    assert max(abs(a - b) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True)) < 1e-3
    assert [top1(ours) for ours in outputs] == [top1(theirs) for theirs in REFERENCE]
    right = sum(top1(ours) == label for ours, (label,) in zip(outputs, LABELS, strict=True))
    assert right >= 0.95 * len(LABELS)

    placement = ended.one("placement")
    assert set(placement["executed"]) == {place}
    assert placement["executed"][place] != 0
    footprint = ended.one("footprint")
    assert footprint["vm_hwm_bytes"] >= footprint["load_vm_hwm_bytes"] > 10 * 2**20
    assert ended.one("done")["iterations"] >= 100
    measure = [v for m in ended.all("latencies") if m["phase"] == "measure" for v in m["values_ns"]]
    marks = {mark["edge"]: mark["t_ns"] for mark in ended.all("phase") if mark["name"] == "measure"}
    assert marks["end"] - marks["start"] >= max(50_000_000, sum(measure))
    assert min(measure) > 1000


@pytest.mark.parametrize("runtime", FORMATS)
def test_nodes_are_named_where_the_runtime_tells(runtime: str, real: Runtimes) -> None:
    placement = real(runtime).launch(request(runtime, {})).one("placement")
    if runtime == "pytorch":
        assert placement["nodes"] == []
    else:
        assert len(placement["nodes"]) == sum(placement["executed"].values()) >= 5
        assert any("CONV" in node["op"].upper() for node in placement["nodes"])


@pytest.mark.parametrize("runtime", FORMATS)
def test_the_same_request_gives_the_same_outputs(runtime: str, real: Runtimes) -> None:
    line = request(runtime, {}, measure={"min_duration_ns": 0, "min_iterations": 1})
    first, second = (real(runtime).launch(line).all("outputs") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("runtime", FORMATS)
def test_a_signature_without_inputs(runtime: str, real: Runtimes) -> None:
    line = request(runtime, {})
    del line["inputs"]
    model = real(runtime).launch(line, "inspect").one("model")
    layout = [1, 8, 8, 1] if runtime == "tflite" else [1, 1, 8, 8]
    assert [(t["shape"], t["dtype"]) for t in model["inputs"]] == [(layout, "float32")]
    assert [t["shape"] for t in model["outputs"]] == [[1, 10]]


@pytest.mark.parametrize("runtime", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"this is no model\n", bytes(range(256)) * 64], ids=["empty", "text", "bytes"]
)
def test_what_is_no_model_is_an_error_of_the_model(
    runtime: str, content: bytes, real: Runtimes, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    model = {"path": str(path), "format": FORMATS[runtime], "sha256": hashlib.sha256(content).hexdigest()}
    for command in ("inspect", "run"):
        ended = real(runtime).launch({**request(runtime, {}), "model": model}, command)
        assert ended.exit_code == 1
        assert ended.one("error")["code"] == "model", ended.one("error")


@pytest.mark.parametrize("runtime", FORMATS)
def test_inputs_of_another_layout_are_refused_before_anything_is_timed(runtime: str, real: Runtimes) -> None:
    other = "inputs-nchw.npy" if runtime == "tflite" else "inputs-nhwc.npy"
    ended = real(runtime).launch(request(runtime, {}, inputs=str(DIGITS / other)))
    assert ended.one("error")["code"] == "protocol"
    assert "the model takes float32 [1, " in ended.one("error")["message"]


def test_modes_and_formats_must_fit(real: Runtimes) -> None:
    line = request("pytorch", {"mode": "aot"})
    assert real("pytorch").launch(line).one("error")["code"] == "unsupported"
    line = request("pytorch", {"mode": "eager"})
    line["model"]["format"] = "aoti"
    assert real("pytorch").launch(line).one("error")["code"] == "unsupported"
    assert real("pytorch").launch(request("pytorch", {}), "compile").one("error")["code"] == "protocol"
    line = {**request("pytorch", {"mode": "eager"}), "output_dir": "/tmp"}
    assert real("pytorch").launch(line, "compile").one("error")["code"] == "unsupported"


@pytest.mark.quiet
def test_nothing_is_left_below_tmp(real: Runtimes) -> None:
    def ours() -> set[Path]:
        return {
            path for path in Path("/tmp").iterdir() if path.name.startswith(("inferometer-", "aotinductor"))
        }

    before = ours()
    for runtime in FORMATS:
        assert real(runtime).launch(request(runtime, {})).exit_code == 0
    assert ours() <= before


def test_a_delegate_that_takes_nothing_fails(real: Runtimes, tmp_path: Path) -> None:
    """The interpreter is made without XNNPACK behind the back of a request that asks for it."""
    tflite = real("tflite")
    body = "import inferometer_sdk as sdk\nimport sys\n"
    body += f"sys.path.insert(0, {str(tflite.runner.parent)!r})\nfrom runner import Tflite\n"
    body += "class Silent(Tflite):\n    def load(self):\n"
    body += "        self.request.options['delegate'] = 'none'\n        Tflite.load(self)\n"
    body += "        self.request.options['delegate'] = 'xnnpack'\nsdk.serve(Silent)\n"
    (tmp_path / "silent.py").write_text(body)
    ended = Real(tflite.python, tmp_path / "silent.py").launch(request("tflite", {"delegate": "xnnpack"}))
    assert ended.exit_code == 1
    error = ended.one("error")
    assert (error["code"], error["message"]) == ("accelerator", "xnnpack took none of the model's nodes")
