"""Ids and TOML files: every complaint names the file, the field or the line, and the fix."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.catalog import (
    Accelerator,
    Catalog,
    Cooldown,
    load_toml,
    read_device,
    read_model,
    read_runtime,
    suite_root,
)
from orchestrator.domain import InferometerError

DEVICE = """
title = "A board"
platform = "linux/arm64"
min_launches = 10
runtimes = ["alpha"]
memory_bytes = 4_000_000_000
python = "3.6"
[accelerators.cpu]
[accelerators.gpu]
runtime = "nvidia"
devices = ["/dev/gpu0"]
environment = {VISIBLE = "all"}
optional = true
[recognise]
arch = ["aarch64"]
[emulator]
QEMU_CPU = "max"
[telemetry]
sources = ["thermal"]
[cooldown]
band_c = 3
timeout_s = 600
"""
RUNTIME = """
title = "A runtime"
package = "runtime"
formats = ["onnx", "ort"]
precisions = ["nq"]
default = true
[needs]
arch = ["x86_64"]
[options.mode]
values = ["eager", "aot"]
default = ["eager"]
help = "how"
[options.free]
values = ["*"]
default = ["7"]
help = "any"
[[compile]]
option = "mode"
value = "aot"
format = "so"
[[tools]]
option = "mode"
values = ["aot"]
command = "g++"
fix = "apt-get install g++"
[skip]
C17 = "loads anything"
"""
MODEL = """
title = "A model"
default = true
[weights]
kind = "bundled"
[variants.nq]
formats = ["onnx"]
"""


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_device_is_read(tmp_path: Path) -> None:
    device = read_device(written(tmp_path, "my-board.toml", DEVICE))
    assert (device.id, device.platform, device.arch) == ("my-board", "linux/arm64", "aarch64")
    assert device.min_launches == 10
    assert device.accelerators["cpu"] == Accelerator()
    assert device.accelerators["gpu"] == Accelerator(
        {"runtime": "nvidia", "devices": ["/dev/gpu0"], "environment": {"VISIBLE": "all"}}, optional=True
    )
    assert (device.runtimes, device.memory_bytes, device.sources) == (("alpha",), 4_000_000_000, ("thermal",))
    assert (device.emulator, device.cooldown) == ({"QEMU_CPU": "max"}, Cooldown(3, 600))
    assert (device.profile["title"], device.python) == ("A board", "3.6")


def test_a_runtime_is_read(tmp_path: Path) -> None:
    runtime = read_runtime(written(tmp_path, "alpha/runner.toml", RUNTIME))
    assert (runtime.id, runtime.formats, runtime.default) == ("alpha", ("onnx", "ort"), True)
    assert runtime.options["mode"].default == ("eager",)
    assert runtime.compiled_format({"mode": "aot"}) == "so"
    assert runtime.compiled_format({"mode": "eager"}) is None
    assert runtime.compiled_format({}) is None
    assert runtime.tools[0].fix == "apt-get install g++"
    assert runtime.skips == {"C17": "loads anything"}


def test_a_model_is_read(tmp_path: Path) -> None:
    model = read_model(written(tmp_path, "net.toml", MODEL))
    assert (model.id, model.default, dict(model.variants)) == ("net", True, {"nq": ("onnx",)})


@pytest.mark.parametrize(
    ("line", "replacement", "complaint"),
    [
        ('title = "A runtime"', "", "field title is missing; add it"),
        ('title = "A runtime"', "title = 3", "field title must be a string, got 3"),
        ("default = true", 'default = "yes"', "field default must be true or false, got 'yes'"),
        ("default = true", "default = 1", "field default must be true or false, got 1"),
        ('formats = ["onnx", "ort"]', 'formats = "onnx"', "field formats must be a list, got 'onnx'"),
        ('formats = ["onnx", "ort"]', "formats = [1]", "field formats must be a list of strings"),
        ("[needs]", "[nedes]", "field needs is missing"),
        ('arch = ["x86_64"]', "", "field needs.arch is missing"),
        (
            'default = ["eager"]',
            'default = ["fast"]',
            "field options.mode.default holds 'fast', which is not among",
        ),
        ('values = ["eager", "aot"]', "", "field options.mode.values is missing"),
        ('help = "any"', "help = []", "field options.free.help must be a string"),
        ('format = "so"', "", "field compile[0].format is missing"),
        ('command = "g++"', "command = true", "field tools[0].command must be a string, got True"),
        ("[[tools]]", "[tools]", "field tools must be a list, got"),
        ("[skip]", "[[skip]]", "field skip must be a table"),
    ],
)
def test_a_runtime_with_a_wrong_field(tmp_path: Path, line: str, replacement: str, complaint: str) -> None:
    assert line in RUNTIME
    path = written(tmp_path, "alpha/runner.toml", RUNTIME.replace(line, replacement, 1))
    with pytest.raises(InferometerError) as caught:
        read_runtime(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "replacement", "complaint"),
    [
        ('platform = "linux/arm64"', "", "field platform is missing; add it"),
        ("min_launches = 10", 'min_launches = "10"', "field min_launches must be a whole number, got '10'"),
        ("min_launches = 10", "min_launches = true", "field min_launches must be a whole number, got True"),
        ("[accelerators.cpu]", "", "field accelerators.cpu is missing"),
        ('runtime = "nvidia"', "runtime = 1", "field accelerators.gpu.runtime must be a string, got 1"),
        ("devices = [", "devices = [1, ", "field accelerators.gpu.devices must be a list of strings"),
        ("optional = true", 'optional = "y"', "field accelerators.gpu.optional must be true or false"),
        ('runtimes = ["alpha"]', "", "field runtimes is missing; add it"),
        ("memory_bytes = 4_000_000_000", "memory_bytes = 4.0", "field memory_bytes must be a whole number"),
        ('QEMU_CPU = "max"', "QEMU_CPU = 1", "field emulator.QEMU_CPU must be a string, got 1"),
        ('sources = ["thermal"]', "", "field telemetry.sources is missing; add it"),
        ("band_c = 3", "", "field cooldown.band_c is missing; add it"),
        ("[recognise]", "[rules]", "field recognise is missing; add it"),
        ("[accelerators.cpu]", "[accelerators.npu]", "field accelerators.cpu is missing"),
        ("[accelerators.cpu]", "[accelerators]\ncpu = 1", "field accelerators.cpu must be a table, got 1"),
    ],
)
def test_a_device_with_a_wrong_field(tmp_path: Path, line: str, replacement: str, complaint: str) -> None:
    path = written(tmp_path, "board.toml", DEVICE.replace(line, replacement, 1))
    with pytest.raises(InferometerError) as caught:
        read_device(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")


@pytest.mark.parametrize(
    ("line", "replacement", "complaint"),
    [
        ('formats = ["onnx"]', 'format = ["onnx"]', "field variants.nq.formats is missing"),
        ("[variants.nq]\nformats", "[variants]\nnq", "field variants.nq must be a table"),
        ("[weights]", "[wights]", "field weights is missing"),
    ],
)
def test_a_card_with_a_wrong_field(tmp_path: Path, line: str, replacement: str, complaint: str) -> None:
    path = written(tmp_path, "net.toml", MODEL.replace(line, replacement, 1))
    with pytest.raises(InferometerError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")


@pytest.mark.parametrize(
    ("content", "line"),
    [(b'title = "A"\nformats = [\n', 3), (b"a = 1\na = 2\n", 2), (b"x\n", 1), (b"\n\ntitle = A model\n", 3)],
)
def test_malformed_toml_names_file_and_line(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(content)
    with pytest.raises(InferometerError) as caught:
        load_toml(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not valid TOML: ")
    assert f"line {line}" in message or "end of document" in message
    assert "\n" not in message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.toml"
        path.write_bytes(content)
        for read in (read_device, read_runtime, read_model):
            with pytest.raises(InferometerError) as caught:
                read(path)
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match=re.escape(str(tmp_path / "x.toml"))):
        load_toml(tmp_path / "x.toml")


def test_the_catalog_finds_folders_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path, "orchestrator/devices/board.toml", DEVICE)
    written(tmp_path, "runners/alpha/runner.toml", RUNTIME)
    written(tmp_path, "runners/sdk/readme.txt", "")
    written(tmp_path, "models/net.toml", MODEL)
    written(tmp_path, "models/techniques/variants.toml", "")
    catalog = Catalog(tmp_path)
    assert list(catalog.devices()) == ["board"]
    assert list(catalog.runtimes()) == ["alpha"]
    assert list(catalog.models()) == ["net"]
    assert catalog.device("board").id == "board"
    with pytest.raises(
        InferometerError, match=r"unknown device 'boart'\. Did you mean board\? Known: board\."
    ):
        catalog.device("boart")


def test_the_suite_reads_its_own_files() -> None:
    catalog = Catalog(suite_root())
    assert catalog.devices()
    assert "fake" in catalog.runtimes()
    assert not catalog.runtimes()["fake"].default
    assert "digits-cnn" in catalog.models()
    for model in catalog.models().values():
        assert any(
            set(model.variant("nq").formats) & set(runtime.formats)
            for runtime in catalog.runtimes().values()
            if runtime.default
        ), f"no runtime loads {model.id}"


BASES = """
[[bases]]
tegra_release = "R32 (release), REVISION: 7."
arguments = {BASE = "l4t:32"}
[[bases]]
tegra_release = "R36 (release)"
arguments = {BASE = "l4t:36", REQUIREMENTS = "other.txt"}
"""


def test_the_board_s_release_chooses_the_base(tmp_path: Path) -> None:
    runtime = read_runtime(written(tmp_path, "alpha/runner.toml", RUNTIME + BASES))
    assert runtime.build_arguments("cpu") == {}  # no L4T, no base of it
    nano = runtime.at("# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref")
    assert nano.build_arguments("cpu") == {"BASE": "l4t:32"}
    orin = runtime.at("# R36 (release), REVISION: 4.3")
    assert orin.build_arguments("cpu") == {"BASE": "l4t:36", "REQUIREMENTS": "other.txt"}
    with pytest.raises(
        InferometerError, match=r"runner\.toml: field bases has no image for this board's L4T"
    ):
        runtime.at("# R32 (release), REVISION: 4.4").build_arguments("cpu")


@pytest.mark.parametrize("board", ["jetson-nano", "jetson-orin-nano"])
def test_every_jetson_has_a_base(board: str) -> None:
    """By the profile's own release and by that of the board whose files are kept."""
    catalog = Catalog(suite_root())
    read = (suite_root() / f"tests/fixtures/sys/{board}/etc/nv_tegra_release").read_text()
    chosen = {
        catalog.at(release).runtimes()["tensorrt"].build_arguments("cuda")["BASE"]
        for release in (catalog.device(board).release, read.splitlines()[0])
    }
    (base,) = chosen
    assert base.startswith("nvcr.io/nvidia/l4t-")
