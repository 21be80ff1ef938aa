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

from models.errors import ExportError

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
    """The commands."""
    top = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="make the artifacts of some variants of a model")
    export.add_argument("--card", type=Path, required=True, help="models/NAME.toml")
    export.add_argument("--data-card", type=Path, metavar="FILE", help="models/data/NAME.toml: train on it")
    export.add_argument("--data", type=Path, metavar="DIR", help="where the data's files lie")
    export.add_argument("--data-name", metavar="NAME", help="of data without a card; else its file's name")
    export.add_argument("--scale", metavar="NAME", help="of the card's scales")
    export.add_argument("--variants", default="nq", help="comma-separated")
    export.add_argument("--batch", type=int, default=1)
    export.add_argument("--seed", type=int, default=0, help="of weights, training and synthetic inputs")
    source = export.add_mutually_exclusive_group()
    source.add_argument("--weights", type=Path, metavar="FILE", help="state dict with the card's SHA-256")
    source.add_argument("--weights-missing", metavar="REASON", help="use random weights and record why")
    export.add_argument("--key", help="recorded in the manifests as it stands")
    export.add_argument("--budget", type=float, metavar="S", help="seconds for all training together")
    export.add_argument(
        "--set", action="append", default=[], metavar="CODE.SETTING=VALUE", help="e.g. prn.sparsity=0.8"
    )
    export.add_argument("--work", type=Path, metavar="DIR", help="keeps trained networks between exports")
    export.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gets VARIANT/bBATCH/, each as a whole"
    )
    gain = commands.add_parser(
        "gain",
        parents=[export],
        conflict_handler="resolve",  # both have --help
        help="a trained variant's accuracy against nq's, under several seeds; writes OUT/gain.json",
    )
    gain.add_argument("--seeds", type=int, default=5, metavar="N")
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
    return _export(card, arguments)


def _export(card: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    from models import card as cards
    from models.pipeline import request

    data_card = _data_card(card, arguments)
    if data_card:
        card = cards.derive(card, data_card, arguments.scale)
    elif arguments.scale:
        raise ExportError("--scale: a scaled-down network is trained; name what on with --data-card")
    wish = request.Request(
        card,
        tuple(dict.fromkeys(filter(None, arguments.variants.split(",")))),
        arguments.batch,
        arguments.seed,
        arguments.out,
        arguments.work or arguments.out / ".work",
        data_card,
        arguments.data,
        arguments.weights,
        arguments.weights_missing,
        arguments.key,
        arguments.budget,
        request.parse_settings(arguments.set),
    )
    if arguments.command == "gain":
        from models import gain

        return gain.write(wish, arguments.seeds, report)
    from models import export

    failed = export.export(wish, report)
    if len(failed) == len(wish.variants):
        raise ExportError("; ".join(f"{code}: {reason}" for code, reason in failed.items()))
    return {"failed": failed}


def _data_card(card: Any, arguments: argparse.Namespace) -> Any:
    """A data card's, or made from what somebody's own data is; None for a plain model."""
    if arguments.data_card:
        from models.datasets import card as data_cards

        return data_cards.read(arguments.data_card)
    if arguments.data:
        from models import datasets

        name = arguments.data_name or arguments.data.stem
        return datasets.own(name, arguments.data, card.input, card.shape)
    return None


def main() -> int:
    """0, or 1 after one error line; a failure that nobody foresaw keeps its traceback on standard error."""
    arguments = parser().parse_args()
    try:
        fields = run(arguments)
    except Exception as error:
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
