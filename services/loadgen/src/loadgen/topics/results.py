"""A suite's closing table: its cases, an article's figures beside ours where it has some."""

from collections.abc import Iterator

from loadgen.documents.document import (
    PAGE,
    TERMINAL,
    TEXT,
    WIDE,
    Block,
    Cell,
    Estimate,
    Outcome,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.run_material import Entry, Group
from loadgen.findings.answers_nobody import silence
from loadgen.findings.summary import THROUGHPUT
from loadgen.suites.labels import MOST_SPARED, WRITTEN

#: What is shown where no article says what to show.
METRICS = ("rps", "p50_ms", "p95_ms", "app_cpu_ms_per_view")
INTRODUCTION = (
    "The article's figures are from its own machine and day. Ours have its load and concurrency, "
    "but equal settings and today's versions. Compare the order of the rows and their ratios, not "
    "the figures."
)


def blocks(group: Group) -> Iterator[Block]:
    """The table, and what the suite has left out.

    In a page it stands among others that say more, so it is there for an article's sake only.
    """
    if group.apart:
        yield results_table(group)
        if notes := list(_notes(group)):
            yield Text(notes, "note", shown=TERMINAL)
    if group.suite.left_out:
        left_out = [f"Left out: {reason}." for reason in group.suite.left_out]
        yield Text(left_out, "note", shown=TEXT)


def results_table(group: Group) -> Table:
    """A row for each case that has no waterfall or search to itself."""
    published = dict.fromkeys(name for entry in group.suite.published for name in entry.figures)
    metrics = list(published) or list(METRICS)
    columns = (
        TableColumn("Server", numeric=False, shown=TERMINAL),
        TableColumn("Configuration", numeric=False, shown=WIDE),
        *(TableColumn(WRITTEN[metric][0]) for metric in metrics),
        TableColumn("Bound by", numeric=False),
        TableColumn("Caveats", numeric=False, shown=WIDE),
    )
    rows = [
        TableRow(
            (
                _on_a_terminal(entry, group),
                entry.with_rounds(entry.label),
                *(_estimate(entry, metric) for metric in metrics),
                _ending(entry),
                ", ".join(entry.caveats),
            ),
            entry.state,
        )
        for entry in group.apart
    ]
    legend = "ours (the article's); –: not known" if published else ""
    return Table(legend, columns, rows, shown=TEXT | PAGE if published else TEXT)


def _on_a_terminal(entry: Entry, group: Group) -> str:
    """Its name: as short as can be told below the table."""
    name = entry.short if _spared(group) else entry.name
    return name + f" ({entry.fewer_rounds})".replace(" rounds", "") * entry.has_fewer_rounds


def _notes(group: Group) -> Iterator[str]:
    """What the names of a terminal's table leave out."""
    if any(entry.has_fewer_rounds for entry in group.apart):
        yield "(2 of 3): these figures rest on fewer rounds than others"
    if words := _spared(group):
        yield words


def _spared(group: Group) -> str:
    """What the names on a terminal leave out, which one line can tell: that of few servers."""
    if len({entry.case.server for entry in group.apart}) > MOST_SPARED:
        return ""
    words = "; ".join(f"{server} has {apart}" for server, apart in group.spared.items())
    return f"Not said in the names: {words}." if words else ""


def _estimate(entry: Entry, metric: str) -> Estimate:
    return Estimate(
        mean=entry.mean(metric),
        digits=WRITTEN[metric][1],
        published=entry.published.get(metric),
        spread=metric in THROUGHPUT,
    )


def _ending(entry: Entry) -> Cell:
    """What held the case back; that it answered nobody; or that it could not be measured."""
    if words := silence(entry.rows):
        return Outcome(words, "bad")
    return entry.bound_by if entry.measured else Outcome("failed", "bad")
