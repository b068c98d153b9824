"""The tables of `loadgen check`."""

from collections.abc import Iterator, Sequence

from loadgen.commands.driver_findings import ASKS_AGAIN, Finding
from loadgen.commands.figures import Figures
from loadgen.documents.document import (
    Cell,
    Document,
    Section,
    Table,
    TableColumn,
    TableRow,
    Text,
    of_words,
)
from loadgen.documents.words import UNKNOWN, decimals

NOTE_ON_ASKING_AGAIN = (
    "asks again: where a kept connection closes before the answer begins, the driver sends the "
    "request again, and its own files do not show that. So a server that drops connections gets "
    "more requests than the driver tells of, and a failure looks like a slow answer."
)
LOAD = (*of_words("Driver", "Delays"), TableColumn("/s"))
FIGURES = tuple(map(TableColumn, ("p50 (ms)", "p95 (ms)", "p99 (ms)", "Count", "Failed")))


def check_document(findings: Sequence[Finding]) -> Document:
    """The driver's figures with their distance from the API's, then the tools' own."""
    ours = Table(
        "",
        (*LOAD, *FIGURES, *of_words("Agrees")),
        [TableRow((*_load(finding), *_ours(finding))) for finding in findings],
    )
    sections = [Section("ours", "Our figures, and how far they are from the API's record", [ours])]
    rows = [
        TableRow((*_load(finding), *_tools(finding.tool))) for finding in findings if finding.tool
    ]
    if rows:
        tools = Table("", (*LOAD, *FIGURES), rows)
        sections.append(Section("tools", "The tools' own figures of the same loads", [tools]))
    if any(finding.agrees == ASKS_AGAIN for finding in findings):
        sections.append(Section("asks-again", "", [Text([NOTE_ON_ASKING_AGAIN])]))
    return Document("", (), sections)


def _load(finding: Finding) -> Iterator[Cell]:
    load = finding.load
    yield from (load.driver, load.name, str(load.rate_rps))


def _ours(finding: Finding) -> Iterator[Cell]:
    ours, api = finding.ours, finding.api
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        yield _with_distance(getattr(ours, name), getattr(api, name), 1)
    yield _with_distance(ours.requests, api.requests, 0).removesuffix(" +0")
    yield _with_distance(ours.failures, api.failures, 0).removesuffix(" +0")
    yield finding.agrees


def _tools(tool: Figures) -> Iterator[Cell]:
    yield from (decimals(value, 1) for value in (tool.p50_ms, tool.p95_ms, tool.p99_ms))
    yield from (str(tool.requests), str(tool.failures))


def _with_distance(ours: float | None, api: float | None, digits: int) -> str:
    if ours is None or api is None:
        known = f"{decimals(ours, digits)} ({decimals(api, digits)})"
        return UNKNOWN if ours is api else known
    return f"{ours:.{digits}f} {ours - api:+.{digits}f}"
