"""The command line: `docker compose run --rm loadgen …`."""

import signal
from typing import Annotated

import typer

from loadgen.commands import check as checking
from loadgen.commands import columns_page
from loadgen.commands import compare as comparing
from loadgen.commands import predict as predicting
from loadgen.commands.list_suites import list_suites
from loadgen.commands.run import quick, run
from loadgen.documents import terminal
from loadgen.documents.markdown import markdown
from loadgen.documents.run_material import material
from loadgen.documents.terminal import print_document
from loadgen.errors import ConfigurationError, unwritable
from loadgen.findings.earlier_run import read_run
from loadgen.findings.gates import GRAMMAR
from loadgen.lab.lab import read_lab
from loadgen.lab.run_folders import HOW_TO_NAME, every, find_run, place_for_files
from loadgen.reports.exports import write_exports
from loadgen.reports.run_report import markdown_report, print_report, write_report
from loadgen.runs.run import DONE, FAILED, INTERRUPTED

WRONG_USAGE = 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Runs the lab's suites. Without a command: the default suite, or those named in SUITE.",
)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=f"A run: {HOW_TO_NAME}")]


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Run the default suite where no command is given."""
    if context.invoked_subcommand is None:
        run()


app.command()(run)
app.command()(quick)
app.command("list")(list_suites)


@app.command()
def report(
    run: RunArgument,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a README.")
    ] = False,
) -> None:
    """Print the tables of an earlier run, and draw its report.html."""
    lab = read_lab()
    earlier = read_run(lab, run)
    if markdown:
        print(markdown_report(earlier.suites, earlier.rows), end="")
        return
    console = terminal.console()
    print_report(console, earlier.suites, earlier.rows)
    try:
        page = write_report(material(earlier), place_for_files(lab, earlier.folder))
    except OSError as error:
        raise unwritable(error) from error
    where = f"results/{page.relative_to(lab.results)}"
    console.print(f"\nReport: {where}", soft_wrap=True)


@app.command(epilog=comparing.EPILOG)
def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN [RUN]", help=f"One or two runs, each: {HOW_TO_NAME}")
    ],
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="SERVICE", help="Of the one run.")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option("--candidate", metavar="SERVICE", help="What is judged.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", help=f"Columns; default: {','.join(comparing.USUAL)}."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="GATE", help=f"{GRAMMAR}; may be repeated."),
    ] = None,
) -> None:
    """Compare two runs, the second against the first; or two servers of one run."""
    exit_code = comparing.compare_as_asked(
        read_lab(),
        runs,
        baseline=baseline,
        candidate=candidate,
        metrics=metrics,
        fail_on=fail_on or (),
        console=terminal.console(),
    )
    raise typer.Exit(exit_code)


@app.command()
def export(
    run: RunArgument,
) -> None:
    """Write a run as other programs read it: github-action-benchmark's JSON, and Markdown."""
    lab = read_lab()
    earlier = read_run(lab, run)
    for file in write_exports(earlier, place_for_files(lab, earlier.folder) / "export"):
        where = f"results/{file.relative_to(lab.results)}"
        terminal.console().print(where, soft_wrap=True)


@app.command()
def predict(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help=f"A run: {HOW_TO_NAME} Default: the newest with a curve over users, else the "
            "newest such reference.",
        ),
    ] = None,
    users: Annotated[
        int | None,
        typer.Option("--users", min=1, max=predicting.MOST_USERS, help="Without think time."),
    ] = None,
    delays_ms: Annotated[
        str | None,
        typer.Option("--delays-ms", help="Of the upstream; of several the longest counts."),
    ] = None,
    cpus: Annotated[
        int,
        typer.Option("--cpus", min=1, max=predicting.MOST_CPUS, help="CPUs, a process each."),
    ] = 1,
    server: Annotated[str, typer.Option("--server", metavar="GLOB", help="Only these.")] = "*",
    http_client: Annotated[
        str, typer.Option("--http-client", metavar="GLOB", help="Only these.")
    ] = "*",
    checked: Annotated[
        bool,
        typer.Option("--check", help="Predict each load of the run from its others instead."),
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Say what each stack of a run would make of another load."""
    lab = read_lab()
    folder = find_run(lab, run) if run is not None else predicting.newest_with_a_curve(every(lab))
    stacks = predicting.stacks_of(folder)
    if checked:
        print(markdown(predicting.accuracy_document(stacks)), end="")
        return
    if users is None or delays_ms is None:
        raise ConfigurationError("predict needs --users and --delays-ms, or --check")
    question = predicting.Question(users, predicting.service_s_of(delays_ms), cpus)
    document = predicting.predictions(
        stacks, folder.name, question, server=server, http_client=http_client
    )
    if as_markdown:
        print(markdown(document), end="")
    else:
        print_document(terminal.console(), document)
    raise typer.Exit(DONE if predicting.has_answer(document) else FAILED)


@app.command()
def check(
    driver: Annotated[
        list[str] | None, typer.Option("--driver", help="Only this driver; may be repeated.")
    ] = None,
    delays: Annotated[
        list[str] | None,
        typer.Option("--delays", help="fixed, uniform or lognormal; may be repeated."),
    ] = None,
    rates: Annotated[
        str, typer.Option("--rates", help="Requests a second, separated by commas.")
    ] = "50,500",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the lists' order.")] = 1,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Compare what each driver sees with the API's own record of the same requests."""
    loads = checking.loads(driver, delays, rates)
    raise typer.Exit(checking.check_drivers(read_lab(), loads, seed, terminal.console(), markdown))


@app.command()
def columns() -> None:
    """Print docs/columns.md: every column of every file, and every caveat."""
    print(columns_page.page(), end="")


def main() -> None:
    """Run the command line; exit codes as in the README."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        exit_code = app(standalone_mode=False)
    except ConfigurationError as error:
        _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if usage := getattr(error, "format_message", None):
            _refuse(usage())
        raise
    raise SystemExit(exit_code)


def _refuse(message: str) -> None:
    """Say what is wrong, on stderr, and leave with the code for wrong usage."""
    terminal.console(stderr=True).print(message, soft_wrap=True)
    raise SystemExit(WRONG_USAGE)


def _interrupt(_signal: int, _frame: object) -> None:
    """`docker compose stop` ends a run as Ctrl-C does: finished rows are kept."""
    raise KeyboardInterrupt
