"""What stands around a study's tables: what was measured on what, what failed, what seeds say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.report import notes
from orchestrator.report.cells import plain
from orchestrator.study import strategy
from orchestrator.study.candidates import of_study

Document = Mapping[str, Any]


def heading(document: Document) -> list[str]:
    """The paper, the machine, scale and data, and what may be compared with what."""
    study, run = document["study"], document["run"]
    lines = [f"Paper: {study['citation']['text']}"]
    if study["citation"]["parts"]:
        lines.append(f"Redone of it: {study['citation']['parts']}")
    if study["devices"]:
        lines.append(f"Devices of the paper: {', '.join(study['devices'])}")
    lines.append(f"Measured here: {notes.heading(run)}" if run else "Measured here: nothing")
    data = ", ".join(document["data"]) or "the models' own inputs"
    scale = document["scale"] or "full"
    lines.append(f"Data: {data}. Scale: {scale}. Launches a case: {document['launches']}.")
    return [plain(line) for line in lines]


def warning(document: Document) -> str | None:
    """What a reader must not do with a quick run; None for a whole one."""
    if not document["scale"]:
        return None
    return (
        f"{document['scale'].upper()} RUN: scaled-down networks on {', '.join(document['data'])}, so few and "
        "short launches that latencies are orders of magnitude. Nothing here compares to the paper, to a "
        "board or to another run: it shows that the whole way works. Published values are left out."
    )


def published_line(document: Document) -> str | None:
    """Whether published values stand in the tables, and where to add them."""
    study = document["study"]
    if document["scale"]:
        return None
    if not study["published"]:
        return f"published: not at hand; add it to {study['file']} field published"
    return (
        f"published: {len(study['published'])} values, as their paper prints them, in columns of their own; "
        f"{study['file']} field published takes more"
    )


def legend() -> str:
    """How the figures were made."""
    return (
        "accuracy: top-1 of what the runtime answered on the labelled inputs. drop: points below nq in the "
        "same runtime, so a gain is negative. file: bytes / 10^6; deflated: the same after zlib, which is "
        "where pruned and clustered weights save. MACs: of the network, zeros counted. ms: mean over "
        "launches of each launch's median (95 % interval). peak: the process's during inference, its "
        "container's where that is unknown. less: 1 - variant / nq."
    )


def early(document: Document) -> list[str]:
    """Trainings that a budget ended before their last epoch."""
    return [
        f"{row['model']} {row['variant']}: {code} had {told['epochs_done']:g} of {told['epochs']:g} epochs, "
        "then the budget was spent; the same command goes on"
        for row in document["rows"]
        for code, told in [
            ("nq", row["training"] or {}),
            *((one["code"], one["facts"]) for one in row["techniques"]),
        ]
        if "epochs_done" in told and told["epochs_done"] < told["epochs"]
    ]


def failures(document: Document) -> list[str]:
    """Every row whose figure was expected and is not there, with its reason; equal ones of a row once."""
    lines: dict[str, None] = {}
    for row in document["rows"]:
        if row["failure"]:
            lines[plain(f"{row['model']} {row['variant']}: {row['failure']}")] = None
            continue
        by_reason: dict[str, list[str]] = {}
        for one in row["measured"]:
            if one["reason"] and one["planned"]:
                by_reason.setdefault(one["reason"], []).append(one["label"])
        for reason, labels in by_reason.items():
            lines[plain(f"{row['model']} {row['variant']} in {', '.join(labels)}: {reason}")] = None
    return list(lines)


def unable(document: Document) -> list[str]:
    """What runtimes cannot run, whatever network it is: one line a reason."""
    variants: dict[str, dict[str, None]] = {}
    for row in document["rows"]:
        for one in row["measured"]:
            if not row["failure"] and not one["planned"]:
                variants.setdefault(f"{one['label']}: {one['reason']}", {})[row["variant"]] = None
    return [plain(f"{reason} ({', '.join(names)})") for reason, names in variants.items()]


def suspects(document: Document) -> list[str]:
    """Figures whose findings make them suspect or invalid: ``code: n cases``."""
    count: dict[str, int] = {}
    for row in document["rows"]:
        for one in row["measured"]:
            if one["verdict"] in ("suspect", "invalid"):
                for code in one["findings"]:
                    count[code] = count.get(code, 0) + 1
    return [f"{code}: {number} cases" for code, number in sorted(count.items())]


def gains(document: Document) -> list[str]:
    """What seeds say of each repeated technique, one line a network."""
    lines = []
    for one in document["gains"]:
        head = f"{one['model']}: {one['variant']} over {one['against']}, seeds {_list(one['seeds'])}"
        if one["mean_points"] is None:
            lines.append(f"{head}: {one['verdict']}")
            continue
        interval = ""
        if one["low_points"] is not None:
            interval = f" (95 % interval {one['low_points']:+.2f} to {one['high_points']:+.2f})"
        lines.append(f"{head}: mean gain {one['mean_points']:+.2f} points{interval}; {one['verdict']}")
    return lines


def advice(document: Document) -> list[str]:
    """The strategy by service class, computed from the table; empty where nothing has accuracy and speed."""
    choices = strategy.choose(list(of_study(document)))
    if not any(choice.variant for choice in choices):
        return []
    return [*strategy.counted(choices), strategy.rule(None)]


def sections(document: Document) -> list[tuple[str, list[str]]]:
    """(title, lines) of what stands below the tables, without what is empty."""
    every = (
        ("Over several seeds", gains(document)),
        ("Strategy by service, computed from these tables", advice(document)),
        ("Ended early", early(document)),
        ("Findings", suspects(document)),
        ("Failed", failures(document)),
        ("Not for these runtimes", unable(document)),
    )
    return [(title, lines) for title, lines in every if lines]


def _list(values: list[int]) -> str:
    return ", ".join(map(str, values)) or "none"
