"""``inferometer images``."""

from __future__ import annotations

import json

import click


@click.command(short_help="List the runners' images; build them.")
@click.option("--runtimes", default="", help="Build these now, comma-separated; `all` for every default one.")
@click.option("--device", default="", help="For this device's platform; default: this machine's.")
@click.option("--prune", is_flag=True, help="Remove images of ours that no present file leads to.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def images(runtimes: str, device: str, prune: bool, as_json: bool) -> None:
    """List the runners' images; with --runtimes, build them now.

    \b
    Examples:
      inferometer images --runtimes all
      inferometer images --runtimes tflite,armnn --device rpi5
      inferometer images --prune
    """
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root
    from orchestrator.engines import image_state
    from orchestrator.engines import images as builder
    from orchestrator.plan import known

    def say(text: str) -> None:
        click.echo(text, err=True)

    catalog, cache = Catalog(suite_root()), cache_root()
    target = catalog.device(device) if device else None
    existing = catalog.at(target.release if target else None).runtimes()
    platform = target.platform if target else None
    names = list(target.runtimes) if target else [name for name, item in existing.items() if item.default]
    if runtimes != "all":
        names = list(known("runtime", filter(None, runtimes.split(",")), list(existing)))
    arguments = {name: item.build_arguments(item.accelerators[0]) for name, item in existing.items()}
    for name in names:
        builder.ensure(name, catalog.root, cache, platform, say, arguments[name])
    if prune:
        recipes = {name: item.recipes() for name, item in existing.items()}
        for tag in image_state.prune(catalog.root, {**recipes, "models": [{}]}):
            say(f"removed {tag}")
    built = [name for name in [*existing, "models"] if builder.dockerfile(name, catalog.root).is_file()]
    rows = [
        {"runtime": name, **image_state.state(name, catalog.root, platform, arguments.get(name, {}))}
        for name in built
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    click.echo(f"{'runtime':<14}{'image MiB':>10}{'framework':>11}{'base':>6}  tag")
    for row in rows:
        image, framework, base = (
            f"{row[key] / 2**20:.0f}" if row[key] else "-"
            for key in ("bytes", "installed_bytes", "base_bytes")
        )
        image = image if row["bytes"] else "not built"
        click.echo(f"{row['runtime']:<14}{image:>10}{framework:>11}{base:>6}  {row['tag']}")
    click.echo("framework: what pip installed before anything was trimmed; base: the image it starts from")
