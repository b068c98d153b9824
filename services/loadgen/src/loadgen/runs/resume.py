"""A run that was interrupted, killed or stopped: what it asked for, and what it still lacks."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.errors import ConfigurationError, unwritable
from loadgen.lab import run_folders
from loadgen.lab.lab import Lab
from loadgen.records import environment
from loadgen.records.columns import Row
from loadgen.records.trials_csv import name_of, read_rows, write_table
from loadgen.runs.plan import Plan
from loadgen.runs.run_folder import FINISHED, Results, session
from loadgen.suites.suite import Suite
from loadgen.trials.trial import Trial


def find(lab: Lab, named: str) -> Path:
    """The folder of a run of which something is missing.

    Args:
        lab: where runs are.
        named: as `run_folders.find_run` takes it.

    Raises:
        ConfigurationError: there is no such run, or nothing of it is missing.
    """
    folder = run_folders.find_run(lab, named)
    if environment.read(folder).get("outcome") == FINISHED:
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


@dataclass(frozen=True)
class Left:
    """What an earlier session has left of a run.

    Attributes:
        rows: those that stay: of trials that were measured, and that the plan asks for.
        missing: the trials that are known to be missing, in their order. What a search asks for
            next is known only once its missing window has been measured.
    """

    rows: tuple[Row, ...]
    missing: tuple[Trial, ...]


def left(plan: Plan, folder: Path) -> Left:
    """Replay a plan with the rows of a run.

    A search is replayed from its first trial; windows after one that failed go, for they may not
    have followed from what it comes to now.

    Raises:
        ConfigurationError: the rows are not of this plan.
    """
    rows = read_rows(folder)
    measured = {name_of(row): row for row in rows if row["outcome"] == "measured"}
    asked: dict[str, Trial] = {}

    def answer(trial: Trial) -> Row | None:
        asked[trial.name] = trial
        return measured.get(trial.name)

    plan.play(answer)
    searched = {trial.position for trial in asked.values() if trial.ahead}
    for row in rows:
        trial = asked.get(name_of(row))
        of_a_search = row["repeat"] is not None and row["position"] in searched
        if trial.position != row["position"] if trial else not of_a_search:
            raise ConfigurationError(
                f"{folder.name} cannot be resumed: its trial {row['position']}, {name_of(row)}, is "
                "not what its suites give now. Another version of the lab has made it"
            )
    return Left(
        rows=tuple(row for name, row in measured.items() if name in asked),
        missing=tuple(trial for name, trial in asked.items() if name not in measured),
    )


def reopen(
    folder: Path,
    suites: Sequence[Suite],
    description: dict[str, Any],
    remains: Left,
    count: int,
) -> Results:
    """The folder as if the missing trials had never been tried, with a session of its own.

    Args:
        folder: of the run.
        suites: what it asks.
        description: the environment now, as `machine.describe` gives it.
        remains: what stays, and what is missing.
        count: trials of the whole run.
    """
    try:
        stay = {name_of(row) for row in remains.rows}
        for row in read_rows(folder):
            if name_of(row) not in stay:
                _forget(folder, str(row["driver"]), name_of(row))
        write_table(folder / "trials.csv", remains.rows)
        for trial in remains.missing:  # one that was killed has files, and no row
            _forget(folder, trial.case.driver, trial.name)
    except OSError as error:
        raise unwritable(error) from error
    before = environment.read(folder)
    sessions = before.get("sessions") or [session(before, changes={})]
    now = session(description, environment.changes(before, description))
    ours = {key: fact for key, fact in now.items() if key not in ("started_at", "changes")}
    state = before | ours | {"sessions": [*sessions, now]}
    return Results(folder, suites, state, remains.rows, count)


def _forget(folder: Path, driver: str, name: str) -> None:
    """Remove the files of a trial."""
    shutil.rmtree(folder / driver / name, ignore_errors=True)
    (folder / "samples" / f"{name}.csv.gz").unlink(missing_ok=True)
