"""What a run says about its waterfalls: what each stage reached, and what each step brought.

`waterfalls(suites, rows)` is all that a table or a chart of them needs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from loadgen.findings import summary
from loadgen.findings.both_sides import DISTANCE_COLUMNS, distance_cells
from loadgen.findings.comparisons import Comparison, ComparisonKey, adjusted, compare_rows
from loadgen.records.columns import (
    COUNT,
    NUMBER,
    TEXT,
    Cell,
    Column,
    Row,
    attempts_by_case,
    rows_by_case,
)
from loadgen.records.files import write_csv
from loadgen.suites.suite import Suite
from loadgen.suites.waterfall import Order, Step, Waterfall
from loadgen.theory.statistics import Interval
from loadgen.trials import caveats

#: What a waterfall shows of each stage.
METRICS = ("rps", "app_cpu_ms_per_view")


@dataclass(frozen=True)
class Stage:
    """One stage of a waterfall: its start, or what one more change has made of it.

    Attributes:
        words: what has changed; of the start: what it is.
        case: the case's slug.
        rounds: in which it was measured, and which count here.
        values: its mean over these rounds, by metric (METRICS); None where it is not known.
        bound_by: what held it back, as in the column of that name; empty where it is not known.
        saturated: of these rounds: in which the API was late or busy (`api-saturated`). Their
            figures are those of the stack with that API; they say nothing about the server.
        changes: how it compares with the stage before, by metric; empty at the start, and where
            one of the two has no row.
    """

    words: str
    case: str
    rounds: int
    values: Mapping[str, Interval | None]
    bound_by: str
    saturated: int
    changes: Mapping[str, Comparison]


@dataclass(frozen=True)
class MeasuredWaterfall:
    """A waterfall with what was measured of it.

    Attributes:
        orders: the stages in each order, the start first: `forward`, and `reversed` where that is
            another. Both begin and end at the same cases.
        whole: the last stage against the start, by metric; empty where one of them has no row.
    """

    suite: str
    title: str
    orders: Mapping[Order, tuple[Stage, ...]]
    whole: Mapping[str, Comparison]


def waterfalls(suites: Iterable[Suite], rows: Sequence[Row]) -> list[MeasuredWaterfall]:
    """The waterfalls of which at least one case has a row, in the suites' order.

    A change is judged as any comparison is (comparisons.compare_rows): over the rounds in which
    both stages count, `not comparable` where they are too few or the CPU per view was at unequal
    load. All changes of all waterfalls are one family for the adjustment of p.
    """
    by_case, attempts = rows_by_case(rows), attempts_by_case(rows)
    asked = [
        (suite, waterfall)
        for suite in suites
        for waterfall in suite.waterfalls
        if any(case.slug in by_case for case in waterfall.cases)
    ]
    compared = [
        change
        for suite, waterfall in asked
        for a, b, words in _changes(waterfall)
        for change in _compared(suite.name, words, attempts.get(a, ()), attempts.get(b, ()))
    ]
    known = {change.key: change for change in adjusted(compared)}
    return [_measured(suite.name, waterfall, by_case, known) for suite, waterfall in asked]


def counts(row: Row, metric: str = "rps") -> bool:
    """Whether a measured row counts in a waterfall, in a metric.

    The API is a part of the stacks here: which one is called, and by how many new connections, is
    what some steps change. So a row that it held back counts, which as a row about the server it
    would not.
    """
    return row.is_ranked_for(metric) or caveats.held_back_by_the_api_alone(row, metric)


def write_waterfalls(suites: Iterable[Suite], rows: Sequence[Row], file: Path) -> None:
    """waterfall.csv: a line per stage and order; no file where the suites have no waterfall."""
    measured = waterfalls(suites, rows)
    if not measured:
        return
    lines = (
        _line(waterfall, order, number, stage)
        for waterfall in measured
        for order, stages in waterfall.orders.items()
        for number, stage in enumerate(stages)
    )
    write_csv(file, (column.name for column in COLUMNS), lines)


def remark(stage: Stage, metrics: Sequence[str] = METRICS) -> str:
    """Why a stage's figures or changes say less than they seem to; empty where they do not.

    Args:
        metrics: of whose changes it is said; a late API concerns the first of METRICS.
    """
    reasons = []
    if stage.saturated and METRICS[0] in metrics:
        some = stage.saturated < stage.rounds
        share = f" in {stage.saturated} of {stage.rounds} rounds" if some else ""
        reasons.append(f"the API was late or busy{share}")
    changes = (stage.changes[metric] for metric in metrics if metric in stage.changes)
    reasons += [change.reason for change in changes if change.reason]
    return "; ".join(dict.fromkeys(reasons))


def _of_metric(metric: str, what: str, unit: str) -> Iterator[Column]:
    yield Column(metric, NUMBER, f"{what}: mean over the rounds that count", unit=unit)
    yield Column(
        f"{metric}_low", NUMBER, "lower end of its 95 % interval, from three rounds on", unit=unit
    )
    yield Column(f"{metric}_high", NUMBER, "upper end of its 95 % interval", unit=unit)
    yield Column(f"{metric}_ratio", NUMBER, "this stage / the one before, paired by round")
    yield Column(f"{metric}_ratio_low", NUMBER, "lower end of its 95 % interval")
    yield Column(f"{metric}_ratio_high", NUMBER, "upper end of its 95 % interval")
    yield Column(f"{metric}_p_adjusted", NUMBER, "as in comparisons.csv, over all waterfalls")
    yield Column(f"{metric}_verdict", TEXT, "how this stage does, as in comparisons.csv")


#: Of waterfall.csv.
COLUMNS = (
    Column("suite", TEXT, "the suite that asks"),
    Column("waterfall", TEXT, "its title"),
    Column(
        "order", TEXT, "`forward`: as the suite lists the steps; `reversed`: the other way round"
    ),
    Column("step", COUNT, "0 is the start; 1, 2, … is the stage after so many changes"),
    Column("words", TEXT, "what has changed; for the start: what it is"),
    Column("case", TEXT, "the case of this stage, as in trials.csv"),
    Column("rounds", COUNT, "measured rounds that count"),
    *(
        replace(column, meaning=f"from the stage before: {column.meaning}")
        for column in DISTANCE_COLUMNS
    ),
    *_of_metric("rps", "good answers divided by the window's length", "1/s"),
    *_of_metric("app_cpu_ms_per_view", "CPU time of the server per good answer", "ms"),
    Column("bound_by", TEXT, "what held it back, as in trials.csv"),
    Column("remark", TEXT, "why the figures say less than they seem to"),
)


def _line(waterfall: MeasuredWaterfall, order: Order, number: int, stage: Stage) -> Iterator[Cell]:
    yield from (waterfall.suite, waterfall.title, order, number, stage.words, stage.case)
    yield stage.rounds
    yield from distance_cells(next((change.distance for change in stage.changes.values()), None))
    for metric in METRICS:
        value, change = stage.values[metric], stage.changes.get(metric)
        yield from (value.mean, value.low, value.high) if value else (None, None, None)
        ratio = change.difference if change else None
        yield from (ratio.ratio, ratio.low, ratio.high) if ratio else (None, None, None)
        yield from (change.p_adjusted, change.verdict) if change else (None, None)
    yield stage.bound_by or None
    yield remark(stage) or None


def _changes(waterfall: Waterfall) -> list[tuple[str, str, str]]:
    """What is compared: each stage with the one before, and the last with the first."""
    ways = waterfall.orders.values()
    changes = [(a.case, b.case, b.words) for steps in ways for a, b in pairwise(steps)]
    first, *_, last = waterfall.orders["forward"]
    changes.append((first.case, last.case, waterfall.title))
    distinct = {(a.slug, b.slug): words for a, b, words in reversed(changes)}
    return [(a, b, words) for (a, b), words in distinct.items()]


def _compared(suite: str, words: str, a: Sequence[Row], b: Sequence[Row]) -> Iterator[Comparison]:
    if a and b:
        for metric in METRICS:
            yield compare_rows(suite, words, a, b, metric, counts)


def _measured(
    suite: str,
    waterfall: Waterfall,
    by_case: Mapping[str, Sequence[Row]],
    known: Mapping[ComparisonKey, Comparison],
) -> MeasuredWaterfall:
    def changes(a: str, b: str) -> dict[str, Comparison]:
        keys = ((metric, (a, b, metric, False)) for metric in METRICS)
        return {metric: known[key] for metric, key in keys if key in known}

    orders: dict[Order, tuple[Stage, ...]] = {}
    for order, steps in waterfall.orders.items():
        stages = [_stage(step, by_case.get(step.case.slug, ())) for step in steps]
        changed = (replace(b, changes=changes(a.case, b.case)) for a, b in pairwise(stages))
        orders[order] = (stages[0], *changed)
    first, *_, last = orders["forward"]
    return MeasuredWaterfall(suite, waterfall.title, orders, changes(first.case, last.case))


def _stage(step: Step, rows: Sequence[Row]) -> Stage:
    measured = [row for row in rows if row.is_measured]
    counted = [row for row in measured if counts(row)]
    return Stage(
        words=step.words,
        case=step.case.slug,
        rounds=len(counted),
        values={metric: summary.mean(counted, metric) for metric in METRICS},
        bound_by=summary.what_bound(counted),
        saturated=sum(map(_is_saturated, counted)),
        changes={},
    )


def _is_saturated(row: Row) -> bool:
    return caveats.API_SATURATED.name in row.caveats
