"""Every trial in a table that sorts and filters, and how to refute each."""

import shlex
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from loadgen.documents import command_lines
from loadgen.documents.blocks import (
    Block,
    Column,
    Command,
    Folded,
    Heading,
    Section,
    Table,
    TableRow,
    Text,
)
from loadgen.documents.lines import bound_by
from loadgen.documents.material import Entry, Material
from loadgen.documents.words import UNKNOWN, listing, number, prose
from loadgen.records.columns import Row
from loadgen.suites.suite import Suite

COLUMNS = (
    Column("Configuration", numeric=False),
    Column("Round"),
    Column("RPS"),
    Column("p50 (ms)"),
    Column("p95 (ms)"),
    Column("p99 (ms)"),
    Column("CPU/view (ms)"),
    Column("PSS (MiB)"),
    Column("Failed"),
    Column("Starved"),
    Column("Bound by", numeric=False),
    Column("Caveats", numeric=False),
)
FIGURES = (
    *(("rps", 1), ("p50_ms", 0), ("p95_ms", 0), ("p99_ms", 0), ("app_cpu_ms_per_view", 2)),
    *(("app_pss_mib", 0), ("failures", 0), ("starved", 0)),
)
CONTEST = (
    "A row is contested with a run, not with an argument: docs/rules.md says how. Open a row of "
    "the table, or one below, for the command that repeats it, the server's flags with their "
    "reasons (docs/servers.md has each flag's), and a plain hey against it."
)


def section(material: Material) -> Section | None:
    """The table, then what refutes each case."""
    entries: dict[str, tuple[Suite, Entry]] = {}
    for group in material.groups:
        for entry in group.entries:
            entries.setdefault(entry.case.slug, (group.suite, entry))
    if not entries:
        return None
    rows = [_row(material, entry, row) for _, entry in entries.values() for row in entry.line.rows]
    rows += list(_windows(material, entries))
    table = Table(
        "Every trial of the run. A dashed line: not ranked; struck through: not measured.",
        COLUMNS,
        rows,
        filtered=True,
    )
    refutations = [_refutation(material, suite, entry) for suite, entry in entries.values()]
    heading = Heading("Refute a row")
    blocks: list[Block] = [table, heading, Text([CONTEST]), *refutations]
    return Section("trials", "Trials", blocks)


def _windows(material: Material, entries: Mapping[str, tuple[Suite, Entry]]) -> Iterator[TableRow]:
    """The windows of searches: each is a trial of a stack, at a rate that its search offered."""
    for suite, entry in entries.values():
        for row in material.rows if suite.search else ():
            rate_rps = row["rate_rps"]
            if row["repeat"] is None or not isinstance(rate_rps, int | float):
                continue
            if suite.search and row["case"] == suite.search.offered(entry.case, rate_rps).slug:
                what = f", {rate_rps:g} arrivals/s, window {row['repeat']}"
                yield _row(material, entry, row, what)


def _label(material: Material, entry: Entry) -> str:
    """The server's title, and all else that differs in the run."""
    return material.labels.name(entry.case, material.titles[entry.case.server])


def _row(material: Material, entry: Entry, row: Row, what: str = "") -> TableRow:
    state = ""
    caveats = str(row["caveats"] or "")
    if row["outcome"] != "measured":
        state, caveats = "failed", f"failed: {row['outcome']}"
    elif row["ranked"] != "yes":
        state, caveats = "unranked", f"not ranked: {caveats}"
    figures = (number(_float(row, name), digits) for name, digits in FIGURES)
    cells = (
        _label(material, entry) + what,
        str(row["round"]),
        *figures,
        str(row["bound_by"] or UNKNOWN),
        caveats,
    )
    return TableRow(cells, state, opens=f"refute-{entry.key}")


def _float(row: Row, column: str) -> float | None:
    value = row[column]
    return float(value) if isinstance(value, int | float) else None


def _refutation(material: Material, suite: Suite, entry: Entry) -> Folded:
    return Folded(
        summary=Markup("{} <small>{}</small>").format(
            _label(material, entry), entry.outcome or f"{number(entry.mean('rps'), 1)} views/s"
        ),
        blocks=list(_blocks(material, suite, entry)),
        key=f"refute-{entry.key}",
    )


def _blocks(material: Material, suite: Suite, entry: Entry) -> Iterator[Block]:
    server = material.servers[entry.case.server]
    axes = material.environment.get("arguments", {}).get("axes") or {}
    yield Command("Repeat it, five times:", command_lines.repeat_case(entry.case, suite, axes))
    flags = (material.environment.get("servers") or {}).get(server.name, {}).get("command")
    if flags:
        yield Command("The server as it ran:", shlex.join(flags))
    if why := material.reasons.get(server.name):
        yield Text([Markup("<b>Why these flags:</b> {}").format(prose(why))])
    limit = bound_by(entry.line)
    caveats = listing(entry.caveats, most=20) or "none"
    yield Text([Markup("Bound by: {}. Caveats: {}.").format(limit, caveats)])
    lines = command_lines.by_hand(entry.case, server)
    yield Command("Ask it without the lab's driver (then: docker compose down):", "\n".join(lines))
    samples = [material.samples(row).name for row in entry.measured]
    if samples:
        yield Text([Markup("Every request: <code>samples/{}</code>").format(samples[0])])
