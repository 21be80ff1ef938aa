"""Weights of one of the suite's architectures: a state dict and a card like those in ``models/``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchestrator import exports, lock
from orchestrator.adding import shelf
from orchestrator.catalog import BASELINE, OWN, Catalog, load_toml, read_model
from orchestrator.choices import Listener, likely_engine
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file

SUFFIXES = (".pth", ".pt")
_FILE = "weights.pth"
# A table ends where the next one begins. What is left of weights written otherwise is found by parsing.
_WEIGHTS = re.compile(r"^[ \t]*\[[ \t]*weights[ \t]*\].*?(?=^[ \t]*\[|\Z)", re.MULTILINE | re.DOTALL)


def add(
    catalog: Catalog,
    cache: Path,
    name: str,
    path: Path,
    card: Path | None,
    replace: bool,
    engine: str,
    listener: Listener,
) -> Path:
    """Weights and card into the user's folder, once the exporter has made a model of them; the new card.

    Raises InferometerError, with the names of weights that are missing or too many.
    """
    assert catalog.own
    if card is None:
        raise InferometerError(
            f"{path}: holds weights and not what they are of; say --card CARD.toml, one like those in models/"
        )
    if (catalog.own / f"{name}.toml").exists() and not replace:
        raise InferometerError(f"{path}: {name} is there already; give another --id, or --replace")
    with lock.hold(f"adding {name}"), shelf.staging(catalog.own, name) as stage:
        weights = stage / name / _FILE
        weights.parent.mkdir()
        shelf.copy(path, weights)
        staged = stage / f"{name}.toml"
        staged.write_text(rewritten(card, sha256_file(weights)), "utf-8")
        staged.chmod(0o644)
        model = read_model(staged, catalog.techniques())
        if OWN in model.variants:
            raise InferometerError(f"{card}: variants: {OWN} is for files that nothing exports; leave it out")
        named = _Names(((staged, "card", card), (weights, "weights", path)))
        try:
            exports.ensure(
                catalog.root,
                cache,
                model,
                BASELINE,
                1,
                likely_engine(engine),
                lambda text: listener.say(named.mend(text)),
            )
        except InferometerError as problem:
            raise InferometerError(named.mend(str(problem))) from None
        if replace:
            (catalog.own / f"{name}.toml").unlink(missing_ok=True)
            shelf.clear(catalog.own / name)
        weights.parent.chmod(0o755)
        weights.parent.rename(catalog.own / name)
        return staged.rename(catalog.own / staged.name)


class _Names:
    """The user's names for files that the exporter saw under others, here or in its container."""

    def __init__(self, files: Sequence[tuple[Path, str, Path]]):
        self._pairs = [
            (name, str(given))
            for staged, option, given in files
            for name in (str(staged), f"/data/{option}/{staged.name}")
        ]

    def mend(self, text: str) -> str:
        """The text with the user's names."""
        for seen, given in self._pairs:
            text = text.replace(seen, given)
        return text


def rewritten(card: Path, sha256: str) -> str:
    """The card's text with these weights instead of its own. Raises InferometerError."""
    load_toml(card)  # says what is wrong with it, if anything is
    text = _WEIGHTS.sub("", card.read_text("utf-8")).rstrip()
    text += f'\n\n[weights]  # written by `inferometer models add`\nkind = "yours"\nfile = "{_FILE}"\n'
    return text + f'sha256 = "{sha256}"\n'
