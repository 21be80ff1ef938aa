"""The whole way of a study by its one command: every model family and every variant, in minutes.

Trains, compresses, exports, runs in the real runtimes and scores; the exporter's image is made once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.study.candidates import share
from orchestrator.study.reading import find
from tests.support.schemas import check

pytestmark = [
    pytest.mark.docker,
    pytest.mark.exporter,
    pytest.mark.runtimes,
    pytest.mark.slow,
    pytest.mark.quiet,
]

ROOT = suite_root()
STUDY = find(ROOT, "dlmo")


@dataclass(frozen=True)
class Done:
    """A finished study."""

    folder: Path
    report: dict[str, Any]
    text: str
    status: int

    def row(self, model: str, variant: str) -> dict[str, Any]:
        """One network and variant."""
        found: dict[str, Any] = next(
            row for row in self.report["rows"] if (row["network"], row["variant"]) == (model, variant)
        )
        return found


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """``make study`` of the checkout, as from a new shell."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL", "MAKE"))}
    return subprocess.run(
        ["make", "study", "STUDY=dlmo", "SCALE=smoke", *words],
        cwd=ROOT,
        env=inherited,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def done() -> Iterator[Done]:
    before = set(ROOT.glob("results/study-dlmo-smoke-*"))
    ended = command()
    folder = ROOT / ended.stdout.splitlines()[-1] if ended.stdout else ROOT
    assert (folder / "report.json").is_file(), f"{ended.stdout}\n{ended.stderr}"
    report = json.loads((folder / "report.json").read_bytes())
    yield Done(folder, report, (folder / "report.md").read_text("utf-8"), ended.returncode)
    for left in set(ROOT.glob("results/study-dlmo-smoke-*")) - before:
        shutil.rmtree(left)


def test_every_family_and_every_variant_went_the_whole_way(done: Done) -> None:
    check("study", done.report)
    assert [row["failure"] for row in done.report["rows"] if row["failure"]] == []
    families = {Catalog(ROOT).models()[row["network"]].family for row in done.report["rows"]}
    assert families == {model.family for model in Catalog(ROOT).models().values()}
    assert {row["variant"] for row in done.report["rows"]} == set(STUDY.variants)
    for row in done.report["rows"]:
        failed = [one["reason"] for one in row["measured"] if one["planned"] and one["reason"]]
        scored = [one for one in row["measured"] if share(one["accuracy"]) is not None]
        assert not failed, f"{row['model']} {row['variant']}: {failed}"
        assert scored, f"{row['model']} {row['variant']} was scored in no runtime"
    assert done.status == 0


def test_the_report_says_that_it_compares_to_nothing(done: Done) -> None:
    assert "SMOKE RUN" in done.text.splitlines()[2]
    assert "published" not in done.text.partition("## ")[2].replace("published ones", "")


def test_what_was_used_is_recorded(done: Done) -> None:
    used = json.loads((done.folder / "study.json").read_bytes())["used"]
    assert len(used["exports"]) == len(done.report["rows"])
    assert all(item["data"]["id"] == "digits" and item["files"] for item in used["exports"])


def test_pruning_and_clustering_save_where_they_claim(done: Done) -> None:
    for row in done.report["rows"]:
        base = done.row(row["network"], "nq")
        if row["variant"] == "fpr":
            assert row["macs"] < base["macs"], row["model"]
        if row["variant"] == "wcl":
            assert row["unique_weights_factor"] > 1, row["model"]
        if row["variant"] == "prn":
            assert row["nonzero_parameters"] < base["nonzero_parameters"], row["model"]


def test_the_same_command_again_trains_and_exports_nothing(done: Done) -> None:
    (done.folder / "report.json").unlink()  # as if interrupted before its last step
    again = command()
    assert again.returncode == done.status, again.stderr
    assert ROOT / again.stdout.splitlines()[-1] == done.folder
    assert "training" not in again.stderr and "exporting" not in again.stderr


def test_recommend_reads_it(done: Done) -> None:
    inferometer = ROOT / ".venv/bin/inferometer"
    words = [inferometer, "recommend", done.folder, "--max-accuracy-drop", "100", "--json"]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["pareto"]
