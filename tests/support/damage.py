"""Fields changed by hand, and what a command says of them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from click.testing import CliRunner
from hypothesis import strategies as st

from orchestrator.cli import main

Place = tuple[str | int, ...]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def paths(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every field at every depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*above, key)
        yield from paths(inner, (*above, key))


def changed(made: dict[str, Any], path: Place, value: Any) -> dict[str, Any]:
    """A copy with another value in one place."""
    copy: Any = deepcopy(made)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


def told(*words: str) -> str | None:
    """The one line of a refusal, None of a normal end; anything else is none of the two."""
    done = CliRunner().invoke(main, words)
    assert isinstance(done.exception, SystemExit | None), done.exc_info
    if done.exit_code == 0:
        return None
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("inferometer: ")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr
