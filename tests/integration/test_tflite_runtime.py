"""The predecessor of LiteRT, for boards that have nothing newer: the same runner, the same answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.domain import InferometerError
from orchestrator.engines import venvs
from tests.integration.test_runners_real import REFERENCE, Real, request, top1
from tests.support import runners

pytestmark = [pytest.mark.runtimes, pytest.mark.slow]

# The last release there was: Python 3.11 at most, and it knows no numpy 2.
PINS = "tflite-runtime==2.14.0\nnumpy==1.26.4\n"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="tflite-runtime has no build for this Python")
@pytest.mark.parametrize(("delegate", "place"), [("xnnpack", "xnnpack"), ("none", "builtin")])
def test_where_only_tflite_runtime_is_installed(tmp_path: Path, delegate: str, place: str) -> None:
    (tmp_path / "requirements.txt").write_text(PINS)
    try:
        python = venvs.ensure("tflite-runtime", tmp_path, cache_root(), lambda text: None)
    except InferometerError as problem:
        pytest.skip(f"TFLITE-RUNTIME CANNOT BE INSTALLED AND IS NOT TESTED: {problem}")
    old = Real(str(python), runners.RUNNERS / "tflite/runner.py")
    ended = old.launch(request("tflite", {"delegate": delegate}))
    assert ended.exit_code == 0, ended.stderr
    hello = ended.one("hello")
    assert (hello["runtime"], hello["version"]) == ("tflite-runtime", "2.14.0")
    outputs = [message["values"] for message in ended.all("outputs")]
    assert [top1(ours) for ours in outputs] == [top1(theirs) for theirs in REFERENCE]
    assert set(ended.one("placement")["executed"]) == {place}
