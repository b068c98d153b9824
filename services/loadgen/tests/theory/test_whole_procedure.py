"""The whole procedure on things that are alike: rounds, processes, repeats, bounds, verdicts."""

from collections.abc import Iterator

import numpy as np
import pytest

from loadgen.theory.bounds import CPU_BY_LOAD
from loadgen.theory.statistics import MARGIN, difference

RUNS = 10_000
MOST_ATTEMPTS = 3
SLICES = 5

#: Logarithms of a and of b by round, and the bound of their difference.
type Run = tuple[np.ndarray, np.ndarray, float]


def runs_of_trials(rounds: int, most_bound: float, *, bound_alike: bool = True) -> Iterator[Run]:
    """Trials one after the other.

    A round does something to both (a machine's moment), a process something to its own trial. The
    instruments of a trial may have moved it by its bound at most; how much of that they did is the
    run's, or, where other things held the two back, each side's. Where either's bound exceeds the
    margin both are measured again, up to twice: whatever came out. What still exceeds it does not
    count.

    Args:
        rounds: how many trials each has.
        most_bound: bounds lie between 0 and this.
        bound_alike: the same held both back.
    """
    random = np.random.default_rng(rounds)
    for _ in range(RUNS):
        did = random.uniform(-1, 1) if bound_alike else random.uniform(0, 1, (2, 1))
        shape = (MOST_ATTEMPTS, 2, rounds)
        bounds = random.uniform(0, most_bound, shape) if most_bound else np.zeros(shape)
        logs = random.normal(0, 0.05, rounds) + random.normal(0, 0.03, shape) + did * bounds
        # The first attempt in which neither exceeds the margin, else the last.
        good = (bounds <= MARGIN).all(axis=1)
        counted = np.where(good.any(axis=0), good.argmax(axis=0), MOST_ATTEMPTS - 1)
        at = np.arange(rounds)
        ranked = good[counted, at]
        a, b = logs[counted, 0, at][ranked], logs[counted, 1, at][ranked]
        of_a, of_b = bounds[counted, 0, at][ranked], bounds[counted, 1, at][ranked]
        if a.size >= 3:
            shared = abs(float((of_b - of_a).mean()))
            yield a, b, shared if bound_alike else max(float(of_a.mean()), float(of_b.mean()))


def runs_of_duets(rounds: int, load_sd: float) -> Iterator[Run]:
    """Duets: a slice's moment is that of both sides; a process does something to all its slices.

    A side that was asked less than the other has other costs, by at most CPU_BY_LOAD of what the
    loads differ by; how much of that is the run's.

    Args:
        rounds: how many fresh pairs of processes there are.
        load_sd: by how much the sides' loads differ, as a standard deviation of ln(b / a).
    """
    random = np.random.default_rng(rounds)
    for _ in range(RUNS):
        moments = random.normal(0, 0.05, (rounds, SLICES))
        slices = moments + random.normal(0, 0.016, (2, rounds, SLICES))
        processes = random.normal(0, 0.007, (2, rounds))
        loads = random.normal(0, load_sd, rounds)
        a, b = slices.mean(axis=2) + processes
        moved = random.uniform(-CPU_BY_LOAD, CPU_BY_LOAD) * loads
        yield a, b + moved, CPU_BY_LOAD * abs(float(loads.mean()))


def alarms(runs: Iterator[Run]) -> float:
    """The share of all runs in which a thing is found to differ from itself."""
    found = sum(
        difference(list(np.exp(a)), list(np.exp(b)), bound_log=bound).verdict in ("better", "worse")
        for a, b, bound in runs
    )
    return found / RUNS


@pytest.mark.parametrize("rounds", [3, 5])
def test_of_10_000_runs_of_a_thing_against_itself_4_to_6_percent_alarm(rounds: int) -> None:
    assert 0.04 < alarms(runs_of_trials(rounds, most_bound=0.0)) < 0.06
    assert 0.04 < alarms(runs_of_duets(rounds, load_sd=0.0)) < 0.06


@pytest.mark.parametrize("rounds", [3, 5])
@pytest.mark.parametrize("most_bound", [0.02, 0.06])
@pytest.mark.parametrize("bound_alike", [True, False])
def test_with_bounds_and_repeats_at_most_6_percent_alarm(
    rounds: int, most_bound: float, *, bound_alike: bool
) -> None:
    assert alarms(runs_of_trials(rounds, most_bound, bound_alike=bound_alike)) < 0.06


@pytest.mark.parametrize("rounds", [3, 5])
@pytest.mark.parametrize("load_sd", [0.01, 0.04])
def test_with_unlike_loads_in_duets_at_most_6_percent_alarm(rounds: int, load_sd: float) -> None:
    assert alarms(runs_of_duets(rounds, load_sd)) < 0.06
