"""What an export that trains is lent where the engine offers a GPU."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orchestrator.catalog import suite_root
from orchestrator.engines import graphics, images


def test_a_gpu_is_lent_where_the_engine_offers_one(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = SimpleNamespace(machine="x86_64")
    monkeypatch.setattr(graphics.os, "uname", lambda: machine)
    assert graphics.lend(["runc"]) == ({}, {})
    build, lent = graphics.lend(["runc", "nvidia"])
    assert lent["runtime"] == "nvidia" and lent["environment"]["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert images.tag("models", suite_root(), None, build) != images.tag("models", suite_root())
    machine.machine = "aarch64"  # what PyPI has for it is for other machines than a Jetson
    assert graphics.lend(["runc", "nvidia"]) == ({}, {})


def test_the_exporter_s_image_takes_what_it_is_told() -> None:
    text = (suite_root() / "Dockerfiles/models.Dockerfile").read_text("utf-8")
    assert "ARG TORCH_INDEX=" in text and '--index-url "$TORCH_INDEX"' in text
