"""``inferometer bench`` and ``inferometer plan``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.extent import EXTENT

_DAY_S = 86400


def listed(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Words between commas or blanks, each once."""
    return tuple(dict.fromkeys(word for word in value.replace(",", " ").split() if word))


def counts(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """Whole numbers between commas or blanks, each once."""
    words = listed(ctx, param, value)
    # Length first: Python itself refuses to read numbers of thousands of digits.
    if not all(len(word) < 7 and word.isdecimal() and int(word) > 0 for word in words):
        raise click.BadParameter(f"{value!r:.40}: give whole numbers from 1 to 999999, like 1,2,4")
    return tuple(int(word) for word in words)


def seconds(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A time limit that is a time."""
    if value is None or 1 <= value <= _DAY_S:  # not click.FloatRange: nan passes it
        return value
    raise click.BadParameter(f"{value:g}: give seconds from 1 to {_DAY_S}")


_DURATION = re.compile(r"(\d{1,5})(s|m|h)", re.ASCII)


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``30m`` in seconds: two minutes, of which the last can be set against the first, to a day."""
    if value is None:
        return None
    match = _DURATION.fullmatch(value.strip())
    length_s = int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]] if match else 0
    if not 120 <= length_s <= _DAY_S:
        raise click.BadParameter(f"{value!r:.40}: give a time from 2m to 24h in s, m or h, like 30m")
    return float(length_s)


