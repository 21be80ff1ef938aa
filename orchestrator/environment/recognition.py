"""Which device this machine is, by the rules in the device profiles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.environment.host import DEVICE_TREE, DMI, ROOT, TEGRA_RELEASE, Host, Unknown


@dataclass(frozen=True)
class Match:
    """Whether a machine is a device. ``reason`` names what decided, ``rules`` counts those that held."""

    matches: bool
    reason: str
    rules: int


_RULES: Mapping[str, tuple[str, ...]] = {
    "arch": (),
    "device_tree": (DEVICE_TREE,),
    "dmi_product": (f"{DMI}/product_name", f"{DMI}/board_name"),
    "tegra_release": (TEGRA_RELEASE,),
}


def recognise(profile: Mapping[str, Any], root: Path = ROOT, arch: str | None = None) -> Match:
    """Whether this machine is the device of a profile: all rules of its ``[recognise]`` must hold.

    Raises InferometerError for a table that is missing or a rule that cannot be.
    """
    host = Host(root)
    held: list[str] = []
    for name, wanted in _rules(profile).items():
        found = [arch or os.uname().machine] if name == "arch" else _texts(host, _RULES[name])
        shown = " / ".join(found) or "unknown"
        holds = found[0] in wanted if name == "arch" else any(wanted in text for text in found)
        if not holds:
            expected = " or ".join(wanted) if name == "arch" else wanted
            return Match(False, f"{name} is {shown}, not {expected}", len(held))
        held.append(f"{name} is {shown}")
    return Match(True, "; ".join(held), len(held))


def _rules(profile: Mapping[str, Any]) -> Mapping[str, Any]:
    rules, title = profile.get("recognise"), profile.get("title")
    if not isinstance(rules, Mapping) or not rules:
        raise InferometerError(f"profile {title}: table [recognise] is missing or empty; add a rule")
    for name, wanted in rules.items():
        if name not in _RULES:
            raise InferometerError(
                f"profile {title}: field recognise.{name} is no rule; use {', '.join(_RULES)}"
            )
        kind, called = (list, "a list of words") if name == "arch" else (str, "a string")
        if not isinstance(wanted, kind) or not wanted:
            raise InferometerError(
                f"profile {title}: field recognise.{name} must be {called}, got {wanted!r}"
            )
    return rules


def tegra_release(root: Path = ROOT) -> str | None:
    """The first line of a Jetson's ``/etc/nv_tegra_release``, None on any other machine."""
    return next((text.splitlines()[0] for text in _texts(Host(root), [TEGRA_RELEASE])), None)


def _texts(host: Host, paths: Sequence[str]) -> list[str]:
    found = []
    for path in paths:
        try:
            found.append(host.text(path))
        except Unknown:
            continue
    return found


def detect(
    profiles: Mapping[str, Mapping[str, Any]], root: Path = ROOT, arch: str | None = None
) -> str | None:
    """The id of the profile that fits with the most rules, or None when none fits.

    Raises InferometerError when two fit equally well.
    """
    matches = {name: recognise(profile, root, arch) for name, profile in profiles.items()}
    rules = {name: match.rules for name, match in matches.items() if match.matches}
    best = [name for name, count in rules.items() if count == max(rules.values())]
    if len(best) > 1:
        raise InferometerError(f"this machine fits {' and '.join(best)} equally well; name one with DEVICE=")
    return best[0] if best else None
