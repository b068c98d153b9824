"""A chart of rows, as most of the report's are: each has a line of words, and its marks below.

Words above the marks instead of beside them leave the whole width to the marks, on a phone too.
Instants of x are in the chart's own unit; y counts pixels from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Literal

import altair as alt

from loadgen.charts.drawing import Chart, Data
from loadgen.charts.palette import INK, SOFT, Colour
from loadgen.theory.statistics import Interval

type Shape = Literal["circle", "triangle-left", "triangle-right"]

WIDTH = 440
#: Pixels of a row, of another line of its words, and from the middle of its marks to its end.
ROW = 38
SECOND_LINE = 14
BELOW = 14
LEGEND = 20
#: What some marks have besides x and y: other ends, words, the row that an area is of.
CHANNELS = {
    "x2": alt.X2("x2:Q"),
    "y2": alt.Y2("y2:Q"),
    "text": alt.Text("text:N"),
    "detail": alt.Detail("detail:N"),
}
#: About how many fit above the marks.
MOST_LETTERS = 66


def from_zero(top: float, title: str) -> alt.X:
    """The scale of bars; what lies beyond its top is drawn at the edge."""
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    return alt.X("x:Q", scale=scale, axis=alt.Axis(title=title, tickCount=6))


def logarithmic(low: float, high: float, ticks: Sequence[float], title: str) -> alt.X:
    """The scale of what is told apart by ratios."""
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    axis = alt.Axis(values=list(ticks), format="~g", title=f"{title} (log scale)")
    return alt.X("x:Q", scale=scale, axis=axis)


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
        at, top = 5.0, float(LEGEND if self.legend else 0)
        for colour, word in self.legend:
            style = {"shape": "square", "size": 70, "filled": True, "opacity": 1, "xPixels": at}
            self._add("point", style, y=7, c=colour.variable)
            self._write(word, at + 8, 7, SOFT, size=11)
            at += 24 + 6.1 * len(word)
        self._ends: list[float] = []
        for words in self.rows:
            colour = SOFT if words.faint else INK
            for number, line in enumerate(words.lines):
                self._write(line, 0, top + 9 + number * SECOND_LINE, colour, size=12)
            self._write(words.right, WIDTH, top + 9, SOFT, size=11.5, align="right")
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
            {"filled": False, "strokeWidth": 1.5, "strokeDash": (3, 2)} if hollow else {}
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

    def interval(self, row: int, mean: Interval) -> None:
        """How far off a mean may be: a line with ends; nothing where that is not known."""
        y, low, high = self.middle(row), mean.low, mean.high
        if low is None or high is None:
            return
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
        """An area above the row's base line; heights are 0 to 1 of the room there is."""
        base = self.middle(row) + 8
        for x, height in zip(xs, heights, strict=True):
            style = {"opacity": 0.45}
            self._add(
                "area", style, x=x, y=base, y2=base - 15 * height, c=colour.variable, detail=row
            )

    def _write(
        self, words: str, at: float, y: float, colour: Colour, *, size: float, align: str = "left"
    ) -> None:
        """Words at a pixel of x, whatever its scale is."""
        style = {"align": align, "baseline": "middle", "fontSize": size, "xPixels": at}
        self._add("text", style, y=y, text=words, c=colour.variable)

    def _add(self, kind: str, style: dict[str, Any], **datum: Any) -> None:
        self._marks.setdefault((kind, tuple(style.items())), []).append(datum)

    def chart(self, kept: Data) -> Chart:
        """All of it as one chart, which leaves its data in `kept`."""
        pixels = alt.Scale(domain=[0, self.height], range=[0, self.height], nice=False, zero=False)
        shared = {"y": alt.Y("y:Q", scale=pixels, axis=None), "color": alt.Color("c:N", scale=None)}
        layers = []
        for (kind, frozen), data in self._marks.items():
            style = dict(frozen)
            x = _pixels(style.pop("xPixels")) if "xPixels" in style else self.x
            own = {channel: field for channel, field in CHANNELS.items() if channel in data[0]}
            chart = alt.Chart(kept.named(data))
            layers.append(getattr(chart, f"mark_{kind}")(**style).encode(x=x, **shared, **own))
        return alt.layer(*layers, width=WIDTH, height=self.height)


def _pixels(x: float) -> alt.XValue:
    """So far from the left. Altair makes one of `alt.value` too, but takes much longer."""
    return alt.XValue(x)  # type: ignore[no-untyped-call]
