"""Samples and a window give throughput and latency."""

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.generators.arrivals import instants_ns
from loadgen.suites.timing import Accounting
from loadgen.trials import accounting
from tests.make import Request, constant_users, some_samples

#: Instants in eighths of a second: exact as floats, so that a plain count is exact too.
EIGHTHS = st.integers(0, 400).map(lambda eighths: eighths / 8)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    sent_s = draw(EIGHTHS)
    answered_s = draw(st.none() | st.integers(1, 80).map(lambda eighths: sent_s + eighths / 8))
    failure = None if answered_s is not None and draw(st.booleans()) else "status 500"
    return (sent_s, answered_s, failure)


REQUESTS = st.lists(requests(), max_size=60)


@given(
    st.lists(st.floats(0, 1e5, allow_nan=False), max_size=300),
    st.sampled_from([Fraction(1, 2), Fraction(95, 100), Fraction(99, 100)]),
)
def test_a_percentile_is_the_nearest_rank_of_a_plain_sort(
    values: list[float], share: Fraction
) -> None:
    ordered = sorted(values)
    rank = math.ceil(share * len(ordered))
    expected = ordered[rank - 1] if rank and len(ordered) - rank >= 5 else None
    assert accounting.percentile(np.array(ordered, dtype=np.float64), float(share)) == expected


@pytest.mark.parametrize(
    ("count", "share", "known"),
    [(9, 0.50, False), (10, 0.50, True), (99, 0.95, False), (100, 0.95, True), (500, 0.99, True)],
)
def test_a_percentile_needs_five_samples_above_it(count: int, share: float, known: bool) -> None:
    ordered = np.arange(count, dtype=np.float64)
    assert (accounting.percentile(ordered, share) is not None) is known


@pytest.mark.parametrize("share", sorted(accounting.PERCENTILES.values()))
def test_the_fewest_samples_that_state_a_percentile_state_it(share: float) -> None:
    least = accounting.least_samples(share)
    assert accounting.percentile(np.arange(float(least)), share) is not None
    assert accounting.percentile(np.arange(float(least - 1)), share) is None


def test_a_failure_ranks_as_infinitely_slow() -> None:
    answered: list[Request] = [(0.0, 0.1 + n / 1000, None) for n in range(92)]
    failed: list[Request] = [(0.0, 0.001, "status 500")] * 4 + [(0.0, None, "unanswered")] * 4
    latency = accounting.latency(some_samples(answered + failed))
    assert latency.percentiles["p50_ms"] == pytest.approx(100 + 49)
    assert latency.percentiles["p95_ms"] is None
    assert latency.censored
    assert latency.min_ms == pytest.approx(100)


def test_failures_above_the_percentile_do_not_censor_it() -> None:
    answered: list[Request] = [(0.0, 0.1, None)] * 600
    failed: list[Request] = [(0.0, None, "unanswered")] * 5
    latency = accounting.latency(some_samples(answered + failed))
    assert latency.percentiles["p99_ms"] == pytest.approx(100)
    assert not latency.censored
    assert not latency.too_few


def test_few_samples_are_too_few_not_censored() -> None:
    latency = accounting.latency(some_samples([(0.0, 0.1, None)] * 20))
    assert latency.percentiles == {"p50_ms": pytest.approx(100), "p95_ms": None, "p99_ms": None}
    assert latency.too_few
    assert not latency.censored


def test_minimum_mean_and_maximum_speak_of_good_answers_only() -> None:
    latency = accounting.latency(
        some_samples([(0, 1, None), (0, 3, None), (0, 9, "status 500"), (0, None, "unanswered")])
    )
    assert (latency.min_ms, latency.avg_ms, latency.max_ms) == (1000, 2000, 3000)


def test_without_a_good_answer_nothing_is_known() -> None:
    latency = accounting.latency(some_samples([(0, None, "unanswered")]))
    assert (latency.min_ms, latency.avg_ms, latency.max_ms) == (None, None, None)


def test_latency_counts_from_the_due_instant() -> None:
    samples = some_samples([(1.0, 2.0, None)]).with_columns(sent_s=1.75)
    assert accounting.latency(samples).min_ms == 1000


