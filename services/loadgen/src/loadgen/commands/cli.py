"""The command line: `docker compose run --rm loadgen …`."""

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from secrets import randbelow
from typing import Annotated, Any

import typer
from rich.table import Table

from loadgen.commands import check as checking
from loadgen.commands import columns_page
from loadgen.commands import compare as comparing
from loadgen.commands import predict as predicting
from loadgen.documents import terminal
from loadgen.documents.material import material
from loadgen.errors import ConfigurationError, unwritable
from loadgen.exports import write_exports
from loadgen.findings.earlier_run import read_run
from loadgen.findings.gates import GRAMMAR
from loadgen.lab.lab import Lab, SetAxes, read_lab
from loadgen.lab.run_folders import HOW_TO_NAME, every, find_run, place_for_files
from loadgen.prediction import accuracy
from loadgen.runs import resume
from loadgen.runs.plan import Plan
from loadgen.runs.run import (
    INTERRUPTED,
    Request,
    counted,
    execute,
    expected,
    usual_count,
    usual_time,
)
from loadgen.suites.axes import with_axes
from loadgen.suites.suite import Library, Suite, library
from loadgen.suites.suite_file import MOST_ROUNDS
from loadgen.topics import tables
from loadgen.topics.run_page import write_report
from loadgen.topics.tables import print_tables

DEFAULT_SUITE = "articles"
WRONG_USAGE = 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Runs the lab's suites. Without a command: the default suite, or those named in SUITE.",
)

SuitesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SUITE…", help="Suites to run; default: articles.")
]
ServersOption = Annotated[
    str, typer.Option("--servers", metavar="GLOB", help="Only servers whose name matches.")
]
OnlyOption = Annotated[
    str, typer.Option("--only", metavar="CASE", help="Only the case of this slug (globs allowed).")
]
RoundsOption = Annotated[
    int | None,
    typer.Option("--rounds", min=1, max=MOST_ROUNDS, help="Measure each case N times (or ROUNDS)."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Repeat the shuffled order of a run.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List the trials and how long they take; measure none.")
]
ResumeOption = Annotated[
    str | None, typer.Option("--resume", metavar="RUN", help=f"Finish a run: {HOW_TO_NAME}")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=f"A run: {HOW_TO_NAME}")]


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Run the default suite where no command is given."""
    if context.invoked_subcommand is None:
        run()


@app.command()
@with_axes
def run(
    suites: SuitesArgument = None,
    servers: ServersOption = "*",
    only: OnlyOption = "*",
    rounds: RoundsOption = None,
    seed: SeedOption = None,
    dry_run: DryRunOption = False,
    resumed: ResumeOption = None,
    axes: SetAxes | None = None,
) -> None:
    """Measure the cases of one or more suites and write results/.

    Every axis of their cases can be set here, in the place of what the suites say; lists multiply.
    """
    lab = read_lab()
    if resumed is None:
        lab = lab.with_axes(axes or {})
        arguments = {
            "suites": suites or _suites_from_environment(),
            "servers": servers,
            "only": only,
            "rounds": rounds or _rounds_from_environment(),
            "seed": _seed(seed),
            "axes": axes or {},
        }
        request = _request(lab, arguments)
    else:
        if (suites, servers, only, rounds, seed, axes) != (None, "*", "*", None, None, {}):
            raise ConfigurationError(
                "--resume takes suites and options from the run: name no other"
            )
        folder = resume.find(lab, resumed)
        request = _request(lab.as_of(folder), resume.arguments_of(folder), folder)
    _perform(lab, request, dry_run)


@app.command()
@with_axes
def quick(
    seed: SeedOption = None, dry_run: DryRunOption = False, axes: SetAxes | None = None
) -> None:
    """What to change first, for your own view: in at most 4 minutes.

    Say how long its calls take (--delays-ms 800,400), how many users there are (--users 200), and
    what it computes besides (--cpu-ms 5); every other axis of the suite `quick` can be set too.
    """
    lab = read_lab().with_axes(axes or {})
    arguments = {
        "suites": ["quick"],
        "servers": "*",
        "only": "*",
        "rounds": None,
        "seed": _seed(seed),
        "axes": axes or {},
    }
    _perform(lab, _request(lab, arguments), dry_run)


def _perform(lab: Lab, request: Request, dry_run: bool) -> None:
    """Say what a run leaves out and how long it takes; then measure, or list its trials."""
    console = terminal.console()
    left = request.remains().missing
    for suite in request.suites:
        for reason in suite.left_out:
            console.print(f"left out of {suite.name}: {reason}", soft_wrap=True)
        if suite.shortened:
            console.print(f"{suite.name}: {suite.shortened}", soft_wrap=True)
    asked = ", ".join(request.arguments["suites"])
    console.print(f"{asked}: {counted(left)}, about {expected(left)}")
    if not dry_run:
        raise typer.Exit(execute(lab, request, console))
    for trial in left:
        line = f"{trial.position:4}  {trial.expected_s:4.0f} s  {trial.name}"
        if trial.ahead:
            usual, most, window_s = trial.ahead.usual, trial.ahead.most, trial.ahead.window_s
            line += f", then about {usual} windows of {window_s:.0f} s, {most} at most"
        console.print(line, soft_wrap=True)


@app.command("list")
def list_suites() -> None:
    """The suites and the questions they ask; below, what the lab asks of itself."""
    lab = read_lab()
    table = Table(box=None, pad_edge=False)
    for heading in ("Suite", "Trials", "Time", "Question"):
        table.add_column(heading)
    suites = library(lab)
    names = suites.names()
    self_tests = [name for name in names if suites.is_self_test(name)]
    for name in names:
        if name not in self_tests:
            table.add_row(*_listed(lab, suites, name))
    table.add_row()
    table.add_row("", "", "", "And what the lab asks of itself:", style="bold")
    for name in self_tests:
        table.add_row(*_listed(lab, suites, name))
    terminal.console().print(table)


def _listed(lab: Lab, suites: Library, name: str) -> tuple[str, str, str, str]:
    """A suite's name, trials, time and question."""
    trials = Plan(suites.load(name), lab.servers, None, seed=0).certain()
    return name, str(usual_count(trials)), usual_time(trials), suites.question(name)


