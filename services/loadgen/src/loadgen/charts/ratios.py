"""A chart of ratios with their intervals, on a logarithmic scale around 1."""

import math
from collections.abc import Sequence

from loadgen.charts.canvas import Canvas, RowWords, Shape, logarithmic
from loadgen.charts.palette import BAD, INK, SOFT, TRACK, UNEXPLAINED, USERS, Colour
from loadgen.findings.comparisons import Comparison
from loadgen.theory.statistics import MARGIN

COLOURS: dict[str, Colour] = {"better": USERS, "worse": BAD, "equivalent": INK, "undecided": SOFT}
#: The chart reaches so far at least, and no further than that: ratios beyond are at its edge.
NARROWEST, WIDEST = 1.25, 8.0
TICKS = (0.125, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 5, 8)
MOST_TICKS = 9


def ratios_chart(rows: Sequence[tuple[RowWords, Comparison]]) -> Canvas:
    """A row per comparison that has a difference."""
    reach = _reach([comparison for _, comparison in rows])
    low, high = 1 / reach, reach
    x = logarithmic(low, high, _ticks(low, high), "ratio")
    canvas = Canvas([words for words, _ in rows], x)

    def inside(ratio: float) -> float:
        return min(max(ratio, low), high)

    for row, (_, comparison) in enumerate(rows):
        canvas.box(row, (1 / (1 + MARGIN), 1 + MARGIN), TRACK, thick=14, opacity=0.6)
        canvas.tick(row, 1, SOFT, tall=14, thick=1)
        if not (difference := comparison.difference):
            continue
        colour = COLOURS.get(comparison.verdict, UNEXPLAINED)
        if difference.low is not None and difference.high is not None:
            canvas.box(row, (inside(difference.low), inside(difference.high)), colour, thick=3)
        shape = _shape(difference.ratio, low, high)
        canvas.dot(row, inside(difference.ratio), colour, size=60, shape=shape)
    return canvas


def _reach(comparisons: Sequence[Comparison]) -> float:
    """The ratio at the right edge; its inverse is at the left."""
    ends = [
        abs(math.log(end))
        for comparison in comparisons
        if (difference := comparison.difference)
        for end in (difference.ratio, difference.low, difference.high)
        if end
    ]
    return math.exp(1.04 * min(max([math.log(NARROWEST), *ends]), math.log(WIDEST)))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in the chart, 1 among them."""
    ticks = [value for value in TICKS if low <= value <= high]
    step = math.ceil(len(ticks) / MOST_TICKS)
    return ticks[ticks.index(1) % step :: step]


def _shape(ratio: float, low: float, high: float) -> Shape:
    """A triangle at the edge for what lies beyond it."""
    if ratio > high:
        return "triangle-right"
    return "triangle-left" if ratio < low else "circle"