@given(REQUESTS, EIGHTHS, st.integers(1, 200))
def test_an_answer_partly_between_two_instants_counts_by_that_part(
    made: list[Request], start_s: float, eighths: int
) -> None:
    end_s = start_s + eighths / 8
    expected = sum(
        max(0.0, min(answered_s, end_s) - max(sent_s, start_s)) / (answered_s - sent_s)
        for sent_s, answered_s, failure in made
        if answered_s is not None and failure is None
    )
    assert accounting.answers(some_samples(made), start_s, end_s).parts == pytest.approx(expected)


def test_an_answer_that_took_no_time_counts_where_it_came() -> None:
    at_once = some_samples([(1.0, 1.0, None), (5.0, 5.0, None)])
    assert accounting.answers(at_once, 0.0, 2.0).parts == 1


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 40))
def test_a_window_anywhere_in_a_steady_load_holds_users_by_latency(
    users: int, latency_quarters: int, offset: int
) -> None:
    latency_s = latency_quarters / 4
    samples = constant_users(users, latency_s, until_s=40)
    begin_s = 2 * latency_s + offset / 16
    good = accounting.answers(samples, begin_s, begin_s + 10).parts
    assert good == pytest.approx(10 * users / latency_s)


@given(REQUESTS, st.integers(80, 300))
def test_the_best_ten_seconds_are_the_fullest_group_within_ten_seconds(
    made: list[Request], eighths: int
) -> None:
    start_s, end_s = -1.0, eighths / 8
    answered = [
        answered_s
        for _, answered_s, failure in made
        if answered_s is not None and failure is None and answered_s < end_s
    ]
    fullest = max(
        (sum(first <= other < first + 10 for other in answered) for first in answered), default=0
    )
    assert accounting.best_rate_rps(some_samples(made), start_s, end_s) == fullest / 10


def test_answers_that_lie_ten_seconds_apart_are_not_in_one_stretch() -> None:
    samples = some_samples([(0.5, 1.0, None), (10.5, 11.0, None)])
    assert accounting.best_rate_rps(samples, 0.0, 20.0) == 0.1


def test_a_window_shorter_than_ten_seconds_has_no_best_ten() -> None:
    assert accounting.best_rate_rps(constant_users(5, 0.5, 9), 0.0, 9.75) is None


DUE_BEFORE: Request = (0.5, 1.5, None)
INSIDE: Request = (1.5, 1.75, None)
ANSWERED_AFTER: Request = (1.875, 2.5, None)
NEVER_ANSWERED: Request = (1.25, None, "unanswered")


def test_due_accounting_follows_the_requests_due_in_the_window() -> None:
    samples = some_samples([DUE_BEFORE, INSIDE, ANSWERED_AFTER, NEVER_ANSWERED])
    counted = accounting.requests_of(samples, 1.0, 2.0, "due")
    assert counted["due_s"].to_list() == [1.5, 1.875, 1.25]


def test_answered_accounting_speaks_of_the_answers_that_came_in_the_window() -> None:
    samples = some_samples([DUE_BEFORE, INSIDE, ANSWERED_AFTER, NEVER_ANSWERED])
    counted = accounting.requests_of(samples, 1.0, 2.0, "answered")
    assert counted["due_s"].to_list() == [0.5, 1.5]


@pytest.mark.parametrize("how", ["due", "answered"])
def test_a_request_that_the_tool_lost_always_counts(how: Accounting) -> None:
    lost = some_samples([INSIDE]).with_columns(
        due_s=None, sent_s=None, answered_s=None, ended_s=None
    )
    lost = lost.cast(some_samples([]).schema)
    assert accounting.requests_of(lost, 1.0, 2.0, how).height == 1


def test_a_request_due_at_the_windows_end_belongs_to_the_next() -> None:
    edges = some_samples([(1.0, 1.5, None), (2.0, 2.5, None)])
    assert accounting.requests_of(edges, 1.0, 2.0, "due")["due_s"].to_list() == [1.0]


def test_a_wrong_body_is_no_good_answer() -> None:
    samples = some_samples([(0, 1, None), (0, 1, "wrong body"), (0, None, "unanswered")])
    assert accounting.good(samples).height == 1


