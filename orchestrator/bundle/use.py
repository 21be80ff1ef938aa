"""Uses a bundle on the board: checked whole, then images to the engine and artifacts to the cache."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orchestrator
from orchestrator import artifacts, environment, lock
from orchestrator.bundle import suite
from orchestrator.bundle.archive import Bundle
from orchestrator.bundle.manifest import Export, Manifest
from orchestrator.bundle.pack import flavour, models_of, needs, places
from orchestrator.cases import Order, runtimes_of
from orchestrator.catalog import Catalog, Device, Runtime
from orchestrator.domain import InferometerError
from orchestrator.engines import base_images, image_files, images
from orchestrator.plan import known

Progress = Callable[[str], None]


def supply(catalog: Catalog, cache: Path, order: Order, path: Path, progress: Progress) -> Order:
    """Make everything ready that the order needs from the bundle; the order narrowed to what it holds.

    Raises InferometerError for a damaged bundle, one of another suite, platform or device, and an order
    that needs what it does not hold. Asks the network for nothing.
    """
    if order.host:
        raise InferometerError(
            f"{path}: a bundle is used on the machine it lies on; copy it to the board and run "
            "`make bench BUNDLE=` there, or leave BUNDLE out: with HOST this machine brings everything"
        )
    if order.engine == "process":
        raise InferometerError(f"{path}: a bundle carries images; leave out --engine, or give ENGINE=docker")
    with closing(Bundle(path)) as bundle, lock.hold(f"reading {path}"):
        content = bundle.manifest
        _fits(catalog, order, path, content)
        device = catalog.device(content.device)
        catalog = catalog.at(environment.tegra_release() or device.release)
        order = _narrow(order, content, device)
        missing = _missing(catalog, order, content)
        if missing:
            raise InferometerError(f"{path} has no {missing}; leave it out, or make a bundle that has it")
        known("model", _each(export.model for export in content.exports), list(catalog.models()))
        image_files.require_engine(path)
        bundle.verify(progress)
        for runtime in runtimes_of(catalog, order.wish, device).values():
            for place in places(runtime, device, content.accelerators):
                _load(bundle, catalog.root, runtime, place, progress)
        for export in content.exports:
            if export.files:
                unpack(bundle, catalog, cache, export, progress)
    commit = content.suite.commit + (", with changes" if content.suite.dirty else "")
    return replace(order, offline=f"bundle: {path.name}, made from commit {commit}")


def _fits(catalog: Catalog, order: Order, path: Path, content: Manifest) -> None:
    mine = f"use the suite in the bundle: tar xf {path} suite.tar && tar xf suite.tar"
    if content.suite.version != orchestrator.__version__:
        raise InferometerError(
            f"{path} is of suite {content.suite.version}, this is {orchestrator.__version__}; {mine}"
        )
    changed = suite.difference(catalog.root, content.suite.files)
    if changed:
        raise InferometerError(
            f"{path} is of commit {content.suite.commit[:12]}, whose {changed} is not the one here; {mine}"
        )
    if content.platform != base_images.native() and not order.emulate:
        raise InferometerError(
            f"{path} is for {content.platform}, this machine is {base_images.native()}; "
            "make one with --device for this machine, or try it with EMULATE=1"
        )
    if order.wish.device not in ("", content.device):
        raise InferometerError(
            f"{path} is for {content.device}, not {order.wish.device}; run with DEVICE={content.device}"
        )
    match = environment.recognise(catalog.device(content.device).profile)
    if not (match.matches or order.force or order.emulate):
        raise InferometerError(
            f"{path} is for {content.device}, and this machine is none ({match.reason}); "
            "make one with --device for this machine, or --force"
        )


def _narrow(order: Order, content: Manifest, device: Device) -> Order:
    """What the user did not name is what the bundle holds."""
    wish = order.wish
    if not wish.models and not order.own:
        wish = replace(wish, models=_each(export.model for export in content.exports))
    if not wish.accelerators and not set(device.accelerators) <= set(content.accelerators):
        wish = replace(wish, accelerators=content.accelerators)
    return replace(
        order,
        engine="docker",
        wish=replace(
            wish,
            device=content.device,
            runtimes=wish.runtimes or _each(image.runtime for image in content.images.values()),
            variants=wish.variants or _each(export.variant for export in content.exports),
            batches=wish.batches or tuple(sorted({export.batch for export in content.exports})),
        ),
    )


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _missing(catalog: Catalog, order: Order, content: Manifest) -> str | None:
    """The first thing the order needs that the bundle lacks."""
    device = catalog.device(content.device)
    runtimes = runtimes_of(catalog, order.wish, device)
    wanted = order.wish.accelerators or content.accelerators
    for runtime in runtimes.values():
        for place in places(runtime, device, wanted) or ["cpu"]:
            image = content.images.get(flavour(runtime, place))
            if image is None:
                return f"image of {runtime.id} for {place}"
            if image.tag != images.tag(runtime.id, catalog.root, None, runtime.build_arguments(place)):
                return f"image of {runtime.id} for the files in runners/ and Dockerfiles/ here"
    held = {(export.model, export.variant, export.batch) for export in content.exports}
    models = models_of(catalog, order.wish).values() if order.wish.models else ()
    for need in needs(models, runtimes.values(), order.wish):
        if (need.model.id, need.variant, need.batch) not in held:
            return f"artifact of {need.model.id} {need.variant} at batch {need.batch}"
    return None


def _load(bundle: Bundle, root: Path, runtime: Runtime, place: str, progress: Progress) -> None:
    image = bundle.manifest.images.get(flavour(runtime, place))
    tag = images.tag(runtime.id, root, bundle.manifest.platform, runtime.build_arguments(place))
    if image is None or image_files.holds(tag):
        return
    progress(f"loading {tag} into the engine (once)")
    image_files.load(bundle.chunks(image.member), image.saved_as, tag)


def unpack(bundle: Bundle, catalog: Catalog, cache: Path, export: Export, progress: Progress) -> None:
    """An artifact folder into the cache under its name at once, unless a current one is there.

    Raises InferometerError where it is not what would be exported here.
    """
    model = catalog.model(export.model)
    if _current(catalog.root, cache, export):
        return
    relative = Path("artifacts") / export.model / export.variant / f"b{export.batch}"
    folder = cache / relative
    progress(f"putting {export.model} {export.variant} at batch {export.batch} into the cache (once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        made = Path(temporary) / "out"
        made.mkdir()
        for name in export.files:
            _write(made / name, bundle.chunks((relative / name).as_posix()))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(made, folder)
    for above in [folder, *folder.parents[:3]]:  # containers run as an unprivileged user of another id
        if above.stat().st_uid == os.getuid():
            above.chmod(above.stat().st_mode | 0o555)
    if not artifacts.is_current(catalog.root, cache, model, export.variant, export.batch):
        made_by = (artifacts.read_manifest(folder) or {}).get("key")
        if not artifacts.same_key(made_by, artifacts.export_key(catalog.root, cache, model)):
            raise InferometerError(
                f"{bundle.path}: its {export.model} {export.variant} was exported by other files than "
                f"those in {catalog.root / 'models'}; take away what was added there, or use "
                "the suite in the bundle"
            )
        better = artifacts.weights_file(cache, model)
        raise InferometerError(
            f"{bundle.path}: its {export.model} {export.variant} is not what would be exported here: "
            f"{better} holds weights the bundle was made without; move that file away, or make the bundle "
            "with it"
        )


def _current(root: Path, cache: Path, export: Export) -> bool:
    try:
        model = Catalog(root).model(export.model)
        return artifacts.is_current(root, cache, model, export.variant, export.batch)
    except InferometerError:
        return False  # a damaged one is replaced


def _write(path: Path, content: Iterable[bytes]) -> None:
    try:
        with path.open("wb") as stream:
            for chunk in content:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as problem:
        problem.filename = str(path.parent.parent.parent)  # a full disk names no file
        raise
    path.chmod(0o644)
