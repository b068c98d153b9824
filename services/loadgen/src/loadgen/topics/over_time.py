"""Over time: users, throughput and p95 of a trial, as in article A's charts."""

from collections.abc import Sequence
from statistics import median_low
from typing import Any

import altair as alt

from loadgen.charts import series
from loadgen.charts.drawing import Chart, Data, Datum, draw
from loadgen.charts.palette import BAD, CPU, INK, SOFT, UNEXPLAINED, USERS
from loadgen.documents.blocks import Block, Gallery, Heading, Section
from loadgen.documents.material import Entry, Group, Material
from loadgen.documents.words import listing
from loadgen.records.columns import Row
from loadgen.suites.cases import Case

#: More cases than this, of all suites of a run, are not shown: first those whose caveats speak
#: of time.
MOST_SHOWN = 36
ABOUT_TIME = ("starved", "unsteady", "in-step", "censored", "failures", "unstable")
WIDTH, HEIGHT = 250, 44
CAPTION = (
    "One round of each case, the one of middling throughput, second by second. Top: requests in "
    "flight (line) and users (dashes). Middle: good answers a second, failed ones in red. Bottom: "
    "p95, of stretches that hold a hundred answers. All charts of a suite have the same scales."
)


def section(material: Material) -> Section | None:
    """A gallery per suite whose samples are there."""
    blocks: list[Block] = []
    for group in material.groups:
        if not (gallery := _gallery(material, group, "" if blocks else CAPTION)):
            continue
        if len(material.groups) > 1:
            blocks.append(Heading(group.suite.question))
        blocks.append(gallery)
    return Section("over-time", "Over time", blocks) if blocks else None


def _gallery(material: Material, group: Group, caption: str) -> Gallery | None:
    shown: list[tuple[Entry, Row, series.Course]] = []
    entries = _chosen(group.entries, max(1, MOST_SHOWN // len(material.groups)))
    for entry in entries:
        row = _middling(entry, group.metric)
        if row and material.samples(row).exists():
            window_s = float(row["window_s"] or 0)
            shown.append(
                (entry, row, series.course(series.read_requests(material.samples(row)), window_s))
            )
    if not shown:
        return None
    scales = _scales(shown)
    pictures = [
        (f"{entry.line.name}, round {row['round']}", _picture(entry, row, course, scales))
        for entry, row, course in shown
    ]
    if len(entries) < len(group.entries):
        caption += (
            f" Shown are {len(entries)} of {len(group.entries)} cases, those first whose caveats "
            f"are {listing(ABOUT_TIME, most=len(ABOUT_TIME), joined='or')}."
        )
    return Gallery(f"over-time-{group.suite.name}", pictures, caption)


def _chosen(entries: Sequence[Entry], most: int) -> Sequence[Entry]:
    if len(entries) <= most:
        return entries
    troubled = sorted(entries, key=lambda entry: not set(ABOUT_TIME) & set(entry.caveats))
    keep = {entry.key for entry in troubled[:most]}
    return [entry for entry in entries if entry.key in keep]


def _middling(entry: Entry, metric: str) -> Row | None:
    """The round of median throughput."""
    known = {float(row[metric] or 0): row for row in entry.measured}
    return known[median_low(known)] if known else None


def _scales(shown: Sequence[tuple[Entry, Row, series.Course]]) -> dict[str, list[float]]:
    courses = [course for _, _, course in shown]
    users = [entry.case.users or 0 for entry, _, _ in shown]
    p95 = [value for course in courses for value in course.p95_ms]
    return {
        "seconds": [0, max(float(row["window_s"] or 0) for _, row, _ in shown)],
        "in_flight": [0, max(1.0, *users, *(max(course.in_flight) for course in courses)) * 1.05],
        "rate": [0, max(1.0, *(max(course.rate_rps) for course in courses)) * 1.05],
        "p95": [0, max(p95, default=1.0) * 1.05],
    }


def _picture(entry: Entry, row: Row, course: series.Course, scales: dict[str, list[float]]) -> str:
    return draw(lambda data: _chart(data, entry, row, course, scales))


def _chart(
    data: Data, entry: Entry, row: Row, course: series.Course, scales: dict[str, list[float]]
) -> alt.VConcatChart:
    seconds = course.seconds
    x = {"domain": scales["seconds"], "nice": False}
    users = _users(entry.case, float(row["window_s"] or 0))
    panels = [
        _panel(
            data,
            "in flight",
            scales["in_flight"],
            x,
            [
                _line(*users, SOFT.fixed, strokeDash=[3, 3], strokeWidth=1),
                _line(seconds, course.in_flight, INK.fixed),
            ],
        ),
        _panel(
            data,
            "views/s",
            scales["rate"],
            x,
            [
                _line(seconds, course.rate_rps, USERS.fixed),
                *(
                    [_line(seconds, course.failure_rps, BAD.fixed)]
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
                    CPU.fixed,
                    point={"size": 9, "color": CPU.fixed},
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
        made = alt.Chart(data.named(values))
        layers.append(
            made.mark_line(**style).encode(
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
                        titleColor=UNEXPLAINED.fixed,
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
