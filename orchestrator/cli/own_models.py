"""``inferometer models add`` and ``remove``: the user's own models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator.cli.bench import listed


class Lines:
    """What happens, line by line on standard error."""

    def say(self, text: str) -> None:
        """One line."""
        click.echo(text, err=True)


@click.command(short_help="Bring a model of your own into the catalogue.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--id", "name", help="Its id; default: the file's name.")
@click.option("--data", type=click.Path(path_type=Path), help="Inputs: an .npz, pictures, or class folders.")
@click.option("--labels", type=click.Path(path_type=Path), help="Class numbers of the inputs, one a line.")
@click.option("--input-range", help="LOW,HIGH of a float model's pixels, e.g. 0,1 or -1,1 or 0,255.")
@click.option("--mean", help="Of pixels in 0 to 1, one number or one a channel; with --std.")
@click.option("--std", help="See --mean.")
@click.option("--layout", type=click.Choice(["NCHW", "NHWC"]), help="Where the shape does not tell.")
@click.option("--batch", type=click.IntRange(1), help="Of a model that leaves it open.")
@click.option(
    "--card", type=click.Path(path_type=Path), help="With weights (.pth): a card like models/*.toml."
)
@click.option("--replace", is_flag=True, help="In the place of the model that has this id.")
@click.option("--engine", type=click.Choice(["auto", "docker", "process"]), default="auto")
@click.option("--runtimes", default="", callback=listed, help="Which may read the files; default: all.")
def add(files: tuple[Path, ...], name: str | None, **given: Any) -> None:
    """Bring a model of your own into the catalogue, under an id for --models.

    FILE is an .onnx, .tflite or .pt2 with one input, several of them formats of one model; or weights
    (.pth) of an architecture of the suite. Shape, layout, type and quantisation are read from the file.
    The .npz holds `inputs` [N, ...] and, to score the model, `labels` [N]; a folder of pictures has a
    folder for each class, in the order of their names. Without --data inputs are synthetic: latency only.

    \b
    Examples:
      inferometer models add my.onnx my.tflite --data photos/ --input-range 0,1
      inferometer models add gestures.tflite --data gestures.npz
      inferometer models add mine.pth --card mine.toml
    """
    from orchestrator.adding import spec
    from orchestrator.adding.add import Addition
    from orchestrator.adding.add import add as bring
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root, user_models
    from orchestrator.own import parse_range

    scaling = spec.scaling(parse_range(given.pop("input_range")), given.pop("mean"), given.pop("std"))
    wanted = Addition(files, name, scaling=scaling, **given)
    card = bring(Catalog(suite_root(), own=user_models()), cache_root(), wanted, Lines())
    click.echo(str(card))


@click.command(short_help="Take a model of your own away again.")
@click.argument("name", metavar="ID")
def remove(name: str) -> None:
    """Delete the card and the files of a model that was added; results stay.

    \b
    Example:
      inferometer models remove my-model
    """
    from orchestrator.adding import shelf
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root, user_models
    from orchestrator.domain import InferometerError
    from orchestrator.plan import known

    folder, suite = user_models(), Catalog(suite_root()).models()
    if name in suite:
        raise InferometerError(f"{name} is a model of the suite; only what was added can be removed")
    known("model of your own", [name], [path.stem for path in folder.glob("*.toml")])
    shelf.remove(folder, cache_root(), name)
