"""What a view costs: CPU and memory."""

from collections.abc import Iterator

from loadgen.charts.canvas import Canvas, RowWords, from_zero
from loadgen.charts.palette import CPU, POOL, Colour
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
from loadgen.documents.words import decimals
from loadgen.suites.labels import WRITTEN
from loadgen.topics.throughput import drawn

INTRODUCTION = (
    "CPU time of the whole server divided by good answers, mean over rounds with the 95 % "
    "interval. It falls with load, so compare only rows with about the same views/s. Memory is "
    "that of the server's processes after the window (PSS): what they share counts once."
)
CUT = "An arrow beside a figure: its bar is longer than the chart."
COLUMNS = ("app_cpu_ms_per_view", "app_cpu_share", "app_pss_mib", "app_peak_mib")
#: A value so many times the median is cut off in the drawing, lest the others vanish.
CUT_OFF = 6.0


def blocks(group: Group) -> Iterator[Block]:
    """Two charts and a table, where the lab's launcher ran the servers."""
    if not any(entry.known("app_cpu_ms_per_view") for entry in group.entries):
        return
    for metric, colour, name in (
        ("app_cpu_ms_per_view", CPU, "cpu"),
        ("app_pss_mib", POOL, "memory"),
    ):
        if any(entry.known(metric) for entry in group.entries):
            yield _figure(group, metric, colour, name)
    yield _table(group)


def _figure(group: Group, metric: str, colour: Colour, name: str) -> Figure:
    heading = WRITTEN[metric][0]
    canvas, cut = _chart(group, metric, colour)
    caption = CUT if cut else heading
    picture = Picture(f"{heading}: {group.suite.question}", canvas.chart)
    return Figure(f"{name}-{group.suite.name}", picture, caption, None)


def _chart(group: Group, metric: str, colour: Colour) -> tuple[Canvas, bool]:
    entries = drawn(group.entries)
    means = sorted(value for entry in entries if (value := entry.value(metric)) is not None)
    top = max(means, default=1.0) * 1.08
    middle = means[len(means) // 2] if means else 1.0
    inside = [value for value in means if value <= CUT_OFF * middle]
    cut = len(inside) < len(means)
    if cut:
        top = max(inside) * 1.15
    words = [_words(entry, metric, top) for entry in entries]
    canvas = Canvas(words, from_zero(top, WRITTEN[metric][0]))
    for row, entry in enumerate(entries):
        mean = entry.mean(metric)
        if not mean:
            continue
        canvas.box(row, (0, mean.mean), colour, hollow=not entry.is_ranked)
        canvas.rounds(row, entry.known(metric), top)
        if mean.mean <= top:
            canvas.interval(row, mean)
    return canvas, cut


def _words(entry: Entry, metric: str, top: float) -> RowWords:
    mean = entry.value(metric)
    beyond = " →" if mean is not None and mean > top else ""
    result = (entry.outcome or decimals(mean, WRITTEN[metric][1])) + beyond
    words = " · ".join(filter(None, [result, entry.fewer_rounds]))
    return RowWords(entry.name, words, faint=entry.state != "")


def _table(group: Group) -> Table:
    columns = (
        TableColumn("Configuration", numeric=False),
        *(TableColumn(WRITTEN[metric][0]) for metric in COLUMNS),
        TableColumn("Processes"),
        TableColumn("Threads"),
    )
    rows = [TableRow(tuple(_cells(entry)), entry.state) for entry in group.entries]
    caption = "Mean over rounds with the 95 % interval; processes and threads at the window's end."
    return Table(caption, columns, rows, folded="CPU and memory as a table", shown=PAGE)


def _cells(entry: Entry) -> Iterator[Cell]:
    yield entry.with_rounds(entry.label)
    for metric in COLUMNS:
        yield Estimate(entry.mean(metric), WRITTEN[metric][1])
    for column in ("app_processes", "app_threads"):
        yield decimals(max(entry.known(column), default=None), 0)
