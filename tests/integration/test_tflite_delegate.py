"""Delegates from a library, real ones: compiled here, loaded by both packages of the interpreter."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import venvs
from tests.integration.test_runners_real import REFERENCE, Real, request, top1
from tests.integration.test_tflite_runtime import PINS
from tests.support import runners

pytestmark = [pytest.mark.runtimes, pytest.mark.slow]

RUNNER = runners.RUNNERS / "tflite/runner.py"


@pytest.fixture(scope="module", params=["ai-edge-litert", "tflite-runtime"])
def tflite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The runner with one of the two packages."""
    name, folder = "tflite", RUNNER.parent
    if request.param == "tflite-runtime":
        if sys.version_info >= (3, 12):
            pytest.skip("tflite-runtime has no build for this Python")
        name, folder = request.param, tmp_path_factory.mktemp("pins")
        (folder / "requirements.txt").write_text(PINS)
    try:
        return Real(str(venvs.ensure(name, folder, cache_root(), lambda text: None)), RUNNER)
    except InferometerError as problem:
        pytest.skip(f"{request.param.upper()} CANNOT BE INSTALLED, DELEGATES ARE NOT TESTED: {problem}")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The delegate of the fixtures, compiled."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.skip("NO C COMPILER, EXTERNAL DELEGATES ARE NOT TESTED")
    path = tmp_path_factory.mktemp("delegate") / "libcopier.so"
    source = suite_root() / "tests/fixtures/delegate.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", str(source), "-o", str(path)], check=True)
    return str(path)


def refused(tflite: Real, **options: str) -> tuple[str, str]:
    """Code and message of a run with these options."""
    ended = tflite.launch(request("tflite", options))
    assert ended.exit_code == 1
    error = ended.one("error")
    return error["code"], error["message"]


def test_a_delegate_takes_its_nodes_and_the_interpreter_the_others(tflite: Real, library: str) -> None:
    ended = tflite.launch(request("tflite", {"delegate": "external", "library": library}))
    assert ended.exit_code == 0, ended.stderr
    placement = ended.one("placement")
    assert placement["executed"]["libcopier.so"] == 1
    assert {node["op"]: node["on"] for node in placement["nodes"]} == {
        "CONV_2D": "builtin",
        "DEPTHWISE_CONV_2D": "builtin",
        "FULLY_CONNECTED": "builtin",
        "MAX_POOL_2D": "builtin",
        "RESHAPE": "libcopier.so",
        "TRANSPOSE": "builtin",
    }
    outputs = [message["values"] for message in ended.all("outputs")]
    assert [top1(ours) for ours in outputs] == [top1(theirs) for theirs in REFERENCE]


def test_a_delegate_that_takes_nothing_fails(tflite: Real, library: str) -> None:
    code, message = refused(tflite, delegate="external", library=library, delegate_options="take=nothing")
    assert (code, message) == ("accelerator", "libcopier.so took none of the model's nodes")


def test_a_delegate_that_cannot_be_made_says_why_in_one_line(tflite: Real, library: str) -> None:
    code, message = refused(tflite, delegate="external", library=library, delegate_options="fail=yes")
    assert code == "accelerator"
    assert message == f"Failed to load delegate from {library} no such board, plug it in"


def test_a_library_that_is_none(tflite: Real, tmp_path: Path) -> None:
    (tmp_path / "libtext.so").write_text("this is no library\n")
    code, message = refused(tflite, delegate="external", library=str(tmp_path / "libtext.so"))
    assert code == "accelerator"
    assert str(tmp_path / "libtext.so") in message


def test_a_library_that_is_missing(tflite: Real) -> None:
    assert refused(tflite, delegate="external") == (
        "accelerator",
        "no delegate library is named here; name one that the container holds, as option library",
    )
    code, message = refused(tflite, delegate="armnn")
    assert code == "accelerator"
    assert "/opt/armnn/libarmnnDelegate.so" in message
    assert "ARMNN_URL and ARMNN_SHA256" in message


def test_options_of_a_delegate_that_are_no_pairs(tflite: Real, library: str) -> None:
    code, message = refused(tflite, delegate="external", library=library, delegate_options="fast")
    assert (code, message) == ("unsupported", "delegate_options fast: must be key=value;key=value")


def test_a_library_without_its_delegate_is_not_passed_over(tflite: Real, library: str) -> None:
    for options in ({"library": library}, {"delegate": "none", "delegate_options": "take=nothing"}):
        code, message = refused(tflite, **options)
        assert (code, message) == (
            "unsupported",
            "library and delegate_options go with delegate=external or delegate=armnn",
        )
