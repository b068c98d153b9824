"""Answers by time and by latency: a heat map of a trial, in which waves, ramps and stalls are seen.

It is drawn as a thick line per shade, broken into the stretches that have it: a hundred bytes of a
page where a rectangle for each cell would take a thousand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from loadgen.charts.series import Numbers

#: Columns are so many, and so wide at least: a narrower one would show single answers.
COLUMNS, LEAST_STEP_S = 50, 0.2
ROWS = 14
#: How dark the shades are; a cell that has a quarter of the answers of the fullest is half as dark.
SHADES = (0.25, 0.45, 0.7, 1.0)


@dataclass(frozen=True)
class Stretch:
    """Cells of one shade beside each other.

    Attributes:
        row: counted from the lowest latency.
        from_s, to_s: where it begins and ends.
        shade: index in SHADES.
    """

    row: int
    from_s: float
    to_s: float
    shade: int


@dataclass(frozen=True)
class Heat:
    """How many good answers came, by time and by latency.

    Attributes:
        step_s: width of a column.
        edges_ms: of the rows, which are equally high on a logarithmic scale.
        counts: of answers; a list per row, with a number per column.
    """

    step_s: float
    edges_ms: Sequence[float]
    counts: Sequence[Sequence[int]]

    def stretches(self) -> list[Stretch]:
        """All that is not empty, shaded by the root of its share of the fullest cell."""
        most = max((count for row in self.counts for count in row), default=0)
        return [
            stretch
            for number, row in enumerate(self.counts)
            for stretch in self._of_row(number, [_shade(count, most) for count in row])
        ]

    def _of_row(self, row: int, shades: Iterable[int | None]) -> list[Stretch]:
        stretches, begin = [], 0
        for shade, cells in groupby(shades):
            end = begin + len(list(cells))
            if shade is not None:
                stretches.append(Stretch(row, begin * self.step_s, end * self.step_s, shade))
            begin = end
        return stretches


def _shade(count: int, most: int) -> int | None:
    if not count:
        return None
    return min(len(SHADES) - 1, int(len(SHADES) * np.sqrt(count / most) - 1e-9))


def row_edges(low_ms: float, high_ms: float) -> Numbers:
    """Edges of the rows from one latency to another; some room where these are the same."""
    return np.geomspace(low_ms, max(high_ms, low_ms * 1.25), ROWS + 1)


def answers_by_time(requests: pl.DataFrame, window_s: float, edges_ms: Numbers) -> Heat:
    """The good answers of a trial's window, counted.

    Args:
        requests: as series.read_requests gives them.
        window_s: length of the window.
        edges_ms: of the rows; what lies beyond counts in the nearest.
    """
    columns = max(1, min(COLUMNS, int(window_s / LEAST_STEP_S)))
    good = requests.filter("good")
    latency_ms = np.clip(good["latency_ms"].to_numpy(), edges_ms[0], edges_ms[-1])
    edges_s = np.linspace(0, window_s, columns + 1)
    counts, _, _ = np.histogram2d(latency_ms, good["answered_s"].to_numpy(), (edges_ms, edges_s))
    return Heat(
        step_s=window_s / columns,
        edges_ms=edges_ms.tolist(),
        counts=counts.astype(int).tolist(),
    )
