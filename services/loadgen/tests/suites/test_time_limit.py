"""A suite with a time limit fits into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import ConfigurationError
from loadgen.suites.cases import Case
from loadgen.suites.lengths import expected_s, lengths_s
from loadgen.suites.time_limit import Fit, fitted
from tests.make import a_case, a_server, a_timing

SERVERS = {"uvicorn": a_server(), "two-threads": a_server(name="two-threads", slots=2)}
PATIENT = a_timing(drain_s=60.0)


def five_cases(delay_ms: float, **axes: object) -> list[Case]:
    return [a_case(delays_ms=(delay_ms,), cpu_ms=float(cpu_ms), **axes) for cpu_ms in range(5)]


def fit(cases: list[Case], rounds: int = 3, at_most_s: float = 200.0) -> Fit:
    return fitted(cases, SERVERS, PATIENT, rounds, at_most_s)


def total_s(cases: list[Case], found: Fit) -> float:
    return found.rounds * sum(expected_s(case, SERVERS["uvicorn"], found.timing) for case in cases)


def test_what_fits_is_as_the_rule_has_it() -> None:
    found = fit(five_cases(600), at_most_s=240)
    assert (found.rounds, found.words, found.timing.share) == (3, "", 1.0)
    assert lengths_s(five_cases(600)[0], SERVERS["uvicorn"], found.timing) == (4.6, 8.0)
    assert found.timing.is_limited


def test_windows_are_cut_before_rounds_and_it_is_said() -> None:
    found = fit(five_cases(3000))
    assert found.rounds == 3
    assert found.words == "windows of 4.5 s instead of 30.0 s: it takes 3 min 20 s at most"


def test_where_no_window_is_short_enough_rounds_are_cut_and_it_is_said() -> None:
    found = fit(five_cases(5500))
    assert found.rounds == 2
    assert "2 rounds instead of 3, too few for intervals" in found.words
    assert fit(five_cases(10_000)).words.endswith(
        "1 round instead of 3, too few for intervals: it takes 3 min 20 s at most"
    )


def test_rounds_that_are_enough_for_intervals_are_cut_without_that_remark() -> None:
    found = fit(five_cases(600), rounds=20, at_most_s=150.0)
    assert found.rounds < 20
    assert f"{found.rounds} rounds instead of 20" in found.words
    assert ("too few" in found.words) == (found.rounds < 3)


@given(st.floats(0, 12_000), st.integers(1, 5))
def test_it_takes_no_longer_and_every_trial_sees_a_service_time(
    delay_ms: float, rounds: int
) -> None:
    cases = five_cases(delay_ms)
    found = fit(cases, rounds)
    assert total_s(cases, found) <= 200
    for case in cases:
        warm_up_s, window_s = lengths_s(case, SERVERS["uvicorn"], found.timing)
        assert window_s is not None
        assert min(warm_up_s, window_s) >= delay_ms / 1000
        assert found.timing.drain_s > 0  # beyond the service time


def test_a_warm_up_lasts_until_the_queue_before_few_slots_is_there() -> None:
    cases = [a_case(server="two-threads", users=20)]
    found = fit(cases, rounds=5, at_most_s=110)
    warm_up_s, _ = lengths_s(cases[0], SERVERS["two-threads"], found.timing)
    assert warm_up_s >= 6.0
    assert found.timing.share < 1


def test_what_cannot_fit_is_refused_with_what_would_help() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"a round of its 5 cases takes 15 min 12 s even .* 3 min 20 s are allowed: name ",
    ):
        fit(five_cases(60_000))
