"""A run: trials one after the other, rows as they come, the tables at the end."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from loadgen.documents.command_lines import BENCH
from loadgen.documents.lines import labels_of
from loadgen.documents.material import material
from loadgen.errors import ConfigurationError, ResultsLostError, RunStoppedError, TrialError
from loadgen.lab import machine, network
from loadgen.lab.lab import Lab
from loadgen.lab.servers import Server
from loadgen.records.columns import Row
from loadgen.records.trials_csv import name_of
from loadgen.runs import resume, up
from loadgen.runs.lock import RunLock
from loadgen.runs.plan import Plan
from loadgen.runs.progress import Progress
from loadgen.runs.run_folder import FINISHED, Results, create
from loadgen.suites.suite import Suite
from loadgen.suites.timing import duration
from loadgen.topics.run_page import PAGE, write_report
from loadgen.topics.tables import print_tables
from loadgen.trials import upstreams
from loadgen.trials.idle import Idle
from loadgen.trials.instruments import HttpApi, HttpLauncher, Launcher, NoLauncher
from loadgen.trials.protocol import Protocol
from loadgen.trials.rows import failed_row, measured_row
from loadgen.trials.self_check import as_document, check_api, demands
from loadgen.trials.trial import Ahead, Trial

DONE, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Request:
    """What a run is asked for.

    Attributes:
        arguments: as environment.json has them: suites, servers, only, rounds, seed, axes.
        suites: the suites, narrowed by these.
        plan: their trials.
        resumed: the folder of the run to be finished; None: a new one.
    """

    arguments: Mapping[str, Any]
    suites: Sequence[Suite]
    plan: Plan
    resumed: Path | None = None

    def remains(self) -> resume.Left:
        """What an earlier session has measured of it, and the trials known to be missing."""
        if self.resumed:
            return resume.left(self.plan, self.resumed)
        return resume.Left(rows=(), missing=tuple(self.plan.certain()))


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        exit_code: of the process.
        words: the last ones, a line each.
        lost: whether results/ takes nothing more.
    """

    exit_code: int
    words: tuple[str, ...]
    lost: bool = False


def execute(lab: Lab, request: Request, console: Console) -> int:
    """Measure every trial of the plan that has not been measured; returns the exit code.

    Raises:
        ConfigurationError: another run is under way, the API or a server is not up, or results/
            cannot be written.
    """
    count = request.plan.trial_count
    with RunLock(lab.results) as lock, httpx.Client(verify=False, trust_env=False) as http:
        remains = request.remains()
        left = remains.missing
        addresses = up.wait_for(_needed(left, http))
        api = HttpApi(up.api_origin(addresses) if left else "", http)
        servers = {trial.server.name: trial.server for trial in left}
        launchers = {
            name: _launcher_of(server, addresses, http) for name, server in servers.items()
        }
        abouts = {name: launcher.about() for name, launcher in launchers.items()}
        if upstreams.SERVICE in addresses:
            abouts[upstreams.SERVICE] = _launcher(addresses[upstreams.SERVICE], http).about()
        checks = [check_api(demand, api) for demand in demands(left, len(lab.roles.app))]
        for each in checks:
            console.print(str(each), soft_wrap=True)
        if any(each.faults for each in checks):
            return FAILED
        described = machine.describe(lab, request.arguments, abouts)
        described["self_check"] = as_document(checks)
        if request.resumed:
            results = resume.reopen(request.resumed, request.suites, described, remains, count)
            _say_what_is_left(console, results, len({trial.position for trial in left}))
        else:
            results = create(lab, request.suites, described, count)
        lock.name(results.folder)
        with Progress(console, left, count, labels_of(request.suites)) as progress:
            protocol = Protocol(api, http, lab.roles, progress.observe)
            idle = Idle(launchers, len(lab.roles.app))

            there = {name_of(row): row for row in remains.rows}

            def measure(trial: Trial) -> Row:
                if trial.name in there:
                    return there[trial.name]
                results.begin(trial)
                api.origin = _api_is_back(http)
                with idle.not_idle(trial.case.server):
                    return _measure(trial, protocol, results, progress)

            ending = _run(request.plan, results, measure)
            with suppress(ResultsLostError):  # the ending has said so
                results.note("idle", idle.document())
    print_tables(console, request.suites, results.rows)
    nothing = ending.lost or not results.rows
    drawn = Ending(DONE, ()) if nothing else _report(lab, request.suites, results)
    _say_how_it_ended(console, lab, results, ending, drawn)
    return ending.exit_code or drawn.exit_code


def counted(trials: Sequence[Trial]) -> str:
    """How many trials, in words; about how many where some are of searches."""
    searches = sum(trial.ahead is not None for trial in trials)
    count = usual_count(trials)
    words = f"{count} trial{'' if count == 1 else 's'}"
    if not searches:
        return words
    return f"about {words} in {searches} search{'' if searches == 1 else 'es'}"


def usual_count(trials: Sequence[Trial]) -> int:
    """How many trials, with the usual number of those that searches will add."""
    return len(trials) + sum(trial.ahead.usual for trial in trials if trial.ahead)


def usual_time(trials: Sequence[Trial]) -> str:
    """About how long trials take, in words, with the usual number of those that searches add."""
    return duration(_seconds(trials, lambda ahead: ahead.usual))


def expected(trials: Sequence[Trial]) -> str:
    """The same, and the most that it can be where some are of searches."""
    if not any(trial.ahead for trial in trials):
        return usual_time(trials)
    return f"{usual_time(trials)}, {duration(_seconds(trials, lambda ahead: ahead.most))} at most"


