"""Waterfalls: what each change brings, in views a second and in CPU per view, in both orders."""

from collections.abc import Iterator, Sequence

import altair as alt

from loadgen.charts.canvas import Canvas, RowWords
from loadgen.charts.palette import BAD, INK, POOL, TRACK, UNEXPLAINED, USERS, Colour
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow, Text
from loadgen.documents.material import Material
from loadgen.documents.words import UNKNOWN, bounds, number, plus_minus, times, with_bounds
from loadgen.findings.comparisons import HIGHER_IS_BETTER
from loadgen.findings.waterfalls import METRICS, MeasuredWaterfall, Stage, remark
from loadgen.suites.labels import WRITTEN, metric_name
from loadgen.suites.waterfall import Order
from loadgen.topics.waterfall_tables import TITLES

UNITS = {"rps": "views/s", "app_cpu_ms_per_view": "ms of CPU per view"}
GAIN, LOSS, OPEN = POOL, BAD, UNEXPLAINED
WORDS = (
    "One change per step, each on top of those before it. The first and the last bar are the whole "
    "stack; between them the coloured part is what the change brought: a gain or a loss where the "
    "95 % interval of the paired ratio excludes 1, grey where it cannot be told or is too small to "
    "matter. The steps interact, so they are measured in the reversed order too. The blue tick is "
    "what the users can ask for at most."
)


def section(material: Material) -> Section | None:
    """For each waterfall and order, a chart per metric, and all of it as a table."""
    found = material.waterfalls
    if not found:
        return None
    blocks: list[Block] = [Text([WORDS], kind="note")]
    ceilings = _users_ceilings(material)
    for at, waterfall in enumerate(found, start=1):
        blocks.append(Heading(waterfall.title))
        blocks.append(Text([in_words(waterfall)]))
        for order, stages in waterfall.orders.items():
            for metric in METRICS:
                if not any(stage.values[metric] for stage in stages):
                    continue  # known of none, as CPU per view is where the lab starts no server
                name = f"waterfall-{at}-{order}-{'rps' if metric == 'rps' else 'cpu'}"
                blocks.append(_figure(waterfall, order, stages, metric, ceilings, name))
        blocks.append(_table(waterfall))
    return Section("waterfall", "What each change brings", blocks)


def _users_ceilings(material: Material) -> dict[str, float]:
    """By case: what its users can ask for."""
    return {
        str(row["case"]): float(row["users_ceiling_rps"])
        for row in material.rows
        if isinstance(row["users_ceiling_rps"], int | float)
    }


def in_words(waterfall: MeasuredWaterfall) -> str:
    """What all steps bring together, and which of them brought the most in each order."""
    said = [_from_start_to_end(waterfall, metric) for metric in METRICS]
    steps = []
    for order, stages in waterfall.orders.items():
        if (most := _most(stages)) and (change := most.changes["rps"].difference):
            where = "in the reversed order" if order == "reversed" else "The step that brings most"
            steps.append(f"{where}: {most.words}, {with_bounds(change)}")
    return " ".join([*filter(None, said), *([f"{'; '.join(steps)}."] if steps else [])])


def _from_start_to_end(waterfall: MeasuredWaterfall, metric: str) -> str:
    """`From 55.4 to 163.0 views/s, ×2.94 [2.86–3.04].`; empty where an end is not known."""
    first, *_, last = waterfall.orders["forward"]
    begin, end = first.values[metric], last.values[metric]
    if not (begin and end):
        return ""
    _, digits = WRITTEN[metric]
    said = f"From {number(begin.mean, digits)} to {number(end.mean, digits)} {UNITS[metric]}"
    change = waterfall.whole.get(metric)
    if change and (found := change.difference):
        said += f", {with_bounds(found)}"
    return said + "."


def _most(stages: Sequence[Stage]) -> Stage | None:
    """The stage whose change brought the most throughput, of those that brought some for sure."""
    better = [
        (found.ratio, at)
        for at, stage in enumerate(stages)
        if (change := stage.changes.get("rps"))
        and (found := change.difference)
        and change.verdict == "better"
    ]
    return stages[max(better)[1]] if better else None


