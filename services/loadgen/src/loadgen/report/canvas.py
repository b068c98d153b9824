"""A chart of rows, as most of the report's are: each has a line of words, and its marks below.

Words above the marks instead of beside them leave the whole width to the marks, on a phone too.
Instants of x are in the chart's own unit; y counts pixels from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt

from loadgen.report.drawing import Chart, Data, draw
from loadgen.report.palette import INK, SOFT, Colour

type Shape = Literal["circle", "triangle-left", "triangle-right"]

WIDTH = 440
#: Pixels of a row, and from its top to the middle of its marks.
ROW = 38
MARKS = 24
LEGEND = 20
#: About how many fit above the marks.
MOST_LETTERS = 66


@dataclass
class Canvas:
    """What is drawn, in the order in which it is.

    Attributes:
        rows: how many.
        x: the scale and axis that all marks share.
        legend: colours with their words, above the first row.
    """

    rows: int
    x: alt.X
    legend: Sequence[tuple[Colour, str]] = ()
    _marks: dict[tuple[str, tuple[tuple[str, Any], ...]], list[dict[str, Any]]] = field(
        default_factory=dict
    )

    @property
    def height(self) -> int:
        return self._top + ROW * self.rows

    @property
    def _top(self) -> int:
        return LEGEND if self.legend else 0

    def middle(self, row: int) -> float:
        """Where a row's marks are."""
        return self._top + ROW * row + MARKS

    def words(self, row: int, left: str, right: str, *, faint: bool = False) -> None:
        """A row's line of words: what it is, and what came out."""
        y = self._top + ROW * row + 9
        if len(left) + len(right) > MOST_LETTERS:
            left = left[: MOST_LETTERS - len(right) - 1].rstrip(", ") + "…"
        colour = SOFT.fixed if faint else INK.fixed
        self._add("text", {"align": "left", "fontSize": 12, "xPixels": 0}, y=y, text=left, c=colour)
        style = {"align": "right", "fontSize": 11.5, "xPixels": WIDTH}
        self._add("text", style, y=y, text=right, c=SOFT.fixed)

    def box(
        self,
        row: int,
        span: tuple[float, float],
        colour: Colour,
        *,
        thick: float = 9,
        opacity: float = 1,
        hollow: bool = False,
    ) -> None:
        """A bar from one instant of x to another."""
        y, (x, x2) = self.middle(row), span
        style: dict[str, Any] = (
            {"filled": False, "strokeWidth": 1.5, "strokeDash": [3, 2]} if hollow else {}
        )
        if opacity != 1:
            style["opacity"] = opacity
        self._add("rect", style, x=x, x2=x2, y=y - thick / 2, y2=y + thick / 2, c=colour.fixed)

    def tick(
        self, row: int, at: float, colour: Colour, *, tall: float = 15, thick: float = 2
    ) -> None:
        """An upright line."""
        y = self.middle(row)
        style = {"strokeWidth": thick}
        self._add("rule", style, x=at, x2=at, y=y - tall / 2, y2=y + tall / 2, c=colour.fixed)

    def interval(self, row: int, low: float, high: float) -> None:
        """How far off a value may be: a line with ends."""
        y = self.middle(row)
        self._add("rule", {"strokeWidth": 1.5}, x=low, x2=high, y=y, y2=y, c=INK.fixed)
        for at in (low, high):
            self.tick(row, at, INK, tall=7, thick=1.5)

    def dot(
        self,
        row: int,
        at: float,
        colour: Colour,
        *,
        size: float = 16,
        shape: Shape = "circle",
        below: float = 0,
        opacity: float = 1,
    ) -> None:
        """A point, so many pixels below the middle."""
        style = {"size": size, "shape": shape, "filled": True, "opacity": opacity}
        self._add("point", style, x=at, y=self.middle(row) + below, c=colour.fixed)

    def rounds(self, row: int, values: Sequence[float], top: float) -> None:
        """Each round's value, below the bar of their mean; those beyond the chart are left out."""
        for value in values if len(values) > 1 else ():
            if value <= top:
                self.dot(row, value, INK, size=9, below=8.5, opacity=0.55)

    def hill(self, row: int, xs: Sequence[float], heights: Sequence[float], colour: Colour) -> None:
        """An area above the row's base line.

        Args:
            row: which.
            xs: instants of x.
            heights: 0 to 1 of the room there is.
            colour: its own.
        """
        base = self.middle(row) + 8
        for x, height in zip(xs, heights, strict=True):
            style = {"opacity": 0.45}
            self._add("area", style, x=x, y=base, y2=base - 15 * height, c=colour.fixed, row=row)

    def _add(self, kind: str, style: dict[str, Any], **datum: Any) -> None:
        frozen = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in style.items())
        self._marks.setdefault((kind, frozen), []).append(datum)

    def svg(self) -> str:
        """All of it, drawn."""
        return draw(self.chart)

    def chart(self, kept: Data) -> Chart:
        """All of it as one chart.

        Args:
            kept: takes its data.
        """
        pixels = alt.Scale(domain=[0, self.height], range=[0, self.height], nice=False, zero=False)
        y = alt.Y("y:Q", scale=pixels, axis=None)
        layers = []
        for (kind, frozen), data in self._marks.items():
            style = {key: list(v) if isinstance(v, tuple) else v for key, v in frozen}
            x: object = self.x
            if "xPixels" in style:
                x = alt.value(style.pop("xPixels"))
                style["baseline"] = "middle"
            encodings: dict[str, Any] = {"x": x, "y": y}
            present = set(data[0])
            if "x2" in present:
                encodings["x2"] = "x2:Q"
            if "y2" in present:
                encodings["y2"] = "y2:Q"
            if "text" in present:
                encodings["text"] = "text:N"
            if "row" in present:
                encodings["detail"] = "row:N"
            encodings["color"] = alt.Color("c:N", scale=None)
            made = alt.Chart(kept.named(data))
            layers.append(getattr(made, f"mark_{kind}")(**style).encode(**encodings))
        layers.extend(self._legend(y, kept))
        return alt.layer(*layers).properties(width=WIDTH, height=self.height)

    def _legend(self, y: alt.Y, kept: Data) -> list[alt.Chart]:
        layers, at = [], 5.0
        for colour, word in self.legend:
            made = alt.Chart(kept.named([{"y": 7, "text": word}]))
            layers.append(
                made.mark_point(
                    shape="square", size=70, filled=True, color=colour.fixed, opacity=1
                ).encode(x=alt.value(at), y=y)
            )
            layers.append(
                made.mark_text(
                    align="left", baseline="middle", fontSize=11, color=SOFT.fixed
                ).encode(x=alt.value(at + 8), y=y, text="text:N")
            )
            at += 24 + 6.1 * len(word)
        return layers
