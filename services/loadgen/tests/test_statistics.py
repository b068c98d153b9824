"""Rounds are the replicates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadgen.statistics import interval

ROUNDS = st.lists(st.floats(0.01, 1e6), min_size=3, max_size=12)


@given(ROUNDS, st.sampled_from([0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_student_on_logarithms(
    values: list[float], confidence: float
) -> None:
    found = interval(values, confidence)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    logs = np.log(values)
    assert found.mean == pytest.approx(stats.gmean(values))
    if logs.std() < 1e-9:  # scipy has no interval for equal values
        assert found.low == pytest.approx(found.mean)
        assert found.high == pytest.approx(found.mean)
        return
    low, high = stats.t.interval(confidence, len(values) - 1, logs.mean(), stats.sem(logs))
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))


def test_three_rounds_by_hand() -> None:
    # Logarithms -1, 0, 1 in base 2: mean 0, s = 1, t(0.975, 2) = 4.302653.
    found = interval([50, 100, 200])
    assert found is not None
    factor = 2 ** (4.302653 / math.sqrt(3))
    assert (found.mean, found.low, found.high) == pytest.approx((100, 100 / factor, 100 * factor))


@given(ROUNDS)
def test_a_mean_lies_inside_its_interval(values: list[float]) -> None:
    found = interval(values)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize("values", [[100.0], [50.0, 200.0]])
def test_there_is_no_interval_under_three_rounds(values: list[float]) -> None:
    found = interval(values)
    assert found is not None
    assert found.mean == pytest.approx(100)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("values", [[], [0.0, 1.0, 2.0], [-1.0]])
def test_there_is_no_mean_of_nothing_or_of_what_is_not_positive(values: list[float]) -> None:
    assert interval(values) is None
