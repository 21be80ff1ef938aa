"""Many variants in one process: what is shared, what is kept, what a failure leaves alone."""

from __future__ import annotations

import copy
import json
import time
import zlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from models import card as cards
from models import export, exporters, techniques, variants
from models.counts import counts
from models.errors import ExportError
from models.pipeline import files
from models.pipeline.request import Request, parse_settings
from models.pipeline.training import Stopwatch, Training, teacher_id

ROOT = Path(export.__file__).parent
DIGITS = ROOT / "digits-cnn.toml"
# Files in ONNX alone: the converter to TFLite takes as long as all of this.
ONNX = dict.fromkeys(("nq", "f16", "half", "half-f16", "broken"), ("onnx",))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand-ins for techniques; what was done is noted."""
    done: list[str] = []

    def half(model: torch.nn.Module, task: Any, settings: Any, report: Any) -> tuple[torch.nn.Module, Any]:
        done.append(f"half {settings['share']}")
        smaller = copy.deepcopy(model)
        smaller.classifier.bias.grad = torch.zeros_like(smaller.classifier.bias)
        with torch.no_grad():
            smaller.classifier.weight[: round(10 * settings["share"])] = 0
        return smaller, {"share": settings["share"]}

    def convert(format_: str, source: Path, target: Path, inputs: Any, settings: Any) -> dict[str, Any]:
        done.append(f"convert {format_} {None if inputs is None else inputs.shape}")
        target.write_bytes(source.read_bytes())
        return {"float_operators": 3}

    def broken(*given: Any) -> Any:
        raise RuntimeError("the converter\nbroke")

    modules = {
        "prn": SimpleNamespace(KIND="module", DEFAULTS={"share": 0.5}, SMOKE={"share": 0.1}, apply=half),
        "f16": SimpleNamespace(KIND="file", DEFAULTS={}, FORMATS=("onnx",), convert=convert),
        "fiq": SimpleNamespace(KIND="file", DEFAULTS={}, FORMATS=("onnx",), convert=convert),
        "blq": SimpleNamespace(KIND="file", DEFAULTS={}, FORMATS=("onnx",), convert=broken),
    }
    real = techniques.module_of

    def module_of(code: str) -> ModuleType | SimpleNamespace:
        found = modules.get(code)
        if found is None:
            return real(code)
        found.__file__ = __file__
        return found

    monkeypatch.setattr(techniques, "module_of", module_of)
    return done


def card_of(path: Path, formats: dict[str, Any]) -> cards.Card:
    """The digits' card without a teacher, with files in few formats: TFLite's converter takes its time."""
    text = DIGITS.read_text()
    text = text[: text.index("[variants.nq]")].replace('teacher = "wide-resnet"', "")
    text += "".join(f"[variants.{name}]\nformats = {json.dumps(given)}\n" for name, given in formats.items())
    path.write_text(text)
    return cards.read(path)


def plain(folder: Path, *codes: str, **more: Any) -> Request:
    card = card_of(folder / "digits-cnn.toml", {code: ["onnx"] for code in codes})
    return Request(card, codes, 1, 0, folder / "out", folder / "work", **more)


def trained(folder: Path, *codes: str, **more: Any) -> Request:
    from models.datasets import card as data_cards

    data_card = data_cards.read(ROOT / "data/digits.toml")
    request = plain(folder, *codes)
    card = cards.derive(request.card, data_card)
    settings = {"nq": {"epochs": 1}, **more.pop("settings", {})}
    return Request(card, codes, 1, 0, folder / "out", folder / "work", data_card, settings=settings, **more)


def run(request: Request) -> tuple[dict[str, str], list[dict[str, Any]]]:
    said: list[dict[str, Any]] = []
    failed = export.export(request, lambda type_, **fields: said.append({"type": type_, **fields}))
    return failed, said


def manifest(request: Request, code: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((request.out / code / "b1/manifest.json").read_text())
    return content


def test_variants_share_a_float_file_and_a_failure_stops_no_other(tmp_path: Path, made: list[str]) -> None:
    request = plain(tmp_path, "blq", "nq", "f16", "fiq")
    failed, said = run(request)
    assert failed == {"blq": "the converter broke"}
    assert {"type": "variant", "name": "blq", "edge": "failed", "reason": "the converter broke"} in said
    assert sorted(path.parent.name for path in request.out.glob("*/b1")) == ["f16", "fiq", "nq"]
    assert made == ["convert onnx None", "convert onnx (200, 1, 8, 8)"]
    nq, fiq = (manifest(request, code) for code in ("nq", "fiq"))
    (file,), (copy) = fiq["artifacts"], nq["artifacts"]
    assert (file["sha256"], file["lossy"]) == (copy[0]["sha256"], True)
    assert file["facts"] == {"float_operators": 3, "calibration": "training set"}
    assert [step["code"] for step in fiq["techniques"]] == ["fiq"]
    assert not copy[0]["lossy"] and nq["techniques"] == []


def test_the_manifest_counts(tmp_path: Path) -> None:
    request = plain(tmp_path, "nq")
    assert run(request)[0] == {}
    told = manifest(request, "nq")
    (file,) = told["artifacts"]
    content = (request.out / "nq/b1/model.onnx").read_bytes()
    assert (file["bytes"], file["deflated_bytes"]) == (len(content), len(zlib.compress(content, 9)))
    assert told["schema"] == 2
    # 8x8x9x16 + 8x8x9x16x24 + 4x4x9x24x32 + 128x10 by hand.
    assert told["macs"] == 9216 + 221184 + 110592 + 1280
    assert told["accuracy"] == told["baseline"] == file["accuracy"] == {"correct": 359, "total": 360}


def test_trained_stages_are_kept_and_used_again(tmp_path: Path, made: list[str]) -> None:
    request = trained(tmp_path, "nq", "prn", "prn-f16")
    failed, said = run(request)
    assert failed == {}
    assert made == ["half 0.5", "convert onnx None"]
    assert sum(line["type"] == "train" for line in said) == 1
    kept = sorted(path.name.partition("-")[0] for path in (request.work / request.card.id).iterdir())
    assert kept == ["nq", "prn"]
    told = manifest(request, "prn-f16")
    assert [(step["code"], step["settings"]) for step in told["techniques"]] == [
        ("prn", {"share": 0.5}),
        ("f16", {}),
    ]
    assert told["training"]["epochs"] == told["training"]["epochs_done"] == 1
    assert told["data"]["id"] == "digits" and told["data"]["scored"] == 360
    assert told["nonzero_parameters"] < told["parameters"]
    assert told["baseline"] != told["artifacts"][0]["accuracy"]
    stored = torch.load(next(request.work.glob("*/prn-*.pt")), weights_only=False)["model"]
    assert all(parameter.grad is None for parameter in stored.parameters())
    first = manifest(request, "nq")
    made.clear()
    failed, said = run(request)
    assert failed == {} and made == ["convert onnx None"]
    assert not [line for line in said if line["type"] == "train"]
    assert manifest(request, "nq") == first


def test_other_settings_make_another_stage(tmp_path: Path, made: list[str]) -> None:
    run(trained(tmp_path, "prn"))
    run(trained(tmp_path, "prn", settings={"prn": {"share": 0.2}}))
    assert made == ["half 0.5", "half 0.2"]


def test_what_a_budget_cut_is_not_kept_and_says_so(tmp_path: Path) -> None:
    request = trained(tmp_path, "nq", budget_s=0.001, settings={"nq": {"epochs": 50}})
    assert run(request)[0] == {}
    told = manifest(request, "nq")["training"]
    assert told["epochs_done"] < told["epochs"] == 50
    assert not list(request.work.glob("digits-cnn@digits/*.pt"))


def test_a_plain_model_is_not_trained(tmp_path: Path, made: list[str]) -> None:
    with pytest.raises(ExportError, match="digits-cnn: prn must be trained.* digits-cnn@digits"):
        run(plain(tmp_path, "nq", "prn"))
    assert not (tmp_path / "out").exists()


def test_a_teacher_must_be_named(tmp_path: Path) -> None:
    failed, _ = run(trained(tmp_path, "kd"))
    assert failed == {
        "kd": f'{tmp_path / "digits-cnn.toml"}: teacher: is missing, and kd needs one; add teacher = "MODEL"'
    }


def test_settings_that_are_none_are_named(tmp_path: Path, made: list[str]) -> None:
    failed, _ = run(trained(tmp_path, "prn", settings={"prn": {"sparsty": 1}}))
    assert failed == {"prn": "--set: prn.sparsty is no setting of prn; known: share"}
    assert parse_settings(["prn.share=0.5", "kd.start=given"]) == {
        "prn": {"share": 0.5},
        "kd": {"start": "given"},
    }
    for text in ("prn", "prn=1", "prn.x", ".x=1"):
        with pytest.raises(ExportError, match="^--set "):
            parse_settings([text])


def test_synthetic_calibration_says_so(tmp_path: Path, made: list[str], monkeypatch: Any) -> None:
    from models.builders import digits

    monkeypatch.setattr(digits, "calibration", lambda card, batch: None)
    monkeypatch.setattr(
        digits, "inputs", lambda card, batch, seed: (np.ones((1, batch, 1, 8, 8), np.float32) * seed, None)
    )
    request = plain(tmp_path, "fiq")
    assert run(request)[0] == {}
    assert made == ["convert onnx (100, 1, 8, 8)"]
    (file,) = manifest(request, "fiq")["artifacts"]
    assert file["facts"]["calibration"] == "synthetic"
    assert file["calibration"] is None and file["accuracy"] is None


def test_the_list_of_techniques_is_what_their_modules_are() -> None:
    known = cards.tomllib.loads(variants.LIST.read_text())
    for code, told in known.items():
        if "means" in told:
            continue
        module = techniques.module_of(code)
        assert told["kind"] == module.KIND, code
        if told["kind"] in ("file", "training-export"):
            assert set(told["formats"]) == set(module.FORMATS), code


def test_names_of_files() -> None:
    assert exporters.file_of("onnx") == "model.onnx"
    assert exporters.file_of("onnx-s8") == "model-s8.onnx"
    assert exporters.source_of("onnx-s8") == "onnx"


def test_zeros_are_counted() -> None:
    linear = torch.nn.Linear(12, 2, bias=False)
    with torch.no_grad():
        linear.weight[0] = 0
    model = torch.nn.Sequential(torch.nn.Flatten(), linear)
    assert counts(model, (3, 2, 2)) == {"parameters": 24, "nonzero_parameters": 12, "macs": 24}


def test_deflated_in_pieces_is_deflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 50)
    monkeypatch.setattr(files, "CHUNK", 7)
    assert files.deflated_bytes(path) == len(zlib.compress(path.read_bytes(), 9))


def test_the_budget_s_clock_runs_in_training_alone() -> None:
    watch = Stopwatch()
    time.sleep(0.02)
    assert watch() == 0
    with watch.running(), watch.running():
        time.sleep(0.02)
    spent_s = watch()
    assert spent_s >= 0.02
    time.sleep(0.02)
    assert watch() == spent_s


def test_a_teacher_stands_at_the_student_s_scale_where_it_has_that(tmp_path: Path) -> None:
    from models.datasets import card as data_cards

    data_card = data_cards.read(ROOT / "data/digits.toml")
    for name, text, scale, found in (
        ("a", "resnet50", "smoke", "resnet50@digits~smoke"),
        ("b", "resnet50", "mine", "resnet50@digits"),
        ("c", "resnet50~smoke", None, "resnet50@digits~smoke"),
    ):
        path = tmp_path / f"{name}.toml"
        own = DIGITS.read_text().replace('teacher = "wide-resnet"', f'teacher = "{text}"')
        path.write_text(f"{own}\n[scales.mine]\nwidths = [8, 8, 8]\n")
        card = cards.derive(cards.read(path), data_card, scale)
        assert teacher_id(Request(card, ("kd",), 1, 0, tmp_path, tmp_path, data_card)) == found


def test_a_kept_student_is_another_when_its_teacher_changes(tmp_path: Path) -> None:
    from models.datasets import card as data_cards

    data_card = data_cards.read(ROOT / "data/digits.toml")
    folder = tmp_path / "cards"
    folder.mkdir()
    teacher, student = folder / "taught.toml", folder / "student.toml"
    plain_text = DIGITS.read_text().replace('teacher = "wide-resnet"\n', "")
    student.write_text(DIGITS.read_text().replace('teacher = "wide-resnet"', 'teacher = "taught"'))
    card = cards.derive(cards.read(student), data_card)

    def told(text: str) -> str | None:
        teacher.write_text(text)
        asked = Request(card, ("kd",), 1, 0, tmp_path, tmp_path, data_card)
        shown: Any = None
        return Training(asked, shown, print, None, Stopwatch(), lambda other: None).teacher_digest()

    first = told(plain_text)
    assert first == told(plain_text) != told(f"{plain_text}\n[settings.nq]\nepochs = 3\n")
    assert first != told(plain_text.replace("[weights]", "[options]\nwidths = [8, 8, 8]\n\n[weights]", 1))
