"""What only reports and comparisons need may be absent: that is said in one line with its fix."""

from __future__ import annotations

import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import Commands, main


@pytest.mark.parametrize(("package", "told"), [("scipy", True), ("a_typing_error", False)])
def test_a_package_that_is_not_there(package: str, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def needy() -> None:
        __import__(package)

    def command(self: Commands, ctx: click.Context, name: str) -> Any:
        return needy

    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(Commands, "get_command", command)
    found = CliRunner().invoke(main, ["needy"])
    if told:
        assert found.exit_code == 2
        assert found.stderr == "inferometer: scipy is not installed here; fix: make setup-report\n"
    else:
        assert isinstance(found.exception, ModuleNotFoundError)
