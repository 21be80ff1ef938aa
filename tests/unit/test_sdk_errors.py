"""Every failure of a runner becomes one coded error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import runners


def failure(folder: Path, **statements: str) -> runners.Message:
    ended = runners.launch(runners.tiny(folder, **statements), runners.request(folder, options={}))
    assert ended.exit_code == 1
    assert ended.messages[0]["type"] == "hello"
    error = ended.one("error")
    assert ended.messages[-1] == error
    assert "Traceback" in ended.stderr
    return error


@pytest.mark.parametrize(
    ("statements", "code", "phase", "message"),
    [
        (
            {"version": "import no_such_runtime"},
            "internal",
            "import",
            "import: No module named 'no_such_runtime'",
        ),
        ({"version": "raise SystemExit(0)"}, "internal", "import", "import: 0"),
        ({"load": "raise ValueError('bad\\nfile')"}, "model", "load", "load: bad"),
        ({"load": "raise RuntimeError()"}, "model", "load", "load: RuntimeError"),
        ({"load": "raise ImportError('lib.so')"}, "internal", "load", "load: lib.so"),
        ({"load": "raise MemoryError()"}, "resource", "load", "load: MemoryError"),
        (
            {"load": "raise OSError(28, 'No space left')"},
            "resource",
            "load",
            "load: [Errno 28] No space left",
        ),
        ({"load": "raise RuntimeError('std::bad_alloc')"}, "resource", "load", "load: std::bad_alloc"),
        ({"bind": "raise KeyError('x')"}, "model", "load", "load: 'x'"),
        ({"infer": "raise RuntimeError('boom')"}, "internal", "first", "first: boom"),
        (
            {"infer": "self.phase == 'measure' and 1 / 0"},
            "internal",
            "measure",
            "measure: division by zero",
        ),
        ({"placement": "raise KeyboardInterrupt"}, "internal", "outputs", "outputs: KeyboardInterrupt"),
        ({"outputs": "(1,), [object()]"}, "internal", "outputs", "outputs: unsupported operand"),
        ({"load": "raise sdk.RunnerError('x-own', 'said so')"}, "x-own", "load", "said so"),
        (
            {"infer": "raise sdk.RunnerError('accelerator', 'gone', {'device': 7})"},
            "accelerator",
            "first",
            "gone",
        ),
    ],
)
def test_every_exception_is_one_coded_error(
    statements: dict[str, str], code: str, phase: str, message: str, tmp_path: Path
) -> None:
    error = failure(tmp_path, **statements)
    assert (error["code"], error["details"]["phase"]) == (code, phase)
    assert error["message"].startswith(message)
    assert "\n" not in error["message"]


def test_details_of_a_runner_stay(tmp_path: Path) -> None:
    error = failure(tmp_path, load="raise sdk.RunnerError('x-own', 'said so', {'device': 7})")
    assert error["details"] == {"device": 7, "phase": "load"}


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_a_model_with_another_sha256_or_none_at_all(command: str, tmp_path: Path) -> None:
    line = runners.request(tmp_path, options={})
    runner = runners.tiny(tmp_path, load="raise SystemExit('loaded')")
    wrong = {**line["model"], "sha256": "f" * 64}
    error = runners.launch(runner, {**line, "model": wrong}, [command]).one("error")
    assert error["code"] == "model"
    assert f"has SHA-256 {line['model']['sha256']}, not {'f' * 64}" in error["message"]
    for path in (tmp_path / "missing", tmp_path):
        error = runners.launch(runner, {**line, "model": {**wrong, "path": str(path)}}, [command]).one(
            "error"
        )
        assert error["code"] == "model"
        assert str(path) in error["message"]
