"""One precondition of a bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """``state``: ok, warning (a bench runs, with less), missing (it does not)."""

    name: str
    state: str
    detail: str
    fix: str = ""


def refusal(name: str, problem: Exception, state: str = "missing") -> Check:
    """A refusal of the suite, which ends with its fix, as a check."""
    detail, _, fix = str(problem).rpartition("; ")
    return Check(name, state, detail or str(problem), fix if detail else "mend what it names")