@given(st.integers(1, 40), st.integers(1, 8))
def test_users_without_think_time_are_all_in_flight_as_little_says(
    users: int, latency_quarters: int
) -> None:
    latency_s = latency_quarters / 4
    samples = constant_users(users, latency_s, until_s=30)
    inflight = accounting.inflight_mean(samples, 5.0, 25.0)
    assert inflight == pytest.approx(users)
    rate_rps = accounting.answers(samples, 5.0, 25.0).parts / 20
    assert inflight == pytest.approx(rate_rps * latency_s)


def test_an_unanswered_request_is_in_flight_until_the_end() -> None:
    samples = some_samples([(1.0, None, "unanswered"), (0.0, 1.0, None)])
    assert accounting.inflight_mean(samples, 0.0, 4.0) == (3 + 1) / 4


def queue_before(rate_rps: int, served_rps: int, until_s: float) -> pl.DataFrame:
    """Constant arrivals before a server that serves so many a second, one after the other."""
    free_s = 0.0
    requests: list[Request] = []
    for number in range(int(rate_rps * until_s)):
        due_s = number / rate_rps
        free_s = max(free_s, due_s) + 1 / served_rps
        requests.append((due_s, free_s, None))
    return some_samples(requests)


@given(st.integers(20, 100), st.integers(1, 30))
def test_in_flight_grows_by_what_the_server_cannot_serve(rate_rps: int, beyond: int) -> None:
    samples = queue_before(rate_rps + beyond, rate_rps, until_s=20)
    growth = accounting.inflight_growth(samples, 5.0, 20.0)
    assert growth == pytest.approx(beyond / (rate_rps + beyond), abs=0.01)


@given(st.integers(20, 100), st.integers(0, 40))
def test_in_flight_does_not_grow_where_the_server_keeps_up(rate_rps: int, spare: int) -> None:
    samples = queue_before(rate_rps, rate_rps + spare, until_s=20)
    assert accounting.inflight_growth(samples, 5.0, 20.0) == pytest.approx(0, abs=0.002)


def test_in_flight_shrinks_while_a_queue_is_worked_off() -> None:
    queue: list[Request] = [(0.0, 5 + number / 10, None) for number in range(150)]
    arrivals: list[Request] = [(number / 10, number / 10 + 0.1, None) for number in range(200)]
    growth = accounting.inflight_growth(some_samples(queue + arrivals), 5.0, 20.0)
    assert growth == pytest.approx(-1, abs=0.01)


def test_what_is_never_answered_or_never_sent_counts_as_what_it_is() -> None:
    unanswered: list[Request] = [(number / 10, None, "unanswered") for number in range(200)]
    samples = some_samples(unanswered)
    assert accounting.inflight_growth(samples, 5.0, 20.0) == pytest.approx(1, abs=0.01)
    dropped = samples.with_columns(sent_s=pl.lit(None, pl.Float64))
    assert accounting.inflight_growth(dropped, 5.0, 20.0) == 0


@pytest.mark.parametrize("seed", range(20))
def test_by_chance_in_flight_grows_by_no_more_than_the_docstring_says(seed: int) -> None:
    due_ns = instants_ns(100, 20, "poisson", seed)
    samples = some_samples((ns / 1e9, ns / 1e9 + 0.6, None) for ns in due_ns)
    assert abs(accounting.inflight_growth(samples, 4.0, 19.0)) < 3 * 0.004


def test_latency_from_sending_leaves_the_drivers_own_lateness_out() -> None:
    samples = some_samples([(1.0, 2.0, None)] * 100).with_columns(sent_s=1.75)
    assert accounting.latency(samples).sent_p95_ms == 250
    assert accounting.latency(samples).percentiles["p95_ms"] == 1000


def test_latency_from_sending_ranks_a_failure_as_infinitely_slow_too() -> None:
    answered: list[Request] = [(0.0, 0.1, None)]
    failed: list[Request] = [(0.0, 0.1, "status 500")]
    assert accounting.latency(some_samples(answered * 94 + failed * 6)).sent_p95_ms is None
    few = accounting.latency(some_samples(answered * 95 + failed * 5))
    assert few.sent_p95_ms == pytest.approx(100)