def _seconds(trials: Sequence[Trial], windows: Callable[[Ahead], int]) -> float:
    to_come = sum(windows(each.ahead) * each.ahead.window_s for each in trials if each.ahead)
    return to_come + sum(trial.expected_s for trial in trials)


def _needed(left: Sequence[Trial], http: httpx.Client) -> list[up.Service]:
    """What has to be up for these trials."""
    if not left:
        return []
    servers = {trial.server.name: trial.server for trial in left}.values()
    needed = [up.api(http), *(up.server(each, http) for each in servers)]
    if any(trial.case.upstream == upstreams.DJANGO for trial in left):
        needed.append(up.launcher(upstreams.SERVICE, http))
    return needed


def _launcher_of(server: Server, addresses: Mapping[str, str], http: httpx.Client) -> Launcher:
    """What is beside a server."""
    if server.page and server.always_on:
        return NoLauncher(server.page.url)
    return _launcher(addresses[server.name], http)


def _launcher(address: str, http: httpx.Client) -> Launcher:
    """The launcher at an address; a server that a killed run has left is ended."""
    launcher = HttpLauncher(f"http://{address}:{network.LAUNCHER_PORT}", http)
    launcher.stop()
    return launcher


def _api_is_back(http: httpx.Client) -> str:
    """The API's origin, elsewhere perhaps if it was restarted since the trial before.

    Raises:
        RunStoppedError: without it every trial to come would fail.
    """
    try:
        return up.api_origin(up.wait_for([up.api(http)], up.UP_TIMEOUT_S))
    except ConfigurationError as error:
        raise RunStoppedError(str(error)) from error


def _run(plan: Plan, results: Results, measure: Callable[[Trial], Row]) -> Ending:
    """Measure every trial, and write how that ended wherever it can still be written."""
    try:
        try:
            plan.play(measure)
        except KeyboardInterrupt:
            results.finish(f"interrupted at {results.at}")
            return Ending(INTERRUPTED, (f"Interrupted: {results.tally}",))
        except RunStoppedError as stopped:
            results.finish(f"stopped at {results.at}: {stopped}")
            return Ending(FAILED, (f"Stopped at {results.at}: {stopped}", results.tally))
        except ResultsLostError:
            raise
        except BaseException:
            results.finish(f"broke off at {results.at}")
            raise
        return _close(results)
    except ResultsLostError as lost:
        # environment.json still says `unfinished`, and at which trial.
        return Ending(FAILED, (f"{lost}. Make room there.",), lost=True)


def _close(results: Results) -> Ending:
    """Every trial has its row."""
    folder = f"results/{results.folder.name}/"
    where = f"Results: {folder}  (trials.csv, summary.csv, samples/, environment.json)"
    failures = [row for row in results.rows if row["outcome"] != "measured"]
    if not failures:
        results.finish(FINISHED)
        return Ending(DONE, (where,))
    share = f"{len(failures)} of {len(results.rows)} trials"
    results.finish(f"{share} failed")
    servers = ", ".join(dict.fromkeys(str(row["server"]) for row in failures))
    return Ending(FAILED, (where, f"{share} could not be measured: {servers}"))


def _report(lab: Lab, suites: Sequence[Suite], results: Results) -> Ending:
    """Draw the report of what there is; whatever fails at that costs no result."""
    folder = f"results/{results.folder.name}"
    try:
        write_report(material(results.folder, suites), results.folder)
    except Exception as error:
        said = f"The report could not be drawn ({type(error).__name__}: {error}). The results are "
        said += f"whole without it. To draw it: {_command(lab)} report {folder}"
        return Ending(FAILED, (said,))
    return Ending(DONE, (f"Report: {folder}/{PAGE}",))


def _measure(trial: Trial, protocol: Protocol, results: Results, progress: Progress) -> Row:
    """Measure one trial; its failure costs no other.

    Returns:
        Its row as trials.csv has it, so that a search goes the same way when it is replayed.
    """
    progress.begin(trial)
    try:
        with results.writing():
            recording = protocol.run(trial, results.raw_folder(trial))
        row = measured_row(trial, recording)
    except (TrialError, ConfigurationError) as error:
        results.check_room()
        reason = _as_trial_error(error)
        results.keep(trial, failed_row(trial, reason.outcome), None)
        progress.failed(reason)
    else:
        results.keep(trial, row, recording)
        progress.measured(row)
    return results.rows[-1]


def _as_trial_error(error: TrialError | ConfigurationError) -> TrialError:
    """A server that went down during the run costs its trials, not the run."""
    return error if isinstance(error, TrialError) else TrialError("server-not-up", str(error))


def _say_what_is_left(console: Console, results: Results, missing: int) -> None:
    """What a resumed run still has to do, and what of the environment is not as it was."""
    console.print(f"{results.tally}: {missing or 'none'} to be measured")
    for key, values in results.changes.items():
        console.print(
            f"changed since the run began: {key} was {values['was']}, is {values['is']}",
            soft_wrap=True,
        )


def _command(lab: Lab) -> str:
    """What a reader calls loadgen by."""
    return BENCH if lab.host_facts else "docker compose run --rm loadgen"


def _say_how_it_ended(
    console: Console, lab: Lab, results: Results, ending: Ending, drawn: Ending
) -> None:
    lines = [*ending.words, *drawn.words]
    if ending.exit_code != DONE:
        lines.append(f"To finish it: {_command(lab)} run --resume results/{results.folder.name}")
    if not lab.host_facts:  # scripts/bench stops what it has started
        lines.insert(0, "Stop the lab with: docker compose down")
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)
