"""The command line. Bodies are thin; everything that prints is here."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from orchestrator import __version__
from orchestrator.domain import InferometerError

_EXIT_CODES = """\b
Exit status: 0 all well, 2 bad usage or a refusal (one line says the fix),
3 some trials failed, 130 interrupted (the same command resumes),
141 whoever read the output left (as of any command before `| head`)."""

_OF_REPORTS = ("scipy", "pyarrow")  # requirements-report.lock; a board that only measures has none of them


def _mend(problem: OSError) -> str:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space and give the same command again; finished trials are kept"
    return "choose another place or mend this one (folders: RESULTS, INFEROMETER_CACHE, TMPDIR)"


def _complain(problem: click.UsageError) -> None:
    path = problem.ctx.command_path if problem.ctx else "inferometer"
    text = " ".join(problem.format_message().split())
    click.echo(f"inferometer: {text.rstrip('.')}; see {path} --help", err=True)


@contextmanager
def _read_to_the_end() -> Iterator[None]:
    """Whoever read the output and left has seen enough: a quiet end, with the status of a SIGPIPE."""
    try:
        yield
    except OSError as problem:
        if problem.errno != errno.EPIPE:
            raise
        for stream in filter(None, (sys.stdout, sys.stderr)):
            try:
                stream.flush()
            except BrokenPipeError:  # Python would try once more as it ends, and complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise click.exceptions.Exit(128 + signal.SIGPIPE) from None


class Commands(click.Group):
    """Turns refusals into one line on stderr and an exit status; loads a command when it is used."""

    _modules = {
        "bench": "bench",
        "plan": "bench",
        "run-status": "results",
        "watch": "watch",
        "report": "results",
        "explain": "explain",
        "curve": "curve",
        "study": "study",
        "recommend": "recommend",
        "merge": "results",
        "compare": "compare",
        "verify": "verify",
        "reproduce": "reproduce",
        "cite": "cite",
        "models": "catalog",
        "data": "data",
        "devices": "catalog",
        "runtimes": "catalog",
        "images": "images",
        "bundle": "bundle",
        "doctor": "doctor",
        "telemetry": "telemetry",
        "probe": "probe",
        "conformance": "conformance",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands in the order people need them."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now."""
        from importlib import import_module

        from orchestrator.plan import known

        known("command", [cmd_name], list(self._modules))
        module = import_module(f"orchestrator.cli.{self._modules[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Parse what stands before the command; a character the terminal lacks is shown as ``?``."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        with _read_to_the_end():
            try:
                return super().make_context(*args, **more)
            except click.UsageError as problem:
                _complain(problem)
                raise click.exceptions.Exit(2) from None

    def main(self, *args: Any, **more: Any) -> Any:
        """An interrupt before any command runs is 130 too; click alone would say ``Aborted!`` and 1."""
        alone = more.pop("standalone_mode", True)
        command: Callable[..., Any] = super().main
        try:
            status = command(*args, standalone_mode=False, **more)
        except click.Abort:
            status = 130
        return sys.exit(status) if alone else status

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn a refusal into its one line and exit status 2, an interrupt into 130."""
        with _read_to_the_end():
            return self._answer(ctx)

    def _answer(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as problem:
            _complain(problem)
            ctx.exit(2)
        except OSError as problem:
            if problem.errno == errno.EPIPE:
                raise
            where = problem.filename or "writing failed"
            click.echo(f"inferometer: {where}: {problem.strerror}; {_mend(problem)}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            ctx.exit(130)
        except InferometerError as problem:
            click.echo(f"inferometer: {problem}", err=True)
            ctx.exit(2)
        except ModuleNotFoundError as problem:
            if problem.name not in _OF_REPORTS:
                raise
            click.echo(f"inferometer: {problem.name} is not installed here; fix: make setup-report", err=True)
            ctx.exit(2)


@click.group(cls=Commands, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="inferometer")
def main() -> None:
    """Measure neural-network inference: latency, memory and accuracy, runtime by runtime.

    \b
    Examples:
      inferometer bench                               the default models in every runtime
      inferometer bench --models digits-cnn --quick   a first look in under a minute
      inferometer plan --models resnet50              what would run and how long it takes
      inferometer report results/DIR --format md      print a finished run again
    """
    if sys.platform != "linux":
        raise InferometerError("this suite measures on Linux; run it there, or in a Linux virtual machine")
