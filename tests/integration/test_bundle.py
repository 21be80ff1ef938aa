"""A bench carried to a place without network: packed here, used there, and nothing asked of anybody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts, choices
from orchestrator.bundle import archive
from orchestrator.bundle.pack import pack
from orchestrator.bundle.use import supply
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import image_files, images
from orchestrator.engines.place import here
from orchestrator.plan import Wish
from tests.support import bundles
from tests.support.newcomer import inferometer, refused

CATALOG = Catalog(suite_root())


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def checkout() -> None:
    if not (suite_root() / ".git").exists():
        pytest.skip("this is no git checkout, there is nothing to pack")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with 200 kB of room."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.docker
def test_artifacts_go_to_an_empty_cache_once(
    checkout: None, tmp_path: Path, double_image: images.Image, small_disk: Path
) -> None:
    device = choices.choose_device(CATALOG, "", False, False, here()).id
    sent, path, said = bundles.exported(tmp_path / "here"), tmp_path / "b.tar", []
    wish = Wish(device, models=("resnet50", "digits-cnn"), runtimes=("fake",))
    pack(CATALOG, _wheels(tmp_path / "here"), wish, path, said.append)

    with pytest.raises(OSError, match="No space left") as caught:
        supply(CATALOG, small_disk, Order(Wish("")), path, said.append)
    assert caught.value.filename
    assert not list(small_disk.rglob("model.onnx"))

    cache = tmp_path / "there"
    order = supply(CATALOG, cache, Order(Wish("")), path, said.append)
    got = cache / "artifacts/resnet50/nq/b1"
    assert {item.name: item.read_bytes() for item in got.iterdir()} == {
        item.name: item.read_bytes() for item in sent.iterdir()
    }
    assert (order.wish.device, order.engine) == (device, "docker")
    assert set(order.wish.models) == {"resnet50", "digits-cnn"}
    assert order.wish.runtimes == ("fake",)
    assert order.offline
    assert order.offline.startswith("bundle: b.tar, made from commit ")

    before = (got / "model.onnx").stat().st_ino
    supply(CATALOG, cache, Order(Wish("")), path, said.append)
    assert (got / "model.onnx").stat().st_ino == before
    (got / "manifest.json").write_text("{")  # a damaged one is replaced, without the network
    supply(CATALOG, cache, Order(Wish("")), path, said.append)
    assert (got / "manifest.json").read_bytes() == (sent / "manifest.json").read_bytes()


@pytest.mark.docker
def test_better_weights_on_the_board_are_not_exported_behind_its_back(
    checkout: None, tmp_path: Path, double_image: images.Image
) -> None:
    device = choices.choose_device(CATALOG, "", False, False, here()).id
    sent, path = bundles.exported(tmp_path / "here"), tmp_path / "b.tar"
    content = json.loads((sent / "manifest.json").read_bytes())
    content["weights"] = {"kind": "random", "seed": 0}
    (sent / "manifest.json").write_text(json.dumps(content))
    wish = Wish(device, models=("resnet50",), runtimes=("fake",))
    pack(CATALOG, _wheels(tmp_path / "here"), wish, path, print)
    weights = artifacts.weights_file(tmp_path / "there", CATALOG.models()["resnet50"])
    assert weights
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"trained")
    with pytest.raises(InferometerError, match="holds weights the bundle was made without"):
        supply(CATALOG, tmp_path / "there", Order(Wish("")), path, print)


def _wheels(cache: Path) -> Path:
    """The user's own cache of wheels, so that a test downloads nothing twice."""
    shared = artifacts.cache_root() / "wheels"
    shared.mkdir(parents=True, exist_ok=True)
    (cache / "wheels").symlink_to(shared)
    return cache


def test_a_full_disk_while_packing(small_disk: Path) -> None:
    contents = {**bundles.CONTENTS, "images/fake.tar": bytes(400_000)}
    with pytest.raises(OSError, match="No space left") as caught:
        bundles.make(small_disk / "b.tar", contents)
    assert caught.value.filename == str(small_disk / "b.tar")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (("--device", "toaster"), ("unknown device 'toaster'",)),
        (("--device", "x86", "--models", "resnet5"), ("unknown model 'resnet5'", "Did you mean resnet50?")),
        (("--device", "x86", "--runtimes", "tflit"), ("unknown runtime 'tflit'",)),
        (("--device", "x86", "--out", "no/such.tar"), ("no such folder", "OUT")),
        (
            ("--device", "x86", "--models", "digits-cnn", "--variants", "zip"),
            ("there is no technique 'zip'",),
        ),
        (("--device", "x86", "--batch", "0"), ("give whole numbers",)),
        ((), ("--device", "see inferometer bundle --help")),
    ],
)
def test_what_cannot_be_packed(tmp_path: Path, words: tuple[str, ...], texts: tuple[str, ...]) -> None:
    refused(inferometer(tmp_path, "bundle", *words), *texts)
    assert not list(tmp_path.glob("*.tar*"))


