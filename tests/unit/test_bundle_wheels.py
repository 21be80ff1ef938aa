"""The lock's requirements for another machine: its markers, not ours."""

from __future__ import annotations

import re

import pytest

from orchestrator.bundle import wheels
from orchestrator.catalog import suite_root

LOCK = (suite_root() / "requirements.lock").read_text("utf-8")


def names(text: str) -> set[str]:
    return {line.split("==")[0] for line in text.splitlines()}


@pytest.mark.parametrize("python", wheels.PYTHONS)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_each_target_gets_one_version_of_what_holds_there(python: str, machine: str) -> None:
    text = wheels.select(LOCK, python, machine)
    every = set(re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE))
    old = python == "3.10"
    absent = {"pywin32", *(() if old else ("tomli",))}
    absent |= {"typing-extensions"} if python in ("3.13", "3.14") else set()
    assert names(text) == every - absent
    assert len(text.splitlines()) == len(names(text))
    assert ("numpy==2.2.6 " in text) == old
    assert ";" not in text


def test_every_hash_goes_along() -> None:
    lock = (
        "a==1 ; sys_platform == 'linux' \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
        "    # via b\nb==2 \\\n    --hash=sha256:3\n"
    )
    assert (
        wheels.select(lock, "3.12", "aarch64")
        == "a==1 --hash=sha256:1 --hash=sha256:2\nb==2 --hash=sha256:3\n"
    )


def test_a_marker_of_the_machine() -> None:
    lock = "a==1 ; platform_machine == 'aarch64' \\\n    --hash=sha256:1\n"
    assert wheels.select(lock, "3.12", "x86_64") == ""
    assert wheels.select(lock, "3.12", "aarch64") == "a==1 --hash=sha256:1\n"
