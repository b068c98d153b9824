"""What a view costs: CPU and memory."""

from collections.abc import Iterator

import altair as alt

from loadgen.charts.canvas import Canvas, RowWords
from loadgen.charts.palette import CPU, POOL, Colour
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow
from loadgen.documents.material import Entry, Group, Material
from loadgen.documents.words import figure, number
from loadgen.findings.summary import over_rounds
from loadgen.suites.labels import WRITTEN
from loadgen.topics.throughput import drawn

CPU_CAPTION = (
    "CPU time of the whole server by good answers, mean over rounds with the 95 % interval. It "
    "falls with load, so hold only rows of about the same rate against each other."
)
MEMORY_CAPTION = (
    "Proportional set size of the server's processes after the window: memory that they share "
    "counts once."
)
COLUMNS = ("app_cpu_ms_per_view", "app_cpu_share", "app_pss_mib", "app_peak_mib")
#: A value so many times the median is cut off in the drawing, lest the others vanish.
CUT_OFF = 6.0


def section(material: Material) -> Section | None:
    """Two charts per suite, where the lab's launcher ran the servers."""
    groups = [
        group
        for group in material.groups
        if any(entry.known("app_cpu_ms_per_view") for entry in group.entries)
    ]
    blocks: list[Block] = []
    for group in groups:
        if len(groups) > 1:
            blocks.append(Heading(group.suite.question))
        for metric, colour, name, caption in (
            ("app_cpu_ms_per_view", CPU, "cpu", CPU_CAPTION),
            ("app_pss_mib", POOL, "memory", MEMORY_CAPTION),
        ):
            if any(entry.known(metric) for entry in group.entries):
                said = caption if group is groups[0] else ""
                blocks.append(_figure(group, metric, colour, name, said))
        blocks.append(_table(group))
    return Section("cost", "CPU per view, and memory", blocks) if blocks else None


def _figure(group: Group, metric: str, colour: Colour, name: str, caption: str) -> Figure:
    heading = WRITTEN[metric][0]
    chart, cut = _chart(group, metric, colour)
    if cut:
        caption += (
            " A bar that runs to the edge with an arrow beside its figure is longer than that."
        )
    return Figure(
        name=f"{name}-{group.suite.name}",
        title=f"{heading}: {group.suite.question}",
        svg=chart,
        caption=caption,
        table=None,
    )


def _chart(group: Group, metric: str, colour: Colour) -> tuple[str, bool]:
    heading, _ = WRITTEN[metric]
    entries = drawn(group.entries)
    means = sorted(value for entry in entries if (value := entry.mean(metric)) is not None)
    top = max(means, default=1.0) * 1.08
    middle = means[len(means) // 2] if means else 1.0
    inside = [value for value in means if value <= CUT_OFF * middle]
    cut = len(inside) < len(means)
    if cut:
        top = max(inside) * 1.15
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, top], nice=False, clamp=True),
        axis=alt.Axis(title=heading, tickCount=6),
    )
    canvas = Canvas([_words(entry, metric, top) for entry in entries], x)
    for row, entry in enumerate(entries):
        mean = over_rounds(entry.line.rows, metric)
        if not mean:
            continue
        canvas.box(row, (0, min(mean.mean, top)), colour, hollow=not entry.is_ranked)
        canvas.rounds(row, entry.known(metric), top)
        if mean.low is not None and mean.high is not None and mean.mean <= top:
            canvas.interval(row, mean.low, min(mean.high, top))
    return canvas.svg(), cut


def _words(entry: Entry, metric: str, top: float) -> RowWords:
    mean = entry.mean(metric)
    said = entry.outcome or number(mean, WRITTEN[metric][1])
    if mean is not None and mean > top:
        said += " →"
    return RowWords(entry.line.name, said, faint=entry.state != "")


def _table(group: Group) -> Table:
    columns = (
        Column("Configuration", numeric=False),
        *(Column(WRITTEN[metric][0]) for metric in COLUMNS),
        Column("Processes"),
        Column("Threads"),
    )
    rows = [
        TableRow(tuple(_cells(group, number)), group.entries[number].state)
        for number in range(len(group.entries))
    ]
    caption = "Mean over rounds with the 95 % interval; processes and threads at the window's end."
    return Table(caption, columns, rows, folded="CPU and memory as a table")


def _cells(group: Group, index: int) -> Iterator[str]:
    entry = group.entries[index]
    yield entry.line.label
    for metric in COLUMNS:
        yield figure(entry, metric)
    for column in ("app_processes", "app_threads"):
        yield number(max(entry.known(column), default=None), 0)
