"""Cases, rounds and order give trials."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import ConfigurationError
from loadgen.lab.http_clients import HttpClient
from loadgen.records.columns import Row
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.lengths import lengths_s
from loadgen.suites.pairs import Compare
from loadgen.suites.search import Rules
from loadgen.suites.suite import Suite
from loadgen.trials.trial import Trial
from tests.make import (
    a_case,
    a_case_of_a_page,
    a_page,
    a_server,
    a_suite,
    a_timing,
    a_trial,
    no_duets,
)
from tests.whole_run import answered, rows_of_a_run

SERVERS = {"uvicorn": a_server()}


def some_cases(count: int) -> tuple[Case, ...]:
    return tuple(a_case(users=users) for users in range(1, count + 1))


def trials(*suites: Suite, rounds: int | None = None, seed: int = 0) -> list[Trial]:
    return no_duets(Plan(suites, SERVERS, rounds, seed).certain())


@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 2**32))
def test_each_round_holds_every_case_once(count: int, rounds: int, seed: int) -> None:
    planned = trials(a_suite(cases=some_cases(count)), rounds=rounds, seed=seed)
    for number in range(1, rounds + 1):
        of_round = [trial.case for trial in planned if trial.round == number]
        assert sorted(of_round, key=str) == sorted(some_cases(count), key=str)
    assert [trial.round for trial in planned] == sorted(trial.round for trial in planned)
    assert [trial.position for trial in planned] == list(range(1, count * rounds + 1))


def test_rounds_are_each_shuffled_afresh() -> None:
    planned = trials(a_suite(cases=some_cases(8)), rounds=2)
    first, second = planned[:8], planned[8:]
    assert [trial.case for trial in first] != [trial.case for trial in second]


def test_a_single_round_keeps_the_suites_order() -> None:
    planned = trials(a_suite(cases=some_cases(8)), seed=5)
    assert [trial.case for trial in planned] == list(some_cases(8))


COMPARED = Compare(a={"users": (1, 2)}, b={"users": (3,)})


def test_a_case_with_two_rivals_stands_between_them_either_way_around() -> None:
    suite = a_suite(cases=some_cases(4), compare=(COMPARED,))
    planned = trials(suite, rounds=20)
    orders = [
        tuple(
            trial.case.users
            for trial in planned
            if trial.round == number and trial.case.users in (1, 2, 3)
        )
        for number in range(1, 21)
    ]
    assert orders.count((1, 3, 2)) == orders.count((2, 3, 1)) == 10


#: 1 → 2, 2 → 3, … 6 → 1: each case has two neighbours.
RING = tuple(Compare(a={"users": (users,)}, b={"users": (users % 6 + 1,)}) for users in range(1, 7))


@given(st.integers(0, 2**32))
def test_of_a_ring_all_pairs_but_one_are_next_to_each_other(seed: int) -> None:
    suite = a_suite(cases=some_cases(8), compare=RING)
    planned = trials(suite, rounds=2, seed=seed)
    users = [trial.case.users or 0 for trial in planned if trial.round == 1]
    in_ring = [number for number in users if number <= 6]
    places = [users.index(number) for number in in_ring]
    assert places == list(range(places[0], places[0] + 6))
    assert {(b - a) % 6 for a, b in pairwise(in_ring)} in ({1}, {5})


def test_a_ring_is_walked_from_any_place_in_either_direction() -> None:
    planned = trials(a_suite(cases=some_cases(6), compare=RING), rounds=60)
    begins = {
        tuple(trial.case.users for trial in planned if trial.round == number)[:2]
        for number in range(1, 61)
    }
    assert len(begins) == 12


def test_a_single_round_keeps_the_suites_order_also_where_it_compares() -> None:
    far = Compare(a={"users": (1,)}, b={"users": (8,)})
    planned = trials(a_suite(cases=some_cases(8), compare=(far,)))
    assert [trial.case for trial in planned] == list(some_cases(8))


def test_a_comparison_of_cases_that_are_not_measured_is_left_out() -> None:
    suite = a_suite(cases=some_cases(2), compare=(COMPARED,))
    assert suite.pairs == []
    assert len(trials(suite, rounds=2)) == 4


def test_rounds_come_from_the_suite_where_nobody_asks_for_others() -> None:
    suite = a_suite(cases=some_cases(2), rounds=3)
    assert len(trials(suite)) == 6
    assert len(trials(suite, rounds=1)) == 2


def test_a_case_of_two_suites_is_measured_once_for_both() -> None:
    one = a_suite(name="one", cases=some_cases(2))
    two = a_suite(name="two", cases=some_cases(3))
    planned = trials(one, two)
    assert [trial.suites for trial in planned] == ["one+two", "one+two", "two"]


def test_a_case_of_two_suites_has_the_rounds_of_the_longer() -> None:
    one = a_suite(name="one", cases=some_cases(1), rounds=2)
    two = a_suite(name="two", cases=some_cases(2), rounds=4)
    assert len(trials(one, two)) == 8


def test_suites_that_time_a_case_differently_are_refused() -> None:
    one = a_suite(name="one")
    two = a_suite(name="two", timing=a_timing(window_s=3.0))
    with pytest.raises(ConfigurationError, match=r"one and two have different times for uvicorn"):
        trials(one, two)


def test_a_trial_knows_the_pool_of_its_client() -> None:
    cases = (a_case(http_client="aiohttp-small-pool"), a_case(http_client="aiohttp-shared"))
    small_pool = HttpClient(views=("async",), connections=100)
    planned = trials(a_suite(cases=cases, http_clients={"aiohttp-small-pool": small_pool}))
    assert [trial.connections for trial in planned] == [100, None]


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no case is left"):
        trials(a_suite(cases=()))


def test_the_plan_knows_its_length() -> None:
    plan = Plan([a_suite(cases=some_cases(3))], SERVERS, 4, 0)
    assert plan.trial_count == len(plan.certain()) == 12


def test_trials_of_one_case_have_files_of_their_own() -> None:
    planned = trials(a_suite(cases=some_cases(3)), rounds=3)
    assert len({trial.name for trial in planned}) == 9


RULES = Rules(warm_up_s=3, window_s=15)


class Stack:
    """Answers the trials of a plan as a server that carries so many views a second."""

    def __init__(self, capacity_rps: float, ceiling_rps: float | None = 250.0) -> None:
        self.capacity_rps = capacity_rps
        self.ceiling_rps = ceiling_rps
        self.asked: list[Trial] = []

    def __call__(self, trial: Trial) -> Row:
        self.asked.append(trial)
        return answered(trial, self.capacity_rps, self.ceiling_rps)

    def rates(self, round_number: int) -> list[float]:
        windows = (trial for trial in self.asked if trial.round == round_number)
        return [trial.case.rate_rps for trial in windows if trial.case.rate_rps]


CLIENTS = ("httpx-per-request", "httpx-shared", "aiohttp-shared", "no-http")


def a_search(stacks: int = 1, rounds: int = 1) -> Plan:
    clients = CLIENTS[:stacks]
    cases = tuple(a_case(driver="own", users=300, http_client=client) for client in clients)
    suite = a_suite(name="capacity", cases=cases, search=RULES)
    return Plan([suite], SERVERS, rounds, 0)


def test_a_search_measures_the_stack_under_its_users_then_windows_at_rates() -> None:
    stack = Stack(capacity_rps=230)
    rows_of_a_run(a_search(), stack)
    first, *windows = stack.asked
    assert (first.case.load, first.case.users, first.repeat) == ("closed", 300, None)
    assert {trial.case.load for trial in windows} == {"open"}
    assert {(trial.warm_up_s, trial.window_s) for trial in windows} == {(3, 15)}
    assert {trial.position for trial in stack.asked} == {1}


def test_a_search_starts_at_its_share_of_what_the_cpu_allows_and_ends_at_the_bracket() -> None:
    stack = Stack(capacity_rps=230)
    rows_of_a_run(a_search(), stack)
    rates = stack.rates(1)
    assert 200 / 1.05 < rates[0] <= 200
    last, first_not = max(r for r in rates if r <= 230), min(r for r in rates if r > 230)
    assert rates.count(last) == rates.count(first_not) == 2
    assert first_not / last == pytest.approx(1.05, rel=1e-3)


def test_the_windows_of_one_rate_are_told_apart() -> None:
    stack = Stack(capacity_rps=230)
    rows_of_a_run(a_search(rounds=2), stack)
    names = [trial.name for trial in stack.asked]
    assert len(set(names)) == len(names)
    assert names[0].endswith("_300u.r1")
    assert {name.rpartition(".")[2] for name in names} == {"r1", "r2", "w1", "w2"}


def test_the_next_round_starts_where_the_last_one_ended_by_its_own_cpu_ceiling() -> None:
    stack = Stack(capacity_rps=230)
    rows_of_a_run(a_search(rounds=2), stack)
    assert stack.rates(2)[0] == max(rate for rate in stack.rates(1) if rate <= 230)
    assert len(stack.rates(2)) == RULES.fewest_windows
    slower = Stack(capacity_rps=230)

    def drifting(trial: Trial) -> Row:
        if trial.round == 2:
            slower.capacity_rps, slower.ceiling_rps = 115, 125.0
        return slower(trial)

    rows_of_a_run(a_search(rounds=2), drifting)
    assert len(slower.rates(2)) <= RULES.fewest_windows + 1


def test_the_next_trial_follows_from_the_rows_alone_in_whatever_order_they_stand() -> None:
    stack = Stack(capacity_rps=230)
    rows = rows_of_a_run(a_search(stacks=2, rounds=2), stack)
    for count, trial in enumerate(stack.asked):
        assert a_search(stacks=2, rounds=2).next_trial(rows[:count][::-1]) == trial
    assert a_search(stacks=2, rounds=2).next_trial(rows[::-1]) is None


def test_all_rounds_try_the_rates_of_one_grid() -> None:
    stack = Stack(capacity_rps=230)
    rows_of_a_run(a_search(rounds=3), stack)
    grid = {RULES.rate_rps(step) for step in range(200)}
    assert {rate for number in (1, 2, 3) for rate in stack.rates(number)} <= grid


def test_the_stacks_of_a_round_are_searched_one_after_the_other_in_shuffled_order() -> None:
    stack = Stack(capacity_rps=230)
    plan = a_search(stacks=4, rounds=4)
    rows_of_a_run(plan, stack)
    positions = [trial.position for trial in stack.asked]
    assert positions == sorted(positions)
    assert set(positions) == set(range(1, plan.trial_count + 1))
    orders = {
        tuple(trial.case.http_client for trial in stack.asked if trial.round == n)
        for n in range(1, 5)
    }
    assert len(orders) > 1


def test_a_stack_whose_cost_is_not_known_is_not_searched() -> None:
    stack = Stack(capacity_rps=230, ceiling_rps=None)
    rows_of_a_run(a_search(), stack)
    assert len(stack.asked) == 1


def test_searches_and_other_cases_share_the_rounds() -> None:
    stack = Stack(capacity_rps=230)
    plain = a_suite(name="plain", cases=some_cases(2))
    search = a_suite(name="capacity", cases=(a_case(driver="own", users=300),), search=RULES)
    plan = Plan([plain, search], SERVERS, 2, 0)
    rows_of_a_run(plan, stack)
    assert plan.trial_count == 6
    assert sum(trial.repeat is None for trial in stack.asked) == 6


def test_a_case_of_two_suites_is_searched_where_one_of_them_does() -> None:
    cases = (a_case(driver="own", users=300),)
    stack = Stack(capacity_rps=230)
    suites = [a_suite(name="one", cases=cases), a_suite(name="two", cases=cases, search=RULES)]
    rows_of_a_run(Plan(suites, SERVERS, None, 0), stack)
    assert stack.rates(1)


def test_suites_that_search_a_case_differently_are_refused() -> None:
    one = a_suite(name="one", search=RULES)
    two = a_suite(name="two", search=Rules(windows=1))
    with pytest.raises(ConfigurationError, match=r"one and two have different rules .* uvicorn"):
        trials(one, two)


def test_cases_that_differ_in_their_users_alone_are_one_stack_to_a_search() -> None:
    cases = tuple(a_case(driver="own", users=users) for users in (200, 300))
    with pytest.raises(ConfigurationError, match=r"200u and .*300u are the same stack"):
        trials(a_suite(cases=cases, search=RULES))


def test_what_is_certain_of_a_search_is_its_first_trial_and_how_long_it_may_take() -> None:
    (trial,) = a_search().certain()
    assert trial.ahead is not None
    assert trial.ahead.usual == RULES.usual_windows
    assert trial.ahead.most == RULES.most_windows
    assert trial.ahead.window_s > 3 + 15


def test_by_default_a_window_is_8_s_and_a_warm_up_a_response_and_two_stretches_of_2_s() -> None:
    assert lengths_s(a_case(), a_server(), a_timing()) == (0.6 + 2 * 2, 8)


def test_a_window_holds_at_least_10_service_times() -> None:
    slow = a_case(delays_ms=(300.0, 2000.0))
    assert lengths_s(slow, a_server(), a_timing()) == (3 * 2, 10 * 2)


def test_a_window_of_long_service_times_holds_3_of_them() -> None:
    slow = a_case(delays_ms=(10_000.0,))
    assert lengths_s(slow, a_server(), a_timing()) == (3 * 10, 3 * 10)
    slow = a_case(delays_ms=(9_000.0,))
    assert lengths_s(slow, a_server(), a_timing()) == (3 * 9, 10 * 9)


def test_a_window_holds_at_least_3_response_times_unless_the_suite_times_its_trials() -> None:
    waits_30_s = a_server(slots=2)
    assert lengths_s(a_case(), waits_30_s, a_timing())[1] == 3 * 30
    assert lengths_s(a_case(), waits_30_s, a_timing(warm_up_s=1.0))[1] == 8


def test_a_page_of_a_servers_own_is_timed_by_its_declared_service_time() -> None:
    server = a_server(page=a_page(service_time_s=2.0), slots=50)
    assert lengths_s(a_case_of_a_page(users=100), server, a_timing()) == (3 * 4, 10 * 2)


def test_a_warm_up_lasts_3_response_times_at_the_slots_ceiling_or_a_minute() -> None:
    # 20 users before 2 slots of 0.6 s: each waits 6 s. 100 users: 30 s.
    warm_up_s, _ = lengths_s(a_case(users=20), a_server(slots=2), a_timing())
    assert warm_up_s == pytest.approx(3 * 6)
    warm_up_s, _ = lengths_s(a_case(users=100), a_server(slots=2), a_timing())
    assert warm_up_s == 60


def test_what_settles_is_a_load_that_no_suite_article_or_search_times() -> None:
    assert a_trial().settles
    assert not a_trial(timing=a_timing(warm_up_s=0.5)).settles
    assert not a_trial(case=a_case(ramp=((0.0, 0), (10.0, 100), (30.0, 100)))).settles
    assert not a_trial(case=a_case(driver="hey", planned_requests=100)).settles
    assert not a_trial(repeat=1).settles


def test_requests_are_followed_for_half_a_minute_beyond_their_service_time() -> None:
    slow = a_trial(case=a_case(delays_ms=(60_000.0,)), timing=a_timing(drain_s=30.0))
    assert slow.drain_s == 90


def test_a_suites_own_lengths_go_first() -> None:
    timing = a_timing(warm_up_s=0.0, window_s=3.0)
    assert lengths_s(a_case(), a_server(), timing) == (0, 3)


def test_a_ramp_is_its_window() -> None:
    ramp = ((0.0, 0), (10.0, 100), (30.0, 100))
    assert lengths_s(a_case(ramp=ramp), a_server(), a_timing(window_s=3.0)) == (0, 30)


def test_a_counted_load_has_no_length() -> None:
    assert lengths_s(a_case(planned_requests=100), a_server(), a_timing()) == (0, None)


def test_a_trial_takes_at_least_its_warm_up_and_window() -> None:
    (trial,) = trials(a_suite())
    assert trial.expected_s > 2 + 8 + 0.6


def test_a_counted_trial_takes_at_least_the_time_that_its_slots_need() -> None:
    suite = a_suite(cases=(a_case(planned_requests=1000, delays_ms=(400.0,)),))
    (trial,) = Plan([suite], {"uvicorn": a_server(slots=40)}, None, 0).certain()
    assert trial.expected_s > 1000 * 0.4 / 40


def test_a_counted_load_of_a_view_that_waits_for_nothing_can_be_planned() -> None:
    (trial,) = trials(a_suite(cases=(a_case(planned_requests=100, delays_ms=(0.0,)),)))
    assert trial.expected_s > 0


OPEN = a_case(load="open", users=None, rate_rps=20.0, arrivals="poisson", driver="own")


def seeds_of_arrivals(seed: int) -> list[int | None]:
    plan = Plan([a_suite(cases=(OPEN,), rounds=3)], {"uvicorn": a_server()}, None, seed)
    return [trial.arrivals_seed for trial in no_duets(plan.certain())]


def test_every_trial_of_an_open_load_draws_other_arrivals() -> None:
    assert len(set(seeds_of_arrivals(1))) == 3


def test_arrivals_follow_from_the_runs_seed() -> None:
    assert seeds_of_arrivals(1) == seeds_of_arrivals(1) != seeds_of_arrivals(2)


def test_a_closed_load_draws_no_arrivals() -> None:
    (trial,) = trials(a_suite())
    assert trial.arrivals_seed is None
