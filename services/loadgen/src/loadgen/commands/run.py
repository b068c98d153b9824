"""`run` and `quick`: measure the cases of suites."""

import os
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from secrets import randbelow
from typing import Annotated, Any

import typer

from loadgen.commands.axis_options import with_axes
from loadgen.documents import terminal
from loadgen.errors import ConfigurationError
from loadgen.lab.lab import Lab, SetAxes, read_lab
from loadgen.lab.run_folders import HOW_TO_NAME
from loadgen.runs import resume
from loadgen.runs.outlook import count_in_words, time_in_words
from loadgen.runs.plan import Plan
from loadgen.runs.run import RunRequest, measure_run
from loadgen.suites.load_suites import load_suites
from loadgen.suites.suite import Suite
from loadgen.suites.suite_file import MOST_ROUNDS

DEFAULT_SUITE = "articles"

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
    if resumed is None:
        suites = suites or _suites_from_environment()
        rounds = rounds or _rounds_from_environment()
        _new_run(suites, seed, axes or {}, dry_run, servers=servers, only=only, rounds=rounds)
        return
    if (suites, servers, only, rounds, seed, axes) != (None, "*", "*", None, None, {}):
        raise ConfigurationError("--resume takes suites and options from the run: name no other")
    lab = read_lab()
    folder = resume.find_unfinished(lab, resumed)
    then = lab.as_of(folder)
    _perform(then, _request(then, resume.arguments_of(folder), folder), dry_run)


@with_axes
def quick(
    seed: SeedOption = None, dry_run: DryRunOption = False, axes: SetAxes | None = None
) -> None:
    """What to change first, for your own view: in at most 4 minutes.

    Say how long its calls take (--delays-ms 800,400), how many users there are (--users 200), and
    what it computes besides (--cpu-ms 5); every other axis of the suite `quick` can be set too.
    """
    _new_run(["quick"], seed, axes or {}, dry_run)


def _new_run(
    suites: list[str],
    seed: int | None,
    axes: SetAxes,
    dry_run: bool,
    *,
    servers: str = "*",
    only: str = "*",
    rounds: int | None = None,
) -> None:
    lab = read_lab().with_axes(axes)
    arguments = {
        "suites": suites,
        "servers": servers,
        "only": only,
        "rounds": rounds,
        "seed": randbelow(2**32) if seed is None else seed,
        "axes": axes,
    }
    _perform(lab, _request(lab, arguments), dry_run)


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


def _request(lab: Lab, arguments: Mapping[str, Any], folder: Path | None = None) -> RunRequest:
    """The trials that the arguments ask for, of the lab's suites and servers."""
    named = {suite.name: suite for name in arguments["suites"] for suite in load_suites(lab, name)}
    narrowed = [_narrow(suite, arguments["servers"], arguments["only"]) for suite in named.values()]
    plan = Plan(narrowed, lab.servers, arguments["rounds"], arguments["seed"])
    return RunRequest(arguments, narrowed, plan, folder)


def _narrow(suite: Suite, servers: str, only: str) -> Suite:
    kept = tuple(
        case for case in suite.cases if fnmatch(case.server, servers) and fnmatch(case.slug, only)
    )
    return replace(suite, cases=kept, narrowed_from=suite.whole)


def _perform(lab: Lab, request: RunRequest, dry_run: bool) -> None:
    """Say what a run leaves out and how long it takes; then measure, or list its trials."""
    console = terminal.console()
    missing = request.plan.missing(request.earlier_rows())
    for suite in request.suites:
        for reason in suite.left_out:
            console.print(f"left out of {suite.name}: {reason}", soft_wrap=True)
        if suite.shortened:
            console.print(f"{suite.name}: {suite.shortened}", soft_wrap=True)
    asked = ", ".join(request.arguments["suites"])
    console.print(f"{asked}: {count_in_words(missing)}, about {time_in_words(missing)}")
    if not dry_run:
        raise typer.Exit(measure_run(lab, request, console))
    for trial in missing:
        line = f"{trial.position:4}  {trial.expected_s:4.0f} s  {trial.called}"
        if trial.ahead:
            usual, most, window_s = trial.ahead.usual, trial.ahead.most, trial.ahead.window_s
            line += f", then about {usual} windows of {window_s:.0f} s, {most} at most"
        console.print(line, soft_wrap=True)
