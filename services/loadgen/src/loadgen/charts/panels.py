"""Small charts of one trial over its seconds, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from loadgen.charts.drawing import Chart, Data
from loadgen.charts.heat import ROWS, SHADES, Heat
from loadgen.charts.palette import UNEXPLAINED, USERS, Colour

WIDTH, HEIGHT = 250, 44
#: Of a row of a heat map.
ROW_HEIGHT = 5


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


@dataclass(frozen=True)
class HeatPanel:
    """A heat map of the same seconds, with the slowest answers at its top."""

    title: str
    heat: Heat


def panels_chart(
    panels: Sequence[Panel | HeatPanel], longest_s: float, data: Data
) -> alt.VConcatChart:
    """All panels as one chart, from 0 to the longest trial that is drawn beside it."""
    drawn = []
    for panel in panels:
        x = _seconds(longest_s, labelled=panel is panels[-1])
        if isinstance(panel, HeatPanel):
            drawn.append(_of_heat(panel, x, data))
        else:
            drawn.append(_of_lines(panel, x, data))
    return alt.vconcat(*drawn, spacing=7)


def _seconds(longest_s: float, *, labelled: bool) -> alt.X:
    return alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, longest_s], nice=False),
        axis=alt.Axis(
            tickCount=5, labels=labelled, title=None, labelExpr="datum.label + ' s'", grid=False
        ),
    )


def _upright(panel: Panel | HeatPanel, scale: alt.Scale, **ticks: Any) -> alt.Y:
    """The axis of what a panel counts, with its title inside."""
    axis = alt.Axis(
        title=panel.title,
        titleAnchor="start",
        titleAngle=0,
        titleAlign="left",
        titleX=2,
        titleY=-3,
        titleColor=UNEXPLAINED.variable,
        minExtent=34,
        **ticks,
    )
    return alt.Y("y:Q", scale=scale, axis=axis)


def _of_lines(panel: Panel, x: alt.X, data: Data) -> Chart:
    scale = alt.Scale(domain=[0, panel.top], nice=False)
    y = _upright(panel, scale, tickCount=2, format="d")
    layers = [_line(line, data).encode(x=x, y=y) for line in panel.lines]
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)


def _of_heat(panel: HeatPanel, x: alt.X, data: Data) -> Chart:
    """A line for each shade, as thick as a row: where the row's middle is null it is broken."""
    low_ms, high_ms = panel.heat.edges_ms[0], panel.heat.edges_ms[-1]
    scale = alt.Scale(type="log", domain=[low_ms, high_ms], nice=False)
    ends = [low_ms, high_ms]
    y = _upright(panel, scale, values=ends, format=".0f", grid=False)
    layers = []
    stretches = panel.heat.stretches()
    for shade, opacity in enumerate(SHADES):
        corners: list[dict[str, float | None]] = []
        for one in stretches:
            if one.shade == shade:
                middle_ms = low_ms * (high_ms / low_ms) ** ((one.row + 0.5) / ROWS)
                for second, value in ((one.from_s, middle_ms), (one.to_s, middle_ms)):
                    corners.append({"x": round(second, 2), "y": float(f"{value:.5g}")})
                corners.append({"x": round(one.to_s, 2), "y": None})
        values = [corner | {"i": place} for place, corner in enumerate(corners)]
        drawn = alt.Chart(data.named(values)).mark_line(
            color=USERS.variable, opacity=opacity, strokeWidth=ROW_HEIGHT, strokeCap="butt"
        )
        layers.append(drawn.encode(x=x, y=y, order=alt.Order("i:Q")))
    return alt.layer(*layers, width=WIDTH, height=ROW_HEIGHT * ROWS)


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