def _single(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """One value: of two the first would be forgotten."""
    if len(values) > 1:
        raise click.BadParameter(f"separate knobs with commas: {','.join(values)}")
    return values[0] if values else None


def _options(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Any:
    found: list[tuple[str, str, str]] = []
    for value in values:
        name, equals, rest = value.partition("=")
        runtime, dot, option = name.partition(".")
        if not (equals and dot and rest):
            raise click.BadParameter(f"{value!r}: write RUNTIME.OPTION=VALUE[,VALUE]")
        found.append((runtime, option, rest))
    return tuple(found)


def _wishes(command: Callable[..., None]) -> Callable[..., None]:
    """The options that ``bench`` and ``plan`` share."""
    for decorate in reversed(
        [
            click.option("--device", default="", help="Device id; left out, this machine is recognised."),
            click.option("--models", default="", callback=listed, help="Models: resnet50, resnet50@cifar10."),
            click.option("--variants", default="", callback=listed, help="Variants: nq, fiq, kd-prn ..."),
            click.option("--runtimes", default="", callback=listed, help="Runtime ids, comma-separated."),
            click.option("--threads", default="", callback=counts, help="Thread counts, e.g. 1,2."),
            click.option("--batch", "batches", default="", callback=counts, help="Batch sizes, e.g. 1,8."),
            click.option(
                "--scenario",
                type=click.Choice(["single-stream", "offline", "multi-stream"]),
                help="single-stream: batch 1. offline: batches 1 to 32 (or --batch), inputs per second and "
                "their knee. multi-stream: queries of --streams inputs, p99 of their latency.",
            ),
            click.option(
                "--streams", type=click.IntRange(1, 9999), help="Inputs of a multi-stream query; default: 8."
            ),
            click.option(
                "--option",
                "options",
                multiple=True,
                callback=_options,
                help="Runtime option to sweep: pytorch.mode=compiled,aot. Repeatable; an option that may be "
                "anything keeps its commas, so repeat it for each value.",
            ),
            click.option(
                "--accelerators", default="", callback=listed, help="Where: cpu, cuda; default: all it has."
            ),
            click.option(
                "--engine",
                type=click.Choice(["auto", "docker", "process"]),
                default="auto",
                help="Where runners run; auto: Docker if it answers.",
            ),
            click.option(
                "--quick", is_flag=True, help="A first look: fewer, shorter launches; results say so."
            ),
            click.option(
                "--energy",
                is_flag=True,
                help="Joules: windows and idle times as long as this device's power sources need.",
            ),
            click.option(
                "--meter",
                "meters",
                metavar="URL",
                multiple=True,
                help="A smart plug (Shelly, Tasmota) before the device: http://192.168.1.5.",
            ),
            click.option(
                "--sustained",
                "sustained_s",
                callback=duration,
                help="One launch a case with one window so long, e.g. 30m: latency, clock, temperature and "
                "watts minute by minute, the last minute over the first; `inferometer curve` draws it.",
            ),
            *EXTENT,
            click.option(
                "--loadgen",
                type=click.Choice(["SingleStream", "MultiStream", "Offline"], case_sensitive=False),
                help="MLPerf's LoadGen drives one launch more of each case; its verdict stands beside ours.",
            ),
            click.option("--launches", type=click.IntRange(1, 1000), help="Fresh launches per case."),
            click.option(
                "--timeout",
                "timeout_s",
                type=float,
                callback=seconds,
                help="Seconds before a trial is killed.",
            ),
            click.option(
                "--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Seeds the order of trials."
            ),
            click.option(
                "--emulate",
                is_flag=True,
                help="Run the --device's containers here under emulation: outputs count, latencies do not.",
            ),
            click.option("--host", help="ssh://user@board: measure there, with its own Docker Engine."),
            click.option(
                "--build",
                type=click.Choice(["here", "there"]),
                default="here",
                help="With --host: make images here and carry them, or let the board make them.",
            ),
            click.option("--force", is_flag=True, help="Measure although this machine is another device."),
        ]
    ):
        command = decorate(command)
    return command


_OWN = [
    click.option(
        "--model",
        "own",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A model file of your own: a single-input image classifier (.onnx, .tflite). Repeatable.",
    ),
    click.option(
        "--image",
        "images",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Picture fed to --model; its top-1 class is printed. Repeatable.",
    ),
    click.option(
        "--input-range",
        help="LOW,HIGH of a float model's pixels, e.g. 0,1 or -1,1 or 0,255.",
    ),
]


@click.command(short_help="Measure; end with the table and the results folder.")
@_wishes
@_OWN[0]
@_OWN[1]
@_OWN[2]
@click.option(
    "--results", type=click.Path(path_type=Path), help="Results folder; default: a new one in results/."
)
@click.option(
    "--tune",
    multiple=True,
    callback=_single,
    metavar="KNOB=VALUE,...",
    help="As root, for the trials alone, and put back: governor=NAME, turbo=off|on, nvpmodel=NAME, "
    "clocks=locked, swap=off, aslr=off.",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help="Measure what this file of `make bundle` holds; no network.",
)
@click.option("--watch", is_flag=True, help="Show the run live meanwhile, as `inferometer watch` does.")
def bench(**given: Any) -> None:
    """Measure, and print the table and the results folder.

    With --sustained throttling and a falling clock are results, told with their minute, and no faults.

    A bench that was interrupted resumes when the same command is given again; it loses at most the
    trial in flight. Exit status 0: all trials valid; 3: some failed; 2: refused; 130: interrupted.

    \b
    Examples:
      inferometer bench
      inferometer bench --models digits-cnn --quick
      inferometer bench --models resnet50 --runtimes onnxruntime,tflite --threads 1,2
      inferometer bench --models resnet50 --scenario offline --batch 1,2,4,8
      inferometer bench --models resnet50 --option pytorch.mode=eager,channels_last,compiled,aot
      inferometer bench --model my.tflite --image cat.jpg
      inferometer bench --models resnet50 --energy --meter http://192.168.1.20
      inferometer bench --models mobilenet-v2 --runtimes tflite --sustained 30m
      inferometer bench --models mobilenet-v2 --budget 20m --width 1%
      inferometer bench --models resnet50 --loadgen SingleStream
      sudo inferometer bench --tune governor=performance,turbo=off
      inferometer bench --device rpi5 --emulate --quick
      inferometer bench --device rpi5 --host ssh://pi@raspberrypi.local
    """
    from orchestrator.cli.perform import perform

    sys.exit(perform(given))


@click.command(short_help="Show what would run, what is skipped, how long it takes.")
@_wishes
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def plan(as_json: bool, **given: Any) -> None:
    """Show what would run, what is skipped and why, and how long it should take.

    \b
    Examples:
      inferometer plan
      inferometer plan --models resnet50 --threads 1,2,4 --json
      inferometer plan --models resnet50 --budget 20m
    """
    from orchestrator.cli.perform import preview
    from orchestrator.plan import to_json

    planned, lines = preview(given)
    click.echo(json.dumps(to_json(planned), indent=1) if as_json else "\n".join(lines))