def _figure(
    waterfall: MeasuredWaterfall,
    order: Order,
    stages: Sequence[Stage],
    metric: str,
    ceilings: dict[str, float],
    name: str,
) -> Figure:
    heading = f"{metric_name(metric)}, {TITLES[order]}"
    return Figure(
        name=name,
        title=f"{waterfall.title}: {heading}",
        svg=_chart(stages, metric, ceilings if metric == "rps" else {}),
        caption=heading,
        table=None,
    )


def _chart(stages: Sequence[Stage], metric: str, ceilings: dict[str, float]) -> str:
    values = [value.mean for stage in stages if (value := stage.values[metric])]
    limits = [ceilings[stage.case] for stage in stages if stage.case in ceilings]
    top = max([*values, *(limit for limit in limits if limit < 3 * max(values, default=0))])
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, top * 1.04], nice=False, clamp=True),
        axis=alt.Axis(title=UNITS[metric], tickCount=6),
    )
    legend = [(GAIN, "gain"), (LOSS, "loss"), (OPEN, "not to be told, or no matter")]
    if ceilings:
        legend.append((USERS, "users ceiling"))
    words = [
        RowWords(("+ " if row else "") + stage.words, _result(stage, metric))
        for row, stage in enumerate(stages)
    ]
    canvas = Canvas(words, x, legend)
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
            if value.low is not None and value.high is not None:
                canvas.interval(row, value.low, min(value.high, top * 1.04))
            before = value.mean
        if (limit := ceilings.get(stage.case)) and limit <= top:
            canvas.tick(row, limit, USERS)
    return canvas.svg()


def _colour(stage: Stage, metric: str) -> Colour:
    change = stage.changes.get(metric)
    if change is None or change.verdict not in ("better", "worse"):
        return OPEN
    return GAIN if change.verdict == "better" else LOSS


def _result(stage: Stage, metric: str) -> str:
    """`121.4 ±2% ×1.42 · cpu`."""
    value = stage.values[metric]
    if not value:
        return "not measured" if not stage.rounds else UNKNOWN
    said = number(value.mean, WRITTEN[metric][1]) + plus_minus(value)
    change = stage.changes.get(metric)
    if change and change.difference:
        said += f"  {times(change.difference.ratio)}"
    return f"{said} · {stage.bound_by.replace(' / ', '/') or UNKNOWN}" if metric == "rps" else said


def _table(waterfall: MeasuredWaterfall) -> Table:
    columns = [Column("Order", False), Column("Step", False)]
    for metric in METRICS:
        columns += [Column(WRITTEN[metric][0]), Column("Ratio"), Column("Verdict", False)]
    columns += [Column("Bound by", False), Column("Rounds"), Column("Remark", False)]
    rows = [
        TableRow(tuple(_cells(order, number, stage)))
        for order, stages in waterfall.orders.items()
        for number, stage in enumerate(stages)
    ]
    worse = "more" if "rps" in HIGHER_IS_BETTER else "less"
    caption = (
        f"Each stage, and its ratio to the one before with the 95 % interval; {worse} views/s are "
        "better, less CPU per view is. CPU per view is compared at equal load only."
    )
    return Table(caption, tuple(columns), rows, folded="Both orders as a table")


def _cells(order: Order, number_of_step: int, stage: Stage) -> Iterator[str]:
    yield order
    yield f"{number_of_step}: {stage.words}"
    for metric in METRICS:
        value, digits = stage.values[metric], WRITTEN[metric][1]
        yield number(value.mean, digits) + bounds(value, digits) if value else UNKNOWN
        change = stage.changes.get(metric)
        found = change.difference if change else None
        yield with_bounds(found).removeprefix("×") if found else UNKNOWN
        yield change.verdict if change else ""
    yield stage.bound_by or UNKNOWN
    yield str(stage.rounds)
    yield remark(stage)
