"""Whether this machine has what a run was measured with: device, images, artifacts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator import artifacts, choices, exports
from orchestrator.catalog import Catalog, Device
from orchestrator.domain import InferometerError, TrialRecord
from orchestrator.engines import images
from orchestrator.engines.connection import connect
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Link
from orchestrator.reproduce.original import Original

KINDS = ("device", "image", "artifact")  # what may differ only where it is allowed by name
NOT_HERE = "not here"


@dataclass(frozen=True)
class Differs:
    """Something that is another one than then. ``fix`` is empty where it is told only, never refused."""

    kind: str
    name: str
    then: str
    now: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        """As the header of the reproduction keeps it."""
        return {"kind": self.kind, "name": self.name, "then": self.then, "now": self.now}

    def line(self) -> str:
        """``image of tflite: sha256:12ab then, sha256:34cd now``."""
        of = f" of {self.name}" if self.name else ""
        return f"{self.kind}{of}: {_short(self.then)} then, {_short(self.now)} now"


def device_of(catalog: Catalog, place: Place, original: Original) -> tuple[Device, list[Differs]]:
    """The device that a reproduction is of, and the difference where it is another one."""
    then = original.identity["device"]
    devices = catalog.devices()
    if then in devices and (original.identity["emulated"] or original.identity["forced"]):
        return devices[then], []
    found = choices.recognised(catalog, place)
    if found is None:
        raise InferometerError(f"this machine is none of the known devices ({', '.join(devices)})")
    if found.id == then:
        return found, []
    fix = f"reproduce it on a {then} (HOST=ssh://user@board)"
    return found, [Differs("device", "", then, found.id, fix)]


def differing_images(
    catalog: Catalog, device: Device, original: Original, link: Link | None
) -> Iterable[Differs]:
    """Each runtime's image digest, in a container, or the content of its folder, in an environment."""
    known = catalog.runtimes()
    pairs: dict[tuple[str, str], TrialRecord] = {}
    for record in original.records:
        if record.image:
            pairs.setdefault((record.case.runtime, record.case.accelerator), record)
    for (runtime, accelerator), record in sorted(pairs.items()):
        name = runtime if accelerator == "cpu" else f"{runtime} {accelerator}"
        if runtime not in known:
            yield Differs("image", name, str(record.image), NOT_HERE, f"this suite has no runtime {runtime}")
            continue
        tag = images.tag(runtime, catalog.root, device.platform, known[runtime].build_arguments(accelerator))
        client = connect(address=f"unix://{link.socket}") if link else connect()
        found = images.inspect(client, tag)
        if not found or found.digest != record.image:
            yield Differs(
                "image",
                name,
                str(record.image),
                found.digest if found else NOT_HERE,
                _fix(tag, name, original),
            )


def _fix(tag: str, name: str, original: Original) -> str:
    """How the image of then comes here."""
    then = original.identity["runtimes"].get(name)
    if then != tag:
        commit = original.header["environment"].get("git_commit")
        return f"its files are others than then: check out {commit or 'the suite of then'}"
    return f"built from the same files, but not the same image: `docker save {tag}` there, `docker load` here"


def differing_contents(now: dict[str, str], original: Original) -> Iterable[Differs]:
    """Under the process engine there is no image: the content of each runtime's folder stands for it."""
    if original.identity["engine"] == "docker":
        return
    for name, then in original.identity["runtimes"].items():
        if now.get(name) != then:
            commit = original.header["environment"].get("git_commit")
            fix = f"check out {commit or 'the suite of then'}"
            yield Differs("image", name, str(then), now.get(name, NOT_HERE), fix)


def differing_artifacts(
    catalog: Catalog, cache: Path, original: Original, export: Callable[[str], None] | None
) -> Iterable[Differs]:
    """The SHA-256 of each artifact against what lies here; ``export`` says what is exported anew.

    Without ``export`` nothing is made, and what is missing is no difference yet.
    """
    wanted: dict[tuple[str, str, int, str], str] = {}
    for record in original.records:
        if record.artifact_sha256:
            case = record.case
            key = (case.model, case.variant, case.batch, record.artifact["format"])
            wanted[key] = record.artifact_sha256
    models = exports.named(catalog, sorted({key[0] for key in wanted}))
    for (name, variant, batch, format_), then in sorted(wanted.items()):
        model = models[name]
        if not artifacts.is_current(catalog.root, cache, model, variant, batch):
            if export is None:
                continue
            engine = original.identity["engine"]
            exports.ensure(catalog.root, cache, model, variant, batch, engine, export)
        folder = artifacts.home(catalog.root, cache, model, variant, batch)
        found = artifacts.open_artifact(folder, format_)
        if found is None or found.sha256 != then:
            fix = f"copy the file of then with its manifest to {folder}"
            now = found.sha256 if found else NOT_HERE
            yield Differs("artifact", f"{name} {variant} b{batch} {format_}", then, now, fix)


def refuse(found: Iterable[Differs], allowed: Collection[str]) -> None:
    """Raises InferometerError naming all that differs and is not allowed, each with its fix."""
    wrong = [one for one in found if one.kind in KINDS and one.kind not in allowed]
    if wrong:
        kinds = ",".join(dict.fromkeys(one.kind for one in wrong))
        told = "; ".join(f"{one.line()} ({one.fix})" for one in wrong)
        raise InferometerError(f"{told}; or measure with what is here: --allow {kinds}")


def _short(text: str) -> str:
    digest = text.removeprefix("sha256:")
    return digest[:12] if len(digest) in (40, 64) else text  # of Git, of SHA-256
