"""Just enough SVG for a picture of curves: text, lines and dots in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from orchestrator.report.cells import plain

Point = tuple[float, float]
FONT = "DejaVu Sans, Verdana, Arial, sans-serif"


class Drawing:
    """Shapes in the order they are drawn, on white; lengths in pixels from the upper left corner."""

    def __init__(self, width: float, height: float, title: str):
        self.width, self.height, self.title = width, height, title
        self._shapes: list[str] = []

    def text(
        self,
        at: Point,
        words: str,
        size: float = 13,
        fill: str = "#222222",
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """One line of text; ``anchor``: start, middle or end lies at the point."""
        weight = ' font-weight="bold"' if bold else ""
        self._shapes.append(
            f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size:g}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}>{escape(plain(words))}</text>'
        )

    def line(self, points: Sequence[Point], stroke: str, width: float = 1, dashes: str = "") -> None:
        """A line through at least two points; ``dashes`` as SVG has them: ``4 3``."""
        dashed = f" stroke-dasharray={quoteattr(dashes)}" if dashes else ""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(
            f'<polyline points="{places}" fill="none" stroke="{stroke}" stroke-width="{width:g}" '
            f'stroke-linejoin="round"{dashed}/>'
        )

    def dots(self, points: Iterable[Point], fill: str, radius: float) -> None:
        """A filled circle at each point."""
        self._shapes += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>' for x, y in points
        ]

    def document(self) -> str:
        """The whole file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" role="img" font-family={quoteattr(FONT)}>'
        )
        title = f"<title>{escape(plain(self.title))}</title>"
        return "\n".join(
            [head, title, '<rect width="100%" height="100%" fill="#ffffff"/>', *self._shapes, "</svg>", ""]
        )
