"""Over time: users, throughput and p95 of a trial, as in article A's charts; and its answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median_low

from loadgen.charts import heat, series
from loadgen.charts.palette import BAD, CPU, INK, SOFT, USERS
from loadgen.charts.panels import HeatPanel, Line, Panel, panels_chart
from loadgen.documents.document import PAGE, Block, Gallery, Picture, Table, TableColumn, TableRow
from loadgen.documents.run_material import Entry, Group, Material
from loadgen.documents.words import decimals
from loadgen.records.columns import Row
from loadgen.suites.cases import Case

#: More cases than this, of all suites of a run, are not shown: first those whose caveats speak
#: of time.
MOST_SHOWN = 36
ABOUT_TIME = ("starved", "unsteady", "in-step", "censored", "failures", "unstable")
INTRODUCTION = (
    "One round of each case, second by second: the round with the middle throughput. The top panel "
    "shows the requests in flight (line) and the users (dashes). The second shows good answers a "
    "second, and failed ones in red. The third shows p95, of stretches with a hundred answers. "
    "The last shows every good answer: when it came and how long it took (log scale, darker where "
    "there are more). Upright stripes are waves, a slope is a growing queue, a gap is a stall. All "
    "charts of a suite have the same scales."
)
#: For who does not see the pictures.
IN_FIGURES = "What the pictures show, in figures"
COLUMNS = (
    TableColumn("Configuration", numeric=False),
    TableColumn("p50, first third (ms)"),
    TableColumn("p50, second third (ms)"),
    TableColumn("p50, last third (ms)"),
    TableColumn("Slowest step (views/s)"),
    TableColumn("Fastest step (views/s)"),
    TableColumn("Longest pause (s)", meaning="without a good answer"),
)


@dataclass(frozen=True)
class _Shown:
    """A trial that is shown, without its samples: there may be millions."""

    title: str
    case: Case
    window_s: float
    course: series.Course
    answers: heat.Heat
    figures: Sequence[str]


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """A gallery, where the suite's samples are there."""
    entries = _chosen(group.entries, max(1, MOST_SHOWN // len(material.groups)))
    chosen = [
        (entry, row)
        for entry in entries
        if (row := _middling(entry, group.metric)) and material.samples(row).exists()
    ]
    if not chosen:
        return
    edges_ms = _latencies([row for _, row in chosen])
    shown = [_shown(entry, row, material.samples(row), edges_ms) for entry, row in chosen]
    tops = _tops([(one.case, one.course) for one in shown])
    longest_s = max(one.window_s for one in shown)
    pictures = []
    for one in shown:
        panels: list[Panel | HeatPanel] = [
            *_panels(one.case, one.window_s, one.course, tops),
            HeatPanel("answers, ms", one.answers),
        ]
        pictures.append(Picture(one.title, partial(panels_chart, panels, longest_s)))
    caption = ""
    if len(entries) < len(group.entries):
        caption = (
            f"{len(entries)} of {len(group.entries)} cases are shown, first those with one of "
            f"these caveats: {', '.join(ABOUT_TIME)}."
        )
    yield Gallery(f"over-time-{group.suite.name}", pictures, caption)
    rows = [TableRow(one.figures) for one in shown]
    yield Table(f"{IN_FIGURES}.", COLUMNS, rows, folded=IN_FIGURES, shown=PAGE)


def _shown(entry: Entry, row: Row, samples: Path, edges_ms: series.Numbers) -> _Shown:
    window_s = row.number("window_s") or 0.0
    requests = series.read_requests(samples)
    course = series.course(requests, window_s)
    title = f"{entry.name}, round {row['round']}"
    return _Shown(
        title=title,
        case=entry.case,
        window_s=window_s,
        course=course,
        answers=heat.answers_by_time(requests, window_s, edges_ms),
        figures=[
            title,
            *(decimals(value, 0) for value in series.p50_by_thirds(requests, window_s)),
            *(decimals(rate, 1) for rate in (min(course.rate_rps), max(course.rate_rps))),
            decimals(series.longest_pause_s(requests, window_s), 2),
        ],
    )


def _latencies(rows: Sequence[Row]) -> series.Numbers:
    """The rows of the heat maps of a suite, from its least latency to its highest."""
    low_ms = [value for row in rows if (value := row.number("min_ms"))]
    high_ms = [value for row in rows if (value := row.number("max_ms"))]
    return heat.row_edges(min(low_ms, default=1.0), max(high_ms, default=1.0))


def _chosen(entries: Sequence[Entry], most: int) -> Sequence[Entry]:
    if len(entries) <= most:
        return entries
    troubled = sorted(entries, key=lambda entry: not set(ABOUT_TIME) & set(entry.caveats))
    keep = {entry.key for entry in troubled[:most]}
    return [entry for entry in entries if entry.key in keep]


def _middling(entry: Entry, metric: str) -> Row | None:
    """The round of median throughput."""
    known = {row.number(metric) or 0.0: row for row in entry.measured}
    return known[median_low(known)] if known else None


def _tops(shown: Sequence[tuple[Case, series.Course]]) -> dict[str, float]:
    """The upper end of each panel's scale, which all trials of a suite share."""
    courses = [course for _, course in shown]
    in_flight = (value for course in courses for value in course.in_flight)
    rates = (value for course in courses for value in course.rate_rps)
    p95 = (value for course in courses for value in course.p95_ms)
    return {
        "in flight": max(1.0, *(case.users or 0 for case, _ in shown), *in_flight) * 1.05,
        "views/s": max(1.0, *rates) * 1.05,
        "p95, ms": max(p95, default=1.0) * 1.05,
    }


def _panels(
    case: Case, window_s: float, course: series.Course, tops: Mapping[str, float]
) -> list[Panel]:
    """How a trial went: requests in flight, rates, and p95, each up to its top."""
    seconds = course.seconds
    flight = [
        Line(*_users(case, window_s), SOFT, dashed=True),
        Line(seconds, course.in_flight, INK),
    ]
    rates = [Line(seconds, course.rate_rps, USERS)]
    if any(course.failure_rps):
        rates.append(Line(seconds, course.failure_rps, BAD))
    p95 = [Line(course.p95_seconds, course.p95_ms, CPU, dotted=True)]
    return [
        Panel("in flight", tops["in flight"], flight),
        Panel("views/s", tops["views/s"], rates),
        Panel("p95, ms", tops["p95, ms"], p95),
    ]


def _users(case: Case, window_s: float) -> tuple[list[float], list[float]]:
    """The users that the load has, at the instants where that changes."""
    if case.ramp:
        return [second for second, _ in case.ramp], [float(users) for _, users in case.ramp]
    return ([0.0, window_s], [float(case.users)] * 2) if case.users else ([], [])
