"""``python -m models``: progress as JSON Lines on standard output, everything else on standard error."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

# Libraries print at import and while they convert; only progress may reach the real standard output.
PROGRESS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

# One thread, before any library counts the cores: the order of summation, and with it every byte that
# is written, must not depend on the machine. Exports are hardly slower.
os.environ["OMP_NUM_THREADS"] = "1"

BEGAN = time.monotonic()


def report(type_: str, **fields: Any) -> None:
    """One progress line, at once."""
    PROGRESS.write(json.dumps({"type": type_, **fields}) + "\n")
    PROGRESS.flush()


def parser() -> argparse.ArgumentParser:
    """The two commands."""
    top = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="make the artifacts of one variant of a model")
    export.add_argument("--card", type=Path, required=True, help="models/NAME.toml")
    export.add_argument("--variant", default="nq")
    export.add_argument("--batch", type=int, default=1)
    export.add_argument("--seed", type=int, default=0, help="of random weights and of synthetic inputs")
    source = export.add_mutually_exclusive_group()
    source.add_argument("--weights", type=Path, metavar="FILE", help="state dict with the card's SHA-256")
    source.add_argument("--weights-missing", metavar="REASON", help="use random weights and record why")
    export.add_argument("--key", help="recorded in the manifest as it stands")
    export.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="replaced as a whole at the end"
    )
    train = commands.add_parser("train", help="train a bundled model and write its state dict")
    train.add_argument("--card", type=Path, required=True)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--out", type=Path, required=True, metavar="FILE")
    check = commands.add_parser("verify", help="run an exported folder's files against its reference")
    check.add_argument("folder", type=Path, metavar="DIR")
    return top


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Carry out one command; returns the fields of the last line."""
    # Imported here: --help and a broken card answer without the seconds torch takes.
    from models import card as cards

    if arguments.command == "verify":
        from models import recheck

        return {"artifacts": recheck.verify(arguments.folder, report)}
    card = cards.read(arguments.card)
    if arguments.command == "train":
        from models import training

        return training.train(card, arguments.seed, arguments.out)
    from models import export

    if arguments.batch < 1:
        raise export.ExportError(f"--batch must be at least 1, not {arguments.batch}")
    manifest = export.export(
        card,
        arguments.variant,
        arguments.batch,
        arguments.seed,
        arguments.out,
        report,
        file=arguments.weights,
        missing=arguments.weights_missing,
        key=arguments.key,
    )
    return {"manifest": str(manifest)}


def main() -> int:
    """0, or 1 after one error line; a failure that nobody foresaw keeps its traceback on standard error."""
    arguments = parser().parse_args()
    try:
        fields = run(arguments)
    except Exception as error:
        from models.errors import ExportError

        if not isinstance(error, ExportError):
            import traceback

            traceback.print_exc()
        report("error", message=" ".join((str(error) or type(error).__name__).split()))
        return 1
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report("done", **fields, seconds=round(time.monotonic() - BEGAN, 3), peak_rss_bytes=peak_bytes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
