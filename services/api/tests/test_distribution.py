"""The arithmetic of percentiles."""

from math import ceil, fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.distribution import Distribution


def distribution_of(durations_ns: list[int]) -> Distribution:
    distribution = Distribution()
    for duration_ns in durations_ns:
        distribution.record(duration_ns)
    return distribution


PER_MILLE = {"p50": 500, "p95": 950, "p98": 980, "p99": 990, "p99_5": 995, "p99_9": 999}


def test_an_empty_distribution_has_no_values() -> None:
    names = ("mean", "min", *PER_MILLE, "max")
    assert Distribution().summary() == {"count": 0, **dict.fromkeys(names)}


def test_percentiles_are_of_the_nearest_rank() -> None:
    summary = distribution_of([ms * 1_000_000 for ms in range(1, 1001)]).summary()

    assert summary == {
        "count": 1000,
        "mean": 500.5,
        "min": 1,
        "p50": 500,
        "p95": 950,
        "p98": 980,
        "p99": 990,
        "p99_5": 995,
        "p99_9": 999,
        "max": 1000,
    }


def test_one_value_is_every_percentile_and_the_mean() -> None:
    summary = distribution_of([2_505_000]).summary()

    assert summary["count"] == 1
    assert {value for name, value in summary.items() if name != "count"} == {2.5}


def test_the_mean_is_of_every_value_not_of_every_step() -> None:
    assert distribution_of([0, 0, 0, 40_000]).summary()["mean"] == 0.01


def test_the_least_earliness_is_visible() -> None:
    assert distribution_of([-1, 5]).summary()["min"] == -0.01


@given(st.lists(st.integers(-(10**6), 10**10), min_size=1))
def test_percentiles_are_those_of_the_sorted_values_in_steps(durations_ns: list[int]) -> None:
    steps = sorted(duration_ns // 10_000 / 100 for duration_ns in durations_ns)
    summary = distribution_of(durations_ns).summary()

    assert summary["count"] == len(steps)
    assert summary["mean"] == pytest.approx(fsum(steps) / len(steps))
    assert (summary["min"], summary["max"]) == (steps[0], steps[-1])
    values = dict(summary)
    for name, per_mille in PER_MILLE.items():
        assert values[name] == steps[ceil(per_mille * len(steps) / 1000) - 1]
