"""The arithmetic of percentiles."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from upstream.distribution import Distribution


def distribution_of(durations_ns: list[int]) -> Distribution:
    distribution = Distribution()
    for duration_ns in durations_ns:
        distribution.record(duration_ns)
    return distribution


def test_an_empty_distribution_has_no_values() -> None:
    assert Distribution().summary() == {
        "count": 0,
        "min": None,
        "p50": None,
        "p95": None,
        "p99": None,
        "max": None,
    }


def test_percentiles_are_of_the_nearest_rank() -> None:
    summary = distribution_of([ms * 1_000_000 for ms in range(1, 201)]).summary()

    assert summary == {"count": 200, "min": 1, "p50": 100, "p95": 190, "p99": 198, "max": 200}


def test_one_value_is_every_percentile() -> None:
    summary = distribution_of([2_505_000]).summary()

    assert summary == {"count": 1, "min": 2.5, "p50": 2.5, "p95": 2.5, "p99": 2.5, "max": 2.5}


def test_the_least_earliness_is_visible() -> None:
    assert distribution_of([-1, 5]).summary()["min"] == -0.01


@given(st.lists(st.integers(-(10**6), 10**10), min_size=1))
def test_percentiles_are_those_of_the_sorted_values_in_steps(durations_ns: list[int]) -> None:
    steps = sorted(duration_ns // 10_000 / 100 for duration_ns in durations_ns)
    summary = distribution_of(durations_ns).summary()

    assert summary["count"] == len(steps)
    assert (summary["min"], summary["max"]) == (steps[0], steps[-1])
    for percentile, percent in ((summary["p50"], 50), (summary["p95"], 95), (summary["p99"], 99)):
        assert percentile == steps[ceil(percent * len(steps) / 100) - 1]
