"""A chart of rows, as most of the report's are: each has a line of words, and its marks below.

Words above the marks instead of beside them leave the whole width to the marks, on a phone too.
Instants of x are in the chart's own unit; y counts pixels from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import wrap
from typing import Any, Literal

import altair as alt

from loadgen.charts.drawing import Chart, Data, draw
from loadgen.charts.palette import INK, SOFT, Colour

type Shape = Literal["circle", "triangle-left", "triangle-right"]

WIDTH = 440
#: Pixels of a row, of another line of its words, and from the middle of its marks to its end.
ROW = 38
SECOND_LINE = 14
BELOW = 14
LEGEND = 20
#: About how many fit above the marks.
MOST_LETTERS = 66


@dataclass(frozen=True)
class RowWords:
    """The words above a row's marks.

    Attributes:
        left: what it is; what finds no room beside `right` goes to lines below.
        right: what came out.
        faint: whether the row is to stand back.
    """

    left: str
    right: str
    faint: bool = False

    @property
    def lines(self) -> list[str]:
        """The left words, on as many lines as they need."""
        room = MOST_LETTERS - len(self.right)
        if len(self.left) <= room:
            return [self.left]
        first = self.left[: room + 1].rpartition(" ")[0] or self.left[:room]
        return [first, *wrap(self.left[len(first) :].lstrip(), MOST_LETTERS)]


@dataclass
class Canvas:
    """What is drawn, in the order in which it is.

    Attributes:
        rows: the words of each.
        x: the scale and axis that all marks share.
        legend: colours with their words, above the first row.
    """

    rows: Sequence[RowWords]
    x: alt.X
    legend: Sequence[tuple[Colour, str]] = ()
    _marks: dict[tuple[str, tuple[tuple[str, Any], ...]], list[dict[str, Any]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        top = float(LEGEND if self.legend else 0)
        self._ends: list[float] = []
        for words in self.rows:
            colour = SOFT.variable if words.faint else INK.variable
            style = {"align": "left", "fontSize": 12, "xPixels": 0}
            for number, line in enumerate(words.lines):
                y = top + 9 + number * SECOND_LINE
                self._add("text", style, y=y, text=line, c=colour)
            style = {"align": "right", "fontSize": 11.5, "xPixels": WIDTH}
            self._add("text", style, y=top + 9, text=words.right, c=SOFT.variable)
            top += ROW + SECOND_LINE * (len(words.lines) - 1)
            self._ends.append(top)

    @property
    def height(self) -> float:
        """Of the whole, without the axis."""
        return self._ends[-1]

    def middle(self, row: int) -> float:
        """Where a row's marks are."""
        return self._ends[row] - BELOW

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
        self._add("rect", style, x=x, x2=x2, y=y - thick / 2, y2=y + thick / 2, c=colour.variable)

    def tick(
        self, row: int, at: float, colour: Colour, *, tall: float = 15, thick: float = 2
    ) -> None:
        """An upright line."""
        y = self.middle(row)
        style = {"strokeWidth": thick}
        self._add("rule", style, x=at, x2=at, y=y - tall / 2, y2=y + tall / 2, c=colour.variable)

    def interval(self, row: int, low: float, high: float) -> None:
        """How far off a value may be: a line with ends."""
        y = self.middle(row)
        self._add("rule", {"strokeWidth": 1.5}, x=low, x2=high, y=y, y2=y, c=INK.variable)
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
    ) -> None:
        """A point."""
        style = {"size": size, "shape": shape, "filled": True, "opacity": 1}
        self._add("point", style, x=at, y=self.middle(row), c=colour.variable)

    def rounds(self, row: int, values: Sequence[float], top: float) -> None:
        """Each round's value, below the bar of their mean; those beyond the chart are left out."""
        y = self.middle(row) + 6
        for value in values if len(values) > 1 else ():
            if value <= top:
                self._add(
                    "rule", {"strokeWidth": 1.2}, x=value, x2=value, y=y, y2=y + 5, c=SOFT.variable
                )

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
            self._add("area", style, x=x, y=base, y2=base - 15 * height, c=colour.variable, row=row)

    def _add(self, kind: str, style: dict[str, Any], **datum: Any) -> None:
        frozen = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in style.items())
        self._marks.setdefault((kind, frozen), []).append(datum)

    @cached_property
    def svg(self) -> str:
        """All of it, drawn once nothing more is added."""
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
            style: dict[str, Any] = {
                key: list(v) if isinstance(v, tuple) else v for key, v in frozen
            }
            x: object = self.x
            if "xPixels" in style:
                x = _pixels(style.pop("xPixels"))
                style["baseline"] = "middle"
            encodings: dict[str, Any] = {"x": x, "y": y}
            present = set(data[0])
            if "x2" in present:
                encodings["x2"] = alt.X2("x2:Q")
            if "y2" in present:
                encodings["y2"] = alt.Y2("y2:Q")
            if "text" in present:
                encodings["text"] = alt.Text("text:N")
            if "row" in present:
                encodings["detail"] = alt.Detail("row:N")
            encodings["color"] = alt.Color("c:N", scale=None)
            chart = alt.Chart(kept.named(data))
            layers.append(getattr(chart, f"mark_{kind}")(**style).encode(**encodings))
        layers.extend(self._legend(y, kept))
        return alt.layer(*layers, width=WIDTH, height=self.height)

    def _legend(self, y: alt.Y, kept: Data) -> list[alt.Chart]:
        layers, at = [], 5.0
        for colour, word in self.legend:
            chart = alt.Chart(kept.named([{"y": 7, "text": word}]))
            layers.append(
                chart.mark_point(
                    shape="square", size=70, filled=True, color=colour.variable, opacity=1
                ).encode(x=_pixels(at), y=y)
            )
            layers.append(
                chart.mark_text(
                    align="left", baseline="middle", fontSize=11, color=SOFT.variable
                ).encode(x=_pixels(at + 8), y=y, text=alt.Text("text:N"))
            )
            at += 24 + 6.1 * len(word)
        return layers


def _pixels(x: float) -> alt.XValue:
    """So far from the left. Altair makes one of `alt.value` too, but takes much longer."""
    return alt.XValue(x)  # type: ignore[no-untyped-call]
