"""What a build is given of this machine: as secrets and named arguments, for the build alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, host_settings

# A client that keeps what it was given; secrets are gone after the build, so it copies them.
CLIENT = """#!{python}
import json, os, sys
from pathlib import Path
place, words = Path({place!r}), sys.argv[1:]
if words[:2] == ["buildx", "version"]:
    sys.exit(0)
secrets, contexts = {{}}, {{}}
for option, value in zip(words, words[1:]):
    if option == "--secret":
        id, path = (part.split("=", 1)[1] for part in value.split(","))
        secrets[id] = dict(path=path, text=Path(path).read_text(), mode=os.stat(path).st_mode & 0o777)
    if option == "--build-context":
        contexts[value.split("=")[0]] = sorted(os.listdir(value.split("=", 1)[1]))
environment = {{name: os.environ.get(name) for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "HTTPS_PROXY")}}
(place / "seen.json").write_text(json.dumps([words, secrets, contexts, environment]))
print("#1 [build 2/3] RUN --mount=type=secret,id=ca apt-get update")
print("#1 DONE 12.3s")
for line in os.environ.get("SAY", "").splitlines():
    print(line)
sys.exit(int(os.environ.get("STATUS", "0")))
"""


class Build:
    """One build with the client above."""

    def __init__(self, place: Path):
        self.place = place
        self.said: list[str] = []

    def run(self, requirements: str = "", platform: str | None = None) -> None:
        """Build; afterwards the fields say what the client got."""
        (self.place / "requirements.txt").write_text(requirements)
        log = self.place / "logs/image.log"
        paths = [self.place / "requirements.txt"]
        buildx.build(
            "inferometer/foo:1",
            Path("d/Dockerfile"),
            Path("c"),
            paths,
            platform,
            {"KEY": "value"},
            log,
            self.said.append,
        )

    @property
    def seen(self) -> tuple[list[str], dict[str, Any], dict[str, list[str]], dict[str, str | None]]:
        """Words, secrets, build contexts, environment."""
        words, secrets, contexts, environment = json.loads((self.place / "seen.json").read_text())
        return words, secrets, contexts, environment


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    for name in list(os.environ):
        if name.startswith("PIP_") or name.upper() in host_settings.PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin/docker"
    client.write_text(CLIENT.format(python=sys.executable, place=str(tmp_path)))
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}:{os.environ['PATH']}")
    buildx.find_buildx.cache_clear()
    monkeypatch.setattr("orchestrator.engines.host_settings.reachable", lambda url, ca: "away" not in url)
    return Build(tmp_path)


@pytest.fixture(autouse=True)
def forget() -> Any:
    """The client found on the PATH of a test is not everybody's."""
    yield
    buildx.find_buildx.cache_clear()


def values_of(words: list[str], option: str) -> list[str]:
    return [value for name, value in zip(words, words[1:], strict=False) if name == option]


def test_settings_arrive_as_secrets_and_are_no_words_of_the_command(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@index.example/simple")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example")
    build.run("--extra-index-url https://near.example/whl\n--extra-index-url=https://away.example\nnumpy\n")
    words, secrets, _, environment = build.seen
    # Without a value: the client takes it from its own environment, and the history does not show it.
    assert values_of(words, "--build-arg") == ["KEY=value", "HTTPS_PROXY", "no_proxy"]
    assert environment["HTTPS_PROXY"] == "http://user:secret@proxy.example:3128"
    assert not [word for word in words if "secret@" in word or "index.example" in word]
    assert set(secrets) >= {"pip", "apt"}
    pip = secrets["pip"]["text"].splitlines()
    assert "index-url = https://user:secret@index.example/simple" in pip
    assert "extra-index-url = https://near.example/whl" in pip
    assert "trusted-host = index.example" in pip


def test_secrets_are_for_the_owner_alone_and_gone_afterwards(build: Build) -> None:
    build.run()
    for name in ("pip", "apt"):
        secret = build.seen[1][name]
        assert secret["mode"] == 0o600
        assert not Path(secret["path"]).exists()


