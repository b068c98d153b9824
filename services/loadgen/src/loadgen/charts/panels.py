"""Small charts of one trial over its seconds, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from loadgen.charts.drawing import Chart, Data
from loadgen.charts.palette import UNEXPLAINED, Colour

WIDTH, HEIGHT = 250, 44


@dataclass(frozen=True)
class Line:
    """A line of a panel.

    Attributes:
        seconds, values: its corners.
        dashed: whether it is thin, and in dashes.
        dotted: whether each corner is a point.
    """

    seconds: Sequence[float]
    values: Sequence[float]
    colour: Colour
    dashed: bool = False
    dotted: bool = False


@dataclass(frozen=True)
class Panel:
    """A chart of lines, from 0 to its top."""

    title: str
    top: float
    lines: Sequence[Line]


def panels_chart(panels: Sequence[Panel], longest_s: float, data: Data) -> alt.VConcatChart:
    """All panels as one chart, from 0 to the longest trial that is drawn beside it."""
    drawn = [_panel(panel, longest_s, data, labelled=panel is panels[-1]) for panel in panels]
    return alt.vconcat(*drawn, spacing=7)


def _panel(panel: Panel, longest_s: float, data: Data, *, labelled: bool) -> Chart:
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, longest_s], nice=False),
        axis=alt.Axis(
            tickCount=5, labels=labelled, title=None, labelExpr="datum.label + ' s'", grid=False
        ),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, panel.top], nice=False),
        axis=alt.Axis(
            tickCount=2,
            format="d",
            title=panel.title,
            titleAnchor="start",
            titleAngle=0,
            titleAlign="left",
            titleX=2,
            titleY=-3,
            titleColor=UNEXPLAINED.variable,
            minExtent=34,
        ),
    )
    layers = [_line(line, data).encode(x=x, y=y) for line in panel.lines]
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)


def _line(line: Line, data: Data) -> alt.Chart:
    colour = line.colour.variable
    style: dict[str, Any] = {"color": colour, "strokeWidth": 1.6}
    if line.dashed:
        style |= {"strokeDash": [3, 3], "strokeWidth": 1}
    if line.dotted:
        style["point"] = {"size": 9, "color": colour}
    corners = zip(line.seconds, line.values, strict=True)
    values = [{"x": round(second, 2), "y": float(f"{value:.4g}")} for second, value in corners]
    drawn: alt.Chart = alt.Chart(data.named(values)).mark_line(**style)
    return drawn