def test_whole_answers_are_counted_where_they_came() -> None:
    samples = some_samples([(0.5, 1.5, None), (1.5, 2.5, None), (1.6, 1.7, "wrong body")])
    counted = accounting.answers(samples, 1.0, 2.0)
    assert counted.ended == 1
    assert counted.parts == pytest.approx(1)


def test_users_spread_over_their_wait_leave_no_stretch_without_an_answer() -> None:
    assert accounting.idle_share(constant_users(users=40, latency_s=0.5, until_s=12), 2, 12) == 0


def test_users_in_step_leave_most_of_the_window_without_an_answer() -> None:
    waves = some_samples([(wave, wave + 1.0, None) for wave in range(12) for _user in range(50)])
    # 500 answers in 100 stretches, all of them in ten.
    assert accounting.idle_share(waves, 1.5, 11.5) == pytest.approx(0.9)


def test_answers_at_random_leave_next_to_no_stretch_without_one() -> None:
    instants_s = [at_ns / 1e9 for at_ns in instants_ns(100, 60, "poisson", 7)]
    samples = some_samples([(at_s, at_s + 0.6, None) for at_s in instants_s])
    assert accounting.idle_share(samples, 2, 58) < 0.03


def test_of_few_answers_nothing_is_said_about_waves() -> None:
    few = some_samples([(1.0, 2.0, None)] * 49)
    assert accounting.idle_share(few, 0, 10) == 0
    assert accounting.idle_share(some_samples([(1.0, 2.0, None)] * 50), 0, 10) > 0


STARVED: Request = (0.5, None, "unanswered")
ANSWERED_IN_THE_DRAIN: Request = (0.5, 2.5, None)


def test_a_starved_user_waits_through_the_whole_window() -> None:
    samples = some_samples(
        [DUE_BEFORE, INSIDE, ANSWERED_AFTER, NEVER_ANSWERED, STARVED, ANSWERED_IN_THE_DRAIN]
    )
    assert accounting.starved(samples, 1.0, 2.0)["due_s"].to_list() == [0.5, 0.5]
    # He is among those of whom a row speaks, although nothing was due in the window.
    counted = accounting.requests_of(samples, 1.0, 2.0, "due")
    assert counted.height == len([INSIDE, ANSWERED_AFTER, NEVER_ANSWERED]) + 2


def test_a_request_that_failed_in_the_window_starves_nobody() -> None:
    reset = some_samples([(0.5, None, "no answer: ConnectionLost")]).with_columns(ended_s=1.5)
    assert accounting.starved(reset, 1.0, 2.0).is_empty()


def test_an_arrival_that_was_never_sent_starves_nobody() -> None:
    dropped = some_samples([(0.5, None, "dropped")]).with_columns(sent_s=pl.lit(None, pl.Float64))
    assert accounting.starved(dropped, 1.0, 2.0).is_empty()


def test_a_starved_user_ranks_as_infinitely_slow_also_if_he_is_answered_at_last() -> None:
    due = some_samples([(0.0, 0.1, None)] * 90)
    assert accounting.latency(due).percentiles["p50_ms"] == pytest.approx(100)
    starving = accounting.latency(due, starved_count=10)
    assert starving.percentiles["p50_ms"] == pytest.approx(100)
    assert starving.percentiles["p95_ms"] is None
    assert starving.censored
    assert starving.sent_p95_ms is None
    assert accounting.latency(due, starved_count=91).percentiles["p50_ms"] is None


def test_where_nobody_is_answered_all_percentiles_are_censored() -> None:
    nobody = accounting.latency(some_samples([]), starved_count=500)
    assert set(nobody.percentiles.values()) == {None}
    assert nobody.censored


def test_unanswered_is_who_was_given_up_whenever_he_was_due() -> None:
    given_up = some_samples([(0.5, None, "unanswered"), (1.5, None, "unanswered")])
    after = some_samples([(2.5, None, "unanswered")])
    reset = some_samples([(1.5, None, "no answer: ConnectionLost")]).with_columns(ended_s=1.6)
    lost = some_samples([(0.0, None, "lost")]).with_columns(
        due_s=pl.lit(None, pl.Float64), sent_s=pl.lit(None, pl.Float64)
    )
    samples = pl.concat([given_up, after, reset, lost])
    assert accounting.unanswered(samples, 1.0, 2.0).height == 3


