"""A run: trials one after the other, rows as they come, the tables at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from loadgen.documents.command_lines import loadgen_as_called, where_all_is
from loadgen.documents.few_rounds import KnownScatter
from loadgen.documents.run_material import Material, for_text, labels_of, material
from loadgen.duets.duet import Duet, Measurement, demanding
from loadgen.duets.protocol import DuetProtocol
from loadgen.duets.rows import measured_duet
from loadgen.errors import ConfigurationError, ResultsLostError, RunStoppedError, TrialError
from loadgen.findings.earlier_run import run_of
from loadgen.lab import machine
from loadgen.lab.lab import Lab
from loadgen.records import environment
from loadgen.records.columns import Row, last_attempts
from loadgen.reports.kept_answer import keep_answer
from loadgen.reports.live_page import LivePage
from loadgen.reports.run_report import PAGE_FILE, print_report, write_report
from loadgen.reports.runs_index import write_index
from loadgen.runs import resume
from loadgen.runs.equipment import Equipment, equipment_for, find_api_again
from loadgen.runs.first_look import FirstLook
from loadgen.runs.lock import RunLock
from loadgen.runs.plan import Plan
from loadgen.runs.progress import Progress
from loadgen.runs.results import Results, create
from loadgen.runs.sight import Sight, keep_sight, read_sight
from loadgen.suites.suite import Suite
from loadgen.trials.idle import Idle
from loadgen.trials.protocol import Protocol
from loadgen.trials.rows import failed_row, measured_row
from loadgen.trials.self_check import as_document, check_api, demands
from loadgen.trials.trial import Trial

DONE, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked for.

    Attributes:
        arguments: as environment.json has them: suites, servers, only, rounds, seed, axes.
        suites: the suites, narrowed by these.
        plan: their trials.
        resumed: the folder of the run to be finished; None: a new one.
        fit: sentences that say what fits into the time that was set.
    """

    arguments: Mapping[str, Any]
    suites: Sequence[Suite]
    plan: Plan
    resumed: Path | None = None
    fit: tuple[str, ...] = ()

    def earlier_rows(self) -> list[Row]:
        """What an earlier session has measured of it.

        Raises:
            ConfigurationError: the run cannot be resumed.
        """
        return resume.rows_that_stay(self.plan, self.resumed) if self.resumed else []


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


def measure_run(lab: Lab, request: RunRequest, console: Console) -> int:
    """Measure every trial of the plan that has not been measured; returns the exit code.

    Raises:
        ConfigurationError: another run is under way, the API or a server is not up, or results/
            cannot be written.
    """
    with RunLock(lab.results) as lock, httpx.Client(verify=False, trust_env=False) as http:
        rows = request.earlier_rows()
        missing = request.plan.missing(rows)
        to_come = request.plan.may_come(rows)
        equipment = equipment_for(to_come, http)
        checks = [
            check_api(demand, equipment.api)
            for demand in demands(demanding(to_come), len(lab.roles.app))
        ]
        for each in checks:
            console.print(str(each), soft_wrap=True)
        if any(each.faults for each in checks):
            return FAILED
        described = machine.describe(lab, request.arguments, equipment.abouts)
        described["self_check"] = as_document(checks)
        results = _open_folder(lab, request, described, rows, console)
        lock.name(results.folder)
        count = request.plan.trial_count
        sight = read_sight(lab, request.suites, console)
        if words := sight.before():
            console.print(words, soft_wrap=True)
        with Progress(console, missing, count, labels_of(request.suites)) as progress:
            protocol = Protocol(equipment.api, http, lab.roles, progress.observe)
            duets = DuetProtocol(equipment.api, http, lab.roles, progress.observe)
            idle = Idle(equipment.launchers, len(lab.roles.app))
            look = FirstLook(console, request.suites, request.plan.round_count, sight.kept)
            page = LivePage(results.folder, request.suites, progress.say, sight.kept)
            session = _Session(
                *(http, equipment, protocol, duets, idle, results, progress, sight, look, page)
            )
            ending = _measure_to_the_end(request.plan, session)
            with suppress(ResultsLostError):  # the ending has said so
                results.note(idle=idle.document())
    print_report(console, for_text(results.as_run, sight.kept))
    unkept = "" if ending.lost else keep_sight(lab, request.suites, results.folder, results.rows)
    nothing = ending.lost or not results.rows
    drawn = Ending(DONE, ()) if nothing else _report(lab, request.suites, results, sight.kept)
    ending = replace(ending, words=(*filter(None, [unkept]), *ending.words))
    _say_how_it_ended(console, lab, results, ending, drawn)
    return ending.exit_code or drawn.exit_code


def _open_folder(
    lab: Lab, request: RunRequest, described: dict[str, Any], rows: Sequence[Row], console: Console
) -> Results:
    """The folder of a new run; or that of a resumed one, and what it still has to do."""
    if not request.resumed:
        return create(lab, request.suites, described, request.plan.trial_count)
    results = resume.reopen(request.resumed, request.suites, described, rows, request.plan)
    missing = len(request.plan.missing(rows))
    console.print(f"{results.tally}. Still to measure: {missing or 'none'}", soft_wrap=True)
    for key, values in results.changes.items():
        console.print(
            f"changed since the run began: {key} was {values['was']}, is {values['is']}",
            soft_wrap=True,
        )
    return results


@dataclass(frozen=True)
class _Session:
    """What trials are measured with, and who hears of them."""

    http: httpx.Client
    equipment: Equipment
    protocol: Protocol
    duets: DuetProtocol
    idle: Idle
    results: Results
    progress: Progress
    sight: Sight
    first_look: FirstLook
    page: LivePage


