"""Makes a bundle: images, artifacts, wheels and the suite itself in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from orchestrator import artifacts, exports
from orchestrator.bundle import archive, manifest, suite, wheels
from orchestrator.bundle.archive import Source
from orchestrator.bundle.manifest import Export, Image, Manifest, Member
from orchestrator.cases import runtimes_of
from orchestrator.catalog import Catalog, Device, Model, Runtime
from orchestrator.domain import InferometerError
from orchestrator.engines import base_images, image_files, images
from orchestrator.files import sha256_file
from orchestrator.plan import Wish

Progress = Callable[[str], None]
LOCK = "requirements.lock"


@dataclass(frozen=True)
class Need:
    """One export that a bench of these models and runtimes loads."""

    model: Model
    variant: str
    batch: int


def needs(models: Iterable[Model], runtimes: Iterable[Runtime], wish: Wish) -> list[Need]:
    """The exports that at least one of the runtimes loads, as a bench of this wish would choose."""
    runtimes = list(runtimes)
    return [
        Need(model, variant, batch)
        for model in models
        for variant in wish.variants or ("nq",)
        for batch in wish.batches or (1,)
        if any(_loads(runtime, model, variant) for runtime in runtimes)
    ]


def _loads(runtime: Runtime, model: Model, code: str) -> bool:
    variant = model.variant(code)
    return (
        variant.precision in runtime.precisions
        and bool(set(variant.formats) & set(runtime.formats))
        and model.obstacle(code) is None
    )


def places(runtime: Runtime, device: Device, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted accelerators that the device has and the runtime runs on."""
    return [n for n in runtime.offers(device.arch) if n in device.accelerators and n in wanted]


def flavour(runtime: Runtime, place: str) -> str:
    """What a bundle calls the image of a runtime for an accelerator."""
    return f"{runtime.id}.{place}" if runtime.build_arguments(place) else runtime.id


def models_of(catalog: Catalog, wish: Wish) -> dict[str, Model]:
    """The models a wish names, or the default ones."""
    if wish.models:
        return exports.named(catalog, wish.models)
    return {name: item for name, item in catalog.models().items() if item.default}


def caveats(device: Device) -> list[str]:
    """What a board lacks as its maker ships it, though a bundle needs it there; its owner may add it."""
    if device.python is None:
        return []
    oldest = wheels.PYTHONS[0]
    return [
        f"{device.id} ships Python {device.python}, a bundle needs {oldest} or newer there: install one and "
        f"run make PYTHON=python{oldest} ..., or measure from a laptop with HOST=ssh://user@board"
    ]


def pack(catalog: Catalog, cache: Path, wish: Wish, path: Path, progress: Progress) -> tuple[Manifest, int]:
    """Write a bundle for the wish's device; the manifest and the file's size in bytes.

    All that is made on the way stays in the cache, so an interrupted one goes on where it was. Raises
    InferometerError, OSError.
    """
    if not path.parent.is_dir():
        raise InferometerError(f"{path.parent}: no such folder; make it, or choose another OUT")
    device = catalog.device(wish.device)
    for line in caveats(device):
        progress(line)
    catalog = catalog.at(device.release)
    runtimes, models = runtimes_of(catalog, wish, device), models_of(catalog, wish)
    wrong = [item.id for item in runtimes.values() if device.arch not in item.arch]
    reached = wish.accelerators or tuple(
        name for name, item in device.accelerators.items() if not item.optional
    )
    if wrong or not runtimes:
        names = ", ".join(wrong) or "no runtime"
        raise InferometerError(f"{names} does not run on {device.arch}; choose others")
    if not wish.runtimes:  # what a PC without a GPU could not run is no default of its
        runtimes = {name: item for name, item in runtimes.items() if places(item, device, reached)}
    for item in runtimes.values():
        if not places(item, device, reached):
            raise InferometerError(
                f"{item.id} runs on none of {', '.join(reached)}; leave it out, or give --accelerators"
            )
    wanted = needs(models.values(), runtimes.values(), wish)
    if not wanted:
        raise InferometerError("nothing to carry: no runtime loads any of these models and variants")
    image_files.require_engine(path)
    found = suite.describe(catalog.root)
    if found.dirty:
        progress("the checkout differs from its commit; the bundle takes the files as they are")
    libraries = wheels.collect(catalog.root / LOCK, device.platform, cache, progress)
    pictures = {
        flavour(item, place): _image(item, place, catalog.root, cache, device, progress)
        for item in runtimes.values()
        for place in places(item, device, reached)
    }
    carried = [export(catalog.root, cache, need, progress) for need in wanted]
    sources = list(_sources(catalog.root, cache, found.files, libraries, pictures, carried, progress))
    content = Manifest(
        found,
        device.id,
        device.platform,
        reached,
        pictures,
        tuple(carried),
        {python: tuple(names) for python, names in libraries.items()},
        sha256_file(catalog.root / LOCK),
        tuple(Member(name, 0, "") for name, _ in sources),
    )
    written = archive.write(path, content, sources)
    return written, path.stat().st_size


