"""Telemetry's source is Python 3.6 and of the standard library, whether or not a 3.6 is at hand."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "orchestrator" / "telemetry"
VERMIN = [sys.executable, "-c", "import vermin; vermin.main()", "-t=3.6-", "--violations", "--no-tips"]
FILES = sorted(FOLDER.glob("*.py"))


def test_nothing_in_it_needs_a_later_python():
    done = subprocess.run([*VERMIN, FOLDER], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_check_would_notice(tmp_path):
    (tmp_path / "new.py").write_text("import time\nif (t := time.monotonic_ns()):\n    print(t)\n")
    done = subprocess.run([*VERMIN, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "monotonic_ns" in done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_imports_only_itself_and_the_standard_library(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (node.module or "").split(".")[0] in sys.stdlib_module_names