def _measure_to_the_end(plan: Plan, session: _Session) -> Ending:
    """Measure every trial, and write how that ended wherever it can still be written."""
    results = session.results
    try:
        try:
            for trial in one_by_one(plan, results, session.progress, session.page):
                session.progress.tell(session.sight.after(results.rows, trial.round))
                session.first_look.before(trial, results.rows, session.progress.left_s)
                _measure(trial, session)
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


def one_by_one(
    plan: Plan, results: Results, progress: Progress, page: LivePage
) -> Iterator[Measurement]:
    """The trials that are missing; the page is drawn between two of them, and never while one runs.

    Args:
        plan: of the run.
        results: its rows so far; whoever asks for the next trial has added that of the last.
        progress: knows how long the run takes yet.
        page: of the run so far.
    """
    while trial := plan.next_trial(results.rows):
        if results.rows:
            page.draw(f"trial {trial.position} of {plan.trial_count}", progress.left_s)
        yield trial


def _measure(measurement: Measurement, session: _Session) -> None:
    """Measure one trial or duet and keep what it brings; its failure costs no other.

    Raises:
        RunStoppedError: the API is gone.
        ResultsLostError: its rows cannot be kept.
    """
    session.results.begin(measurement)
    find_api_again(session.equipment.api, session.http)
    if isinstance(measurement, Duet):
        with session.idle.not_idle(*measurement.hosts):
            _measure_duet(measurement, session)
    else:
        with session.idle.not_idle(measurement.case.server):
            _measure_trial(measurement, session)


def _measure_trial(trial: Trial, session: _Session) -> None:
    results, progress = session.results, session.progress
    progress.begin(trial)
    try:
        with results.writing():
            recording = session.protocol.run(trial, results.raw_folder(trial))
        row = measured_row(trial, recording)
    except (TrialError, ConfigurationError) as error:
        results.check_room()
        reason = _as_trial_error(error)
        results.keep(trial, failed_row(trial, reason.outcome), None)
        progress.failed(trial, reason)
    else:
        results.keep(trial, row, recording)
        progress.measured(trial, row)


def _measure_duet(duet: Duet, session: _Session) -> None:
    results, progress = session.results, session.progress
    progress.begin(duet)
    try:
        with results.writing():
            folders = [results.raw_folder(side) for side in duet.sides]
            recording = session.duets.run(duet, folders)
        measured = measured_duet(duet, recording)
    except (TrialError, ConfigurationError) as error:
        results.check_room()
        reason = _as_trial_error(error)
        results.keep_failed_duet(duet, reason)
        progress.failed(duet, reason)
    else:
        results.keep_duet(duet, measured, recording)
        progress.measured_duet(duet, measured, recording.load)


def _as_trial_error(error: TrialError | ConfigurationError) -> TrialError:
    """A server that went down during the run costs its trials, not the run."""
    return error if isinstance(error, TrialError) else TrialError("server-not-up", str(error))


def _close(results: Results) -> Ending:
    """Every trial has its row; of one that was measured again, the last says whether it failed."""
    folder = f"results/{results.folder.name}/"
    where = f"Results: {folder}"
    rows = last_attempts(results.rows)
    failures = [row for row in rows if not row.is_settled]
    if not failures:
        results.finish(environment.FINISHED)
        return Ending(DONE, (where,))
    share = f"{len(failures)} of {len(rows)} trials"
    results.finish(f"{share} failed")
    servers = ", ".join(dict.fromkeys(row.text("server") for row in failures))
    return Ending(FAILED, (where, f"{share} could not be measured: {servers}"))


def _report(lab: Lab, suites: Sequence[Suite], results: Results, kept: KnownScatter) -> Ending:
    """Draw the report of what there is; whatever fails at that costs no result."""
    folder = f"results/{results.folder.name}"
    try:
        whole = material(run_of(results.folder, suites), kept)
        write_report(whole, results.folder)
    except Exception as error:
        with suppress(OSError):  # it would say that the run goes on
            (results.folder / PAGE_FILE).unlink(missing_ok=True)
        words = f"The report could not be drawn ({type(error).__name__}: {error}). The results are "
        words += f"whole without it. To draw it: {loadgen_as_called(lab)} report {folder}"
        return Ending(FAILED, (words,))
    return _list(lab, whole, f"Report: {folder}/{PAGE_FILE}")


def _list(lab: Lab, whole: Material, report: str) -> Ending:
    """Keep the answer, and list the run among the others; whatever fails at that costs nothing."""
    try:
        keep_answer(whole)
        index = write_index(lab)
    except Exception as error:
        words = f"The list of runs could not be written ({type(error).__name__}: {error})."
        return Ending(FAILED, (report, words))
    more = where_all_is(lab, whole.name)
    return Ending(DONE, (report, f"All runs: results/{index.name}", more))


def _say_how_it_ended(
    console: Console, lab: Lab, results: Results, ending: Ending, drawn: Ending
) -> None:
    lines = [*ending.words, *drawn.words]
    if ending.exit_code != DONE:
        finish = f"{loadgen_as_called(lab)} run --resume results/{results.folder.name}"
        lines.append(f"To finish it: {finish}")
    if not lab.host_facts:  # scripts/bench stops what it has started
        lines.insert(0, "Stop the lab with: docker compose down")
    console.print()
    for line in lines:
        console.print(line, soft_wrap=True)
