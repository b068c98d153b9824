"""`run` and `quick`: measure the cases of suites."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from secrets import randbelow
from typing import Annotated, Any

import typer

from loadgen.commands.axis_options import with_axes
from loadgen.commands.needs import only_noted
from loadgen.documents import terminal
from loadgen.documents.words import listing
from loadgen.errors import ConfigurationError
from loadgen.lab.lab import Lab, SetAxes, read_lab
from loadgen.lab.run_folders import HOW_TO_NAME
from loadgen.runs import resume
from loadgen.runs.budget import in_time
from loadgen.runs.equipment import services_for
from loadgen.runs.outlook import count_in_words, time_in_words, who_asks
from loadgen.runs.plan import Plan
from loadgen.runs.run import RunRequest, measure_run
from loadgen.runs.sight import read_sight
from loadgen.suites.cases import slug_in_a_duet
from loadgen.suites.load_suites import load_suites
from loadgen.suites.pairs import CPU_METRIC
from loadgen.suites.suite import Suite
from loadgen.suites.suite_file import MOST_MINUTES, MOST_ROUNDS

DEFAULT_SUITE = "articles"

SuitesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SUITE…", help="The suites to run. The command list names all. Default: articles."
    ),
]
ServersOption = Annotated[
    str,
    typer.Option(
        "--servers",
        metavar="GLOB",
        help="Measure only servers whose name matches this pattern, such as 'gun*'.",
    ),
]
OnlyOption = Annotated[
    str,
    typer.Option(
        "--only",
        metavar="CASE",
        help="Measure only this case or duet. --dry-run and the column case say its name; a "
        "pattern such as '*_100u' matches several.",
    ),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(
        "--rounds",
        metavar="N",
        min=1,
        max=MOST_ROUNDS,
        help="Measure each case N times. For `docker compose up` set the variable ROUNDS.",
    ),
]
MinutesOption = Annotated[
    int | None,
    typer.Option(
        "--minutes",
        metavar="N",
        min=1,
        max=MOST_MINUTES,
        help="Measure as many rounds as fit into N minutes, but no more than --rounds, if that is "
        "given. For `docker compose up` set the variable MINUTES.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        help="Decides the random order of the trials. The seed of an earlier run, which is in its "
        "environment.json, repeats its order.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="List the trials and how long they take, and measure nothing."),
]
ResumeOption = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="RUN",
        help=f"Finish a run that was interrupted or had failures. It is named {HOW_TO_NAME}",
    ),
]

SerialOption = Annotated[
    bool,
    typer.Option("--serial", help="Your view makes its calls one after the other, not at once."),
]


@with_axes
def run(
    suites: SuitesArgument = None,
    servers: ServersOption = "*",
    only: OnlyOption = "*",
    rounds: RoundsOption = None,
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    dry_run: DryRunOption = False,
    resumed: ResumeOption = None,
    axes: SetAxes | None = None,
) -> None:
    """Measure the cases of one or more suites, and write a folder in results/.

    A case is one combination of axes: server, HTTP client, users and so on (docs/columns.md
    explains each). Every axis has an option here, which replaces what the suites say. Several
    values of an axis make a case for each of them.
    """
    if resumed is None:
        suites = suites or _suites_from_environment()
        rounds = rounds or _number_from_environment("ROUNDS", MOST_ROUNDS)
        minutes = minutes or _number_from_environment("MINUTES", MOST_MINUTES)
        narrowed = {"servers": servers, "only": only}
        _new_run(suites, seed, minutes, axes or {}, dry_run, rounds=rounds, **narrowed)
        return
    asked = (suites, servers, only, rounds, minutes, seed, axes)
    if asked != (None, "*", "*", None, None, None, {}):
        raise ConfigurationError("--resume takes suites and options from the run: give no other")
    lab = read_lab()
    folder = resume.find_unfinished(lab, resumed)
    then = lab.as_of(folder)
    _perform(then, _request(then, resume.arguments_of(folder), folder), dry_run)


@with_axes
def quick(
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    dry_run: DryRunOption = False,
    serial: SerialOption = False,
    axes: SetAxes | None = None,
) -> None:
    """Say what to change first in your own view. This takes 4 minutes, or --minutes.

    Describe the view: how long each of its calls takes (--delays-ms 800,400), how many users wait
    at once (--users 200) or how many views are asked for in a second (--rate-rps 40), and how much
    CPU time it computes for (--cpu-ms 5). Add --serial if it makes its calls one after the other.
    All other axes of the suite quick can be set too.
    """
    asked = axes or {}
    asked = _one_after_the_other(asked) if serial else asked
    _new_run(["quick"], seed, minutes, asked, dry_run)


def _one_after_the_other(axes: SetAxes) -> SetAxes:
    """The axes, with views that make their calls so."""
    if "workload" in axes:
        raise ConfigurationError("--serial sets the workload: leave out --workload")
    if any(len(delays_ms) < 2 for delays_ms in axes.get("delays_ms", ())):
        raise ConfigurationError(
            "--serial needs the delays of two calls at least: give both, such as "
            "--delays-ms 800,400"
        )
    return {**axes, "workload": ["serial"]}


def _new_run(
    suites: list[str],
    seed: int | None,
    minutes: int | None,
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
        "minutes": minutes,
        "seed": randbelow(2**32) if seed is None else seed,
        "axes": axes,
    }
    _perform(lab, _request(lab, arguments), dry_run)


def _suites_from_environment() -> list[str]:
    """SUITE=…: one suite or several, for `docker compose up`."""
    return os.environ.get("SUITE", "").replace(",", " ").split() or [DEFAULT_SUITE]


def _number_from_environment(variable: str, most: int) -> int | None:
    """ROUNDS=… or MINUTES=…, for `docker compose up`."""
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ConfigurationError(f"{variable}={text!r} must be a whole number from 1 to {most}")
    return int(text)


def _request(lab: Lab, arguments: Mapping[str, Any], folder: Path | None = None) -> RunRequest:
    """The trials that the arguments ask for, of the lab's suites and servers."""
    named = {suite.name: suite for name in arguments["suites"] for suite in load_suites(lab, name)}
    narrowed = [_narrow(suite, arguments["servers"], arguments["only"]) for suite in named.values()]
    if not any(suite.cases for suite in narrowed):
        raise _none_left(named.values(), arguments["servers"], arguments["only"])
    one_sided = [_one_sided(suite) for suite in narrowed]
    if not any(suite.alone or suite.duets for suite in narrowed):
        raise ConfigurationError("; ".join(each for sentences in one_sided for each in sentences))
    narrowed = [
        replace(suite, left_out=(*suite.left_out, *sentences))
        for suite, sentences in zip(narrowed, one_sided, strict=True)
    ]
    fit = in_time(narrowed, lab.servers, arguments.get("minutes"), arguments["rounds"])
    plan = Plan(fit.suites, lab.servers, None, arguments["seed"], spare_s=fit.spare_s)
    return RunRequest(arguments, fit.suites, plan, folder, fit.words)


