"""Rounds are the replicates."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from loadgen.theory.statistics import (
    Difference,
    benjamini_hochberg,
    beyond_p,
    clopper_pearson,
    difference,
    equivalence_p,
    holm,
    interval,
    rounds_needed,
)

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


@pytest.mark.parametrize("values", [[100.0], [50.0, 200.0]])
def test_there_is_no_interval_under_three_rounds(values: list[float]) -> None:
    found = interval(values)
    assert found is not None
    assert found.mean == pytest.approx(100)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("values", [[], [0.0, 1.0, 2.0], [-1.0]])
def test_there_is_no_mean_of_nothing_or_of_what_is_not_positive(values: list[float]) -> None:
    assert interval(values) is None


PAIRS = st.lists(st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)), min_size=3, max_size=8)
A = [100.0, 110.0, 90.0]


def sides(pairs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


@given(PAIRS, st.booleans())
def test_a_difference_seen_from_the_other_side_is_its_inverse(
    pairs: list[tuple[float, float]], higher_is_better: bool
) -> None:
    a, b = sides(pairs)
    there = difference(a, b, higher_is_better=higher_is_better)
    back = difference(b, a, higher_is_better=higher_is_better)
    assert there.low is not None
    assert back.high is not None
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert math.log(back.high) == pytest.approx(-math.log(there.low), abs=1e-9)
    assert back.p == pytest.approx(there.p)
    mirrored = {"better": "worse", "worse": "better"}
    assert back.verdict == mirrored.get(there.verdict, there.verdict)


@given(PAIRS)
def test_a_difference_is_a_t_test_of_its_logarithms(pairs: list[tuple[float, float]]) -> None:
    a, b = sides(pairs)
    logs = np.log(b) - np.log(a)
    assume(logs.std() > 1e-6)
    found = difference(a, b)
    reference = stats.ttest_rel(np.log(b), np.log(a))
    assert found.rounds == len(pairs)
    assert found.ratio == pytest.approx(math.exp(logs.mean()))
    assert found.sd_log == pytest.approx(logs.std(ddof=1))
    assert found.p == pytest.approx(reference.pvalue)
    low, high = reference.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))


@given(PAIRS, st.booleans())
def test_an_alarm_is_an_interval_without_1(
    pairs: list[tuple[float, float]], higher_is_better: bool
) -> None:
    a, b = sides(pairs)
    found = difference(a, b, higher_is_better=higher_is_better)
    assert found.low is not None
    assert found.high is not None
    assert found.p is not None
    assume(abs(found.p - 0.05) > 1e-9)
    expected = {
        (True, True): "better",
        (True, False): "worse",
        (False, True): "worse",
        (False, False): "better",
    }
    if found.low > 1 or found.high < 1:
        assert found.verdict == expected[found.low > 1, higher_is_better]
        assert found.p < 0.05
    else:
        assert found.verdict in ("equivalent", "undecided")
        assert found.p >= 0.05


def test_a_difference_of_three_rounds_by_hand() -> None:
    # ln(b / a) in base 2: 1, 2, 3; mean 2, s = 1, t(0.975, 2) = 4.302653, t(0.8, 2) = 1.060660.
    found = difference([1, 1, 1], [2, 4, 8])
    reach = 4.302653 / math.sqrt(3)
    assert (found.ratio, found.low, found.high) == pytest.approx(
        (4, 2 ** (2 - reach), 2 ** (2 + reach))
    )
    detectable = 2 ** ((4.302653 + 1.060660) / math.sqrt(3))
    assert found.smallest_detectable_ratio == pytest.approx(detectable)
    assert found.verdict == "undecided"


@pytest.mark.parametrize(
    ("ratio", "scatter", "verdict"),
    [
        (1.0, 0.001, "equivalent"),
        (1.0, 0.1, "undecided"),
        (1.01, 0.0001, "better"),  # small, but certain: that goes before equivalent
        (0.5, 0.01, "worse"),
        (1.0, 0.0, "equivalent"),
        (1.0 + 1e-6, 0.0, "better"),
    ],
)
def test_the_verdict(ratio: float, scatter: float, verdict: str) -> None:
    b = [
        value * ratio * math.exp(scatter * sign) for value, sign in zip(A, (-1, 0, 1), strict=True)
    ]
    assert difference(A, b).verdict == verdict


@pytest.mark.parametrize("rounds", [1, 2])
def test_under_three_rounds_nothing_is_decided(rounds: int) -> None:
    found = difference([1.0] * rounds, [2.0] * rounds)
    assert found.ratio == pytest.approx(2)
    assert found.verdict == "undecided"
    assert {found.low, found.high, found.p, found.smallest_detectable_ratio} == {None}


RNG_SEED = 4


def synthetic(rounds: int, count: int, ratio: float) -> list[Difference]:
    """Comparisons whose truth is known: noise of 4 % a trial, of 20 % a round that both share."""
    random = np.random.default_rng(RNG_SEED)
    of_round = random.normal(0, 0.2, (count, rounds))
    a = np.exp(of_round + random.normal(0, 0.04, (count, rounds)))
    b = np.exp(of_round + random.normal(math.log(ratio), 0.04, (count, rounds)))
    return [difference(list(a[i]), list(b[i])) for i in range(count)]


@pytest.mark.parametrize("rounds", [3, 5, 10])
def test_of_10_000_comparisons_of_a_server_with_itself_4_to_6_percent_alarm(rounds: int) -> None:
    found = synthetic(rounds, count=10_000, ratio=1)
    alarms = [one for one in found if one.verdict in ("better", "worse")]
    assert 0.04 < len(alarms) / len(found) < 0.06
    better = sum(one.verdict == "better" for one in alarms)
    assert 0.45 < better / len(alarms) < 0.55


def test_a_verdict_and_its_p_are_of_what_lies_beyond_the_bound() -> None:
    a, b = [100.0, 101.0, 99.0, 100.5], [104.0, 104.6, 103.5, 104.2]
    plain, bounded = (difference(a, b, bound_log=bound) for bound in (0.0, 0.038))
    assert (plain.verdict, bounded.verdict) == ("better", "undecided")
    assert (bounded.ratio, bounded.low, bounded.high) == (plain.ratio, plain.low, plain.high)
    assert bounded.p
    assert bounded.p > 0.05
    assert plain.low
    assert bounded.surely
    assert bounded.surely[0] == pytest.approx(plain.low * math.exp(-0.038))
    assert bounded.smallest_detectable_ratio
    assert plain.smallest_detectable_ratio
    assert bounded.smallest_detectable_ratio == pytest.approx(
        plain.smallest_detectable_ratio * math.exp(0.038)
    )


@given(ROUNDS.filter(lambda values: len(values) >= 3), st.just(0.0) | st.floats(1e-6, 0.2))
def test_a_difference_within_its_bound_is_no_alarm(values: list[float], bound: float) -> None:
    b = [value * math.exp(bound * 0.99) for value in values]
    found = difference(values, b, bound_log=bound)
    assert found.verdict not in ("better", "worse")
    assert found.p == pytest.approx(1.0)


def test_a_threshold_is_passed_beyond_the_bound_only() -> None:
    a, b = [100.0, 101.0, 99.0, 100.5], [108.0, 109.2, 107.1, 108.3]
    plain, bounded = (difference(a, b, bound_log=bound) for bound in (0.0, 0.03))
    of_plain, of_bounded = (beyond_p(one, 1.05, above=True) for one in (plain, bounded))
    assert of_plain is not None
    assert of_bounded is not None
    assert of_plain < 0.05 < of_bounded


def test_what_is_alike_is_equivalent_with_less_certainty_where_instruments_differ() -> None:
    a, b = [100.0, 101.0, 99.0, 100.5], [100.2, 100.9, 99.1, 100.4]
    plain, bounded = (difference(a, b, bound_log=bound) for bound in (0.0, 0.02))
    assert equivalence_p(plain) < equivalence_p(bounded)


def test_what_differs_by_the_margin_is_called_equivalent_in_at_most_5_percent() -> None:
    found = synthetic(30, count=4_000, ratio=1.03)
    equivalent = sum(one.verdict == "equivalent" for one in found)
    assert 0.03 < equivalent / len(found) < 0.06


@pytest.mark.parametrize("rounds", [5, 10])
def test_the_smallest_detectable_ratio_is_found_in_80_percent(rounds: int) -> None:
    sd_log = 0.04 * math.sqrt(2)
    t = stats.t(rounds - 1)
    ratio = math.exp((t.ppf(0.975) + t.ppf(0.8)) * sd_log / math.sqrt(rounds))
    found = synthetic(rounds, count=4_000, ratio=ratio)
    # The formula takes t where the truth is the noncentral t: off by less than 3 points here.
    assert sum(one.verdict == "better" for one in found) / len(found) == pytest.approx(
        0.8, abs=0.03
    )


@given(st.floats(0.001, 0.5), st.floats(1.005, 3.0), st.booleans())
def test_rounds_needed_are_the_fewest_that_detect(
    sd_log: float, ratio: float, smaller: bool
) -> None:
    def detectable(rounds: int) -> float:
        t = stats.t(rounds - 1)
        return float((t.ppf(0.975) + t.ppf(0.8)) * sd_log / math.sqrt(rounds))

    needed = rounds_needed(sd_log, 1 / ratio if smaller else ratio)
    assert detectable(needed) <= math.log(ratio) * (1 + 1e-9)
    assert needed == 3 or detectable(needed - 1) > math.log(ratio) * (1 - 1e-9)


def test_where_nothing_scatters_three_rounds_are_enough() -> None:
    assert rounds_needed(0.0, 1.001) == 3


@pytest.mark.parametrize("ratio", [1.0, 0.0, -1.0])
def test_no_rounds_show_what_is_no_difference(ratio: float) -> None:
    with pytest.raises(ValueError, match="no number of rounds"):
        rounds_needed(0.1, ratio)


UNPAIRED = st.lists(st.floats(1, 100), min_size=3, max_size=12)


@given(UNPAIRED, UNPAIRED)
def test_rounds_of_two_runs_are_compared_by_welchs_t_test(a: list[float], b: list[float]) -> None:
    assume(np.log(a).std() > 1e-6)
    assume(np.log(b).std() > 1e-6)
    found = difference(a, b, paired=False)
    reference = stats.ttest_ind(np.log(b), np.log(a), equal_var=False)
    assert found.rounds == min(len(a), len(b))
    assert found.freedom == pytest.approx(reference.df)
    assert found.p == pytest.approx(reference.pvalue)
    low, high = reference.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.exp(low), math.exp(high)))


@pytest.mark.parametrize(("rounds_a", "rounds_b"), [(3, 3), (5, 5), (3, 10), (10, 10)])
def test_two_runs_of_a_server_alarm_in_at_most_6_percent(rounds_a: int, rounds_b: int) -> None:
    random = np.random.default_rng(RNG_SEED)
    a = np.exp(random.normal(0, 0.04, (5_000, rounds_a)))
    b = np.exp(random.normal(0, 0.08, (5_000, rounds_b)))
    found = [difference(list(a[i]), list(b[i]), paired=False) for i in range(5_000)]
    alarms = sum(one.verdict in ("better", "worse") for one in found)
    # Of three rounds each it knows the scatter so badly that it is a little too careful.
    assert 0.03 < alarms / len(found) < 0.065


def test_the_smallest_detectable_ratio_of_two_runs_is_found_in_80_percent() -> None:
    random = np.random.default_rng(RNG_SEED)
    t = stats.t(18)
    ratio = math.exp((t.ppf(0.975) + t.ppf(0.8)) * 0.04 * math.sqrt(2 / 10))
    a = np.exp(random.normal(0, 0.04, (4_000, 10)))
    b = np.exp(random.normal(math.log(ratio), 0.04, (4_000, 10)))
    found = [difference(list(a[i]), list(b[i]), paired=False) for i in range(4_000)]
    better = sum(one.verdict == "better" for one in found)
    assert better / len(found) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("paired", [True, False])
def test_rounds_that_agree_to_the_last_digit_are_decided(paired: bool) -> None:
    assert difference([2.0] * 3, [2.0] * 3, paired=paired).verdict == "equivalent"
    found = difference([2.0] * 3, [4.0] * 3, paired=paired)
    assert (found.verdict, found.p) == ("better", 0)
    assert found.ratio == pytest.approx(2)


@given(PAIRS, st.floats(0.5, 2), st.booleans(), st.booleans())
def test_a_ratio_is_beyond_a_threshold_exactly_where_its_whole_interval_is(
    pairs: list[tuple[float, float]], threshold: float, above: bool, paired: bool
) -> None:
    found = difference(*sides(pairs), paired=paired)
    assert found.low is not None
    assert found.high is not None
    p = beyond_p(found, threshold, above=above)
    assert p is not None
    assume(abs(p - 0.05) > 1e-9)
    assert (p < 0.05) == (found.low > threshold if above else found.high < threshold)


def test_under_three_rounds_nothing_is_beyond() -> None:
    assert beyond_p(difference([1.0], [2.0]), 1.05, above=True) is None


def test_adjusted_p_values_by_hand() -> None:
    p = [0.04, 0.01, 0.03, 0.5]
    assert benjamini_hochberg(p) == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.5])
    assert holm(p) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert benjamini_hochberg([]) == holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusting_never_makes_a_p_value_smaller_and_holm_is_the_stricter(p: list[float]) -> None:
    for raw, fdr, family in zip(p, benjamini_hochberg(p), holm(p), strict=True):
        assert raw <= fdr * (1 + 1e-12)
        assert fdr <= family * (1 + 1e-12)
        assert family <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_false_discovery_rate_is_controlled_as_by_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(list(stats.false_discovery_control(p)))


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.9, 0.95]))
def test_the_bounds_of_a_share_are_those_of_scipy(one: int, other: int, confidence: float) -> None:
    count, of = min(one, other), max(one, other)
    bounds = stats.binomtest(count, of).proportion_ci(confidence, method="exact")

    assert clopper_pearson(count, of, confidence) == pytest.approx((bounds.low, bounds.high))


def test_the_bounds_of_a_share_by_the_book() -> None:
    assert clopper_pearson(3, 60) == pytest.approx((0.01043, 0.13924), abs=1e-5)
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))
    assert clopper_pearson(10, 10) == pytest.approx((0.025 ** (1 / 10), 1))
