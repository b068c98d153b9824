"""The whole procedure on things that are alike: rounds, processes, repeats, bounds, verdicts."""

import numpy as np
import pytest

from loadgen.theory.statistics import MARGIN, difference

MOST_ATTEMPTS = 3


def alarms(rounds: int, runs: int, *, most_bound: float) -> float:
    """The share of runs in which a thing is found to differ from itself.

    A round does something to both (a machine's moment), a process something to its own trial. The
    instruments of a trial may have moved it by its bound at most; how much of that they did is the
    run's. Where either's bound exceeds the margin both are measured again, up to twice: whatever
    came out. What still exceeds it does not count.

    Args:
        most_bound: bounds lie between 0 and this.
    """
    random = np.random.default_rng(rounds)
    found = 0
    for _ in range(runs):
        did = random.uniform(-1, 1)
        shape = (MOST_ATTEMPTS, 2, rounds)
        bounds = random.uniform(0, most_bound, shape) if most_bound else np.zeros(shape)
        logs = random.normal(0, 0.05, rounds) + random.normal(0, 0.03, shape) + did * bounds
        # The first attempt in which neither exceeds the margin, else the last.
        good = (bounds <= MARGIN).all(axis=1)
        counted = np.where(good.any(axis=0), good.argmax(axis=0), MOST_ATTEMPTS - 1)
        at = np.arange(rounds)
        ranked = good[counted, at]
        a, b = logs[counted, 0, at][ranked], logs[counted, 1, at][ranked]
        if a.size < 3:
            continue
        of_a, of_b = bounds[counted, 0, at][ranked], bounds[counted, 1, at][ranked]
        how = difference(np.exp(a), np.exp(b), bound_log=abs(float((of_b - of_a).mean())))
        found += how.verdict in ("better", "worse")
    return found / runs


def test_of_10_000_runs_of_a_thing_against_itself_4_to_6_percent_alarm() -> None:
    assert 0.04 < alarms(5, 10_000, most_bound=0.0) < 0.06


@pytest.mark.parametrize("rounds", [3, 5])
@pytest.mark.parametrize("most_bound", [0.02, 0.06])
def test_with_bounds_and_repeats_at_most_6_percent_alarm(rounds: int, most_bound: float) -> None:
    assert alarms(rounds, 3_000, most_bound=most_bound) < 0.06
