"""A run that was interrupted, killed or stopped: what it asked for, and what it still lacks."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from loadgen import environment
from loadgen.columns import Row
from loadgen.errors import ConfigurationError, unwritable
from loadgen.lab import Lab
from loadgen.results import FINISHED, Results, read_rows, session, write_table
from loadgen.suite import Suite
from loadgen.trial import Trial


def find(lab: Lab, directory: Path) -> Path:
    """The run's folder, in results/ or by its name alone.

    Raises:
        ConfigurationError: there is no such run, or nothing of it is missing.
    """
    inside = directory.parts[1:] if directory.parts[:1] == ("results",) else directory.parts
    folder = lab.results.joinpath(*inside)
    if not (folder / "trials.csv").is_file():
        raise ConfigurationError(f"{directory} is no run: it has no trials.csv")
    if environment.read(folder).get("outcome") == FINISHED:
        raise ConfigurationError(f"{directory} is finished: no trial is missing")
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


def measured_rows(folder: Path, trials: Iterable[Trial]) -> list[Row]:
    """The rows of a run that stay: those of trials that were measured.

    Raises:
        ConfigurationError: they are not of these trials.
    """
    places = {trial.name: trial.position for trial in trials}
    rows = read_rows(folder)
    for row in rows:
        if places.get(_name(row)) != row["position"]:
            raise ConfigurationError(
                f"{folder.name} cannot be resumed: its trial {row['position']}, {_name(row)}, is "
                "not what its suites give now. Another version of the lab has made it"
            )
    return [row for row in rows if row["outcome"] == "measured"]


def missing(trials: Iterable[Trial], rows: Iterable[Row]) -> list[Trial]:
    """The trials without a row, in their order."""
    there = {_name(row) for row in rows}
    return [trial for trial in trials if trial.name not in there]


def reopen(
    folder: Path,
    suites: Sequence[Suite],
    description: dict[str, Any],
    trials: Sequence[Trial],
    rows: Sequence[Row],
) -> Results:
    """The folder as if the missing trials had never been tried, with a session of its own.

    Args:
        folder: of the run.
        suites: what it asks.
        description: the environment now, as `environment.describe` gives it.
        trials: all trials of the run.
        rows: those that stay.
    """
    try:
        write_table(folder / "trials.csv", rows)
        for trial in missing(trials, rows):
            shutil.rmtree(folder / trial.case.driver / trial.name, ignore_errors=True)
            (folder / "samples" / f"{trial.name}.csv.gz").unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    before = environment.read(folder)
    sessions = before.get("sessions") or [session(before, changes={})]
    now = session(description, environment.changes(before, description))
    ours = {key: fact for key, fact in now.items() if key not in ("started_at", "changes")}
    state = before | ours | {"sessions": [*sessions, now]}
    return Results(folder, suites, state, rows, len(trials))


def _name(row: Row) -> str:
    """The key of the trial that a row is of."""
    return f"{row['case']}.r{row['round']}"
