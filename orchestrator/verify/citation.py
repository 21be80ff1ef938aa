"""How a results folder is cited: a ``CITATION.cff`` (Citation File Format 1.2.0), BibTeX and a sentence.

Who measured is nobody's guess: until ``inferometer cite --author`` names them, the file, which the format
forbids to have no author, has one entry that says so; BibTeX and the sentence leave them out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.store import SUMMARY, Run
from orchestrator.verify import manifest

NOBODY = "AUTHOR NOT GIVEN (inferometer cite RESULTS --author NAME)"
UNFINISHED = "This run is unfinished, and its raw data not whole yet: there is nothing to cite."
_SHOWN = 3  # models in a title
_NAMES = ("  - name: ", "  - family-names: ", "    given-names: ")


@dataclass(frozen=True)
class Facts:
    """What a citation says beside the summary; digests by runtime."""

    data_sha256: str
    commit: str | None  # of the suite
    images: Mapping[str, str]


def facts(run: Run, data_sha256: str) -> Facts:
    """From the folder's raw data."""
    images = {
        f"{record.case.runtime} on {record.case.accelerator}": record.image
        for record in run.records()
        if record.image
    }
    return Facts(data_sha256, _commit(run), images)


def _commit(run: Run) -> str | None:
    commit: str | None = run.header("environment")["environment"].get("git_commit")
    return commit


def of_folder(folder: Path) -> Facts:
    """The facts of a finished folder, by its manifest where it has one."""
    return facts(Run.open(folder), _data_sha256(folder))


def _data_sha256(folder: Path) -> str:
    known = manifest.read(folder)
    return manifest.data_sha256(known.entries if known else manifest.listing(folder))


def title(document: Mapping[str, Any]) -> str:
    """``Inference measurements of resnet50 on rpi5 (Cortex-A76)``."""
    models = sorted({row["case"]["model"] for row in document["cases"]})
    named = ", ".join(models[:_SHOWN]) + (f" and {len(models) - _SHOWN} more" if models[_SHOWN:] else "")
    run = document["run"]
    processor = run["host"].get("cpu_model")
    where = f"{run['device']} ({processor})" if processor else run["device"]
    under = " under emulation" if any(row["emulated"] for row in document["cases"]) else ""
    return f"Inference measurements of {named or 'nothing'} on {where}{under}"


def render(document: Mapping[str, Any], known: Facts, authors: Sequence[str]) -> bytes:
    """``CITATION.cff``; an author with a comma is a person (``Family, Given``)."""
    run = document["run"]
    identifiers = [(f"sha256:{known.data_sha256}", "raw data: data_sha256 of manifest.json")]
    identifiers += [
        (
            f"sha256:{one['sha256']}",
            f"artifact {one['model']} {one['variant']} b{one['batch']} {one['format']}",
        )
        for one in document["artifacts"]
    ]
    identifiers += [(digest, f"container image of {name}") for name, digest in sorted(known.images.items())]
    lines = [
        "cff-version: 1.2.0",
        "type: dataset",
        f"title: {_quoted(title(document))}",
        f"message: {_quoted('Cite these figures with the SHA-256 of their raw data.')}",
        "authors:",
        *(line for author in authors or (NOBODY,) for line in _author(author)),
        f"date-released: {run['created_utc'][:10]}",
        "identifiers:",
    ]
    for value, description in identifiers:
        lines += [
            "  - type: other",
            f"    value: {_quoted(value)}",
            f"    description: {_quoted(description)}",
        ]
    lines += [
        "references:",
        "  - type: software",
        "    title: Inferometer",
        "    authors:",
        "      - name: The Inferometer contributors",
        f"    version: {_quoted(run['suite'])}",
        *([f"    commit: {_quoted(known.commit)}"] if known.commit else []),
        f"    notes: {_quoted('runner protocol ' + run['protocol'])}",
    ]
    return ("\n".join(lines) + "\n").encode()


def again(document: Mapping[str, Any], folder: Path) -> bytes:
    """The citation of a folder as it should be, with the authors that its file names."""
    return render(document, of_folder(folder), authors(folder))


def authors(folder: Path) -> list[str]:
    """Whom a folder's ``CITATION.cff`` names, none where it names nobody or is not there."""
    path = folder / manifest.CITATION
    found: list[str] = []
    try:
        lines = path.read_text("utf-8").split("\n")
        for line in lines[: lines.index("references:")]:
            start = next((name for name in _NAMES if line.startswith(name)), None)
            if start == _NAMES[2]:
                found[-1] += f", {json.loads(line[len(start) :])}"
            elif start:
                found.append(json.loads(line[len(start) :]))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, IndexError) as problem:
        raise InferometerError(f"{path}: unreadable ({problem}); delete it and cite again") from None
    return [name for name in found if name != NOBODY]


def bibtex(document: Mapping[str, Any], known: Facts, names: Sequence[str]) -> str:
    """A ``@misc`` entry."""
    run = document["run"]
    date = run["created_utc"]
    fields = {
        **({"author": " and ".join(map(_named, names))} if names else {}),
        "title": f"{{{_escaped(title(document))}}}",
        "year": date[:4],
        "month": date[5:7].lstrip("0"),
        "howpublished": _escaped(f"Measured with {_suite(run, known)}"),
        "note": f"Raw data SHA-256 {known.data_sha256}",
    }
    body = "".join(f",\n  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{inferometer-{date[:10]}-{known.data_sha256[:8]}{body}\n}}"


def sentence(document: Mapping[str, Any], known: Facts, names: Sequence[str]) -> str:
    """The same for a list of references in plain text."""
    run = document["run"]
    who = f"{'; '.join(names)} ({run['created_utc'][:4]}). " if names else ""
    return (
        f"{who}{title(document)}, {run['created_utc'][:10]}. "
        f"Measured with {_suite(run, known)}. Raw data SHA-256 {known.data_sha256}."
    )


def on_page(document: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """``{text, bibtex}`` for the report's page, or ``{reason}`` where there is nothing to cite yet.

    Nobody is named: authors may be given after the page was made, and it must not become a wrong one then.
    """
    run = Run.open(folder)
    if not (folder / SUMMARY).exists():
        return {"reason": UNFINISHED}
    known = Facts(_data_sha256(folder), _commit(run), {})
    return {"text": sentence(document, known, ()), "bibtex": bibtex(document, known, ())}


def _suite(run: Mapping[str, Any], known: Facts) -> str:
    commit = f", commit {known.commit[:12]}" if known.commit else ""
    return f"Inferometer {run['suite']}{commit}, runner protocol {run['protocol']}"


def _author(name: str) -> list[str]:
    family, comma, given = (part.strip() for part in name.partition(","))
    if not (comma and family and given):
        return [f"{_NAMES[0]}{_quoted(name)}"]
    return [f"{_NAMES[1]}{_quoted(family)}", f"{_NAMES[2]}{_quoted(given)}"]


def _quoted(text: str) -> str:
    """A double-quoted scalar of YAML, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


def _named(name: str) -> str:
    """An author of BibTeX: braces keep a group's name from being taken apart."""
    return _escaped(name) if "," in name else f"{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    """For BibTeX and LaTeX."""
    return "".join(f"\\{letter}" if letter in "&%$#_{}" else letter for letter in text)