@app.command()
def report(
    run: RunArgument,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a README.")
    ] = False,
) -> None:
    """Print the tables of an earlier run, and draw its report.html."""
    lab = read_lab()
    made = read_run(lab, run)
    if markdown:
        for text in tables.all_markdown(made.suites, made.rows):
            print(text, end="\n\n")
        return
    console = terminal.console()
    print_tables(console, made.suites, made.rows)
    try:
        page = write_report(material(made.folder, made.suites), place_for_files(lab, made.folder))
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
    exit_code = comparing.execute(
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
    made = read_run(lab, run)
    for file in write_exports(made, place_for_files(lab, made.folder) / "export"):
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
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Say what each stack of a run would make of another load."""
    lab = read_lab()
    folder = find_run(lab, run) if run is not None else predicting.newest_with_a_curve(every(lab))
    found = predicting.stacks_of(folder)
    if checked:
        print("\n".join(accuracy.accuracy_lines(accuracy.accuracy_of(found))))
        return
    if users is None or delays_ms is None:
        raise ConfigurationError("predict needs --users and --delays-ms, or --check")
    question = predicting.Question(users, predicting.service_s_of(delays_ms), cpus)
    exit_code = predicting.answer(
        terminal.console(),
        found,
        folder.name,
        question,
        server=server,
        http_client=http_client,
        markdown=markdown,
    )
    raise typer.Exit(exit_code)


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
    raise typer.Exit(checking.execute(read_lab(), loads, seed, terminal.console(), markdown))


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


def _seed(seed: int | None) -> int:
    """The seed that is asked for, or one that nobody has chosen."""
    return randbelow(2**32) if seed is None else seed


def _suites_from_environment() -> list[str]:
    """SUITE=…: one suite or several, for `docker compose up`."""
    return os.environ.get("SUITE", "").replace(",", " ").split() or [DEFAULT_SUITE]


def _rounds_from_environment() -> int | None:
    """ROUNDS=…, for `docker compose up`."""
    text = os.environ.get("ROUNDS", "")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ROUNDS:
        raise ConfigurationError(f"ROUNDS={text!r} must be a whole number from 1 to {MOST_ROUNDS}")
    return int(text)


def _request(lab: Lab, arguments: Mapping[str, Any], folder: Path | None = None) -> Request:
    """The trials that the arguments ask for, of the lab's suites and servers."""
    suites = library(lab)
    named = {suite.name: suite for name in arguments["suites"] for suite in suites.load(name)}
    narrowed = [_narrow(suite, arguments["servers"], arguments["only"]) for suite in named.values()]
    plan = Plan(narrowed, lab.servers, arguments["rounds"], arguments["seed"])
    return Request(arguments, narrowed, plan, folder)


def _narrow(suite: Suite, servers: str, only: str) -> Suite:
    kept = tuple(
        case for case in suite.cases if fnmatch(case.server, servers) and fnmatch(case.slug, only)
    )
    return replace(suite, cases=kept, narrowed_from=suite.whole)
