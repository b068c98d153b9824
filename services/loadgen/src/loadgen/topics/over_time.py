"""Over time: users, throughput and p95 of a trial, as in article A's charts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median_low
from typing import Any

import altair as alt

from loadgen.charts import series
from loadgen.charts.drawing import Chart, Data, Datum, draw
from loadgen.charts.palette import BAD, CPU, INK, SOFT, UNEXPLAINED, USERS
from loadgen.documents.document import Block, Gallery, Picture
from loadgen.documents.run_material import Entry, Group, Material
from loadgen.documents.words import listing
from loadgen.records.columns import Row
from loadgen.suites.cases import Case

#: More cases than this, of all suites of a run, are not shown: first those whose caveats speak
#: of time.
MOST_SHOWN = 36
ABOUT_TIME = ("starved", "unsteady", "in-step", "censored", "failures", "unstable")
WIDTH, HEIGHT = 250, 44
INTRODUCTION = (
    "One round of each case, the one of middling throughput, second by second. Top: requests in "
    "flight (line) and users (dashes). Middle: good answers a second, failed ones in red. Bottom: "
    "p95, of stretches that hold a hundred answers. All charts of a suite have the same scales."
)


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """A gallery, where the suite's samples are there."""
    shown: list[tuple[Entry, Row, series.Course]] = []
    entries = _chosen(group.entries, max(1, MOST_SHOWN // len(material.groups)))
    for entry in entries:
        row = _middling(entry, group.metric)
        if row and material.samples(row).exists():
            window_s = row.number("window_s") or 0.0
            shown.append(
                (entry, row, series.course(series.read_requests(material.samples(row)), window_s))
            )
    if not shown:
        return
    scales = _scales(shown)
    pictures = [
        Picture(f"{entry.name}, round {row['round']}", Panels(entry.case, row, course, scales))
        for entry, row, course in shown
    ]
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


def _scales(shown: Sequence[tuple[Entry, Row, series.Course]]) -> dict[str, list[float]]:
    courses = [course for _, _, course in shown]
    users = [entry.case.users or 0 for entry, _, _ in shown]
    p95 = [value for course in courses for value in course.p95_ms]
    return {
        "seconds": [0, max(row.number("window_s") or 0.0 for _, row, _ in shown)],
        "in_flight": [0, max(1.0, *users, *(max(course.in_flight) for course in courses)) * 1.05],
        "rate": [0, max(1.0, *(max(course.rate_rps) for course in courses)) * 1.05],
        "p95": [0, max(p95, default=1.0) * 1.05],
    }


@dataclass(frozen=True)
class Panels:
    """How a trial went: requests in flight, rates, and p95, one above the other.

    Attributes:
        case, row: of the trial.
        course: how it went.
        scales: of the axes, which all trials of a suite share.
    """

    case: Case
    row: Row
    course: series.Course
    scales: Mapping[str, list[float]]

    @cached_property
    def svg(self) -> str:
        """The drawing."""
        return draw(self._chart)

    def _chart(self, data: Data) -> alt.VConcatChart:
        case, row, course, scales = self.case, self.row, self.course, self.scales
        seconds = course.seconds
        x = {"domain": scales["seconds"], "nice": False}
        users = _users(case, row.number("window_s") or 0.0)
        panels = [
            _panel(
                data,
                "in flight",
                scales["in_flight"],
                x,
                [
                    _line(*users, SOFT.variable, strokeDash=[3, 3], strokeWidth=1),
                    _line(seconds, course.in_flight, INK.variable),
                ],
            ),
            _panel(
                data,
                "views/s",
                scales["rate"],
                x,
                [
                    _line(seconds, course.rate_rps, USERS.variable),
                    *(
                        [_line(seconds, course.failure_rps, BAD.variable)]
                        if any(course.failure_rps)
                        else []
                    ),
                ],
            ),
            _panel(
                data,
                "p95, ms",
                scales["p95"],
                x,
                [
                    _line(
                        course.p95_seconds,
                        course.p95_ms,
                        CPU.variable,
                        point={"size": 9, "color": CPU.variable},
                    )
                ],
                last=True,
            ),
        ]
        return alt.vconcat(*panels, spacing=7)


def _panel(
    data: Data,
    title: str,
    domain: list[float],
    x: dict[str, Any],
    lines: Sequence[tuple[list[Datum], dict[str, Any]]],
    *,
    last: bool = False,
) -> Chart:
    seconds = alt.Axis(
        tickCount=5, labels=last, title=None, labelExpr="datum.label + ' s'", grid=False
    )
    layers = []
    for values, style in lines:
        chart = alt.Chart(data.named(values))
        layers.append(
            chart.mark_line(**style).encode(
                x=alt.X("x:Q", scale=alt.Scale(**x), axis=seconds),
                y=alt.Y(
                    "y:Q",
                    scale=alt.Scale(domain=domain, nice=False),
                    axis=alt.Axis(
                        tickCount=2,
                        format="d",
                        title=title,
                        titleAnchor="start",
                        titleAngle=0,
                        titleAlign="left",
                        titleX=2,
                        titleY=-3,
                        titleColor=UNEXPLAINED.variable,
                        minExtent=34,
                    ),
                ),
            )
        )
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _line(
    xs: Sequence[float], ys: Sequence[float], colour: str, **style: Any
) -> tuple[list[Datum], dict[str, Any]]:
    values = [{"x": round(x, 2), "y": float(f"{y:.4g}")} for x, y in zip(xs, ys, strict=True)]
    return values, {"color": colour, "strokeWidth": 1.6, **style}


def _users(case: Case, window_s: float) -> tuple[list[float], list[float]]:
    """The users that the load has, at the instants where that changes."""
    if case.ramp:
        return [second for second, _ in case.ramp], [float(users) for _, users in case.ramp]
    return ([0.0, window_s], [float(case.users)] * 2) if case.users else ([], [])
