"""Lists of answers have the quantiles and the failures that they are asked for."""

import math
import random
from statistics import fmean, median

import pytest

from loadgen.theory.distributions import DISTRIBUTIONS, Failures, planned_answers

COUNT = 2000


def delays_ms(name: str, count: int = COUNT) -> list[float]:
    answers = planned_answers(DISTRIBUTIONS[name], count, Failures(), random.Random(1))
    return [float(answer["ms"]) for answer in answers]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_list_has_the_distributions_median_and_mean(name: str) -> None:
    assert median(delays_ms(name)) == pytest.approx(100, rel=1e-3)
    assert fmean(delays_ms(name)) == pytest.approx(DISTRIBUTIONS[name].mean_ms, rel=1e-3)


def test_a_fixed_delay_is_the_same_each_time() -> None:
    assert set(delays_ms("fixed")) == {100}


def test_uniform_delays_are_equally_far_apart() -> None:
    assert sorted(delays_ms("uniform", 4)) == [62.5, 87.5, 112.5, 137.5]


def test_lognormal_delays_have_their_sigma() -> None:
    logs = [math.log(ms / 100) for ms in delays_ms("lognormal")]
    assert math.sqrt(fmean(log**2 for log in logs)) == pytest.approx(0.5, rel=0.01)


def test_the_order_is_shuffled_and_repeats_with_the_seed() -> None:
    ordered = sorted(delays_ms("uniform"))
    assert delays_ms("uniform") == delays_ms("uniform") != ordered


def test_failures_have_their_shares_and_their_delays() -> None:
    failures = Failures(errors=0.01, cut=0.005, hung_up=0.0025)
    answers = planned_answers(DISTRIBUTIONS["uniform"], COUNT, failures, random.Random(1))
    errors = [answer for answer in answers if answer.get("status") == 500]
    cut = [answer for answer in answers if answer.get("bytes", 0) > 0]
    hung_up = [answer for answer in answers if answer.get("bytes") == 0]
    assert (len(errors), len(cut), len(hung_up)) == (20, 10, 5)
    assert all(answer["ms"] >= 50 for answer in answers)


def test_a_share_that_is_asked_for_is_one_answer_at_least() -> None:
    answers = planned_answers(DISTRIBUTIONS["fixed"], 10, Failures(cut=0.001), random.Random(1))
    assert [answer for answer in answers if "bytes" in answer]
