"""Which runtime reads a user's own model: the first of the preferred ones that can, and all reasons else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.catalog import Accelerator, Catalog, Runtime, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines.launch import Engine, Handle, Launch, Mount, Outcome, Target
from orchestrator.own import OwnModel, read, readers
from tests.support import transcripts

CATALOG = Catalog(suite_root())
FAKE = CATALOG.runtimes()["fake"]
DEVICE = replace(
    next(iter(CATALOG.devices().values())), accelerators={"cpu": Accelerator(), "npu": Accelerator()}
)
ONE = [transcripts.tensor("x", [1, 2])]


def runtime(name: str, *accelerators: str, formats: tuple[str, ...] = ("tflite",)) -> Runtime:
    return replace(FAKE, id=name, formats=formats, accelerators=accelerators or ("cpu",), flavours={})


def named(*runtimes: Runtime) -> dict[str, Runtime]:
    return {item.id: item for item in runtimes}


class Scripted:
    """An engine whose runtimes answer ``inspect`` as told: None for a signature, else the complaint."""

    name = "process"

    def __init__(self, answers: Mapping[str, str | None]):
        self._answers = answers
        self.asked: list[tuple[str, str]] = []

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        if self._answers[runtime.id] == "no image":
            raise InferometerError(f"the image of {runtime.id} could not be built")
        return Target(runtime.id, runtime.id)

    def see(self, mount: Mount) -> str:
        return str(mount.source)

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        self.asked.append((launch.target, launch.accelerator))
        complaint = self._answers[launch.target]
        error: dict[str, Any] = {"type": "error", "code": "model", "message": complaint, "details": ""}
        done = [{"type": "model", "inputs": ONE, "outputs": ONE}, {"type": "done", "iterations": 0}]
        lines = [transcripts.hello(), *([error] if complaint else done)]
        launch.stdout.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Outcome(0, 1, 1 if complaint else 0)


@pytest.fixture
def own(tmp_path: Path) -> OwnModel:
    (tmp_path / "my.tflite").write_bytes(b"a model")
    return OwnModel(tmp_path / "my.tflite")


def asked(
    own: OwnModel, able: list[Runtime], missing: Mapping[str, str] = {}, **answers: str | None
) -> tuple[list[tuple[str, str]], list[str]]:
    """(runtime, accelerator) of every launch, and what was said, where one could read the file."""
    engine, said = Scripted(answers), list[str]()
    signature, _ = read(own, able, DEVICE, cast(Engine, engine), missing, said.append)
    assert signature["inputs"] == ONE
    return engine.asked, said


def test_the_profile_s_or_the_named_order_decides(own: OwnModel) -> None:
    runtimes = named(runtime("a"), runtime("b"), runtime("c"), runtime("other", formats=("onnx",)))
    assert [item.id for item in readers(own, runtimes, ("b", "other", "a"))] == ["b", "a", "c"]
    with pytest.raises(InferometerError, match=r"none of other loads \.tflite"):
        readers(own, named(runtimes["other"]), ())


def test_what_needs_an_accelerator_comes_last(own: OwnModel) -> None:
    runtimes = named(runtime("gpu", "npu"), runtime("a"))
    assert [item.id for item in readers(own, runtimes, ("gpu", "a"))] == ["a", "gpu"]


def test_the_next_one_is_asked_where_one_cannot_load_it(own: OwnModel) -> None:
    able = [runtime("a"), runtime("b"), runtime("c"), runtime("d")]
    order, said = asked(own, able, a="no operator CUSTOM", b="no image", c=None, d=None)
    assert order == [("a", "cpu"), ("c", "cpu")]
    assert said == [
        f"{own.path}: a cannot load it: model: no operator CUSTOM; trying b",
        f"{own.path}: the image of b could not be built; trying c",
    ]


def test_an_accelerator_is_used_where_a_runtime_has_no_other_place(own: OwnModel) -> None:
    assert asked(own, [runtime("gpu", "npu")], gpu=None)[0] == [("gpu", "npu")]
    able = [runtime("gpu", "npu"), runtime("a")]
    order, said = asked(own, able, {"npu": "there is no driver"}, gpu=None, a=None)
    assert order == [("a", "cpu")]
    assert said == [f"{own.path}: gpu cannot load it: there is no driver; trying a"]
    with pytest.raises(InferometerError, match=f"far cannot load it: it needs dsp, which {DEVICE.id} has"):
        asked(own, [runtime("far", "dsp")], far=None)


def test_where_all_refuse_each_reason_is_in_the_one_line(own: OwnModel) -> None:
    with pytest.raises(InferometerError) as caught:
        asked(own, [runtime("a"), runtime("b")], a="no operator CUSTOM", b="no model")
    assert str(caught.value) == (
        f"{own.path}: a cannot load it: model: no operator CUSTOM; b cannot load it: model: no model"
    )


def test_a_file_that_is_not_there_is_no_runtime_s_fault(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match="there is no such file") as caught:
        asked(OwnModel(tmp_path / "my.tflite"), [runtime("a"), runtime("b")], a=None, b=None)
    assert "cannot load it" not in str(caught.value)
