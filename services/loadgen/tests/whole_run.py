"""A run of a plan whose trials are answered by a function instead of a lab."""

from collections.abc import Callable, Iterable

from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.runs.plan import Plan
from loadgen.trials.trial import Trial
from tests.make import no_duets


def rows_of_a_run(
    plan: Plan, answer: Callable[[Trial], Row], earlier: Iterable[Row] = ()
) -> list[Row]:
    """All rows of a run, those of an earlier session first; each trial is answered by its row."""
    rows = list(earlier)
    while trial := plan.next_trial(rows):
        rows.append(answer(*no_duets([trial])))
    return rows


def answered(
    trial: Trial, carries_rps: float, ceiling_rps: float | None = 250.0, **cells: Cell
) -> Row:
    """The row of a trial whose stack carries so many views a second; up to there none waits.

    Args:
        trial: under users or, a window of a search, at a rate.
        carries_rps: the most that is answered in time.
        ceiling_rps: what the CPU allows as far as the row knows.
        cells: what else it says.
    """
    rate_rps = trial.case.rate_rps
    plain: dict[str, Cell] = {
        "outcome": "measured",
        "ranked": "yes",
        "round": trial.round,
        "repeat": trial.repeat,
        "position": trial.position,
        "service_time_ms": 600.0,
        "cpu_ceiling_rps": ceiling_rps,
        "p95_ms": 650.0 if rate_rps is None or rate_rps <= carries_rps else 950.0,
    }
    return columns.row(trial.case.cells() | plain | cells)
