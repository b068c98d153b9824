"""Every trial in a table that sorts and filters, and how to refute each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from loadgen.documents import refutations
from loadgen.documents.document import (
    PAGE,
    Block,
    Cell,
    Heading,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.duets_of_a_run import DuetOfARun, duets_of_a_run
from loadgen.documents.run_material import Entry, Material
from loadgen.documents.sessions import sessions_of
from loadgen.documents.words import UNKNOWN, decimals
from loadgen.duets.duet import load_in_words
from loadgen.duets.load import load_of
from loadgen.duets.rows import NOT_OF_A_DUET
from loadgen.findings.summary import that_count
from loadgen.records.columns import Row, rows_by_case
from loadgen.suites.labels import Labels
from loadgen.suites.suite import Suite, native_views

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
#: Of runs that have several.
SESSION = TableColumn("Session")
COLUMNS = (
    TableColumn("Configuration", numeric=False),
    TableColumn("Round"),
    SESSION,
    *(TableColumn(heading) for heading, _ in FIGURES.values()),
    TableColumn("Bound by", numeric=False),
    TableColumn("Caveats", numeric=False),
)
CAPTION = (
    "Every trial of the run. If one was measured again, its last attempt counts. Dashed: not "
    "ranked. Struck through: not measured."
)
#: Of runs that have some.
DUETS = (
    " A duet has a row for each side. It tells what a view costs, but no throughput and no latency."
)
CONTEST = (
    "To contest a row, measure it again: docs/rules.md says how. Open a row of the table, or one "
    "below. There you find the command that repeats the row, the server's flags with their "
    "reasons, and a plain hey command against the same server. docs/servers.md explains each flag."
)


#: By the slug of a case: it, and the suite that asks for it first.
type _Entries = dict[str, tuple[Suite, Entry]]


def blocks(material: Material) -> Iterator[Block]:
    """The table, then what refutes each case and each duet."""
    duets = duets_of_a_run(material.suites, material.rows)
    in_duets = _labels_in_duets(material)
    entries = _of_cases(material)
    entries |= _in_place_of_duets(material, duets, in_duets, entries)
    if not (entries or duets):
        return
    rows = [row for _, entry in entries.values() for row in _of_case(material, entry)]
    rows += _windows(material, entries)
    rows += [row for duet in duets for row in _of_duet(material, duet, in_duets)]
    caption = CAPTION + (DUETS if duets else "")
    table = Table(caption, COLUMNS, rows, filtered="trials", shown=PAGE)
    several = len(sessions_of(material.environment, material.rows)) > 1
    yield table if several else table.without(SESSION)
    yield Heading("Refute a row", shown=PAGE)
    yield Text([CONTEST], shown=PAGE)
    for suite, entry in entries.values():
        yield refutations.of_case(material, suite, entry)
    for duet in duets:
        label = f"{in_duets.pair(duet.a, duet.b)}, in a duet{_at(duet.load)}"
        yield refutations.of_duet(material, duet, label)


def _of_cases(material: Material) -> _Entries:
    """The cases of the run's suites that have trials, called by all that differs in the run."""
    entries: _Entries = {}
    for group in material.groups:
        for entry in group.entries:
            label = material.labels.name(entry.case, material.titles[entry.case.server])
            called = replace(entry, label=label)
            entries.setdefault(entry.case.slug, (group.suite, called))
    return entries


def _in_place_of_duets(
    material: Material, duets: Sequence[DuetOfARun], in_duets: Labels, known: _Entries
) -> _Entries:
    """The cases that were measured in the place of duets; not those that have trials anyway."""
    by_case = rows_by_case(material.rows)
    entries: _Entries = {}
    for duet in duets:
        at = _at(duet.load).removesuffix(" each")  # it was alone
        for letter, (side, case) in zip("ab", duet.in_its_place, strict=False):
            rows = by_case.get(case.slug)
            if not rows or case.slug in known or case.slug in entries:
                continue
            name, label = (
                f"{in_duets.name(side, server)}{at} in the place of a duet"
                for server in (None, material.titles[case.server])
            )
            entry = Entry(
                key=f"{duet.key}-{letter}",
                case=case,
                name=name,
                label=label,
                short=name,
                rows=tuple(rows),
                published={},
                most_rounds=len(that_count(rows)),
            )
            entries[case.slug] = (duet.suite, entry)
    return entries


def _of_case(material: Material, entry: Entry) -> Iterator[TableRow]:
    """A case's rows, also those that were measured again."""
    for row in material.rows:
        if row.case == entry.case.slug and not row.is_window and not row.is_of_duet:
            again = "" if row.attempt == 1 else f", attempt {row.attempt}"
            yield _row(f"{entry.label}{again}", row, entry.key)


def _windows(material: Material, entries: _Entries) -> Iterator[TableRow]:
    """The windows of searches: each is a trial of a stack, at a rate that its search offered."""
    windows = [row for row in material.rows if row.is_window]
    for _, entry in entries.values():
        places = {row["position"] for row in entry.rows}
        for row in windows:
            if row["position"] in places:
                what = f", {row.number('rate_rps'):g} arrivals/s, window {row['repeat']}"
                yield _row(f"{entry.label}{what}", row, entry.key)


def _of_duet(material: Material, duet: DuetOfARun, in_duets: Labels) -> Iterator[TableRow]:
    """A duet's rows, round by round, each called by its side, the other one and their load."""
    sides = {duet.a.slug: (duet.a, duet.b), duet.b.slug: (duet.b, duet.a)}
    for row in sorted(duet.rows, key=lambda row: row.count("round") or 0):
        side, other = sides[row.case]
        name = in_duets.name(side, material.titles[side.server])
        name += f", in a duet with {in_duets.called(other)}{_at(load_of(row))}"
        why = duet.why_given_up if row.is_given_up else ""
        yield _row(name, row, duet.key, why)


def _at(load: float | None) -> str:
    return f", at {load_in_words(load)}" if load else ""


def _labels_in_duets(material: Material) -> Labels:
    """What sides of duets are called beside all cases of the run, their loads aside."""
    cases = (case.in_a_duet for suite in material.suites for case in suite.whole)
    return Labels(cases, native_views(material.suites))


def _row(name: str, row: Row, key: str, why: str = "") -> TableRow:
    """A trial's row.

    Args:
        name: what it is called.
        key: of what refutes it.
        why: why it was not measured, where more is known than the outcome's name.
    """
    state, caveats = "", row.text("caveats")
    if not row.is_measured:
        state, caveats = "failed", why or f"failed: {row['outcome']}"
    elif not row.is_ranked:
        state, caveats = "unranked", f"not ranked: {caveats}"
    cells: tuple[Cell, ...] = (
        name,
        row.text("round"),
        row.text("session"),
        *(_figure(row, column, digits) for column, (_, digits) in FIGURES.items()),
        row.text("bound_by") or _unknown(row, "bound_by"),
        caveats,
    )
    return TableRow(cells, state, opens=refutations.key_of(key))


def _figure(row: Row, column: str, digits: int) -> str:
    value = row.number(column)
    return _unknown(row, column) if value is None else decimals(value, digits)


def _unknown(row: Row, column: str) -> str:
    """What stands for a figure that is not there: nothing where a side of a duet has none."""
    return "" if row.is_of_duet and column in NOT_OF_A_DUET else UNKNOWN
