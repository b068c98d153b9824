"""`loadgen compare`: two runs, or two servers of one, as tables, files and an exit code."""

from pathlib import Path
from typing import Annotated

import typer

from loadgen.documents import terminal
from loadgen.documents.html import html
from loadgen.documents.markdown import markdown
from loadgen.documents.terminal import print_document
from loadgen.errors import ConfigurationError, unwritable
from loadgen.findings import gates, two_runs
from loadgen.findings.earlier_run import read_run
from loadgen.findings.two_runs import METRICS as USUAL
from loadgen.findings.two_runs import RunComparison
from loadgen.lab.lab import read_lab
from loadgen.lab.run_folders import HOW_TO_NAME
from loadgen.records.columns import METRICS
from loadgen.records.files import replace_text
from loadgen.reports.comparison_report import comparison_document
from loadgen.runs.run import DONE, FAILED

#: Below the options of `compare --help`.
EPILOG = """\
Writes compare.csv, compare.md and compare.html into results/compare-…/. Verdicts on two runs are
indicative: what changed on the machine between the two runs is in them too.

A gate is a limit on a change, METRIC>N% or METRIC<-N%. The gate p95_ms>5% fails where p95_ms has
grown by more than 5 %; rps<-3% fails where rps has fallen by more than 3 %. The whole 95 %
interval of the change must lie beyond the limit, after Holm's adjustment for the number of cases
and gates. The exit code is 1 where a gate fails or cannot be judged. Quote a gate for the shell:
--fail-on 'p95_ms>5%'.
"""


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN [RUN]", help=f"One or two runs, each named {HOW_TO_NAME}"),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="SERVICE",
            help="The server that the candidate is compared with. Needs one run.",
        ),
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            "--candidate",
            metavar="SERVICE",
            help="The server that is judged. Needs one run.",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            help=f"Columns to compare, separated by commas. Default: {','.join(USUAL)}.",
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="GATE",
            help=f"Exit with 1 where this gate fails: {gates.GRAMMAR}. May be given several times.",
        ),
    ] = None,
) -> None:
    """Compare two runs, the second against the first; or two servers of one run."""
    lab, asked = read_lab(), _metrics(metrics)
    thresholds = [gates.parse_gate(text) for text in fail_on or ()]
    if len(runs) == 1 and baseline and candidate:
        run = read_run(lab, runs[0])
        comparison = two_runs.of_servers(run, baseline, candidate, asked, thresholds)
        name = f"compare-{run.name}-{baseline}-{candidate}"
    elif len(runs) == 2 and not baseline and not candidate:
        a, b = (read_run(lab, named) for named in runs)
        comparison = two_runs.of_runs(a, b, asked, thresholds)
        name = f"compare-{a.name}-{b.name}"
    else:
        raise ConfigurationError(
            "compare takes two runs (compare RUN RUN), or two servers of one run "
            "(compare RUN --baseline SERVICE --candidate SERVICE)"
        )
    console = terminal.console()
    print_document(console, comparison_document(comparison, gates_last=True))
    _write(comparison, lab.results / name)
    console.print(f"\nComparison: results/{name}/", soft_wrap=True)
    raise typer.Exit(DONE if gates.all_passed(comparison.gates) else FAILED)


def _metrics(text: str | None) -> list[str]:
    if text is None:
        return list(USUAL)
    asked = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in asked if name not in METRICS]
    if unknown or not asked:
        raise ConfigurationError(
            f"--metrics {text!r}: no such metric; those that can be compared are "
            f"{', '.join(METRICS)}"
        )
    return asked


def _write(comparison: RunComparison, folder: Path) -> None:
    """compare.csv, compare.md and compare.html, in a folder of their own in results/."""
    document = comparison_document(comparison)
    try:
        folder.mkdir(exist_ok=True)
        replace_text(folder / "compare.csv", two_runs.compare_csv(comparison))
        replace_text(folder / "compare.md", markdown(document))
        replace_text(folder / "compare.html", html(document, document.heading))
    except OSError as error:
        raise unwritable(error) from error
