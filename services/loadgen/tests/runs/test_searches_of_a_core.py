"""Searches of a simulated core, whose capacity is known: is the method itself right?

One CPU serves views in the order in which they come, each for the same time; then they wait for the
upstream. Its windows go through the whole of the lab: rows, criteria, plan, capacity.csv.
"""

import math
from collections.abc import Iterator
from functools import cache
from statistics import mean

import numpy as np
import polars as pl
import pytest

from loadgen.findings.capacity import Capacity, capacities
from loadgen.findings.rate_holds import judge_window
from loadgen.generators.arrivals import instants_ns
from loadgen.records import columns
from loadgen.records.columns import Row
from loadgen.records.samples import frame
from loadgen.records.trials_csv import name_of
from loadgen.runs.plan import Plan
from loadgen.suites.search import Rules
from loadgen.trials.rows import measured_row
from loadgen.trials.trial import Trial
from tests.make import a_case, a_recording, a_server, a_suite, a_trial
from tests.whole_run import rows_of_a_run

SERVICE_S = 0.6
#: CPU time of a view, and so 250 views a second at most.
VIEW_S = 0.004
RULES = Rules(warm_up_s=3)
CASE = a_case(driver="own", users=300)
SUITE = a_suite(cases=(CASE,), search=RULES)
RUNS = 12


def samples(rate_rps: float, seconds: float, seed: int) -> pl.DataFrame:
    """What a driver records of a core under random arrivals."""
    due_s = np.array(list(instants_ns(rate_rps, seconds, "poisson", seed))) / 1e9
    busy_s = VIEW_S * np.arange(1, due_s.size + 1)
    # D. V. Lindley's recursion: done = max(done of the one before, due) + view.
    done_s = busy_s + np.maximum.accumulate(due_s - busy_s + VIEW_S)
    ended_s = done_s + SERVICE_S
    answered = {"due_s": due_s, "sent_s": due_s, "answered_s": ended_s, "ended_s": ended_s}
    status = np.full(due_s.size, 200)
    known: dict[str, list[object]] = {name: list(values) for name, values in answered.items()}
    return frame({**known, "status": list(status), "failure": [None] * due_s.size})


def a_row(trial: Trial) -> Row:
    """The row of a trial of the core; under its users it tells C / D, a little wrong each time."""
    rate_rps = trial.case.rate_rps
    if rate_rps is None:
        off = math.exp(0.03 * np.random.default_rng((trial.seed, trial.round)).normal())
        cells = {"outcome": "measured", "round": trial.round, "position": trial.position}
        return columns.row(trial.case.cells() | cells | {"cpu_ceiling_rps": off / VIEW_S})
    window_s = trial.window_s or 0
    seed = trial.arrivals_seed
    assert seed is not None
    recorded = samples(rate_rps, trial.warm_up_s + window_s, seed)
    window = (trial.warm_up_s, trial.warm_up_s + window_s)
    return measured_row(trial, a_recording(recorded, window))


def windows(rate_rps: float, count: int) -> Iterator[bool | None]:
    """Whether windows at a rate hold."""
    case = RULES.offered(CASE, rate_rps)
    for seed in range(count):
        window = a_trial(case=case, warm_up_s=3.0, window_s=15.0, seed=seed, repeat=1)
        yield judge_window(0, a_row(window), RULES).held


@cache
def found() -> list[list[Capacity]]:
    """The capacities of some runs of three rounds."""
    plans = [Plan([SUITE], {"uvicorn": a_server()}, 3, seed) for seed in range(RUNS)]
    return [capacities([SUITE], rows_of_a_run(plan, a_row)) for plan in plans]


def test_a_rate_well_below_what_the_cpu_allows_always_holds() -> None:
    assert all(windows(0.9 / VIEW_S, 40))


def test_a_rate_that_the_cpu_cannot_serve_does_not_hold_but_for_a_lucky_window() -> None:
    assert not any(windows(1.1 / VIEW_S, 40))
    # Few arrivals by chance: so one window of forty decides nothing, and a majority does.
    assert sum(held is True for held in windows(1.05 / VIEW_S, 40)) <= 2


def test_every_search_ends_with_a_capacity_between_those() -> None:
    for capacity in (each for rounds in found() for each in rounds):
        assert capacity.reason == ""
        assert capacity.low_rps is not None
        assert capacity.high_rps is not None
        assert 0.88 < capacity.low_rps * VIEW_S < capacity.high_rps * VIEW_S < 1.08


def test_a_round_that_begins_where_the_last_one_ended_finds_no_other_capacity() -> None:
    first, later = (
        mean(math.log(each.low_rps or 0) for rounds in found() for each in rounds[these])
        for these in (slice(0, 1), slice(1, None))
    )
    assert abs(later - first) < math.log(RULES.ratio) / 2


def test_and_takes_about_as_many_windows_as_the_plan_expects() -> None:
    taken = [[len(each.windows) for each in rounds] for rounds in found()]
    assert mean(counts[0] for counts in taken) == pytest.approx(RULES.usual_windows, abs=2)
    assert mean(count for counts in taken for count in counts[1:]) < RULES.usual_windows - 2


def test_neighbours_of_a_very_fine_grid_that_share_a_rate_are_measured_one_by_one() -> None:
    suite = a_suite(cases=(CASE,), search=RULES.model_copy(update={"ratio": 1.0001}))
    rows = rows_of_a_run(Plan([suite], {"uvicorn": a_server()}, 1, 0), a_row)
    rates = [row["rate_rps"] for row in rows]
    names = {name_of(row) for row in rows}
    assert len(set(rates)) < len(rates) == len(names) == 1 + RULES.most_windows
