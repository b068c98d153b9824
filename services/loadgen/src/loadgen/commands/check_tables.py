"""The tables of `loadgen check`."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.commands.driver_findings import ASKS_AGAIN, Finding
from loadgen.commands.figures import Figures

NOTE_ON_ASKING_AGAIN = (
    "asks again: the driver repeats a request whose kept connection closes before the answer "
    "begins, unseen by its own files. A server that drops connections gets more requests from it "
    "than it tells of, and a failure then looks like a slow answer."
)

HEADINGS = ("Driver", "Delays", "/s")


def print_tables(console: Console, findings: Sequence[Finding]) -> None:
    """The driver's figures with their distance from the API's, then the tool's own."""
    columns = ("p50 ms", "p95 ms", "p99 ms", "Count", "Failed", "Agrees")
    console.print("\nOur accounting, and its distance from the API's record", style="bold")
    console.print(_table(columns, ((finding, _ours(finding)) for finding in findings)))
    of_tools = [(finding, _tools(finding.tool)) for finding in findings if finding.tool]
    if of_tools:
        console.print("\nThe tools' own figures of the same loads", style="bold")
        console.print(_table(("p50 ms", "p95 ms", "p99 ms", "Count", "Failed"), of_tools))
    if any(finding.agrees == ASKS_AGAIN for finding in findings):
        console.print(f"\n{NOTE_ON_ASKING_AGAIN}")


def _table(columns: Sequence[str], lines: Iterable[tuple[Finding, Iterable[str]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    for heading in (*HEADINGS, *columns):
        if heading == "Agrees":  # alone may need a second line, where much differs
            table.add_column(heading, min_width=8)
        else:
            left = heading in ("Driver", "Delays")
            table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for finding, cells in lines:
        load = finding.load
        table.add_row(load.driver, load.name, str(load.rate_rps), *cells)
    return table


def _ours(finding: Finding) -> Iterator[str]:
    ours, api = finding.ours, finding.api
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        yield _with_distance(getattr(ours, name), getattr(api, name), 1)
    yield _with_distance(ours.requests, api.requests, 0).removesuffix(" +0")
    yield _with_distance(ours.failures, api.failures, 0).removesuffix(" +0")
    yield finding.agrees


def _tools(tool: Figures) -> Iterator[str]:
    for value in (tool.p50_ms, tool.p95_ms, tool.p99_ms):
        yield _figure(value, 1)
    yield str(tool.requests)
    yield str(tool.failures)


def _with_distance(ours: float | None, api: float | None, digits: int) -> str:
    if ours is None or api is None:
        return "–" if ours is api else f"{_figure(ours, digits)} ({_figure(api, digits)})"
    return f"{ours:.{digits}f} {ours - api:+.{digits}f}"


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def markdown_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Everything as one table of Markdown: ours (the API's), and the tool's own."""
    yield (
        "| Driver | Delays | Rate/s | p50 (ms) | p95 (ms) | p99 (ms) | RPS | Requests | Failures "
        "| Agrees | The tool says: p50 / p95 / p99, requests, failures |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |"
    for finding in findings:
        ours, api, load = finding.ours, finding.api, finding.load
        cells = [load.driver, load.name, str(load.rate_rps)]
        for name in ("p50_ms", "p95_ms", "p99_ms", "rps"):
            pair = getattr(ours, name), getattr(api, name)
            cells.append("{} ({})".format(*(_figure(value, 1) for value in pair)))
        cells.append(f"{ours.requests} ({api.requests})")
        cells.append(f"{ours.failures} ({api.failures})")
        cells += [finding.agrees, ""]
        if finding.tool:
            p50, p95, p99, requests, failures = _tools(finding.tool)
            cells[-1] = f"{p50} / {p95} / {p99}, {requests}, {failures}"
        yield f"| {' | '.join(cells)} |"
