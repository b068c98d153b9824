"""The closing tables: an article's figures beside ours, or a suite's rows."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadgen.documents.lines import Line, bound_by, is_ranked, lines, mean_over_rounds
from loadgen.documents.markdown_text import literal
from loadgen.findings.capacity import stacks
from loadgen.findings.claims import judge_claims
from loadgen.findings.comparisons import compare, of_suite
from loadgen.findings.first_change import effects
from loadgen.findings.silence import silence
from loadgen.findings.summary import (
    THROUGHPUT,
    case_caveats,
    over_rounds,
    starved_users,
    that_count,
)
from loadgen.findings.waterfalls import waterfalls
from loadgen.records.columns import Cell, Row
from loadgen.suites.labels import WRITTEN
from loadgen.suites.suite import Published, Suite
from loadgen.theory.statistics import Interval
from loadgen.topics import (
    capacity_tables,
    claim_tables,
    comparison_tables,
    first_change_tables,
    waterfall_tables,
)
from loadgen.trials import caveats

LEGEND = "ours (the article's); – is a value that could not be known"
PLAIN_COLUMNS = ("rps", "p50_ms", "p95_ms", "app_cpu_ms_per_view")


def print_tables(console: Console, suites: Sequence[Suite], rows: Sequence[Row]) -> None:
    """Each suite's table and comparisons, the claims, each caveat's advice once, the changes."""
    comparisons = compare(suites, rows)
    falls = waterfalls(suites, rows)
    for suite in suites:
        its_lines = lines(suite, rows)
        console.print()
        console.print(suite.question, style="bold")
        its_falls = [one for one in falls if one.suite == suite.name]
        waterfall_tables.print_waterfalls(console, its_falls)
        if suite.search:
            capacity_tables.print_capacities(console, suite.search, stacks(suite, rows))
        if its_lines:
            console.print(table(suite, its_lines))
        if suite.published:
            console.print(LEGEND, style="dim")
        for reason in suite.left_out:
            console.print(f"left out: {reason}", style="dim")
        comparison_tables.print_comparisons(console, suite, of_suite(suite, comparisons))
    claim_tables.print_claims(console, judge_claims(suites, comparisons))
    print_advice(console, rows)
    for suite in suites:
        first_change_tables.print_effects(console, effects(suite, comparisons))


def all_markdown(suites: Sequence[Suite], rows: Sequence[Row]) -> Iterator[str]:
    """The same as Markdown: each suite's question, table, comparisons, changes; then the claims."""
    comparisons = compare(suites, rows)
    falls = waterfalls(suites, rows)
    for suite in suites:
        yield literal(suite.question)
        for one in falls:
            if one.suite == suite.name:
                yield waterfall_tables.markdown(one)
        if suite.search:
            yield capacity_tables.markdown(suite.search, stacks(suite, rows))
        if its_lines := lines(suite, rows):
            yield markdown(suite, its_lines)
        if suite.left_out:
            yield "\n".join(f"Left out: {reason}.\n" for reason in suite.left_out).rstrip()
        if compared := comparison_tables.markdown(suite, of_suite(suite, comparisons)):
            yield compared
        if changes := first_change_tables.markdown(effects(suite, comparisons)):
            yield changes
    if claimed := claim_tables.markdown(judge_claims(suites, comparisons)):
        yield claimed


def table(suite: Suite, its_lines: Sequence[Line]) -> Table:
    """A suite's table: ours, with the article's figure in parentheses where it has one."""
    columns = _columns(suite.published)
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    built.add_column("Server", overflow="fold")
    for column in columns:
        # The unit below, so that names have room.
        built.add_column(WRITTEN[column][0].replace(" (", "\n("), justify="right")
    built.add_column("Bound by")
    for line in its_lines:
        # An article's figure and an interval besides are too much for 80 columns.
        figures = (cell(line, column, plus_minus=not suite.published) for column in columns)
        built.add_row(line.name, *figures, _ending(line), style=None if is_ranked(line) else "dim")
    return built


def _ending(line: Line) -> Text:
    """What held the case back; of one that could not be measured, that it failed; that it answered
    nobody.
    """
    if words := silence(line.rows):
        return Text(words, "red")
    if not that_count(line.rows):
        return Text("failed", "red")
    return Text(bound_by(line).replace(" / ", "/"))


def markdown(suite: Suite, its_lines: Sequence[Line]) -> str:
    """The same table as Markdown, with the caveats of each line."""
    columns = _columns(suite.published)
    figures = [WRITTEN[column][0] for column in columns]
    lines_of_text = [
        _markdown_line(["Configuration", *figures, "Bound by", "Caveats"]),
        _markdown_line(["---", *("---:" for _ in columns), "---", "---"]),
    ]
    for line in its_lines:
        cells = [*(cell(line, column) for column in columns), silence(line.rows) or bound_by(line)]
        lines_of_text.append(
            _markdown_line([literal(line.label), *cells, ", ".join(case_caveats(line.rows))])
        )
    return "\n".join(lines_of_text)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cell(line: Line, column: str, *, plus_minus: bool = True) -> str:
    """Our figure over the rounds, how far off a throughput may be, and the article's figure."""
    _, digits = WRITTEN[column]
    ours = mean_over_rounds(line.rows, column)
    written = "–" if ours is None else f"{ours:.{digits}f}"
    if plus_minus and column in THROUGHPUT:
        written += _plus_minus(over_rounds(line.rows, column))
    if column in line.published:
        published = f"{line.published[column]:.{digits}f}".removesuffix(".0")
        written += f" ({published})"
    return written


def _plus_minus(mean: Interval | None) -> str:
    """How far off the mean may be, by the wider side of its 95 % interval; empty where unknown."""
    return f" ±{mean.high / mean.mean - 1:.0%}" if mean and mean.high else ""


def print_advice(console: Console, rows: Iterable[Row]) -> None:
    """One sentence for each caveat that some row has, with the servers concerned.

    Not of a search's windows: a search asks how far a server can be driven, and reads them itself.
    """
    by_case: dict[Cell, list[Row]] = {}
    for row in rows:
        if row["repeat"] is None:
            by_case.setdefault(row["case"], []).append(row)
    servers: dict[str, list[str]] = {}
    for of_case in by_case.values():
        server = str(of_case[0]["server"])
        for name in case_caveats(of_case):
            words = starved_users(of_case) if name == caveats.STARVED.name else ""
            who = f"{server}: {words}" if words else server
            concerned = servers.setdefault(name, [])
            if who not in concerned:
                concerned.append(who)
    known = [caveat for caveat in caveats.ALL if caveat.name in servers]
    if known:
        console.print()
    for caveat in known:
        where = ", ".join(servers[caveat.name])
        console.print(Text.assemble((caveat.name, "bold"), f" ({where}): {caveat.advice}"))


def _columns(published: Sequence[Published]) -> list[str]:
    """The article's columns in its order; without an article, the usual ones."""
    named = dict.fromkeys(name for entry in published for name in entry.figures)
    return list(named) or list(PLAIN_COLUMNS)
