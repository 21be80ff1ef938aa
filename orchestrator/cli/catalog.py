"""``inferometer devices``, ``runtimes`` and ``models``: what is known here."""

from __future__ import annotations

import json
from typing import Any

import click

from orchestrator.artifacts import cache_root, cached, home, is_current, read_manifest, weights_text
from orchestrator.catalog import OWN, Catalog, Model, suite_root, user_models
from orchestrator.cli.own_models import add, remove
from orchestrator.domain import InferometerError


def print_table(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows with the same names as aligned text, or as JSON."""
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    texts = [{name: _text(value) for name, value in row.items()} for row in rows]
    table = [{name: name for name in row} for row in texts[:1]] + texts
    widths = {name: max(len(cells[name]) for cells in table) for name in (table[0] if table else ())}
    for cells in table:
        click.echo("  ".join(cells[name].ljust(width) for name, width in widths.items()).rstrip())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, dict):
        return " ".join(f"{name}={'|'.join(values)}" for name, values in value.items())
    return "-" if value is None else ",".join(value) if isinstance(value, list) else str(value)


@click.command(short_help="List the device profiles.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def devices(as_json: bool) -> None:
    """List the device profiles and mark the one this machine is.

    \b
    Example:
      inferometer devices
    """
    from orchestrator import environment

    profiles = Catalog(suite_root()).devices()
    here = environment.detect({name: item.profile for name, item in profiles.items()})
    print_table(
        [
            {"device": item.id, "platform": item.platform, "title": item.title, "here": item.id == here}
            for item in profiles.values()
        ],
        as_json,
    )


@click.command(short_help="List the runtimes and their options.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def runtimes(as_json: bool) -> None:
    """List the runtimes: every folder in runners/ that has a runner.toml.

    \b
    Example:
      inferometer runtimes --json
    """
    print_table(
        [
            {
                "runtime": item.id,
                "title": item.title,
                "default": item.default,
                "formats": list(item.formats),
                "options": {name: list(option.values) for name, option in item.options.items()},
            }
            for item in Catalog(suite_root()).runtimes().values()
        ],
        as_json,
    )


def _state(catalog: Catalog, model: Model, variant: str) -> dict[str, Any]:
    cache = cache_root()
    batch = (model.batches or (1,))[0]
    folder = home(catalog.root, cache, model, variant, batch)
    current = is_current(catalog.root, cache, model, variant, batch)
    manifest = read_manifest(folder) if current else None
    return {
        "model": model.id,
        "variant": variant,
        "title": model.title,
        "weights": weights_text(manifest["weights"]) if manifest else None,
        "exported": [item["format"] for item in manifest["artifacts"]] if manifest else None,
    }


def _known(catalog: Catalog) -> list[tuple[Model, str]]:
    """The cards' baselines, and every model and variant that was exported here."""
    found = {(name, OWN if item.is_given else "nq") for name, item in catalog.models().items()}
    found |= {(path.parent.parent.name, path.parent.name) for path in cached(cache_root(), "").glob("*/*/b1")}
    ids = {name for name, _ in found}
    models = {name: model for name in ids if (model := _model(catalog, name))}
    return [(models[name], variant) for name, variant in sorted(found) if name in models]


def _model(catalog: Catalog, name: str) -> Model | None:
    try:
        return catalog.model(name)
    except InferometerError:
        return None  # of a card that is no longer there


@click.group(invoke_without_command=True, short_help="List the models; add your own; export artifacts.")
@click.option(
    "--models",
    "names",
    default="",
    help="Export these now, comma-separated: MODEL or MODEL@DATA[~SCALE]; `all` for every card.",
)
@click.option("--variants", default="nq", show_default=True, help="Variants to export, comma-separated.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Batch size.")
@click.option("--engine", type=click.Choice(["auto", "docker", "process"]), default="auto")
@click.option("--budget", "budget_s", type=click.FloatRange(1), help="Seconds for all training of a model.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_context
def models(
    ctx: click.Context,
    names: str,
    variants: str,
    batch: int,
    engine: str,
    budget_s: float | None,
    as_json: bool,
) -> None:
    """List the models and their artifacts; with --models, export them now.

    A variant is a technique's code or several joined by -: nq, blq, fiq, f16, qat, prn, prq, fpr, wcl, kd,
    kd-f16. What must be trained takes MODEL@DATA; DATA_DIR names the folder where data lies.

    \b
    Examples:
      inferometer models
      inferometer models --models resnet50,mobilenet-v2 --variants nq,blq,f16
      inferometer models --models resnet50@cifar10 --variants fiq,prn --budget 7200
      inferometer models add my.onnx --data photos/ --input-range 0,1
    """
    if ctx.invoked_subcommand:
        return
    catalog = Catalog(suite_root(), own=user_models())
    words = [word for word in names.split(",") if word]
    ids = list(catalog.models()) if names == "all" else words
    ids = [name for name in ids if not catalog.model(name).is_given]  # those are there as they are
    codes = [word for word in variants.split(",") if word]
    _export(catalog, ids, codes, batch, engine, budget_s)
    print_table([_state(catalog, model, variant) for model, variant in _known(catalog)], as_json)


models.add_command(add)
models.add_command(remove)


def _export(
    catalog: Catalog, ids: list[str], variants: list[str], batch: int, engine: str, budget_s: float | None
) -> None:
    """Raises InferometerError after all others are made, naming those that could not be."""
    from orchestrator import exports
    from orchestrator.choices import likely_engine

    def say(text: str) -> None:
        click.echo(text, err=True)

    models = exports.named(catalog, ids)
    failed: list[str] = []
    for model in models.values():
        for code in variants:
            model.variant(code)  # a wrong one is refused before anything is made
    for model in models.values():
        chosen = likely_engine(engine)
        reasons = exports.ensure_all(
            catalog.root, cache_root(), model, variants, batch, chosen, say, budget_s=budget_s
        )
        failed += reasons.values()
    if failed:
        raise InferometerError("; ".join(failed))
