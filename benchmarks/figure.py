"""One line of the benchmark: our figure, its peer's, their ratio, the limit, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "ours", "peer", "ratio", "limit", "", "what the peer is; notes")


@dataclass(frozen=True)
class Figure:
    """``ours`` and ``peer`` in ``unit``; None is unknown and ``note`` says why.

    ``ok`` is None where nothing could be judged, which is no miss but no proof either.
    """

    name: str
    unit: str
    ours: float | None
    peer: float | None
    limit: str
    ok: bool | None
    note: str

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer if self.ours is not None and self.peer else None

    @property
    def verdict(self) -> str:
        """``ok``, ``MISS``, or ``absent`` where nothing was judged."""
        return "absent" if self.ok is None else "ok" if self.ok else "MISS"

    def cells(self) -> tuple[str, ...]:
        """The line's texts, as many as HEADINGS."""
        ratio = "-" if self.ratio is None else f"{self.ratio:.3f}"
        ours, peer = self._text(self.ours), self._text(self.peer)
        return self.name, ours, peer, ratio, self.limit, self.verdict, self.note

    def _text(self, value: float | None) -> str:
        if value is None:
            return "-"
        digits = f"{value:.0f}" if value >= 999.5 else f"{value:#.3g}".rstrip(".")
        return f"{digits} {self.unit}"


def absent(name: str, limit: str, reason: str) -> Figure:
    """A figure that could not be measured here."""
    return Figure(name, "", None, None, limit, None, reason)


_WIDTHS = (22, 10, 10, 7, 24, 6, 0)


def line(cells: Sequence[str]) -> str:
    """Columns of fixed width, so that each line can be printed as soon as it is known."""
    return "  ".join(text.ljust(width) for text, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def markdown(figures: Iterable[Figure]) -> str:
    """The lines as a table of a document."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(text.replace('|', '/') for text in row)} |" for row in rows)
