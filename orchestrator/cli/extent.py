"""``--budget`` and ``--width``: how long a bench may take, and how narrow its intervals should be."""

from __future__ import annotations

import re

import click

_MOST_S, _WIDEST = 30 * 86400, 0.5
_BUDGET = re.compile(r"(\d{1,5})(s|m|h|d)", re.ASCII)
_WIDTH = re.compile(r"(\d{1,2}(?:\.\d{1,3})?) ?%", re.ASCII)


def _budget(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``20m`` in seconds."""
    if value is None:
        return None
    match = _BUDGET.fullmatch(value.strip())
    length_s = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
    if not 1 <= length_s <= _MOST_S:
        raise click.BadParameter(f"{value!r:.40}: give a time from 1s to 30d in s, m, h or d, like 20m")
    return float(length_s)


def _width(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``2%`` as 0.02."""
    if value is None:
        return None
    match = _WIDTH.fullmatch(value.strip())
    share = float(match[1]) / 100 if match else 0.0
    if not 0.001 <= share <= _WIDEST:
        raise click.BadParameter(f"{value!r:.40}: give per cent from 0.1% to 50%, like 2%")
    return share


EXTENT = (
    click.option(
        "--budget",
        "budget_s",
        callback=_budget,
        help="Time for all trials with their cool-down, like 20m: what the planned launches leave goes to "
        "further ones, where they narrow most, until every interval is as --width says.",
    ),
    click.option(
        "--width",
        callback=_width,
        help="How narrow intervals should be, to either side of the p50; default 2%.",
    ),
)
