"""What an export that trains is lent where the engine offers a GPU."""

from __future__ import annotations

from orchestrator.catalog import Catalog, suite_root
from orchestrator.engines import graphics, images

DEVICES = Catalog(suite_root()).devices()


def test_a_gpu_is_lent_as_the_profile_says_where_the_engine_offers_one() -> None:
    assert graphics.lend(DEVICES.values(), ["runc"], "x86_64") == ({}, {})
    build, lent = graphics.lend(DEVICES.values(), ["runc", "nvidia"], "x86_64")
    assert lent == DEVICES["x86"].accelerators["cuda"].container
    assert images.tag("models", suite_root(), None, build) != images.tag("models", suite_root())
    # What PyPI has for that processor is not for a Jetson's driver.
    assert graphics.lend(DEVICES.values(), ["runc", "nvidia"], "aarch64") == ({}, {})


def test_the_exporter_s_image_takes_what_it_is_told() -> None:
    text = (suite_root() / "Dockerfiles/models.Dockerfile").read_text("utf-8")
    assert all(f"ARG {name}=" in text and f'"${name}"' in text for name in graphics.BUILD)
