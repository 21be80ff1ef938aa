"""Images are named by what goes into them, and nothing of the machine that built them stays inside."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import base_images, host_settings, image_state, images

ROOT = suite_root()
DOCKERFILES = sorted((ROOT / "Dockerfiles").glob("*.Dockerfile"))
NAMES = [path.name.removesuffix(".Dockerfile") for path in DOCKERFILES]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A suite of one runtime."""
    files = {
        "Dockerfiles/foo.Dockerfile": "# comment\nFROM debian:a AS one\nCOPY sdk/sdk.py \\\n  foo/*.py /r/\n"
        "COPY --chmod=644 data /data\nFROM one\nCOPY --from=one /r/other.txt /r/\n",
        "runners/sdk/sdk.py": "sdk",
        "runners/foo/runner.py": "runner",
        "runners/foo/notes.txt": "notes",
        "runners/data/deep/file": "data",
        "runners/other.txt": "other",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_name_is_the_repository_and_a_hash(root: Path) -> None:
    assert re.fullmatch(r"inferometer/foo:[0-9a-f]{12}", images.tag("foo", root))


@pytest.mark.parametrize(
    "name",
    ["Dockerfiles/foo.Dockerfile", "runners/sdk/sdk.py", "runners/foo/runner.py", "runners/data/deep/file"],
)
def test_a_changed_file_gives_another_tag(root: Path, name: str) -> None:
    before = images.tag("foo", root)
    content = (root / name).read_text()
    (root / name).write_text(content + "\n# changed\n")
    assert images.tag("foo", root) != before
    (root / name).write_text(content)
    assert images.tag("foo", root) == before


@pytest.mark.parametrize("name", ["runners/foo/more.py", "runners/data/new"])
def test_a_new_or_renamed_file_gives_another_tag(root: Path, name: str) -> None:
    seen = {images.tag("foo", root)}
    (root / name).write_text("new")
    seen.add(images.tag("foo", root))
    (root / name).rename(root / f"{name[:-3]}x.py")
    seen.add(images.tag("foo", root))
    assert len(seen) == 3


def test_what_is_not_copied_does_not_count(root: Path) -> None:
    before = images.tag("foo", root)
    (root / "runners/foo/notes.txt").write_text("other notes")
    (root / "runners/other.txt").write_text("of another stage, not of the context")
    (root / "runners/data/__pycache__").mkdir()
    (root / "runners/data/__pycache__/a.pyc").write_text("made by running")
    os.utime(root / "runners/foo/runner.py", (0, 0))
    assert images.tag("foo", root) == before


def test_the_same_content_elsewhere_has_the_same_tag(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    for name in ("Dockerfiles", "runners"):
        shutil.copytree(root / name, copy / name)
    assert images.tag("foo", copy) == images.tag("foo", root)


def test_another_platform_has_another_tag(root: Path) -> None:
    tags = {platform: images.tag("foo", root, platform) for platform in (None, *base_images.PLATFORMS)}
    assert tags[None] == tags[base_images.native()]
    assert len(set(tags.values())) == 2


def test_a_missing_dockerfile_is_named(root: Path) -> None:
    with pytest.raises(InferometerError, match=r"bar\.Dockerfile is missing; add it, or use ENGINE=process"):
        images.tag("bar", root)


def test_bases_are_what_no_stage_is_called(root: Path) -> None:
    path = root / "Dockerfiles/foo.Dockerfile"
    path.write_text(
        "FROM scratch AS wheels\nFROM --platform=linux/arm64 debian:a AS one\nFROM one AS two\n"
        "# FROM comment\nfrom vendor/l4t:1\nFROM debian:a\nCOPY --from=wheels / /w\n"
    )
    assert images.bases(path) == ["debian:a", "vendor/l4t:1"]


@pytest.mark.parametrize("name", NAMES)
def test_the_runner_and_its_pins_are_part_of_the_real_names(name: str, tmp_path: Path) -> None:
    for folder in ("Dockerfiles", "runners", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = images.tag(name, tmp_path)
    assert before == images.tag(name, ROOT)
    inside = ["models/export.py", "models/requirements.txt"]
    if name != images.EXPORTER:
        inside = [f"runners/{name}/runner.py", "runners/sdk/inferometer_sdk.py"]
        pins = f"runners/{name}/requirements.txt"
        inside += [pins] * bool((tmp_path / pins).read_text().strip())  # some install nothing
    for changed in inside:
        with (tmp_path / changed).open("a") as stream:
            stream.write("# changed\n")
        assert images.tag(name, tmp_path) != before, changed
        before = images.tag(name, tmp_path)


@pytest.mark.parametrize("path", DOCKERFILES, ids=NAMES)
def test_no_dockerfile_bakes_in_what_a_build_is_given(path: Path) -> None:
    wanted = {name.lower() for name in host_settings.PROXIES} | {
        "pip_index_url",
        "pip_extra_index_url",
        "pip_find_links",
        "pip_cert",
        "ssl_cert_file",
        "requests_ca_bundle",
        "curl_ca_bundle",
    }
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE))
    instructions = [line.split() for line in text.splitlines() if line.strip()]
    for words in instructions:
        if words[0] in ("ARG", "ENV"):
            assert not {word.partition("=")[0].lower() for word in words[1:]} & wanted, words
        # The network is reached in RUN alone, and every RUN that does so takes the settings as secrets.
        if words[0] == "RUN" and "apt-get" in words:
            assert "--mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host" in words
            assert "--mount=type=secret,id=ca" in words
        if words[0] == "RUN" and "pip" in " ".join(words) and "install" in words and "apt-get" not in words:
            assert "--mount=type=secret,id=pip,target=/etc/pip.conf" in words
            assert "--mount=type=secret,id=ca" in words
        assert words[0] != "ADD"
    last = max(number for number, words in enumerate(instructions) if words[0] == "FROM")
    assert not [words for words in instructions[last:] if words[0] in ("RUN", "ARG")]
    assert ["USER", "10001:10001"] in instructions[last:]


@pytest.mark.docker
@pytest.mark.parametrize("name", NAMES)
def test_no_built_image_tells_how_this_machine_reaches_packages(engine_client: object, name: str) -> None:
    # NVIDIA's packages come from an index of its own, which this machine may not reach.
    arguments = {"REQUIREMENTS": "requirements-l4t.txt"} if name == "tensorrt" else {}
    if image_state.state(name, ROOT, None, arguments)["digest"] is None:
        if name == images.EXPORTER and os.environ.get("CI") != "true":
            pytest.skip("the exporter's image, of two gigabytes, is not built yet")
        images.ensure(name, ROOT, cache_root(), None, print, arguments)
    image = engine_client.images.get(images.tag(name, ROOT, None, arguments))  # type: ignore[attr-defined]
    told = "\n".join([*(layer["CreatedBy"] for layer in image.history()), *image.attrs["Config"]["Env"]])
    assert "runner.py" in told or name == images.EXPORTER  # it is the whole history
    for secret in machine_addresses():
        assert secret not in told
    assert not re.search(r"(?i)\b(http|https|ftp|all|no)_proxy=|pip_\w+=|_cert|ca_bundle", told)


def machine_addresses() -> list[str]:
    """Hosts and folders that this machine's settings name."""
    values = [os.environ[name] for name in host_settings.proxy_names()]
    values += [value for option, value in host_settings.pip_options().items() if "/" in value]
    words = [word for value in values for word in re.split(r"[\s,]+", value) if word]
    hosts = [urlsplit(word if "//" in word else f"//{word}").netloc.rpartition("@")[2] for word in words]
    # A Debian mirror may be everybody's; loopback and names of one label would be found by accident.
    return [item for item in {*hosts, *words} if item.count(".") > 1 or item.startswith("/")]
