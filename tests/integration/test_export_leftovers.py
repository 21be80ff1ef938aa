"""What an export leaves behind: nothing, whoever dies and however long the exporter would take."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts, export_lines, exporter, exports
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import images, venvs

ROOT = suite_root()
MODEL = "digits-cnn"


def export(cache: Path, engine: str) -> None:
    """An export of the digits, which need no download, into an empty cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "is_current", lambda *given: False)
        exports.ensure(ROOT, cache, Catalog(ROOT).models()[MODEL], "nq", 1, engine, print)


@pytest.fixture
def stand_in(double_image: images.Image, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a line of shell take the exporter's place in its container."""
    from docker.models.containers import ContainerCollection

    create = ContainerCollection.create

    def use(line: str) -> None:
        entry = {"entrypoint": ["sh", "-c", line]}
        monkeypatch.setattr(images, "ensure", lambda *given: double_image)
        monkeypatch.setattr(
            ContainerCollection, "create", lambda *given, **more: create(*given, **more, **entry)
        )

    return use


def of_this_process(client: Any) -> list[Any]:
    """The exporter's containers that this process has made."""
    name = f"^inferometer-export-.*-{os.getpid()}$"
    found: list[Any] = client.containers.list(all=True, filters={"name": name})
    return found


@pytest.mark.docker
def test_an_export_removes_what_a_killed_one_left_and_nothing_else(
    engine_client: Any, stand_in: Callable[[str], None], double_image: images.Image, tmp_path: Path
) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    start = exporter._started(owner.pid)
    assert start
    labels = {
        "living": exporter._labels(f"{owner.pid} {start}"),
        "its id went to another": exporter._labels(f"{owner.pid} {int(start) - 1}"),
        "elsewhere": exporter._labels("4194305 1") | {exporter._PLACE: "another machine"},
    }
    left: dict[str, Any] = {}

    def names() -> set[str]:
        present = {container.id for container in engine_client.containers.list(all=True)}
        return {key for key, container in left.items() if container.id in present}

    try:
        for key, value in labels.items():
            left[key] = engine_client.containers.create(double_image.tag, labels=value)
        assert names() == set(labels)
        stand_in("exit 3")
        with pytest.raises(InferometerError, match="exit status 3"):
            export(tmp_path / "one", "docker")
        assert names() == {"living", "elsewhere"}
        owner.kill()
        # Not waited for yet: a dead process that its parent has not asked for is dead all the same.
        os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(InferometerError, match="exit status 3"):
            export(tmp_path / "two", "docker")
        assert names() == {"elsewhere"}
    finally:
        owner.kill()
        owner.wait()
        for key in names():
            left[key].remove(force=True)
    assert of_this_process(engine_client) == []


@pytest.mark.docker
def test_a_container_that_does_not_end_is_removed_in_time(
    engine_client: Any, stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in("echo busy >&2; sleep 600")
    monkeypatch.setattr(exporter, "_TIMEOUT_S", 1)
    said = refused(tmp_path, "docker")
    assert said == f"the export of {MODEL} was stopped after 1 s; its log: {log_of(tmp_path)}"
    assert log_of(tmp_path).read_text() == "busy\n"
    assert of_this_process(engine_client) == []


@pytest.mark.docker
def test_a_container_has_a_name_a_limit_and_an_owner(
    engine_client: Any, stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []

    class Seen(export_lines.Lines):
        def feed(self, data: bytes) -> None:
            seen.extend(of_this_process(engine_client))

    monkeypatch.setattr(exporter, "Lines", Seen)
    stand_in("echo here")
    assert "wrote no manifest" in refused(tmp_path, "docker")
    (container,) = seen
    assert container.name == f"inferometer-export-{MODEL}-nq-b1-{os.getpid()}"
    assert container.attrs["HostConfig"]["PidsLimit"] == 512
    assert exporter._lives(container.labels[exporter._OWNER])


def refused(cache: Path, engine: str) -> str:
    """What an export that fails says; it takes no longer than it must."""
    began = time.monotonic()
    with pytest.raises(InferometerError) as caught:
        export(cache, engine)
    assert time.monotonic() - began < 20
    return str(caught.value)


def log_of(cache: Path) -> Path:
    return cache / "logs" / f"export-{MODEL}-nq-b1.log"


def interpreter(folder: Path, lines: str) -> Path:
    """A stand-in for the Python of the exporter's environment: lines of shell."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("line", ["sleep 600", "exec >&-; sleep 600"], ids=["silent", "closed its output"])
def test_a_process_that_does_not_end_is_killed_in_time(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = interpreter(tmp_path, f"echo $$ > {tmp_path}/group; {line}")
    monkeypatch.setattr(venvs, "ensure", lambda *given: python)
    monkeypatch.setattr(exporter, "_TIMEOUT_S", 1)
    said = refused(tmp_path, "process")
    assert said == f"the export of {MODEL} was stopped after 1 s; its log: {log_of(tmp_path)}"
    group = int((tmp_path / "group").read_text())
    for _ in range(100):
        alive = [stat for stat in map(stat_of, Path("/proc").glob("[0-9]*")) if stat[2:3] == [str(group)]]
        if all(stat[0] == "Z" for stat in alive):
            return
        time.sleep(0.05)
    pytest.fail(f"what the exporter started lives on: {alive}")


def stat_of(process: Path) -> list[str]:
    """State, parent, group and so on of a process; nothing when it is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


OWNER = """
import sys
from pathlib import Path
from orchestrator import artifacts, exports
from orchestrator.catalog import Catalog, suite_root
from orchestrator.engines import venvs
artifacts.is_current = lambda *given: False
venvs.ensure = lambda *given: Path(sys.argv[1])
root = suite_root()
exports.ensure(root, Path(sys.argv[2]), Catalog(root).models()[sys.argv[3]], "nq", 1, "process", print)
"""


def test_an_export_dies_with_a_killed_orchestrator(tmp_path: Path) -> None:
    # The child holds a pipe, which ends when the child does.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    python = interpreter(tmp_path, f"exec 3>{pipe}; echo $$ >&3; exec sleep 600")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    owner = subprocess.Popen([sys.executable, "-c", OWNER, python, tmp_path / "cache", MODEL], cwd=ROOT)
    try:
        assert select.select([reader], [], [], 30)[0], "the export did not start"
        child = int(os.read(reader, 100))
        assert not select.select([reader], [], [], 0.2)[0], "it ended by itself"
        owner.kill()
        owner.wait()
        if not select.select([reader], [], [], 10)[0]:
            os.kill(child, signal.SIGKILL)
            pytest.fail("it lives on")
        assert os.read(reader, 100) == b""
    finally:
        owner.kill()
        owner.wait()
        os.close(reader)
