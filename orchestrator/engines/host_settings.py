"""What this machine needs to reach packages, for builds that happen elsewhere: proxies, indexes, CA bundle.

Everything is handed to a build as a secret or a mount, so that nothing of it stays in an image.
"""

from __future__ import annotations

import ast
import os
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain import InferometerError

# BuildKit predefines these as build arguments: they reach every RUN and stay in no image.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
SECRET_CA = "/run/secrets/ca"  # where a secret `ca` appears in a build
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# pip's options that say where packages come from; the rest of a user's configuration is not a build's matter.
_PIP_OPTIONS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
)
_PROBE_S = 5.0


@dataclass(frozen=True)
class Requirements:
    """A ``requirements.txt``: what to install, and the further indexes it names."""

    lines: tuple[str, ...]
    extra_indexes: tuple[str, ...]


def read_requirements(path: Path) -> Requirements:
    """Split the ``--extra-index-url`` lines from the rest. Raises InferometerError when it cannot be read."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}; add the file") from None
    option = "--extra-index-url"
    indexes = [line[len(option) :].strip(" =") for line in lines if line.startswith(option)]
    return Requirements(tuple(line for line in lines if not line.startswith(option)), tuple(indexes))


def proxy_names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of the proxy variables that are set, in the spelling that is set."""
    return [name for upper in PROXIES for name in (upper, upper.lower()) if environ.get(name)]


def pip_options() -> dict[str, str]:
    """pip's own effective settings (files, then environment) as far as they say where packages come from.

    Empty where this Python has no pip.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return parse_pip_options(listed.stdout.splitlines())


def parse_pip_options(lines: Iterable[str]) -> dict[str, str]:
    """``global.timeout='15'`` -> ``{"timeout": "15"}``; the environment wins, then the last."""
    found: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):  # stable: the environment last
        name, equals, value = line.partition("=")
        option = name.rpartition(".")[2]
        if equals and (option in _PIP_OPTIONS or option == "cert"):
            found[option] = str(ast.literal_eval(value))
    return found


def ca_bundle(options: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> Path | None:
    """The certificates this machine trusts: pip's, the environment's, else the system's bundle."""
    named = [environ.get(_CA_VARIABLES[0]), options.get("cert"), *map(environ.get, _CA_VARIABLES[1:])]
    return next((Path(name) for name in [*named, *_BUNDLES] if name and Path(name).is_file()), None)


def reachable(url: str, ca: Path | None = None) -> bool:
    """Whether a package index answers within five seconds, through the proxies that are set."""
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        request = urllib.request.Request(url.rstrip("/") + "/", method="HEAD")
        with urllib.request.urlopen(request, timeout=_PROBE_S, context=context):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


def out_of_reach(indexes: Iterable[str]) -> str:
    """What to add to a failure when these indexes did not answer; empty without any."""
    named = ", ".join(indexes)
    return (
        f"; {named} cannot be reached, but PIP_FIND_LINKS may name a folder with the wheels" if named else ""
    )


def wheel_folders(options: Mapping[str, str]) -> list[Path]:
    """The local folders among pip's ``find-links``."""
    found = [Path(name.removeprefix("file://")) for name in options.get("find-links", "").split()]
    return [path for path in found if path.is_dir()]


def pip_conf(options: Mapping[str, str], extra_indexes: Iterable[str], ca: Path | None) -> str:
    """A ``pip.conf`` for a build. Folders of this machine are left out: they do not exist there."""
    written = ["[global]"]
    for option in _PIP_OPTIONS:
        values = [value for value in options.get(option, "").split() if not _is_local(option, value)]
        if option == "extra-index-url":
            values += list(extra_indexes)
        if values:
            written.append(f"{option} = {' '.join(values)}")
    if ca:
        written.append(f"cert = {SECRET_CA}")
    return "\n".join(written) + "\n"


def _is_local(option: str, value: str) -> bool:
    local = value.startswith(("file:", "/", "."))
    return local and option in ("index-url", "extra-index-url", "find-links")


def apt_conf(ca: Path | None) -> str:
    """An ``apt.conf`` for a build: this machine's own apt proxies, and the CA bundle for https mirrors."""
    lines = [f'Acquire::https::CAInfo "{SECRET_CA}";'] if ca else []
    if shutil.which("apt-config"):
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout.splitlines()
        lines += [line for line in dump if line.startswith(("Acquire::http::Proxy", "Acquire::https::Proxy"))]
    return "\n".join(lines) + "\n"
