"""The closing tables: an article's figures beside ours, or a suite's rows."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen import caveats
from loadgen.cases import Case, plain
from loadgen.columns import Cell, Row
from loadgen.statistics import interval
from loadgen.suite import Published, Suite

#: How a column is written: its heading and its digits after the point.
WRITTEN: dict[str, tuple[str, int]] = {
    "min_ms": ("Min (ms)", 0),
    "avg_ms": ("Avg (ms)", 0),
    "p50_ms": ("p50 (ms)", 0),
    "p95_ms": ("p95 (ms)", 0),
    "p99_ms": ("p99 (ms)", 0),
    "max_ms": ("Max (ms)", 0),
    "rps": ("RPS", 1),
    "max_rps": ("Max RPS", 1),
    "app_cpu_ms_per_view": ("CPU/view (ms)", 1),
}
PLAIN_COLUMNS = ("rps", "p50_ms", "p95_ms", "app_cpu_ms_per_view")


@dataclass(frozen=True)
class Line:
    """One case of a table.

    Attributes:
        name: the server, with what else tells it apart: short, for a terminal.
        label: the server's title, with the same.
        rows: its rows, one per round.
        published: the article's figures, by column name; empty where there are none.
    """

    name: str
    label: str
    rows: tuple[Row, ...]
    published: dict[str, float]


def lines(suite: Suite, rows: Iterable[Row]) -> list[Line]:
    """The suite's cases in its order, with their rows."""
    found = list(rows)
    result = []
    for case in suite.cases:
        of_case = tuple(row for row in found if row["case"] == case.slug)
        if of_case:
            apart = list(_told_apart(case, suite.cases))
            name = ", ".join([case.server, *apart])
            label = ", ".join([str(of_case[0]["title"]), *apart])
            result.append(Line(name, label, of_case, _figures(suite.published, of_case[0])))
    return result


def _told_apart(case: Case, cases: Iterable[Case]) -> Iterator[str]:
    """What tells a case apart from the others of its server, in words."""
    if case.planned_requests:
        yield f"{case.planned_requests}/{case.users}"
    words = {
        "http_client": case.http_client,
        "settings": case.settings,
        "view": f"{case.view} view",
        "workload": case.workload,
        "upstream": case.upstream,
        "delays_ms": f"{case.delays} ms",
        "cpu_ms": f"{plain(case.cpu_ms)} ms of CPU",
        "driver": case.driver,
        "ramp": "ramp" if case.ramp else "no ramp",
        "users": f"{case.users} users",
    }
    key = operator.attrgetter("server", "planned_requests")
    siblings = [other for other in cases if key(other) == key(case)]
    for axis, word in words.items():
        varies = len({getattr(other, axis) for other in siblings}) > 1
        if varies and not (axis == "users" and case.planned_requests):
            yield word


def print_tables(console: Console, suites: Sequence[Suite], rows: Sequence[Row]) -> None:
    """Each suite's table, then each caveat's advice once."""
    for suite in suites:
        its_lines = lines(suite, rows)
        console.print()
        console.print(suite.question, style="bold", highlight=False)
        console.print(table(suite, its_lines))
        if suite.published:
            console.print("ours (the article's); – is a value that could not be known", style="dim")
    print_advice(console, rows)


def table(suite: Suite, its_lines: Sequence[Line]) -> Table:
    """A suite's table: ours, with the article's figure in parentheses where it has one."""
    columns = _columns(suite.published)
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    built.add_column("Server", overflow="fold")
    for column in columns:
        built.add_column(WRITTEN[column][0], justify="right")
    built.add_column("Bound by")
    for line in its_lines:
        cells = [*(cell(line, column) for column in columns), bound_by(line)]
        built.add_row(line.name, *cells, style=None if _ranked(line) else "dim")
    return built


def markdown(suite: Suite, its_lines: Sequence[Line]) -> str:
    """The same table as Markdown, with the caveats of each line."""
    columns = _columns(suite.published)
    figures = [WRITTEN[column][0] for column in columns]
    lines_of_text = [
        _markdown_line(["Configuration", *figures, "Bound by", "Caveats"]),
        _markdown_line(["---", *("---:" for _ in columns), "---", "---"]),
    ]
    for line in its_lines:
        cells = [*(cell(line, column) for column in columns), bound_by(line)]
        lines_of_text.append(_markdown_line([line.label, *cells, ", ".join(_caveats(line))]))
    return "\n".join(lines_of_text)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _caveats(line: Line) -> list[str]:
    """The caveats of any of its rounds, each once."""
    named = " ".join(str(row["caveats"] or "") for row in line.rows).split()
    return list(dict.fromkeys(named))


def cell(line: Line, column: str) -> str:
    """Our figure over the rounds, and the article's."""
    _, digits = WRITTEN[column]
    ours = _over_rounds(line.rows, column)
    written = "–" if ours is None else f"{ours:.{digits}f}"
    if column in line.published:
        published = f"{line.published[column]:.{digits}f}".removesuffix(".0")
        written += f" ({published})"
    return written


def bound_by(line: Line) -> str:
    """What held the case back, in every round where the rounds differ; – where nothing is known."""
    found = dict.fromkeys(str(row["bound_by"]) for row in line.rows if row["bound_by"])
    return " / ".join(found) or "–"


def print_advice(console: Console, rows: Iterable[Row]) -> None:
    """One sentence for each caveat that some row has, with the servers concerned."""
    servers: dict[str, list[str]] = {}
    for row in rows:
        for name in str(row["caveats"] or "").split():
            concerned = servers.setdefault(name, [])
            if row["server"] not in concerned:
                concerned.append(str(row["server"]))
    known = [caveat for caveat in caveats.ALL if caveat.name in servers]
    if known:
        console.print()
    for caveat in known:
        console.print(
            f"[bold]{caveat.name}[/bold] ({', '.join(servers[caveat.name])}): {caveat.advice}",
            highlight=False,
        )


def _columns(published: Sequence[Published]) -> list[str]:
    """The article's columns in its order; without an article, the usual ones."""
    named = dict.fromkeys(name for entry in published for name in entry.figures)
    return list(named) or list(PLAIN_COLUMNS)


def _figures(published: Sequence[Published], row: Row) -> dict[str, float]:
    for entry in published:
        if entry.describes(row):
            return dict(entry.figures)
    return {}


def _ranked(line: Line) -> bool:
    return any(row["ranked"] == "yes" for row in line.rows)


def _over_rounds(rows: Sequence[Row], column: str) -> float | None:
    values: list[Cell] = [row[column] for row in rows]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(values):
        return None
    mean = interval(numbers)
    return mean.mean if mean else sum(numbers) / len(numbers)
