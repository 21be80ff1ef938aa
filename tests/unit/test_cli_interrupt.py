"""Whenever an interrupt comes, a command ends quietly with 130."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import Commands, main


@pytest.mark.parametrize("where", ["make_context", "invoke", "get_command"])
def test_an_interrupt_before_any_command_runs_is_one_too(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def interrupted(*_: object, **__: object) -> click.Context:
        raise KeyboardInterrupt

    monkeypatch.setattr(Commands, where, interrupted)
    result = CliRunner().invoke(main, ["devices"])
    assert result.exit_code == 130
    assert result.output.strip() == ""


def test_who_calls_from_python_gets_the_status() -> None:
    assert main(["devices", "--help"], standalone_mode=False) == 0
