"""`report` and `export`: what a run says, for readers and for other programs."""

from typing import Annotated

import typer

from loadgen.documents import terminal
from loadgen.documents.command_lines import where_all_is
from loadgen.documents.run_material import for_text, material
from loadgen.errors import unwritable
from loadgen.findings.earlier_run import read_run
from loadgen.lab.lab import read_lab
from loadgen.lab.run_folders import HOW_TO_NAME, place_for_files
from loadgen.reports.exports import write_exports
from loadgen.reports.kept_answer import keep_answer
from loadgen.reports.run_report import markdown_report, print_report, write_report
from loadgen.reports.runs_index import write_index
from loadgen.runs.sight import kept_scatter

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=f"The run, named {HOW_TO_NAME}")]


def report(
    run: RunArgument,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print all of it as Markdown, for a README.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Print all comparisons, claims and advice too.")
    ] = False,
) -> None:
    """Print the answer and the tables of an earlier run, and draw its report.html."""
    lab = read_lab()
    earlier = read_run(lab, run)
    kept = kept_scatter(lab, terminal.console(stderr=True))
    if as_markdown:
        print(markdown_report(for_text(earlier, kept)), end="")
        return
    console = terminal.console()
    print_report(console, for_text(earlier, kept), full=full)
    shown = material(earlier, kept)
    lines = []
    try:
        page = write_report(shown, place_for_files(lab, earlier.folder))
        lines.append(f"Report: results/{page.relative_to(lab.results)}")
        if earlier.folder.parent == lab.results:  # the list is of the reader's own runs
            keep_answer(shown)
            lines.append(f"All runs: results/{write_index(lab).name}")
    except OSError as error:
        raise unwritable(error) from error
    if not full:
        lines.append(where_all_is(lab, earlier.name))
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)


def export(run: RunArgument) -> None:
    """Write a run for other programs: JSON for github-action-benchmark, and Markdown."""
    lab = read_lab()
    earlier = read_run(lab, run)
    for file in write_exports(earlier, place_for_files(lab, earlier.folder) / "export"):
        where = f"results/{file.relative_to(lab.results)}"
        terminal.console().print(where, soft_wrap=True)
