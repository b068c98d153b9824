"""Waterfalls: what each change brings, in views a second and in CPU per view, in both orders."""

from collections.abc import Iterable, Iterator, Sequence

from loadgen.charts.canvas import Canvas, RowWords, from_zero
from loadgen.charts.palette import BAD, INK, POOL, TRACK, UNEXPLAINED, USERS, Colour
from loadgen.documents.document import (
    EVERYWHERE,
    TERMINAL,
    WIDE,
    Block,
    Cell,
    Estimate,
    Figure,
    Heading,
    Picture,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.run_material import Group, Material
from loadgen.documents.words import (
    UNITS,
    UNKNOWN,
    decimals,
    plus_minus,
    span,
    times,
    times_with_bounds,
)
from loadgen.findings.waterfalls import METRICS, MeasuredWaterfall, Stage, remark
from loadgen.suites.labels import WRITTEN, metric_name
from loadgen.suites.waterfall import Order
from loadgen.topics.comparisons import each_once

TITLES: dict[Order, str] = {"forward": "one change per step", "reversed": "the same, reversed"}
GAIN, LOSS, OPEN = POOL, BAD, UNEXPLAINED
INTRODUCTION = (
    "Each step adds one change to those before it. The first bar is the start, the last bar is the "
    "end. The coloured part of a bar is what its step changed: a gain, a loss, or grey where the "
    "change is undecided or too small to matter. Steps influence each other, so they are measured "
    "in the reversed order too. The blue tick is the most that the users can ask for."
)


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """A suite's waterfalls: for each order a chart per metric and a table; what all steps bring."""
    falls = [fall for fall in material.waterfalls if fall.suite == group.suite.name]
    ceilings = _users_ceilings(material)
    for fall in falls:
        at = 1 + material.waterfalls.index(fall)
        for order, stages in fall.orders.items():
            yield Heading(f"{fall.title}: {TITLES[order]}")
            for metric in METRICS:
                if any(stage.values[metric] for stage in stages):
                    name = f"waterfall-{at}-{order}-{'rps' if metric == 'rps' else 'cpu'}"
                    yield _figure(fall, order, metric, ceilings, name)
            yield _table(stages)
        if words := fall_in_words(fall):
            yield Text([words])
    if notes := list(_notes(falls)):
        yield Text(notes, "note", shown=TERMINAL)  # elsewhere they are in the tables


def fall_in_words(fall: MeasuredWaterfall) -> str:
    """What all steps bring together, and which of them brought the most in each order; empty where
    nothing can be told.
    """
    sentences = [_from_start_to_end(fall, metric) for metric in METRICS]
    steps = []
    for order, stages in fall.orders.items():
        if (most := _most(stages)) and (change := most.changes["rps"].difference):
            where = " in the reversed order" if order == "reversed" else ""
            steps.append(f"Biggest step{where}: {most.words}, {times_with_bounds(change)}.")
    return " ".join(filter(None, [*sentences, *steps]))


def _users_ceilings(material: Material) -> dict[str, float]:
    """By case: what its users can ask for."""
    ceilings = ((row.case, row.number("users_ceiling_rps")) for row in material.rows)
    return {case: ceiling for case, ceiling in ceilings if ceiling is not None}


def _from_start_to_end(fall: MeasuredWaterfall, metric: str) -> str:
    """`From 55.4 to 163.0 views/s, ×2.94 [2.86–3.04].`; empty where an end is not known."""
    first, *_, last = fall.orders["forward"]
    begin, end = first.values[metric], last.values[metric]
    if not (begin and end):
        return ""
    digits = WRITTEN[metric][1]
    words = f"From {decimals(begin.mean, digits)} to {decimals(end.mean, digits)} {UNITS[metric]}"
    change = fall.whole.get(metric)
    ratio = f", {times_with_bounds(change.difference)}" if change and change.difference else ""
    return f"{words}{ratio}."


def _most(stages: Sequence[Stage]) -> Stage | None:
    """The stage whose change brought the most throughput, of those that brought some for sure."""
    better = [
        (change.difference.ratio, at)
        for at, stage in enumerate(stages)
        if (change := stage.changes.get("rps")) and change.difference and change.verdict == "better"
    ]
    return stages[max(better)[1]] if better else None


def brief_blocks(material: Material, group: Group) -> Iterator[Block]:
    """The table of each waterfall, in the suite's own order: what a screen has room for."""
    for fall in material.waterfalls:
        if fall.suite == group.suite.name:
            yield Heading(f"{fall.title}: {TITLES['forward']}")
            yield _table(fall.orders["forward"])


def _table(stages: Sequence[Stage]) -> Table:
    uneven = len({stage.rounds for stage in stages}) > 1
    columns = (
        TableColumn("Step", numeric=False, merged=True),
        TableColumn("Metric", numeric=False),
        TableColumn("Value", meaning="CPU/view in ms of the server's CPU time"),
        TableColumn("Ratio", meaning="this step / the one before; CPU/view only at equal load"),
        TableColumn("95 %"),
        TableColumn("Verdict", numeric=False),
        TableColumn("Bound by", numeric=False),
        TableColumn("Rounds", shown=EVERYWHERE if uneven else WIDE),
        TableColumn("Remark", numeric=False, shown=WIDE),
    )
    rows = [TableRow(tuple(_cells(stage, metric))) for stage in stages for metric in METRICS]
    return Table("", columns, rows, folded="The same as a table")


def _cells(stage: Stage, metric: str) -> Iterator[Cell]:
    change = stage.changes.get(metric)
    difference = change.difference if change else None
    yield stage.words
    yield metric_name(metric)
    yield Estimate(stage.values[metric], 1, spread=True)
    # At the start there is nothing to compare with.
    yield decimals(difference.ratio if difference else None, 3) if change else ""
    low, high = (difference.low, difference.high) if difference else (None, None)
    yield span(low, high, 3) if change else ""
    known = difference and difference.low is not None
    yield (change.verdict if known else UNKNOWN) if change else ""
    first = metric == METRICS[0]
    yield (stage.bound_by.replace(" / ", "/") or UNKNOWN) if first else ""
    yield str(stage.rounds) if first else ""
    yield remark(stage, [metric])


def _notes(falls: Iterable[MeasuredWaterfall]) -> Iterator[str]:
    """Why some figures say less than they seem to."""
    return each_once(
        reason
        for fall in falls
        for stages in fall.orders.values()
        for stage in stages
        for reason in remark(stage).split("; ")
        if reason
    )


def _figure(
    fall: MeasuredWaterfall, order: Order, metric: str, ceilings: dict[str, float], name: str
) -> Figure:
    heading = f"{metric_name(metric)}, {TITLES[order]}"
    canvas = _chart(fall.orders[order], metric, ceilings if metric == "rps" else {})
    return Figure(name, Picture(f"{fall.title}: {heading}", canvas.chart), heading, None)


def _chart(stages: Sequence[Stage], metric: str, ceilings: dict[str, float]) -> Canvas:
    values = [value.mean for stage in stages if (value := stage.values[metric])]
    limits = [ceilings[stage.case] for stage in stages if stage.case in ceilings]
    top = max([*values, *(limit for limit in limits if limit < 3 * max(values, default=0))])
    legend = [(GAIN, "gain"), (LOSS, "loss"), (OPEN, "undecided or too small")]
    if ceilings:
        legend.append((USERS, "users ceiling"))
    most = max(stage.rounds for stage in stages)
    words = [
        RowWords(("+ " if row else "") + stage.words, _result(stage, metric, most))
        for row, stage in enumerate(stages)
    ]
    canvas = Canvas(words, from_zero(top * 1.04, UNITS[metric]), legend)
    before: float | None = None
    for row, stage in enumerate(stages):
        value = stage.values[metric]
        if value:
            if before is None or row == len(stages) - 1:
                canvas.box(row, (0, value.mean), INK)
            else:
                canvas.box(row, (0, min(before, value.mean)), TRACK, opacity=0.8)
            if before is not None:
                canvas.box(row, (before, value.mean), _colour(stage, metric))
            canvas.interval(row, value)
            before = value.mean
        if (limit := ceilings.get(stage.case)) and limit <= top:
            canvas.tick(row, limit, USERS)
    return canvas


def _colour(stage: Stage, metric: str) -> Colour:
    change = stage.changes.get(metric)
    if change is None or change.verdict not in ("better", "worse"):
        return OPEN
    return GAIN if change.verdict == "better" else LOSS


def _result(stage: Stage, metric: str, most_rounds: int) -> str:
    """`121.4 ±2% ×1.42 · cpu`; of fewer rounds than the others: `… · 2 of 3 rounds`."""
    value = stage.values[metric]
    if not value:
        return "not measured" if not stage.rounds else UNKNOWN
    words = decimals(value.mean, WRITTEN[metric][1]) + plus_minus(value)
    change = stage.changes.get(metric)
    if change and change.difference:
        words += f"  {times(change.difference.ratio)}"
    bound = stage.bound_by.replace(" / ", "/") or UNKNOWN
    rounds = f"{stage.rounds} of {most_rounds} rounds" if stage.rounds < most_rounds else ""
    return " · ".join(filter(None, [words, bound if metric == "rps" else "", rounds]))