def test_the_ca_bundle_is_a_secret_that_pip_and_apt_are_told_of(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = build.place / "our-ca.pem"
    bundle.write_text("certificate")
    monkeypatch.setenv("PIP_CERT", str(bundle))
    build.run()
    _, secrets, _, _ = build.seen
    assert secrets["ca"]["text"] == "certificate"
    assert "cert = /run/secrets/ca" in secrets["pip"]["text"].splitlines()
    assert 'Acquire::https::CAInfo "/run/secrets/ca";' in secrets["apt"]["text"]
    assert str(bundle) not in secrets["pip"]["text"] + secrets["apt"]["text"]


def test_wheel_folders_become_one_context_and_the_first_wins(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [build.place / "one", build.place / "two"]
    for folder in folders:
        folder.mkdir()
        (folder / "both-1.whl").write_text(folder.name)
        (folder / f"{folder.name}-1.whl").write_text(folder.name)
    (folders[0] / "notes.txt").write_text("no wheel")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{folders[0]} {folders[1]} https://wheels.example/")
    build.run()
    _, secrets, contexts, _ = build.seen
    assert contexts == {"wheelhouse": ["both-1.whl", "one-1.whl", "two-1.whl"]}
    # Folders of this machine do not exist in the build; addresses do.
    assert "find-links = https://wheels.example/" in secrets["pip"]["text"].splitlines()
    joined = build.place / "joined"
    assert buildx._one_folder(folders, joined) == joined
    assert (joined / "both-1.whl").read_text() == "one"
    assert (folders[1] / "both-1.whl").read_text() == "two"


def test_the_engine_that_runs_is_the_engine_that_builds(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/here.sock")
    build.run(platform="linux/arm64")
    words, _, _, environment = build.seen
    assert environment["DOCKER_HOST"] == "unix:///run/here.sock"
    assert environment["DOCKER_CONTEXT"] is None
    assert values_of(words, "--platform") == ["linux/arm64"]
    assert values_of(words, "--provenance") == ["false"]  # it would hold the build arguments
    assert values_of(words, "--tag") == ["inferometer/foo:1"]
    assert words[-1] == "c"


def test_a_step_that_took_time_is_told_without_its_mounts(build: Build) -> None:
    build.run()
    assert build.said == ["  [build 2/3] RUN apt-get update (12 s)"]


def test_a_failure_names_pips_complaint_the_index_out_of_reach_and_the_log(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "#9 4.2 ERROR: No matching distribution found for foo==1\nERROR: failed to solve: exit code: 1"
    monkeypatch.setenv("SAY", said)
    monkeypatch.setenv("STATUS", "1")
    with pytest.raises(InferometerError) as caught:
        build.run("--extra-index-url https://away.example\n")
    text = str(caught.value)
    assert text.startswith(
        "the image inferometer/foo:1 could not be built: ERROR: No matching distribution found for foo==1; "
        "https://away.example cannot be reached, but PIP_FIND_LINKS may name a folder with the wheels; "
    )
    assert text.endswith(f"the whole output: {build.place}/logs/image.log")
    assert "failed to solve" in (build.place / "logs/image.log").read_text()


def test_an_older_client_before_a_newer_one_is_passed_over(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build.place / "old"
    old.mkdir()
    (old / "docker").write_text("#!/bin/sh\nexit 1\n")
    (old / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{old}:{os.environ['PATH']}")
    assert buildx.find_buildx() == str(build.place / "bin/docker")
    monkeypatch.setenv("PATH", str(old))
    buildx.find_buildx.cache_clear()
    with pytest.raises(InferometerError, match=r"no docker command with buildx on PATH; fix: apt-get inst"):
        build.run()


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        (["global.timeout='15'", "install.find-links='/a /b'"], {"timeout": "15", "find-links": "/a /b"}),
        ([":env:.index-url='https://a'", "global.index-url='https://b'"], {"index-url": "https://a"}),
        (["global.index-url='https://a'", "user.index-url='https://b'"], {"index-url": "https://b"}),
        (["global.user='True'", "no equals sign"], {}),
        (["global.cert='/ca.pem'"], {"cert": "/ca.pem"}),
    ],
)
def test_pips_settings_are_read(lines: list[str], options: dict[str, str]) -> None:
    assert host_settings.parse_pip_options(lines) == options


def test_the_ca_bundle_is_the_first_that_exists(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        path.write_text("")
    missing = str(tmp_path / "missing")
    assert host_settings.ca_bundle({"cert": str(one)}, {"SSL_CERT_FILE": str(two)}) == one
    assert host_settings.ca_bundle({"cert": missing}, {"SSL_CERT_FILE": str(two)}) == two
    assert host_settings.ca_bundle({"cert": str(one)}, {"PIP_CERT": str(two)}) == two