def test_a_failed_request_is_in_flight_until_it_failed() -> None:
    samples = some_samples([(1.0, None, "no answer: ConnectionLost")]).with_columns(ended_s=1.5)
    assert accounting.inflight_mean(samples, 0.0, 4.0) == pytest.approx(0.5 / 4)


def test_a_user_pauses_after_a_request_without_an_answer() -> None:
    failed = some_samples([(1.0, None, "no answer: ConnectionLost")] * 8)
    failed = failed.with_columns(ended_s=pl.Series([0.95, 1.5, 1.5, 1.5, 1.5, 1.5, 1.95, 3.0]))
    # Half of the first pause and of the last but one, and five whole ones.
    assert accounting.pausing_mean(failed, 1.0, 2.0) == pytest.approx(0.6)


def test_answers_of_the_drain_make_the_two_counts_differ() -> None:
    # A queue of users before a window's end, of whom each is answered at once when the load goes.
    steady = constant_users(users=40, latency_s=4.0, until_s=8)
    both = accounting.answers(steady, 4.0, 8.0)
    assert both.agree(40)
    rush = steady.with_columns(
        answered_s=pl.when(pl.col("answered_s") > 8).then(8.01).otherwise(pl.col("answered_s"))
    )
    credited = accounting.answers(rush, 4.0, 8.0)
    assert credited.ended == both.ended
    assert credited.parts > 1.2 * both.parts
    assert not credited.agree(40)


@pytest.mark.parametrize(
    ("parts", "ended", "in_flight", "agree"),
    [
        (1000.0, 1020, 1, True),  # 2 %
        (1000.0, 1021, 1, False),
        (1000.0, 1030, 100, True),  # 3 · √100
        (1000.0, 1031, 100, False),
        (0.0, 0, 100, True),
    ],
)
def test_counts_agree_within_2_percent_or_three_roots_of_the_users(
    parts: float, ended: int, in_flight: float, agree: bool
) -> None:
    assert accounting.Answers(parts, ended).agree(in_flight) is agree


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 10))
def test_the_response_times_of_a_steady_load_are_those_of_all_its_users(
    users: int, latency_quarters: int, starving: int
) -> None:
    served = constant_users(users, latency_quarters / 4, until_s=40)
    waiting = some_samples([(0.5, None, "unanswered")] * starving)
    found = accounting.users_by_little(pl.concat([served, waiting]), 10.0, 30.0)
    assert found.in_flight == pytest.approx(users + starving)
    assert found.times_add_up(users + starving)
    # A user more or less than every twentieth is noticed where the wave is small enough.
    if starving > max(0.05, found.wave) * (users + starving):
        assert not accounting.users_by_little(served, 10.0, 30.0).times_add_up(users + starving)


def test_who_pauses_counts_as_a_user() -> None:
    # One user: answered for 0.1 s without an answer, and pauses for as long.
    failed = some_samples([(n / 5, None, "no answer: ConnectionLost") for n in range(100)])
    failed = failed.with_columns(ended_s=pl.col("due_s") + 0.1)
    found = accounting.users_by_little(failed, 2.0, 12.0)
    assert found.in_flight == pytest.approx(1)
    assert found.by_response_time == pytest.approx(1, abs=0.02)
    assert accounting.users_by_little(failed, 2.0, 12.0, pauses=False).in_flight == pytest.approx(
        0.5
    )


def test_by_what_ended_a_connection_that_was_reset_in_the_window_is_a_failure() -> None:
    reset = some_samples([(1.2, None, "no answer: ConnectionResetError")]).with_columns(ended_s=1.5)
    counted = accounting.requests_of(reset, 1.0, 2.0, "answered")
    assert counted["failure"].to_list() == ["no answer: ConnectionResetError"]
    given_up = reset.with_columns(ended_s=2.5)
    assert accounting.requests_of(given_up, 1.0, 2.0, "answered").is_empty()


def test_parts_of_answers_that_came_later_are_no_answers_of_a_window_in_which_nothing_ended() -> (
    None
):
    assert not accounting.Answers(parts=3.0, ended=0).agree(100)
