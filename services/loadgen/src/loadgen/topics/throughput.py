"""Throughput, and the ceilings that it could not pass."""

from collections.abc import Iterator, Sequence
from statistics import fmean

import altair as alt

from loadgen.charts.canvas import Canvas, RowWords
from loadgen.charts.palette import LIMITS, TRACK, of_bound
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow
from loadgen.documents.lines import bound_by
from loadgen.documents.material import Entry, Group, Material
from loadgen.documents.words import UNKNOWN, figure, number, plus_minus
from loadgen.findings.summary import over_rounds
from loadgen.suites.labels import WRITTEN

#: More cases than this are not drawn: the first and the last of them are.
MOST_DRAWN = 40
#: A ceiling further away than so many times the highest rate is beyond the chart.
FARTHEST = 3.0
METRICS = {
    "rps": "Good answers a second over the whole window",
    "max_rps": "The best mean rate over any 10 s, as in Locust's chart",
}
HOW_TO_READ = (
    "The bar is the mean over rounds, the line on it the 95 % interval, the ticks below it are the "
    "rounds. The pale track ends at the lowest ceiling, the most that anything could reach there; "
    "upright ticks are all ceilings. The colour says what was used up. A dashed bar is not ranked: "
    "it measured the lab."
)
CEILINGS = ("users", "slots", "pool", "cpu")


def section(material: Material) -> Section | None:
    """A chart per suite."""
    blocks: list[Block] = []
    for group in material.groups:
        if len(material.groups) > 1:
            blocks.append(Heading(group.suite.question))
        blocks.append(_figure(group, first=group is material.groups[0]))
    return Section("throughput", "Throughput and its ceilings", blocks) if blocks else None


def drawn(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Those that a chart has room for."""
    half = MOST_DRAWN // 2
    return entries if len(entries) <= MOST_DRAWN else [*entries[:half], *entries[-half:]]


def ceilings(entry: Entry) -> dict[str, float]:
    """What a case could reach at most, by what sets it; the CPU's only where it was measured.

    Below saturation C / D is a lower bound of the ceiling, not one (laws.cpu_ceiling_rps).
    """
    found = {name: _ceiling(entry, name) for name in CEILINGS}
    kinds = {row["cpu_ceiling_kind"] for row in entry.measured}
    busy = bool(entry.measured) and "cpu" in bound_by(entry.line)
    if kinds != {"measured"} and not (kinds == {None} and busy):
        found["cpu"] = None
    return {name: value for name, value in found.items() if value}


def _ceiling(entry: Entry, name: str) -> float | None:
    """The mean over rounds, as of the rate: the CPU's differs between them, the others do not."""
    known = entry.known(f"{name}_ceiling_rps")
    return fmean(known) if known else None


def _figure(group: Group, *, first: bool) -> Figure:
    entries = drawn(group.entries)
    caption = f"{METRICS[group.metric]}."
    if first:
        caption += f" {HOW_TO_READ}"
    if len(entries) < len(group.entries):
        caption += f" Drawn are the first and last {len(entries) // 2} of {len(group.entries)}."
    return Figure(
        name=f"throughput-{group.suite.name}",
        title=f"Throughput with ceilings: {group.suite.question}",
        svg=_chart(group, entries),
        caption=caption,
        table=_table(group),
    )


def _chart(group: Group, entries: Sequence[Entry]) -> str:
    metric = group.metric
    reached = max((value for entry in entries for value in entry.known(metric)), default=1.0) or 1.0
    lowest = [min(found.values()) for entry in entries if (found := ceilings(entry))]
    top = min(max([reached, *lowest]), FARTHEST * reached) * 1.03
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(title="views/s", tickCount=6),
    )
    bounds = {
        part for entry in entries for part in bound_by(entry.line).replace(" / ", "+").split("+")
    }
    known = {name for entry in entries for name in ceilings(entry)}
    legend = [(colour, name) for name, colour in LIMITS.items() if name in bounds | known]
    words = [RowWords(one.line.name, _result(one, metric), one.state != "") for one in entries]
    canvas = Canvas(words, x, legend)
    for row, entry in enumerate(entries):
        _draw(canvas, row, entry, metric, top)
    return canvas.svg()


def _draw(canvas: Canvas, row: int, entry: Entry, metric: str, top: float) -> None:
    limits = ceilings(entry)
    if limits:
        canvas.box(row, (0, min(min(limits.values()), top)), TRACK, opacity=0.5)
    mean = over_rounds(entry.line.rows, metric)
    if mean:
        colour = of_bound(bound_by(entry.line))
        canvas.box(row, (0, mean.mean), colour, hollow=not entry.is_ranked)
        canvas.rounds(row, entry.known(metric), top)
        if mean.low is not None and mean.high is not None:
            canvas.interval(row, max(mean.low, 0), min(mean.high, top))
    for name, value in limits.items():
        if value <= top:
            canvas.tick(row, value, LIMITS[name])


def _result(entry: Entry, metric: str) -> str:
    if not entry.measured:
        return entry.outcome
    _, digits = WRITTEN[metric]
    mean = over_rounds(entry.line.rows, metric)
    said = number(mean.mean if mean else None, digits)
    return f"{said}{plus_minus(mean)} · {entry.outcome or _briefly(bound_by(entry.line))}"


def _briefly(bounds: str) -> str:
    """What held it back; of more than two limits the first, the table has them all."""
    first, *others = bounds.split(" / ")
    return f"{first}/…" if len(others) > 1 else "/".join((first, *others))


def _table(group: Group) -> Table:
    columns = (
        Column("Configuration", numeric=False),
        Column(WRITTEN[group.metric][0]),
        *(Column(f"{name} ceiling") for name in CEILINGS),
        Column("Bound by", numeric=False),
        Column("Used of it"),
    )
    rows = [TableRow(tuple(_cells(entry, group.metric)), entry.state) for entry in group.entries]
    caption = (
        "Views a second, mean over rounds with the 95 % interval, and what each ceiling allows. ≥: "
        "a lower bound, since CPU per view falls with load."
    )
    return Table(caption, columns, rows, folded="The same as a table")


def _cells(entry: Entry, metric: str) -> Iterator[str]:
    yield entry.line.label
    yield figure(entry, metric) if entry.measured else entry.outcome
    exact = ceilings(entry)
    for name in CEILINGS:
        value = _ceiling(entry, name)
        lower_bound = name == "cpu" and value is not None and name not in exact
        yield ("≥ " if lower_bound else "") + number(value, 1)
    yield bound_by(entry.line)
    share = entry.mean("ceiling_share")
    yield UNKNOWN if share is None else f"{share:.0%}"
