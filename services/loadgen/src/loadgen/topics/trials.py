"""Every trial in a table that sorts and filters, and how to refute each."""

import shlex
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from loadgen.documents import command_lines
from loadgen.documents.document import (
    PAGE,
    Block,
    Cell,
    Command,
    Folded,
    Heading,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.run_material import Entry, Material
from loadgen.documents.words import UNKNOWN, decimals, listing, prose
from loadgen.records.columns import Row
from loadgen.suites.suite import Suite

#: Column of trials.csv → its heading and its digits.
FIGURES = {
    "rps": ("RPS", 1),
    "p50_ms": ("p50 (ms)", 0),
    "p95_ms": ("p95 (ms)", 0),
    "p99_ms": ("p99 (ms)", 0),
    "app_cpu_ms_per_view": ("CPU/view (ms)", 2),
    "app_pss_mib": ("PSS (MiB)", 0),
    "failures": ("Failed", 0),
    "starved": ("Starved", 0),
}
COLUMNS = (
    TableColumn("Configuration", numeric=False),
    TableColumn("Round"),
    *(TableColumn(heading) for heading, _ in FIGURES.values()),
    TableColumn("Bound by", numeric=False),
    TableColumn("Caveats", numeric=False),
)
CONTEST = (
    "A row is contested with a run, not with an argument: docs/rules.md says how. Open a row of "
    "the table, or one below, for the command that repeats it, the server's flags with their "
    "reasons (docs/servers.md has each flag's), and a plain hey against it."
)


def blocks(material: Material) -> Iterator[Block]:
    """The table, then what refutes each case."""
    entries: dict[str, tuple[Suite, Entry]] = {}
    for group in material.groups:
        for entry in group.entries:
            entries.setdefault(entry.case.slug, (group.suite, entry))
    if not entries:
        return
    rows = [
        _row(material, *each) for _, entry in entries.values() for each in _all(material, entry)
    ]
    rows += _windows(material, entries)
    caption = (
        "Every trial of the run; of one that was measured again the last attempt counts. A dashed "
        "line: not ranked; struck through: not measured."
    )
    yield Table(caption, COLUMNS, rows, filtered="trials", shown=PAGE)
    yield Heading("Refute a row", shown=PAGE)
    yield Text([CONTEST], shown=PAGE)
    yield from (_refutation(material, suite, entry) for suite, entry in entries.values())


def _all(material: Material, entry: Entry) -> Iterator[tuple[Entry, Row, str]]:
    """A case's rows, also those that were measured again, with what to add to its name."""
    for row in material.rows:
        if row.case == entry.case.slug and not row.is_window and not row.is_of_duet:
            attempt = row.count("attempt") or 1
            yield entry, row, "" if attempt == 1 else f", attempt {attempt}"


def _windows(material: Material, entries: Mapping[str, tuple[Suite, Entry]]) -> Iterator[TableRow]:
    """The windows of searches: each is a trial of a stack, at a rate that its search offered."""
    windows = [row for row in material.rows if row.is_window]
    for _, entry in entries.values():
        places = {row["position"] for row in entry.rows}
        for row in windows:
            if row["position"] in places:
                what = f", {row.number('rate_rps'):g} arrivals/s, window {row['repeat']}"
                yield _row(material, entry, row, what)


def _label(material: Material, entry: Entry) -> str:
    """The server's title, and all else that differs in the run."""
    return material.labels.name(entry.case, material.titles[entry.case.server])


def _row(material: Material, entry: Entry, row: Row, what: str = "") -> TableRow:
    state, caveats = "", row.text("caveats")
    if not row.is_measured:
        state, caveats = "failed", f"failed: {row['outcome']}"
    elif not row.is_ranked:
        state, caveats = "unranked", f"not ranked: {caveats}"
    cells: tuple[Cell, ...] = (
        _label(material, entry) + what,
        row.text("round"),
        *(decimals(row.number(column), digits) for column, (_, digits) in FIGURES.items()),
        row.text("bound_by") or UNKNOWN,
        caveats,
    )
    return TableRow(cells, state, opens=f"refute-{entry.key}")


def _refutation(material: Material, suite: Suite, entry: Entry) -> Folded:
    result = entry.outcome or f"{decimals(entry.value('rps'), 1)} views/s"
    return Folded(
        summary=Markup("{} <small>{}</small>").format(_label(material, entry), result),
        blocks=list(_against(material, suite, entry)),
        key=f"refute-{entry.key}",
    )


def _against(material: Material, suite: Suite, entry: Entry) -> Iterator[Block]:
    server = material.servers[entry.case.server]
    axes = material.environment.get("arguments", {}).get("axes") or {}
    yield Command("Repeat it, five times:", command_lines.repeat_case(entry.case, suite, axes))
    flags = (material.environment.get("servers") or {}).get(server.name, {}).get("command")
    if flags:
        yield Command("The server as it ran:", shlex.join(flags))
    if why := material.reasons.get(server.name):
        yield Text([Markup("<b>Why these flags:</b> {}").format(prose(why))])
    caveats = listing(entry.caveats, most=20) or "none"
    yield Text([f"Bound by: {entry.bound_by}. Caveats: {caveats}."])
    lines = "\n".join(command_lines.by_hand(entry.case, server))
    yield Command("Ask it without the lab's driver (then: docker compose down):", lines)
    if entry.measured:
        samples = material.samples(entry.measured[0]).name
        yield Text([Markup("Every request: <code>samples/{}</code>").format(samples)])
