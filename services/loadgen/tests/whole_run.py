"""A run of a plan whose trials are answered by a function instead of a lab."""

from collections.abc import Callable, Iterable

from loadgen.records.columns import Row
from loadgen.runs.plan import Plan
from loadgen.trials.trial import Trial


def rows_of_a_run(
    plan: Plan, answer: Callable[[Trial], Row], earlier: Iterable[Row] = ()
) -> list[Row]:
    """All rows of a run, those of an earlier session first; each trial is answered by its row."""
    rows = list(earlier)
    while trial := plan.next_trial(rows):
        rows.append(answer(trial))
    return rows
