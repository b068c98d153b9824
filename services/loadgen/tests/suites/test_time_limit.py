"""Suites whose time is limited: what is cut, and what is left of each trial at least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.suites.cases import Case
from loadgen.suites.lengths import lengths_s
from loadgen.suites.suite import Suite
from loadgen.suites.time_limit import SHARES, limited, shortened, windows_in_words
from tests.make import a_case, a_server, a_suite, a_timing

SERVERS = {"uvicorn": a_server(), "two-threads": a_server(name="two-threads", slots=2)}


def patient(*cases: Case) -> Suite:
    return a_suite(cases=cases, timing=a_timing(drain_s=60.0))


def waiting(delay_ms: float) -> Case:
    return a_case(delays_ms=(delay_ms,))


def test_a_limited_suite_has_whole_windows_and_trials_that_end_as_planned() -> None:
    (suite,) = limited([patient(waiting(600))], SERVERS)
    assert suite.timing.is_limited
    assert lengths_s(suite.cases[0], SERVERS["uvicorn"], suite.timing) == (4.6, 8.0)
    assert windows_in_words([suite], SERVERS) == "full-length windows"


def test_what_is_cut_is_said_of_the_longest_window() -> None:
    suites = shortened([patient(waiting(600)), patient(waiting(3000))], 15)
    assert windows_in_words(suites, SERVERS) == "windows of 4.5 s instead of 30.0 s"


def test_a_suite_of_ramps_alone_has_nothing_to_cut() -> None:
    ramp = a_case(users=None, ramp=((0, 0), (10, 100), (30, 100)))
    assert windows_in_words(shortened([patient(ramp)], 50), SERVERS) == "full-length windows"


@given(st.floats(0, 12_000), st.sampled_from(SHARES))
def test_every_trial_sees_a_service_time_whatever_is_cut(delay_ms: float, percent: int) -> None:
    (suite,) = shortened(limited([patient(waiting(delay_ms))], SERVERS), percent)
    warm_up_s, window_s = lengths_s(suite.cases[0], SERVERS["uvicorn"], suite.timing)
    assert window_s is not None
    assert min(warm_up_s, window_s) >= delay_ms / 1000
    assert suite.timing.drain_s > 0  # beyond the service time


def test_a_warm_up_lasts_until_the_queue_before_few_slots_is_there() -> None:
    (suite,) = shortened([patient(a_case(server="two-threads", users=20))], 5)
    warm_up_s, _ = lengths_s(suite.cases[0], SERVERS["two-threads"], suite.timing)
    assert warm_up_s >= 6.0


def test_suites_that_share_a_case_time_it_alike_also_where_only_one_has_a_queue() -> None:
    queue = a_case(server="two-threads", users=20)
    one, two = limited([patient(waiting(600)), patient(waiting(600), queue)], SERVERS)
    assert one.timing == two.timing
    assert one.timing.drain_s == pytest.approx(6.0 - 0.6 + 3.0)