def _narrow(suite: Suite, servers: str, only: str) -> Suite:
    """The cases that both match; where --only matches none, the duets that it names."""
    of_servers = tuple(case for case in suite.cases if fnmatch(case.server, servers))
    kept = tuple(case for case in of_servers if fnmatch(case.slug, only))
    narrowed = replace(suite, cases=of_servers, narrowed_from=suite.whole)
    return replace(narrowed, cases=kept) if kept else _only_duets(narrowed, only)


def _only_duets(suite: Suite, only: str) -> Suite:
    """Those duets that are named as --dry-run lists them, by a side or by both, or by the case of a
    trial in the place of one, and nothing else of their cases; no case where none is.
    """
    globs = {only, slug_in_a_duet(only)}
    named = {
        side
        for a, b in ((pair.a, pair.b) for pair in suite.duets)
        for name in (a.slug, b.slug, f"{a.slug} against {b.slug}")
        if any(fnmatch(name, glob) for glob in globs)
        for side in (a, b)
    }
    asked = {"metrics": (CPU_METRIC,), "words": None}  # a claim may be about more
    return replace(
        suite,
        cases=tuple(case for case in suite.cases if case.in_a_duet in named),
        compare=tuple(entry.model_copy(update=asked) for entry in suite.compare if entry.duet),
        waterfalls=(),
        search=None,
        published=(),
    )


def _one_sided(suite: Suite) -> list[str]:
    """Of each case that is measured only in duets, and of whose duets the other side was left out:
    what it needs.
    """
    in_duets = {side for pair in suite.duets for side in (pair.a, pair.b)}
    alone = set(suite.alone)
    sentences = []
    for case in suite.cases:
        if case in alone or case.in_a_duet in in_duets:
            continue
        pairs = [pair for entry in suite.compare if entry.duet for pair in entry.pairs(suite.whole)]
        others = dict.fromkeys(
            each.slug for pair in pairs if case in pair for each in pair if each != case
        )
        sentences.append(
            f"{case.slug} is measured only in duets, and a duet needs both sides: let --servers "
            f"and --only match {listing(others, most=3, joined='or')} too"
        )
    return sentences


def _none_left(suites: Iterable[Suite], servers: str, only: str) -> ConfigurationError:
    """That --servers or --only matches no case of these suites, and what there is."""
    names = ", ".join(suite.name for suite in suites)
    there = sorted({case.server for suite in suites for case in suite.cases})
    if not any(fnmatch(server, servers) for server in there):
        return ConfigurationError(
            f"--servers {servers!r} matches no server of {names}; the servers are "
            f"{', '.join(there)}. It takes one name or pattern, such as 'gun*'"
        )
    among = "" if servers == "*" else f" on the servers {servers!r}"
    return ConfigurationError(
        f"--only {only!r} matches no case of {names}{among}: --dry-run lists the cases and duets"
    )


def _perform(lab: Lab, request: RunRequest, dry_run: bool) -> None:
    """Say what a run leaves out and how long it takes; then measure, or list its trials."""
    rows = request.earlier_rows()
    missing, to_come = request.plan.missing(rows), request.plan.may_come(rows)
    if only_noted(lambda http: [] if dry_run else services_for(to_come, http)):
        return
    console = terminal.console()
    for suite in request.suites:
        for reason in suite.left_out:
            console.print(f"left out of {suite.name}: {reason}", soft_wrap=True)
    for words in request.fit:
        console.print(words, soft_wrap=True)
    asked = ", ".join(request.arguments["suites"])
    console.print(f"{asked}: {count_in_words(missing)}, about {time_in_words(missing)}")
    if missing:
        console.print(f"The load: {who_asks(missing)}", soft_wrap=True)
    if not dry_run:
        raise typer.Exit(measure_run(lab, request, console))
    if words := read_sight(lab, request.suites, console).before():
        console.print(words, soft_wrap=True)
    for trial in missing:
        line = f"{trial.position:4}  {trial.expected_s:4.0f} s  {trial.called}"
        if trial.ahead:
            usual, most, window_s = trial.ahead.usual, trial.ahead.most, trial.ahead.window_s
            line += f", then about {usual} windows of {window_s:.0f} s, {most} at most"
        console.print(line, soft_wrap=True)