def _image(
    runtime: Runtime, place: str, root: Path, cache: Path, device: Device, progress: Progress
) -> Image:
    platform = None if device.platform == base_images.native() else device.platform
    arguments = runtime.build_arguments(place)
    made = images.ensure(runtime.id, root, cache, platform, progress, arguments)
    # On the device its own platform is nothing to mention in a tag.
    tag = images.tag(runtime.id, root, None, arguments)
    return Image(runtime.id, tag, made.tag, made.digest, f"images/{flavour(runtime, place)}.tar")


def export(root: Path, cache: Path, need: Need, progress: Progress) -> Export:
    """An artifact folder made ready to be carried. Raises InferometerError for a damaged or an odd one."""
    exports.ensure(root, cache, need.model, need.variant, need.batch, "docker", progress)
    folder = artifacts.folder_of(root, cache, need.model.id, need.variant, need.batch)
    shipped = root / "models" in folder.parents
    names = [] if shipped else sorted(path.name for path in folder.iterdir() if path.is_file())
    for name in names:
        if not manifest.holds(f"artifacts/{need.model.id}/{need.variant}/b{need.batch}/{name}"):
            raise InferometerError(
                f"{str(folder / name)!r} has no name for a bundle; rename it, or delete what is no artifact"
            )
    for format_ in () if shipped else need.model.variant(need.variant).formats:
        artifacts.open_artifact(folder, format_)  # a damaged one is not carried anywhere
    return Export(need.model.id, need.variant, need.batch, tuple(names))


def _sources(
    root: Path,
    cache: Path,
    files: Mapping[str, str],
    libraries: Mapping[str, Mapping[str, Path]],
    pictures: Mapping[str, Image],
    carried: Sequence[Export],
    progress: Progress,
) -> Iterable[Source]:
    """Every member in its order, with what writes it."""
    yield "suite.tar", lambda stream: suite.write_tar(root, list(files), stream)
    every = {name: path for found in libraries.values() for name, path in found.items()}
    for name, path in sorted(every.items()):
        yield f"wheels/{name}", _copier(path)
    for item in carried:
        relative = Path("artifacts") / item.model / item.variant / f"b{item.batch}"
        for name in item.files:
            yield (relative / name).as_posix(), _copier(cache / relative / name)
    for picture in pictures.values():
        yield picture.member, _saver(picture.saved_as, progress)


def _copier(path: Path) -> Callable[[BinaryIO], None]:
    def copy(stream: BinaryIO) -> None:
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                stream.write(chunk)

    return copy


def _saver(tag: str, progress: Progress) -> Callable[[BinaryIO], None]:
    def save(stream: BinaryIO) -> None:
        progress(f"saving {tag}")
        for chunk in image_files.save(tag):
            stream.write(chunk)

    return save
