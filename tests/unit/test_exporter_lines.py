"""What the exporter's lines of progress become for people, and how long it may be silent."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator import export_lines, exporter, exports
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError


def lines(*messages: dict[str, Any]) -> tuple[export_lines.Lines, list[str]]:
    said: list[str] = []
    reader = export_lines.Lines(said.append, "net@set", lambda: None)
    for message in messages:
        reader.feed(json.dumps(message).encode() + b"\n")
    return reader, said


def train(epoch: float, left_s: float | None) -> dict[str, Any]:
    return {"type": "train", "name": "nq", "epoch": epoch, "epochs": 30, "loss": 1.0, "left_s": left_s}


def test_training_tells_how_far_it_is_and_how_long_it_takes() -> None:
    assert lines(train(3, 720))[1] == ["  training net@set nq: epoch 3 of 30, about 12 min left"]
    assert lines(train(0.5, None))[1] == ["  training net@set nq: epoch 0.5 of 30"]


def test_fast_epochs_do_not_flood_and_the_last_is_told() -> None:
    _, said = lines(*(train(epoch, 30 - epoch) for epoch in range(1, 31)))
    assert said == [
        "  training net@set nq: epoch 1 of 30, about 29 s left",
        "  training net@set nq: epoch 30 of 30, about 0 s left",
    ]


def test_a_variant_that_failed_is_told_and_kept() -> None:
    reader, said = lines(
        {"type": "variant", "name": "fiq", "edge": "start"},
        {"type": "step", "name": "onnx", "edge": "start"},
        {"type": "step", "name": "onnx", "edge": "end"},
        {"type": "variant", "name": "fiq", "edge": "failed", "reason": "no way"},
    )
    assert said == ["  net@set fiq: onnx done in 0 s", "  net@set fiq: failed: no way"]
    assert reader.failed == {"fiq": "no way"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")]
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert export_lines.duration(seconds) == text


def job(folder: Path, trains: bool) -> exporter.Export:
    return exporter.Export(
        folder, folder, "net", "net", {}, (), folder, folder, folder / "log", trains, lambda text: None
    )


@pytest.mark.parametrize("trains", [False, True])
def test_only_training_may_go_on_as_long_as_it_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trains: bool
) -> None:
    monkeypatch.setattr(exporter, "_TIMEOUT_S", 0.2)
    deadline = exporter._Deadline(job(tmp_path, trains))
    time.sleep(0.15)
    deadline.heard()
    time.sleep(0.1)
    if trains:
        assert deadline.left() > 0
        time.sleep(0.2)
    with pytest.raises(InferometerError, match="stopped after 0.2 s") as caught:
        deadline.left()
    assert ("without progress" in str(caught.value)) is trains


ROOT = suite_root()


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> list[exporter.Export]:
    """Takes the exporter's place: makes every variant but fiq, and remembers what it was asked."""
    jobs = []

    def run(export: exporter.Export, engine: str) -> dict[str, str]:
        jobs.append(export)
        wanted = export.arguments[export.arguments.index("--variants") + 1].split(",")
        for variant in wanted:
            if variant != "fiq":
                made = export.out / variant / "b1"
                made.mkdir(parents=True)
                key = export.arguments[export.arguments.index("--key") + 1]
                manifest = {"schema": 2, "key": key, "weights": {"kind": "trained"}}
                (made / "manifest.json").write_text(json.dumps(manifest))
        return {"fiq": "no way"} if "fiq" in wanted else {}

    monkeypatch.setattr(exporter, "run", run)
    return jobs


def test_all_missing_variants_are_made_at_once_and_those_made_are_kept(
    tmp_path: Path, exported: list[exporter.Export]
) -> None:
    model = Catalog(ROOT).model("digits-cnn@digits")
    said: list[str] = []
    failed = exports.ensure_all(ROOT, tmp_path, model, ("nq", "fiq", "prn"), 1, "process", said.append)
    log = tmp_path / "logs/export-digits-cnn@digits-nq-fiq-prn-b1.log"
    assert failed == {"fiq": f"the export of digits-cnn@digits fiq failed: no way; its log: {log}"}
    assert said == ["exporting digits-cnn@digits nq, fiq, prn (once)"]
    (job,) = exported
    assert job.trains and job.files["data-card"].name == "digits.toml"
    folder = tmp_path / "artifacts/digits-cnn@digits"
    assert sorted(path.parent.name for path in folder.glob("*/b1")) == ["nq", "prn"]
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["digits-cnn@digits"]
    with pytest.raises(InferometerError, match="fiq failed: no way"):
        exports.ensure(ROOT, tmp_path, model, "fiq", 1, "process", said.append)
    assert exported[1].arguments[exported[1].arguments.index("--variants") + 1] == "fiq"


def test_a_plain_model_is_not_sent_to_be_trained(tmp_path: Path, exported: list[exporter.Export]) -> None:
    model = Catalog(ROOT).model("digits-cnn")
    failed = exports.ensure_all(ROOT, tmp_path, model, ("prn",), 1, "process", print)
    assert failed == {
        "prn": "prn must be trained, and digits-cnn has no data for that; try digits-cnn@digits"
    }
    assert exported == []
