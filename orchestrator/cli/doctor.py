"""``inferometer doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

_MARKS = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}


@click.command(short_help="Check this machine and name every fix.")
@click.option("--device", metavar="ID", default="", help="What a bench of this device needs besides.")
@click.option("--host", metavar="ADDRESS", help="ssh://user@board: look at the board as well.")
@click.option("--emulate", is_flag=True, help="The device's containers are to run here, emulated.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def doctor(device: str, host: str | None, emulate: bool, as_json: bool) -> None:
    """Check this machine and name the fix for everything that is missing.

    Exit status 0 when a bench can run (warnings included), 2 when it cannot.

    \b
    Examples:
      inferometer doctor
      inferometer doctor --device rpi5 --emulate
      inferometer doctor --device rpi5 --host ssh://pi@raspberrypi.local
    """
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root, user_models
    from orchestrator.doctor import examine_all

    checks = examine_all(Catalog(suite_root(), own=user_models()), cache_root(), device, host, emulate)
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        for check in checks:
            click.echo(f"{_MARKS[check.state]}  {check.name}: {check.detail}")
            if check.fix:
                click.echo(f"         fix: {check.fix}")
    sys.exit(2 if any(check.state == "missing" for check in checks) else 0)
