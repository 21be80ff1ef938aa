"""Makes the Debian base images: ``python -m orchestrator.cli.base_images``, or ``make base-images``."""

from __future__ import annotations

import sys

import click

from orchestrator.domain import InferometerError


@click.command()
@click.option("--platforms", default="", help="Comma-separated; default: every one this machine can make.")
@click.argument("tags", nargs=-1)
def base_images(platforms: str, tags: tuple[str, ...]) -> None:
    """Make debian:bookworm-slim and debian:trixie-slim (or TAGS) from a Debian mirror and load them.

    \b
    Example:
      python -m orchestrator.cli.base_images --platforms linux/amd64 debian:bookworm-slim
    """
    from orchestrator.artifacts import cache_root
    from orchestrator.engines import base_images as maker

    def say(text: str) -> None:
        click.echo(text, err=True)

    chosen = [name for name in platforms.split(",") if name]
    if not chosen:
        left_out = {name: maker.why_not(name) for name in maker.PLATFORMS if name != maker.native()}
        chosen = [maker.native(), *(name for name, reason in left_out.items() if reason is None)]
        for reason in filter(None, left_out.values()):
            say(f"left out: {reason}")
    for tag in tags or maker.TAGS:
        maker.make(tag, chosen, cache_root(), say)


def main() -> None:
    """The program: exit status 0 or, with one line that says the fix, 2."""
    try:
        base_images()
    except InferometerError as problem:
        click.echo(f"inferometer: {problem}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
