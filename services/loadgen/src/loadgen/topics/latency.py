"""Latency: percentiles over rounds, and the distribution from every sample."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from loadgen.charts import series
from loadgen.charts.canvas import Canvas, RowWords, logarithmic
from loadgen.charts.palette import BAD, CPU, INK, SLOTS, USERS
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
from loadgen.documents.run_material import Entry, Group, Material
from loadgen.documents.words import decimals
from loadgen.suites.labels import WRITTEN
from loadgen.suites.timing import Accounting
from loadgen.topics.throughput import drawn

INTRODUCTION = (
    "The hill shows how many good answers took how long, on a logarithmic scale, in the rounds "
    "that count. On it are p50 (dot), p95 and p99 (ticks), means over rounds; the figures are at "
    "the right. The red line is the service time: no answer can be faster. A percentile is missing "
    "(–) where it is unknown: it falls on a request without an answer, or too few requests lie "
    "above it."
)
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
TICKS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
#: Where a scale spans less than this, single steps of it are ticks.
NARROW = 5.0


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """A chart with its table, where the suite has latencies."""
    if not _span(group.entries):
        return
    canvas = _chart(material, group.suite.timing.accounting, drawn(group.entries))
    picture = Picture(f"Latency: {group.suite.question}", canvas.chart)
    yield Figure(f"latency-{group.suite.name}", picture, "", _table(group))


def _span(entries: Sequence[Entry]) -> tuple[float, float] | None:
    lows = [value for entry in entries for value in entry.known("min_ms")]
    highs = [value for entry in entries for value in entry.known("max_ms")]
    return (min(lows), max(highs)) if lows and highs else None


def _chart(material: Material, accounting: Accounting, entries: Sequence[Entry]) -> Canvas:
    span = _span(entries) or (1.0, 2.0)
    services = [value for entry in entries if (value := entry.first("service_time_ms"))]
    low = min([span[0], *services]) * 0.96
    high = max(span[1], low * 1.2) * 1.02
    ticks = [value for value in TICKS_MS if low <= value <= high]
    if high / low < NARROW:
        step = 10 ** math.floor(math.log10(high - low)) / 2
        ticks = np.arange(math.ceil(low / step) * step, high, step).tolist()
        ticks = ticks[:: max(1, math.ceil(len(ticks) / 8))]
    legend = [(USERS, "p50"), (CPU, "p95"), (SLOTS, "p99"), (BAD, "service time")]
    words = [RowWords(entry.name, _result(entry), faint=entry.state != "") for entry in entries]
    canvas = Canvas(words, logarithmic(low, high, ticks, "latency, ms"), legend)
    edges = series.bin_edges(low, high)
    middles = np.sqrt(edges[:-1] * edges[1:])
    for row, entry in enumerate(entries):
        counts = _counts(material, entry, accounting, edges)
        if counts.any():
            seen = np.flatnonzero(counts)
            begin, end = max(seen[0] - 1, 0), min(seen[-1] + 2, len(counts))
            heights = counts / counts.max()
            canvas.hill(row, middles[begin:end].tolist(), heights[begin:end].tolist(), INK)
        if service_ms := entry.first("service_time_ms"):
            canvas.tick(row, service_ms, BAD, tall=16, thick=1)
        for name, colour in (("p99_ms", SLOTS), ("p95_ms", CPU)):
            mean = entry.mean(name)
            if mean:
                canvas.tick(row, mean.mean, colour, tall=16, thick=2)
        if p50 := entry.mean("p50_ms"):
            canvas.dot(row, p50.mean, USERS, size=50)
    return canvas


def _counts(
    material: Material, entry: Entry, accounting: Accounting, edges: series.Numbers
) -> series.Numbers:
    """Every good answer of the rounds that count."""
    rows = [row for row in entry.measured if material.samples(row).exists()]
    windows = [float(row["window_s"] or 0) for row in rows]
    trials = (series.read_requests(material.samples(row)) for row in rows)
    return series.distribution(trials, windows, accounting, edges)


def _result(entry: Entry) -> str:
    if not entry.measured:
        return entry.outcome
    figures = " · ".join(decimals(entry.value(name), 0) for name in PERCENTILES) + " ms"
    return f"{figures} · {entry.fewer_rounds}" if entry.fewer_rounds else figures


def _table(group: Group) -> Table:
    metrics = ("min_ms", "avg_ms", *PERCENTILES, "max_ms")
    columns = (
        TableColumn("Configuration", numeric=False),
        *(TableColumn(WRITTEN[metric][0]) for metric in metrics),
        TableColumn("Failed"),
        TableColumn("Unanswered"),
        TableColumn("Starved"),
    )
    rows = [TableRow(tuple(_cells(entry, metrics)), entry.state) for entry in group.entries]
    caption = (
        "Milliseconds, mean over rounds with the 95 % interval. A failed, unanswered or starved "
        "request counts as infinitely slow. Such counts are sums over rounds."
    )
    return Table(caption, columns, rows, folded="The same as a table", shown=PAGE)


def _cells(entry: Entry, metrics: Sequence[str]) -> Iterator[Cell]:
    yield entry.with_rounds(entry.label)
    for metric in metrics:
        yield Estimate(entry.mean(metric), WRITTEN[metric][1])
    for column in ("failures", "unanswered", "starved"):
        counts = entry.known(column)
        yield decimals(sum(counts) if counts else None, 0)  # older runs did not count the starved
