"""A run: trials one after the other, rows as they come, the tables at the end."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from rich.console import Console

from loadgen import environment
from loadgen.errors import ConfigurationError, TrialError
from loadgen.instruments import Api, Launcher
from loadgen.lab import Lab
from loadgen.plan import Plan
from loadgen.progress import Progress, duration
from loadgen.protocol import Protocol
from loadgen.results import Results
from loadgen.rows import failed_row, measured_row
from loadgen.suite import Suite
from loadgen.tables import print_tables
from loadgen.target import LAUNCHER_PORT, address_of
from loadgen.trial import Trial

API_PORT = 9000
#: `docker compose up` starts all containers at once: how long one may take to answer.
UP_TIMEOUT_S = 30.0

DONE, FAILED, INTERRUPTED = 0, 1, 130


def execute(
    lab: Lab,
    asked: list[str],
    suites: Sequence[Suite],
    plan: Plan,
    arguments: Mapping[str, object],
    console: Console,
) -> int:
    """Measure every trial of the plan; returns the exit code.

    Raises:
        ConfigurationError: the API or a server is not up, or results/ cannot be written.
    """
    trials = list(plan.trials())
    with httpx.Client(verify=False, trust_env=False) as http:
        api = Api(f"http://{wait_for('api', API_PORT, '/-/stats', http)}:{API_PORT}", http)
        abouts = {name: _about(name, http) for name in {t.case.server: None for t in trials}}
        results = Results(lab, asked, environment.describe(lab, arguments, abouts))
        with Progress(console, trials) as progress:
            protocol = Protocol(api, http, lab.roles, progress.observe)
            exit_code = _measure(trials, protocol, results, progress)
    print_tables(console, suites, results.rows)
    _say_where(console, results, len(trials), exit_code)
    if not lab.host_facts:  # scripts/bench stops what it has started
        console.print("Stop the lab with: docker compose down", highlight=False)
    return exit_code


def counted(trials: Sequence[Trial]) -> str:
    """How many trials, in words."""
    return f"{len(trials)} trial{'' if len(trials) == 1 else 's'}"


def expected(trials: Sequence[Trial]) -> str:
    """About how long trials take, in words."""
    return duration(sum(trial.expected_s for trial in trials))


def wait_for(service: str, port: int, path: str, http: httpx.Client) -> str:
    """The address of a service once it answers.

    Raises:
        ConfigurationError: it does not within the time that a start may take.
    """
    deadline = time.monotonic() + UP_TIMEOUT_S
    while True:
        try:
            address = address_of(service)
            http.get(f"http://{address}:{port}{path}", timeout=5).raise_for_status()
        except (httpx.HTTPError, ConfigurationError) as error:
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{service} is not up ({error}). Start it with: docker compose up -d {service}"
                ) from error
            time.sleep(0.2)
        else:
            return address


def _about(server: str, http: httpx.Client) -> dict[str, Any]:
    address = wait_for(server, LAUNCHER_PORT, "/stats?memory=0", http)
    return Launcher(f"http://{address}:{LAUNCHER_PORT}", http).about()


def _measure(
    trials: Sequence[Trial], protocol: Protocol, results: Results, progress: Progress
) -> int:
    failed = 0
    trial = trials[0]
    try:
        for trial in trials:
            progress.begin(trial)
            try:
                recording = protocol.run(trial, results.raw_folder(trial))
                row = measured_row(trial, recording)
            except (TrialError, ConfigurationError) as error:
                failed += 1
                reason = _as_trial_error(error)
                results.keep(trial, failed_row(trial, reason.outcome), None)
                progress.failed(reason)
            else:
                results.keep(trial, row, recording)
                progress.measured(row)
    except KeyboardInterrupt:
        results.finish(f"interrupted at trial {trial.position} of {len(trials)}")
        return INTERRUPTED
    except BaseException:
        results.finish(f"broke off at trial {trial.position} of {len(trials)}")
        raise
    if failed:
        results.finish(f"{failed} of {len(trials)} trials failed")
        return FAILED
    results.finish("finished")
    return DONE


def _as_trial_error(error: TrialError | ConfigurationError) -> TrialError:
    """A server that went down during the run costs its trials, not the run."""
    return error if isinstance(error, TrialError) else TrialError("server-not-up", str(error))


def _say_where(console: Console, results: Results, count: int, exit_code: int) -> None:
    folder = f"results/{results.folder.name}/"
    console.print()
    if exit_code == INTERRUPTED:
        console.print(f"Interrupted: {len(results.rows)} of {count} trials are in {folder}")
    else:
        console.print(f"Results: {folder}  (trials.csv, summary.csv, samples/, environment.json)")
    failures = [row for row in results.rows if row["outcome"] != "measured"]
    if failures:
        servers = ", ".join(dict.fromkeys(str(row["server"]) for row in failures))
        console.print(f"{len(failures)} of {count} trials could not be measured: {servers}")
