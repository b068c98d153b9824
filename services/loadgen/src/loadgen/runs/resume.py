"""A run that was interrupted, killed or stopped: what it asked for, and which of its rows stay."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadgen.errors import ConfigurationError, unwritable
from loadgen.findings.earlier_run import AS_MEASURED, as_measured
from loadgen.lab import machine
from loadgen.lab.lab import Lab
from loadgen.lab.run_folders import find_run
from loadgen.records import environment
from loadgen.records.columns import Row
from loadgen.records.trials_csv import TRIALS_CSV, name_of, read_rows, write_table
from loadgen.runs.plan import Plan
from loadgen.runs.results import PROBE, Results, session
from loadgen.suites.suite import Suite


def find_unfinished(lab: Lab, named: str) -> Path:
    """The folder of a run of which something is missing.

    Args:
        lab: where runs are.
        named: as `run_folders.find_run` takes it.

    Raises:
        ConfigurationError: there is no such run, or nothing of it is missing.
    """
    folder = find_run(lab, named)
    if environment.read(folder).get("outcome") == environment.FINISHED:
        raise ConfigurationError(f"{folder.name} is finished: no trial is missing")
    return folder


def arguments_of(folder: Path) -> dict[str, Any]:
    """What the run was asked for: suites, servers, only, rounds and seed.

    Raises:
        ConfigurationError: its environment.json does not say.
    """
    arguments = environment.read(folder).get("arguments") or {}
    if lacking := {"suites", "servers", "only", "rounds", "seed"} - set(arguments):
        raise ConfigurationError(
            f"{folder}/environment.json does not say what the run was asked for: arguments lack "
            f"{', '.join(sorted(lacking))}"
        )
    return dict(arguments)


def rows_that_stay(plan: Plan, folder: Path) -> list[Row]:
    """The rows of a run that its plan asks for, of trials that were measured.

    Also those of duets that are known to have no load for both: nothing more can be got of them.
    Windows of a search after one that failed go, for they may not have followed from what it comes
    to now. A trial that was measured again stays, also where the plan has no time for that now:
    what was measured late may have taken it.

    Rounds that lack something go whole where another machine has measured them, or this one before
    it was started anew: what is compared within a round is of one machine.

    Raises:
        ConfigurationError: the rows are not of this plan.
    """
    rows = read_rows(folder)
    measured = {name_of(row): row for row in rows if row.is_settled}
    known = [trial for place in plan.places(measured) for trial in place.known]
    position_of = {side.name: side.position for trial in known for side in trial.sides}
    searches = {trial.position for trial in known if trial.ahead}
    for row in rows:
        name, position = name_of(row | {"attempt": 1}), row["position"]
        of_a_search = row.is_window and position in searches
        if position_of[name] != position if name in position_of else not of_a_search:
            raise ConfigurationError(
                f"{folder.name} cannot be resumed: its trial {position}, {name_of(row)}, is "
                "not what its suites ask for now. Another version of the lab has made the run: "
                "finish it with that version, or begin a new one"
            )
    whole = [trial for trial in known if all(side.name in measured for side in trial.sides)]
    stay = {side.name for trial in whole for side in trial.sides}
    kept = [row for name, row in measured.items() if name in stay or row.attempt > 1]
    if not _was_measured_elsewhere(folder):
        return kept
    begun = {trial.round for trial in plan.missing(kept)}
    return [row for row in kept if row["round"] not in begun]


def _was_measured_elsewhere(folder: Path) -> bool:
    """Whether the last session of a run was of another machine; of one that does not say: no."""
    last = environment.read(folder).get("boot_id")
    return last is not None and last != machine.boot_id()


def reopen(
    folder: Path,
    suites: Sequence[Suite],
    description: dict[str, Any],
    rows: Sequence[Row],
    plan: Plan,
) -> Results:
    """The folder as if the missing trials had never been tried, with a session of its own.

    Args:
        folder: of the run.
        suites: what it asks.
        description: the environment now, as `machine.describe` gives it.
        rows: those that stay.
        plan: of the whole run.
    """
    try:
        stay = {name_of(row) for row in rows}
        for row in read_rows(folder):
            if name_of(row) not in stay:
                _forget(folder, row.text("driver"), name_of(row))
        write_table(folder / TRIALS_CSV, rows)
        for trial in plan.missing(rows):  # one that was killed has files, and no row
            for side in trial.sides:
                _forget(folder, side.case.driver, side.name)
    except OSError as error:
        raise unwritable(error) from error
    before = environment.read(folder)
    sessions = before.get("sessions") or [session(before, changes={})]
    now = session(description, environment.changes(before, description))
    ours = {key: fact for key, fact in now.items() if key not in ("started_at", "changes")}
    state = before | ours | {AS_MEASURED: as_measured(suites), "sessions": [*sessions, now]}
    return Results(folder, suites, state, rows, plan.trial_count)


def _forget(folder: Path, driver: str, name: str) -> None:
    """Remove the files of a trial."""
    shutil.rmtree(folder / driver / name, ignore_errors=True)
    (folder / "samples" / f"{name}.csv.gz").unlink(missing_ok=True)
    (folder / PROBE / f"{name}.csv").unlink(missing_ok=True)
    (folder / "slices" / f"{name}.csv").unlink(missing_ok=True)