def test_what_cannot_be_used(tmp_path: Path) -> None:
    refused(inferometer(tmp_path, "bench", "--bundle", "absent.tar"), "absent.tar: cannot be read")
    path = bundles.make(tmp_path / "cut.tar")
    os.truncate(path, 30_000)
    refused(inferometer(tmp_path, "bench", "--bundle", "cut.tar"), "cut.tar: ", "cut short")
    assert not (tmp_path / "results").exists()


def test_no_engine(checkout: None, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"
    done = inferometer(tmp_path, "bundle", "--device", "x86", "--models", "digits-cnn", DOCKER_HOST=nowhere)
    refused(done, "inferometer-x86.tar: no Docker Engine answers at", "; start it")
    assert "ENGINE=process" not in done.stderr


@pytest.mark.docker
def test_an_image_saved_under_another_platforms_name(
    double_image: images.Image, engine_client: Any, tmp_path: Path
) -> None:
    carried, arrived = (f"inferometer/{tmp_path.name}:{name}" for name in ("carried", "arrived"))
    engine_client.images.get(double_image.tag).tag(carried)
    saved = list(image_files.save(carried))
    engine_client.images.remove(carried)
    image_files.load(saved, carried, arrived)
    assert image_files.holds(arrived)
    assert not image_files.holds(carried)
    assert engine_client.images.get(arrived).id == double_image.digest
    engine_client.images.remove(arrived)
    with pytest.raises(InferometerError, match="the engine could not load inferometer/x:1: "):
        image_files.load([b"no image"], "inferometer/x:1", "inferometer/x:1")
    with pytest.raises(InferometerError, match="could not save inferometer/x:1: "):
        list(image_files.save("inferometer/x:1"))


@pytest.fixture
def changed(checkout: None, tmp_path: Path) -> Iterator[Path]:
    """A checkout whose LiteRT runner is nobody else's, so that its image is this test's alone."""
    folder = tmp_path / "changed"
    subprocess.run(["git", "clone", "--quiet", suite_root(), folder], check=True)
    with (folder / "runners/tflite/runner.py").open("a") as stream:
        stream.write(f"# {tmp_path}\n")
    yield folder
    remove(images.tag("tflite", folder))


def remove(tag: str) -> None:
    import docker.errors

    from orchestrator.engines.connection import connect

    client = connect()
    try:
        client.images.remove(tag)
    except docker.errors.ImageNotFound:
        pass
    finally:
        client.close()


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.slow
def test_make_bench_without_network(changed: Path, tmp_path: Path) -> None:
    """Exactly what the board's owner types, where there is no network, no cache and no image."""
    nowhere = ["unshare", "--net"]
    if subprocess.run([*nowhere, "true"], capture_output=True).returncode:
        pytest.skip("only root can take the network away")
    device = choices.choose_device(CATALOG, "", False, False, here()).id
    words = ["--device", device, "--models", "digits-cnn", "--runtimes", "tflite"]
    packed = subprocess.run(
        [sys.executable, "-m", "orchestrator", "bundle", *words, "--out", tmp_path / "b.tar"],
        cwd=changed,
        env={**os.environ, "PYTHONPATH": str(changed), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout == f"{tmp_path / 'b.tar'}\n"
    assert "the checkout differs from its commit" in packed.stderr
    remove(images.tag("tflite", changed))

    board, home = tmp_path / "board", tmp_path / "home"
    board.mkdir()
    home.mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "b.tar", "suite.tar"], cwd=board, check=True)
    subprocess.run(["tar", "-xf", "suite.tar"], cwd=board, check=True)
    place = board / "inferometer"
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(tmp_path), "LC_ALL": "C.UTF-8"}
    clean |= {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
    done = subprocess.run(
        [*nowhere, "make", "bench", "BUNDLE=../../b.tar", "QUICK=1", f"PYTHON={_plain_python()}"],
        cwd=place,
        env=clean,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loading inferometer/tflite:" in done.stderr
    assert "building" not in done.stderr
    folder = place / done.stdout.splitlines()[-1]
    document: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    [row] = document["cases"]
    assert (row["case"]["model"], row["case"]["runtime"], row["engine"]) == ("digits-cnn", "tflite", "docker")
    assert (row["failed"], row["launches"]) == (0, 3)
    assert row["parity"]["top1_equal"] == row["parity"]["total"] > 0
    notes = json.loads((folder / "run.json").read_bytes())["notes"]
    assert any(note.startswith("bundle: b.tar, made from commit ") for note in notes)
    assert archive.MANIFEST not in os.listdir(place)

    # Debian's python3 without python3-venv: pip itself comes from the bundle.
    (home / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    bare = [*nowhere, _plain_python(), "bootstrap.py", "--bundle", "../../b.tar"]
    clean["PYTHONPATH"] = str(home)
    done = subprocess.run(
        [*bare, "bare", "requirements.lock"], cwd=place, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    subprocess.run([place / "bare/bin/inferometer", "--version"], check=True, capture_output=True)


def _plain_python() -> str:
    """A Python without this environment's packages."""
    return shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
