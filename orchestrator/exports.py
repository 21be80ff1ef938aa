"""Artifacts that are not there yet: made once by the exporter, all variants of a model in one process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator import artifacts, data, exporter, weights
from orchestrator.catalog import Catalog, Model
from orchestrator.domain import InferometerError
from orchestrator.files import alone
from orchestrator.plan import known

Progress = Callable[[str], None]
# Of trainings, and of random weights that stand in for official ones: one, so that artifacts stay the same.
SEED = 0


def named(catalog: Catalog, ids: Sequence[str]) -> dict[str, Model]:
    """The models of these ids. Raises InferometerError listing what is known where one says nothing."""
    found = {name: catalog.model(name) for name in ids}
    wanted = [model.data for model in found.values() if model.data]
    known("data", wanted, data.ids(catalog.root, data.data_dir()) if wanted else [])
    return found


def ensure(
    root: Path, cache: Path, model: Model, variant: str, batch: int, engine: str, progress: Progress
) -> None:
    """Export a model variant at a batch size unless a current export is there.

    ``engine`` is ``docker`` or ``process``. Raises InferometerError naming the log when it fails.
    """
    failed = ensure_all(root, cache, model, (variant,), batch, engine, progress)
    if variant in failed:
        raise InferometerError(failed[variant])


def ensure_all(
    root: Path,
    cache: Path,
    model: Model,
    variants: Sequence[str],
    batch: int,
    engine: str,
    progress: Progress,
    seed: int = SEED,
    budget_s: float | None = None,
) -> dict[str, str]:
    """Export all of a model's variants that are not there; returns why each that failed did.

    ``seed`` is of all training, ``budget_s`` for all training together. Raises InferometerError naming the
    log when nothing can be exported.
    """

    def missing() -> list[str]:
        names = dict.fromkeys(variants)
        return [name for name in names if not artifacts.is_current(root, cache, model, name, batch, seed)]

    if model.is_given:
        return dict.fromkeys(missing(), f"no file of {model.id} is there; `inferometer models add` it again")
    if not missing():
        return {}
    lock = cache / "logs" / f"export-{model.id}.lock"
    with alone(lock, lambda: progress(f"waiting for another process that exports {model.id}")):
        return _export(root, cache, model, missing(), batch, engine, progress, seed, budget_s)


def _export(
    root: Path,
    cache: Path,
    model: Model,
    missing: Sequence[str],
    batch: int,
    engine: str,
    progress: Progress,
    seed: int,
    budget_s: float | None,
) -> dict[str, str]:
    failed = {name: reason for name in missing if (reason := model.obstacle(name))}
    wanted = [name for name in missing if name not in failed]
    if not wanted:
        return failed
    home = artifacts.cached(cache, model.id, seed)
    home.mkdir(parents=True, exist_ok=True)
    files, arguments = _sources(root, cache, model, progress)
    arguments += ["--variants", ",".join(wanted), "--batch", str(batch), "--seed", str(seed)]
    arguments += ["--key", artifacts.export_key(root, cache, model)]
    arguments += ["--budget", f"{budget_s:g}"] if budget_s is not None else []
    # By engine: what a container's user wrote, another user of this machine may not change.
    work = cache / "work" / engine
    work.mkdir(parents=True, exist_ok=True)
    name = "-".join([model.id, *wanted, f"b{batch}"])
    log = cache / "logs" / f"export-{name[:120]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    progress(f"exporting {model.id} {', '.join(wanted)} (once)")
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{home.name}.") as temporary:
        out = Path(temporary)
        for folder in (out, work):
            folder.chmod(0o777)  # the exporter's container may run as another user
        trains = model.data is not None
        job = exporter.Export(
            root, cache, model.id, name, files, tuple(arguments), work, out, log, trains, progress
        )
        try:
            reasons = exporter.run(job, engine)
        finally:  # what is complete is kept, however the rest ends
            for variant in wanted:
                _adopt(out / variant / f"b{batch}", home / variant / f"b{batch}")
    for variant in wanted:
        if variant in reasons:
            failed[variant] = f"the export of {model.id} {variant} failed: {reasons[variant]}; its log: {log}"
        elif artifacts.read_manifest(home / variant / f"b{batch}") is None:
            failed[variant] = f"the export of {model.id} wrote no manifest; see {log}"
    return failed


def _sources(root: Path, cache: Path, model: Model, progress: Progress) -> tuple[dict[str, Path], list[str]]:
    """Files by the option that names them, and other arguments. Raises InferometerError without its data."""
    files, arguments = {"card": model.path}, ["export"]
    if model.weights.get("kind") != "trained":
        found, missing = weights.fetch(root, cache, model, progress)
        files |= {"weights": found} if found else {}
        arguments += ["--weights-missing", missing] if missing else []
    if model.data:
        folder, reason = data.fetch(root, cache, model.data, data.data_dir(), progress)
        if reason:
            raise InferometerError(f"{model.id}: {reason}")
        arguments += ["--data-name", model.data]
        files |= {"data-card": model.data_card} if model.data_card else {}
        files |= {"data": folder} if folder else {}
        arguments += ["--scale", model.scale] if model.scale else []
    return files, arguments


def _adopt(made: Path, folder: Path) -> None:
    """Put one variant's finished folder in its place."""
    if not (made / "manifest.json").exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    os.rename(made, folder)
    # Containers run as an unprivileged user of another id.
    for path in [folder, *folder.parents[:3], *folder.iterdir()]:
        if os.stat(path).st_uid == os.getuid():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
