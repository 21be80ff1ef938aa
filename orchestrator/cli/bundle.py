"""``inferometer bundle``: a bench in one file for a place without network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.bench import counts, listed


@click.command(short_help="Write one file that benches where there is no network.")
@click.option("--device", required=True, help="Device id of the board.")
@click.option("--models", default="", callback=listed, help="Model ids, comma-separated.")
@click.option("--variants", default="", callback=listed, help="Variants, e.g. nq.")
@click.option("--runtimes", default="", callback=listed, help="Runtime ids, comma-separated.")
@click.option(
    "--accelerators", default="", callback=listed, help="Where: cpu, cuda; default: all it must have."
)
@click.option("--batch", "batches", default="", callback=counts, help="Batch sizes, e.g. 1,8.")
@click.option("--out", type=click.Path(path_type=Path), help="The file; default: inferometer-DEVICE.tar.")
def bundle(out: Path | None, **given: Any) -> None:
    """Write the suite, its wheels, the runners' images and the models' artifacts into one file.

    \b
    On the board, with nothing but that file:
      tar xf inferometer-DEVICE.tar suite.tar && tar xf suite.tar
      cd inferometer && make bench BUNDLE=../inferometer-DEVICE.tar

    \b
    Example:
      inferometer bundle --device x86 --models digits-cnn,resnet50 --runtimes tflite
    """
    from orchestrator.artifacts import cache_root
    from orchestrator.bundle.pack import pack
    from orchestrator.catalog import Catalog, suite_root, user_models
    from orchestrator.plan import Wish

    def say(text: str) -> None:
        click.echo(text, err=True)

    path = out or Path(f"inferometer-{given['device']}.tar")
    wish = Wish(**given)
    content, size = pack(Catalog(suite_root(), own=user_models()), cache_root(), wish, path, say)
    say(f"{size / 2**20:.0f} MiB: {len(content.images)} images, {len(content.exports)} artifacts")
    click.echo(str(path))
