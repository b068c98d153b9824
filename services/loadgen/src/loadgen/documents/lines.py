"""The cases of a suite as the lines of a table: how each is called, and its rows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen.findings import summary
from loadgen.findings.comparisons import HIGHER_IS_BETTER
from loadgen.findings.silence import always_silent
from loadgen.findings.summary import over_rounds, that_count
from loadgen.records.columns import Row
from loadgen.suites.labels import Labels, titles
from loadgen.suites.suite import Published, Suite, native_views


@dataclass(frozen=True)
class Line:
    """One case of a table.

    Attributes:
        name: the server, with what else tells it apart: short, for a terminal.
        label: the server's title, with the same.
        rows: its rows, one per round.
        published: the article's figures, by column name; empty where there are none.
    """

    name: str
    label: str
    rows: tuple[Row, ...]
    published: dict[str, float]


def lines(suite: Suite, rows: Iterable[Row], *, every: bool = False) -> list[Line]:
    """The suite's cases with their rows: by its `sort`, the best first; else in its order.

    They are called as in a run of the whole suite, also where the command line has left some out.

    Args:
        suite: whose cases.
        rows: of the run.
        every: also those of its waterfalls and searches, which have tables of their own.
    """
    found = list(rows)
    result = []
    in_waterfalls = {case for waterfall in suite.waterfalls for case in waterfall.cases}
    elsewhere = set() if every else set(suite.whole) if suite.search else in_waterfalls
    titled = titles(found)
    labels = Labels((c for c in suite.whole if c not in elsewhere), suite.native_views)
    for case in suite.cases:
        if case in elsewhere:
            continue
        of_case = tuple(row for row in found if row["case"] == case.slug)
        if of_case:
            label = labels.name(case, titled[case.server])
            published = _figures(suite.published, of_case[0])
            result.append(Line(labels.name(case), label, of_case, published))
    if suite.sort:
        by = suite.sort
        result.sort(key=lambda line: _place(line, by))
    return result


def labels_of(suites: Sequence[Suite]) -> Labels:
    """What cases are called where those of all these suites stand together."""
    return Labels((case for suite in suites for case in suite.whole), native_views(suites))


def _place(line: Line, column: str) -> tuple[bool, float]:
    """Where a line stands in a sorted table: the ranked first; what is not known last of each, and
    who answers nobody last of all.
    """
    value = mean_over_rounds(line.rows, column)
    if always_silent(line.rows):
        return True, math.inf
    if value is None:
        return not is_ranked(line), math.inf
    return not is_ranked(line), -value if column in HIGHER_IS_BETTER else value


def bound_by(line: Line) -> str:
    """What held the case back; – where nothing is known."""
    return summary.what_bound(that_count(line.rows)) or "–"


def _figures(published: Sequence[Published], row: Row) -> dict[str, float]:
    for entry in published:
        if entry.describes(row):
            return dict(entry.figures)
    return {}


def is_ranked(line: Line) -> bool:
    """Whether some round of the case speaks of the server and not of the lab."""
    return any(row["ranked"] == "yes" for row in line.rows)


def mean_over_rounds(rows: Sequence[Row], column: str) -> float | None:
    mean = over_rounds(rows, column)
    return mean.mean if mean else None
