"""Over time: users, throughput and p95 of a trial, as in article A's charts."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import median_low

from loadgen.charts import series
from loadgen.charts.palette import BAD, CPU, INK, SOFT, USERS
from loadgen.charts.panels import Line, Panel, panels_chart
from loadgen.documents.document import Block, Gallery, Picture
from loadgen.documents.run_material import Entry, Group, Material
from loadgen.documents.words import listing
from loadgen.records.columns import Row
from loadgen.suites.cases import Case

#: More cases than this, of all suites of a run, are not shown: first those whose caveats speak
#: of time.
MOST_SHOWN = 36
ABOUT_TIME = ("starved", "unsteady", "in-step", "censored", "failures", "unstable")
INTRODUCTION = (
    "One round of each case, the one of middling throughput, second by second. Top: requests in "
    "flight (line) and users (dashes). Middle: good answers a second, failed ones in red. Bottom: "
    "p95, of stretches that hold a hundred answers. All charts of a suite have the same scales."
)


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """A gallery, where the suite's samples are there."""
    shown: list[tuple[Entry, Row, float, series.Course]] = []
    entries = _chosen(group.entries, max(1, MOST_SHOWN // len(material.groups)))
    for entry in entries:
        row = _middling(entry, group.metric)
        if row and material.samples(row).exists():
            window_s = row.number("window_s") or 0.0
            course = series.course(series.read_requests(material.samples(row)), window_s)
            shown.append((entry, row, window_s, course))
    if not shown:
        return
    tops = _tops([(entry.case, course) for entry, _, _, course in shown])
    longest_s = max(window_s for _, _, window_s, _ in shown)
    pictures = []
    for entry, row, window_s, course in shown:
        panels = _panels(entry.case, window_s, course, tops)
        title = f"{entry.name}, round {row['round']}"
        pictures.append(Picture(title, partial(panels_chart, panels, longest_s)))
    caption = ""
    if len(entries) < len(group.entries):
        caption = (
            f"Shown are {len(entries)} of {len(group.entries)} cases, those first whose caveats "
            f"are {listing(ABOUT_TIME, most=len(ABOUT_TIME), joined='or')}."
        )
    yield Gallery(f"over-time-{group.suite.name}", pictures, caption)


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
