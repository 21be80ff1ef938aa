"""What a bundle says about itself: its first member, ``manifest.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.domain import InferometerError

SCHEMA = 1
LARGEST_BYTES = 10**15  # of a member: as wide as the room a writer leaves for its size
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"  # no path step and no hidden file
_ID = r"[A-Za-z0-9_][A-Za-z0-9_.+@~-]*"  # of a model: MODEL@DATA~SCALE
_MEMBER = re.compile(rf"suite\.tar|(wheels|images)/{_NAME}|artifacts/{_ID}/{_NAME}/b[0-9]+/{_NAME}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Malformed(Exception):
    """A manifest that is none; the text says what is wrong."""


@dataclass(frozen=True)
class Member:
    """One file of the bundle; ``path`` is relative and never leaves the bundle."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Suite:
    """The suite the bundle was made from: what must be equal on the board."""

    version: str
    commit: str
    dirty: bool  # files differed from the commit
    files: Mapping[str, str]  # path -> SHA-256


@dataclass(frozen=True)
class Image:
    """A runtime's image. ``tag``: where its platform is native; ``digest``: in the engine that saved it."""

    runtime: str
    tag: str
    saved_as: str
    digest: str
    member: str


@dataclass(frozen=True)
class Export:
    """A model variant at a batch size; without ``files`` it ships with the suite itself."""

    model: str
    variant: str
    batch: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """Everything in a bundle. ``wheels``: Python version -> names below ``wheels/``.

    ``images``: by runtime, and by runtime and accelerator where that takes another image.
    """

    suite: Suite
    device: str
    platform: str
    accelerators: tuple[str, ...]
    images: Mapping[str, Image]
    exports: tuple[Export, ...]
    wheels: Mapping[str, tuple[str, ...]]
    lock_sha256: str
    members: tuple[Member, ...]

    def to_bytes(self) -> bytes:
        """JSON with its schema; a line for a person to look at with ``tar xOf``."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, sort_keys=True).encode() + b"\n"


def holds(path: str) -> bool:
    """Whether a bundle has a place for a member of this path."""
    return _MEMBER.fullmatch(path) is not None


def read(data: bytes) -> Manifest:
    """The inverse of :meth:`Manifest.to_bytes`. Raises Malformed; InferometerError for another schema."""
    try:
        content = json.loads(data)
        schema = content["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("no JSON object with a field schema") from None
    if schema != SCHEMA:
        raise InferometerError(f"manifest.json has schema {schema!r:.20}, this suite reads {SCHEMA}")
    try:
        found = _manifest(content)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise Malformed(f"a field is missing or of another kind ({problem!r:.80})") from None
    _check(found)
    return found


def _manifest(content: Mapping[str, Any]) -> Manifest:
    return Manifest(
        _suite(**content["suite"]),
        _text(content["device"]),
        _text(content["platform"]),
        tuple(map(_text, content["accelerators"])),
        {name: Image(**_texts(item)) for name, item in content["images"].items()},
        tuple(_export(**item) for item in content["exports"]),
        {python: tuple(map(_text, names)) for python, names in content["wheels"].items()},
        _text(content["lock_sha256"]),
        tuple(Member(**item) for item in content["members"]),
    )


def _suite(version: object, commit: object, dirty: object, files: Mapping[str, object]) -> Suite:
    return Suite(
        _text(version), _text(commit), bool(dirty), _texts({_inside(name): files[name] for name in files})
    )


def _export(model: object, variant: object, batch: object, files: Sequence[object]) -> Export:
    if not isinstance(batch, int) or batch < 1 or not isinstance(files, list):
        raise TypeError(batch, files)
    return Export(_text(model), _text(variant), batch, tuple(map(_text, files)))


def _texts(found: Mapping[str, object]) -> dict[str, str]:
    return {name: _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    # Unprintable text is in no bundle that was written; it has no place in a file's name or in one line.
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError(value)
    return value


def _inside(name: str) -> str:
    if name.startswith("/") or ".." in _text(name).split("/"):
        raise ValueError(name)
    return name


def _check(found: Manifest) -> None:
    paths = set()
    for member in found.members:
        if not isinstance(member.path, str) or not holds(member.path):
            raise Malformed(f"member {member.path!r:.80} has no place in a bundle")
        if member.path in paths:
            raise Malformed(f"member {member.path} is there twice")
        sized = isinstance(member.bytes, int) and 0 <= member.bytes <= LARGEST_BYTES
        if not (sized and isinstance(member.sha256, str) and _SHA256.fullmatch(member.sha256)):
            raise Malformed(f"member {member.path} has no size or no SHA-256")
        paths.add(member.path)
    wanted = {"suite.tar", *(image.member for image in found.images.values())}
    wanted |= {f"wheels/{name}" for names in found.wheels.values() for name in names}
    for export in found.exports:
        folder = f"artifacts/{export.model}/{export.variant}/b{export.batch}"
        wanted |= {f"{folder}/{name}" for name in export.files}
    for path in sorted(wanted ^ paths):
        raise Malformed(f"member {path} is {'missing' if path in wanted else 'one that nothing names'}")
