"""A search finds the rate that a stack carries, and the next one, which it does not."""

import math
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loadgen.suites.search import Bracket, Rules, Window, next_step
from tests.make import a_case

RULES = Rules()
#: A server that does not exist: whether a window at a place of the grid holds; None says nothing.
type Server = Callable[[int], bool | None]


def search(server: Server, start: int, rules: Rules = RULES) -> tuple[Bracket, list[Window]]:
    windows: list[Window] = []
    while isinstance(step := next_step(start, windows, rules), int):
        windows.append(Window(step, server(step), ()))
        assert len(windows) <= rules.most_windows
    return step, windows


@given(start=st.integers(-20, 200), climb=st.integers(-6, 12))
def test_finds_the_capacity_of_a_server_that_always_answers_alike(start: int, climb: int) -> None:
    capacity = start + climb
    found, _ = search(lambda step: step <= capacity, start)
    assert found == Bracket(capacity, capacity + 1)


@given(climb=st.integers(0, 10))
def test_passes_a_rate_by_after_one_window_and_asks_again_at_the_bracket(climb: int) -> None:
    _, windows = search(lambda step: step <= 100 + climb, 100)
    steps = [window.step for window in windows]
    assert len(windows) == climb + 2 * RULES.majority
    for step in range(100, 100 + climb):
        assert steps.count(step) == 1
    assert steps.count(100 + climb) == steps.count(101 + climb) == RULES.majority


def test_takes_as_few_windows_as_it_says_where_it_starts_at_the_bracket() -> None:
    _, windows = search(lambda step: step <= 100, 100)
    assert len(windows) == RULES.fewest_windows == 4


def test_takes_as_many_windows_as_is_usual_to_climb_to_all_of_the_cpu() -> None:
    rules = Rules(start_share=0.8)
    start, whole = rules.step_below(0.8 * 250), rules.step_below(250)
    _, windows = search(lambda step: step <= whole, start, rules)
    assert len(windows) == pytest.approx(rules.usual_windows, abs=1)


@given(
    seed=st.integers(0, 2**32),
    slope=st.floats(0.1, 3),
    silence=st.floats(0, 0.3),
    start=st.integers(60, 130),
)
def test_of_a_noisy_server_both_ends_of_the_bracket_have_a_majority(
    seed: int, slope: float, silence: float, start: int
) -> None:
    chance = random.Random(seed)

    def server(step: int) -> bool | None:
        if chance.random() < silence:
            return None
        return chance.random() < 1 / (1 + math.exp(slope * (step - 100)))

    found, windows = search(server, start)
    for end, wanted in ((found.low, True), (found.high, False)):
        if end is not None:
            votes = [window.held for window in windows if window.step == end]
            assert votes.count(wanted) >= RULES.majority > votes.count(not wanted)
    neighbours = found.low is not None and found.high == found.low + 1
    assert bool(found.reason) != neighbours


@given(seed=st.integers(0, 2**32))
def test_a_search_that_is_replayed_goes_the_same_way(seed: int) -> None:
    chance = random.Random(seed)
    found, windows = search(lambda step: chance.random() < 0.5 ** max(0, step - 100), 98)
    for count, window in enumerate(windows):
        assert next_step(98, windows[:count], RULES) == window.step
    assert next_step(98, windows, RULES) == found


def test_never_asks_a_rate_again_that_is_decided() -> None:
    votes = {100: [True, False, False], 99: [True, True], 101: [False]}
    found, windows = search(lambda step: votes[step].pop(0), 100)
    assert found == Bracket(99, 100)
    assert [window.step for window in windows] == [100, 101, 100, 100, 99, 99]


def test_a_bracket_whose_lower_end_turns_round_is_looked_for_below() -> None:
    votes = {100: [True, False, False], 101: [False, False], 99: [False, False], 98: [True, True]}
    found, _ = search(lambda step: votes[step].pop(0), 100)
    assert found == Bracket(98, 99)


def test_a_bracket_whose_upper_end_turns_round_is_looked_for_above() -> None:
    votes = {100: [True, True], 101: [False, True, True], 102: [False, False]}
    found, _ = search(lambda step: votes[step].pop(0), 100)
    assert found == Bracket(101, 102)


def test_a_server_that_carries_everything_is_given_up_with_what_is_known() -> None:
    found, windows = search(lambda _: True, 100)
    assert found == Bracket(None, None, "16 windows were not enough to find the limit")
    assert len(windows) == 16


def test_a_search_that_runs_out_between_two_decided_rates_names_both() -> None:
    votes: dict[int, list[bool | None]] = {
        100: [True, True],
        102: [False, False],
        101: [True, None, None, False],
    }
    windows = [Window(step, held) for step, each in votes.items() for held in each]
    assert next_step(101, windows, Rules(most_windows=8)) == Bracket(
        100, 102, "8 windows were not enough to find the limit"
    )


def test_where_windows_say_nothing_the_rate_is_asked_three_times_and_the_other_end_decided() -> (
    None
):
    found, windows = search(lambda step: None if step > 100 else True, 99)
    assert found.low == 100
    assert found.high is None
    assert found.reason.endswith(f"at {RULES.rate_rps(101):g}/s")
    assert [window.step for window in windows] == [99, 100, 101, 101, 101, 100]


def test_a_search_that_learns_nothing_at_its_start_ends_there() -> None:
    found, windows = search(lambda _: None, 100)
    assert (found.low, found.high) == (None, None)
    assert len(windows) == 3


def test_one_window_may_decide() -> None:
    found, windows = search(lambda step: step <= 100, 100, Rules(windows=1))
    assert found == Bracket(100, 101)
    assert len(windows) == 2


def test_neighbouring_rates_are_5_percent_apart_wherever_a_search_starts() -> None:
    rates = [RULES.rate_rps(step) for step in range(20, 160)]
    for rate, following in pairwise(rates):
        assert following / rate == pytest.approx(1.05, rel=1e-3)
    assert len(f"{RULES.rate_rps(113):g}") <= 5, "rates stand in names of files"


@given(st.floats(0.5, 5000))
def test_the_place_below_a_rate_is_the_highest_one_there(rate_rps: float) -> None:
    step = RULES.step_below(rate_rps)
    assert RULES.rate_rps(step) <= rate_rps < RULES.rate_rps(step + 1)


def test_a_stack_is_offered_arrivals_instead_of_its_users() -> None:
    case = RULES.offered(a_case(driver="own", users=300), 98.12)
    assert (case.load, case.users, case.rate_rps, case.arrivals) == ("open", None, 98.12, "poisson")
    assert case.slug.endswith("_own_poisson-98.12rps")


@pytest.mark.parametrize("wrong", [{"ratio": 1.0}, {"windows": 0}, {"start_share": 1.1}, {"x": 1}])
def test_rules_that_make_no_search_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Rules.model_validate(wrong)
