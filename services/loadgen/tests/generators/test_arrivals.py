"""The arrivals of an open load follow from rate, length and seed."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.generators.arrivals import SECOND_NS, instants_ns
from loadgen.suites.cases import Arrivals

RATES = st.floats(0.1, 500)
LENGTHS = st.floats(0.1, 20)
SEEDS = st.integers(0, 2**32 - 1)
KINDS: list[Arrivals] = ["poisson", "constant", "jittered"]


@given(RATES, LENGTHS, st.sampled_from(KINDS), SEEDS)
def test_arrivals_come_in_order_and_within_the_load(
    rate_rps: float, seconds: float, arrivals: Arrivals, seed: int
) -> None:
    due_ns = list(instants_ns(rate_rps, seconds, arrivals, seed))
    assert due_ns == sorted(due_ns)
    assert all(0 <= instant < seconds * SECOND_NS for instant in due_ns)


@given(RATES, LENGTHS, st.sampled_from(KINDS), SEEDS)
def test_the_same_seed_gives_the_same_instants(
    rate_rps: float, seconds: float, arrivals: Arrivals, seed: int
) -> None:
    first, again = (list(instants_ns(rate_rps, seconds, arrivals, seed)) for _ in range(2))
    assert first == again


@given(RATES, LENGTHS, st.floats(1, 3), SEEDS)
def test_a_longer_load_begins_with_the_arrivals_of_a_shorter_one(
    rate_rps: float, seconds: float, times: float, seed: int
) -> None:
    shorter = list(instants_ns(rate_rps, seconds, "poisson", seed))
    longer = list(instants_ns(rate_rps, seconds * times, "poisson", seed))
    assert longer[: len(shorter)] == shorter


@given(st.integers(1, 1000), st.integers(1, 20))
def test_constant_arrivals_are_rate_by_length_and_drift_by_no_more_than_a_nanosecond(
    rate_rps: int, seconds: int
) -> None:
    due_ns = list(instants_ns(rate_rps, seconds, "constant", None))
    assert len(due_ns) == rate_rps * seconds
    # In whole numbers: due and exact instants, both times the rate.
    assert all(
        abs(due * rate_rps - number * SECOND_NS) <= rate_rps for number, due in enumerate(due_ns)
    )


@given(st.floats(0.5, 500), st.integers(1, 20), SEEDS)
def test_of_jittered_arrivals_one_comes_in_each_interval(
    rate_rps: float, seconds: int, seed: int
) -> None:
    gap_ns = SECOND_NS / rate_rps
    due_ns = list(instants_ns(rate_rps, seconds, "jittered", seed))
    assert all(due + 1 - number * gap_ns >= 0 for number, due in enumerate(due_ns))
    assert all(due <= (number + 1) * gap_ns for number, due in enumerate(due_ns))
    assert abs(len(due_ns) - rate_rps * seconds) < 2


def test_jittered_arrivals_are_uniform_in_their_intervals() -> None:
    due_ns = list(instants_ns(100, 100, "jittered", 7))
    within = [due / SECOND_NS * 100 - number for number, due in enumerate(due_ns)]
    assert sum(within) / len(within) == pytest.approx(0.5, abs=0.01)
    for share in (0.1, 0.25, 0.75, 0.9):
        below = sum(place < share for place in within) / len(within)
        assert below == pytest.approx(share, abs=0.02)


@pytest.fixture(scope="module")
def gaps_s() -> list[float]:
    """40 000 gaps of Poisson arrivals at 200/s."""
    due_ns = list(instants_ns(200, 200, "poisson", 7))
    return [(b - a) / SECOND_NS for a, b in pairwise(due_ns)]


def test_poisson_arrivals_have_the_mean_rate(gaps_s: list[float]) -> None:
    # Five standard deviations of a count of 40 000: the seed is fixed, so this holds or not.
    assert len(gaps_s) == pytest.approx(40_000, abs=5 * math.sqrt(40_000))


def test_the_gaps_of_poisson_arrivals_are_exponential(gaps_s: list[float]) -> None:
    # Kolmogorov and Smirnov's distance, at a level of 1 %: 1.63 / sqrt(n).
    ordered = sorted(gaps_s)
    count = len(ordered)
    distance = max(
        abs(rank / count - (1 - math.exp(-200 * gap_s)))
        for rank, gap_s in enumerate(ordered, start=1)
    )
    assert distance < 1.63 / math.sqrt(count)


def test_the_gaps_of_poisson_arrivals_do_not_depend_on_the_one_before(gaps_s: list[float]) -> None:
    mean = sum(gaps_s) / len(gaps_s)
    variance = sum((gap - mean) ** 2 for gap in gaps_s)
    together = sum((a - mean) * (b - mean) for a, b in pairwise(gaps_s))
    assert abs(together / variance) < 3 / math.sqrt(len(gaps_s))


def test_other_seeds_give_other_poisson_arrivals_and_the_same_constant_ones() -> None:
    assert list(instants_ns(20, 5, "poisson", 1)) != list(instants_ns(20, 5, "poisson", 2))
    assert list(instants_ns(20, 5, "constant", 1)) == list(instants_ns(20, 5, "constant", 2))
