"""Throughput, and the ceilings that it could not pass."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from loadgen.charts.canvas import Canvas, RowWords, from_zero
from loadgen.charts.palette import LIMITS, TRACK, of_bound
from loadgen.documents.document import (
    PAGE,
    Block,
    Cell,
    Estimate,
    Figure,
    Picture,
    Table,
    TableColumn,
    TableRow,
)
from loadgen.documents.run_material import Entry, Group
from loadgen.documents.words import UNKNOWN, decimals, plus_minus
from loadgen.suites.labels import WRITTEN

#: More cases than this are not drawn: the first and the last of them are.
MOST_DRAWN = 40
#: A ceiling further away than so many times the highest rate is beyond the chart.
FARTHEST = 3.0
METRICS = {
    "rps": "Good answers a second over the whole window",
    "max_rps": "The best mean rate over any 10 s, as in Locust's chart",
}
#: What is to be known of a bar that is not the mean rate of the window, as its ceilings are.
OF_THE_WINDOW = (
    "Ceilings, and the share of them that was used, are for the mean over the whole window. The "
    "best 10 s may lie above them."
)
INTRODUCTION = (
    "The bar is the mean over rounds, the line on it the 95 % interval; the ticks below it are the "
    "rounds. The pale track ends at the lowest ceiling: more was not possible there. Upright ticks "
    "are all ceilings. The colour says what the row was bound by. A dashed bar is not ranked: it "
    "says more about the lab than about the server."
)
CEILINGS = ("users", "slots", "pool", "cpu")


def blocks(group: Group) -> Iterator[Block]:
    """A chart with its table; none where the suite has nothing but duets."""
    if not group.entries:
        return
    entries = drawn(group.entries)
    caption = f"{METRICS[group.metric]}."
    if group.metric != "rps":
        caption += f" {OF_THE_WINDOW}"
    if len(entries) < len(group.entries):
        caption += f" The first and last {len(entries) // 2} of {len(group.entries)} are drawn."
    title = f"Throughput with ceilings: {group.suite.question}"
    picture = Picture(title, _chart(group, entries).chart)
    yield Figure(f"throughput-{group.suite.name}", picture, caption, _table(group))


def drawn(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Those that a chart has room for."""
    half = MOST_DRAWN // 2
    return entries if len(entries) <= MOST_DRAWN else [*entries[:half], *entries[-half:]]


def ceilings(entry: Entry) -> dict[str, float]:
    """What a case could reach at most, by what sets it; the CPU's only where it was measured.

    Below saturation C / D is a lower bound of the ceiling, not one (laws.cpu_ceiling_rps).
    """
    limits = {name: _ceiling(entry, name) for name in CEILINGS}
    kinds = {row.text("cpu_ceiling_kind") for row in entry.measured}
    busy = bool(entry.measured) and "cpu" in entry.bound_by
    if kinds != {"measured"} and not (kinds == {""} and busy):
        limits["cpu"] = None
    return {name: value for name, value in limits.items() if value}


def _ceiling(entry: Entry, name: str) -> float | None:
    """The mean over rounds, as of the rate: the CPU's differs between them, the others do not."""
    known = entry.known(f"{name}_ceiling_rps")
    return fmean(known) if known else None


def _chart(group: Group, entries: Sequence[Entry]) -> Canvas:
    metric = group.metric
    reached = max((value for entry in entries for value in entry.known(metric)), default=1.0) or 1.0
    lowest = [min(limits.values()) for entry in entries if (limits := ceilings(entry))]
    top = min(max([reached, *lowest]), FARTHEST * reached) * 1.03
    bounds = {part for entry in entries for part in entry.bound_by.replace("/", "+").split("+")}
    known = {name for entry in entries for name in ceilings(entry)}
    legend = [(colour, name) for name, colour in LIMITS.items() if name in bounds | known]
    words = [RowWords(entry.name, _result(entry, metric), entry.state != "") for entry in entries]
    canvas = Canvas(words, from_zero(top, "views/s"), legend)
    for row, entry in enumerate(entries):
        _draw(canvas, row, entry, metric, top)
    return canvas


def _draw(canvas: Canvas, row: int, entry: Entry, metric: str, top: float) -> None:
    limits = ceilings(entry)
    if limits:
        canvas.box(row, (0, min(min(limits.values()), top)), TRACK, opacity=0.5)
    mean = entry.mean(metric)
    if mean:
        colour = of_bound(entry.bound_by)
        canvas.box(row, (0, mean.mean), colour, hollow=not entry.is_ranked)
        canvas.rounds(row, entry.known(metric), top)
        canvas.interval(row, mean)
    for name, value in limits.items():
        if value <= top:
            canvas.tick(row, value, LIMITS[name])


def _result(entry: Entry, metric: str) -> str:
    if not entry.measured:
        return entry.outcome
    _, digits = WRITTEN[metric]
    mean = entry.mean(metric)
    rate = decimals(mean.mean if mean else None, digits)
    words = [f"{rate}{plus_minus(mean)}", entry.outcome or _briefly(entry.bound_by)]
    return " · ".join(filter(None, [*words, entry.fewer_rounds]))


def _briefly(bounds: str) -> str:
    """What held it back; of more than two limits the first, the table has them all."""
    first, *others = bounds.split("/")
    return f"{first}/…" if len(others) > 1 else "/".join((first, *others))


def _table(group: Group) -> Table:
    columns = (
        TableColumn("Configuration", numeric=False),
        TableColumn(WRITTEN[group.metric][0]),
        *(TableColumn(f"{name} ceiling") for name in CEILINGS),
        TableColumn("Bound by", numeric=False),
        TableColumn("Share used"),
    )
    rows = [TableRow(tuple(_cells(entry, group.metric)), entry.state) for entry in group.entries]
    caption = (
        "Views/s, mean over rounds with the 95 % interval, and what each ceiling allows. ≥: a "
        "lower bound, since CPU per view falls with load. Share used: of the ceiling that bound "
        "the row."
    )
    return Table(caption, columns, rows, folded="The same as a table", shown=PAGE)


def _cells(entry: Entry, metric: str) -> Iterator[Cell]:
    yield entry.with_rounds(entry.label)
    yield Estimate(entry.mean(metric), WRITTEN[metric][1]) if entry.measured else entry.outcome
    exact = ceilings(entry)
    for name in CEILINGS:
        value = _ceiling(entry, name)
        lower_bound = name == "cpu" and value is not None and name not in exact
        yield ("≥ " if lower_bound else "") + decimals(value, 1)
    yield entry.bound_by
    share = entry.value("ceiling_share")
    yield UNKNOWN if share is None else f"{share:.0%}"
