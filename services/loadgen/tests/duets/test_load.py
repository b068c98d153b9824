"""The load of a duet is found from few views upwards, and leaves the CPUs idle for a good part."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.duets.duet import Duet, duet_of
from loadgen.duets.load import (
    BUSY_SHARE,
    MOST_STEPS,
    WHY_GIVEN_UP,
    GivenUpError,
    Limits,
    LoadStep,
    Proposal,
    check_equal_load,
    least_load,
    limits_of,
    next_load,
)
from loadgen.errors import TrialError
from loadgen.records.columns import GIVEN_UP
from loadgen.suites.pairs import DuetPair
from tests.make import a_case, a_server, a_trial


def limits(**values: Any) -> Limits:
    plain: dict[str, Any] = {
        "most": 100.0,
        "first": 7.0,
        "cpus": 1,
        "cpus_of_a": 1,
        "cpus_of_b": 1,
        "slice_s": 4.0,
    }
    return Limits(**plain | values)


def a_step(load: float, cpu_a_s: float, cpu_b_s: float, of_b: float = 1.0) -> LoadStep:
    """So many views a second, which cost so much; b answers a share of them."""
    return LoadStep(load, (cpu_a_s * load, cpu_b_s * load * of_b), (load, load * of_b), seconds=3.0)


def climbed(within: Limits, cpu_a_s: float, cpu_b_s: float, falls: float = 0.0) -> list[float]:
    """The loads that are tried, and last the one that is found.

    Args:
        within: the limits.
        cpu_a_s, cpu_b_s: of a view at the first step.
        falls: by what power of the load a view gets cheaper.
    """
    steps: list[LoadStep] = []
    loads = []
    while True:
        proposal = next_load(steps, within)
        loads.append(proposal.load)
        if proposal.is_found:
            return loads
        cheaper = (proposal.load / loads[0]) ** -falls
        steps.append(a_step(proposal.load, cpu_a_s * cheaper, cpu_b_s * cheaper))


def test_it_begins_with_few_views_and_scales_by_what_they_cost() -> None:
    # 7 views/s of 9 ms on both sides; 66 a second keep 60 % of a CPU busy.
    assert climbed(limits(), 0.004, 0.005) == [7, 66, 66]


def test_a_case_that_is_asked_for_less_is_never_given_more() -> None:
    assert climbed(limits(most=12.0), 0.004, 0.005)[-1] == 12
    assert climbed(limits(most=5.0, first=5.0, slice_s=9.0), 0.001, 0.001) == [5, 5]


def test_a_step_that_a_side_could_not_answer_is_scaled_by_what_its_views_cost() -> None:
    """Of 20 views a second it answered 15, with all of a CPU: 15 of these cost 0.06 s each."""
    full = LoadStep(20, (0.2, 0.9), (20.0, 15.0), seconds=3.0)
    assert next_load([full], limits()).load == pytest.approx(0.6 / (0.01 + 0.06), abs=0.1)


@given(
    cpu_a_ms=st.floats(0.5, 20),
    cpu_b_ms=st.floats(0.5, 20),
    falls=st.floats(0, 0.4),
    most=st.integers(10, 1000),
)
def test_the_cpus_are_never_busier_than_they_may_be(
    cpu_a_ms: float, cpu_b_ms: float, falls: float, most: int
) -> None:
    try:
        loads = climbed(limits(most=float(most)), cpu_a_ms / 1000, cpu_b_ms / 1000, falls)
    except TrialError:
        return  # given up
    found = loads[-1]
    assert len(loads) <= MOST_STEPS + 1
    assert found <= most
    assert found == float(f"{found:.2g}")
    cheaper = (found / loads[0]) ** -falls
    assert (cpu_a_ms + cpu_b_ms) / 1000 * cheaper * found <= BUSY_SHARE + 1e-6


def test_on_many_cpus_a_server_of_one_process_keeps_well_below_one_of_them() -> None:
    found = climbed(limits(cpus=8), 0.0089, 0.001)[-1]
    assert found == 67  # 9 ms of one process's CPU, and not of eight


def test_a_load_that_a_side_cannot_answer_is_halved() -> None:
    steps = [a_step(7, 0.004, 0.005), a_step(66, 0.004, 0.005, of_b=0.9)]
    halved = next_load(steps, limits())
    assert (halved.load, halved.is_found) == (33, True)


def test_answers_that_the_edges_cut_do_not_halve_a_load() -> None:
    few = LoadStep(8, (0.05, 0.06), (8.0, 7.0), seconds=3.0)
    assert next_load([few, few], limits(most=8.0)).load == 8


def test_costs_that_leave_too_few_answers_are_too_high() -> None:
    said = "a view costs too much CPU. The CPUs have room for 6.6 views/s on each server, which is"
    with pytest.raises(GivenUpError, match=said) as error:
        climbed(limits(), 0.06, 0.03)
    assert (error.value.outcome, error.value.load) == ("costs-too-high", 6.6)


def test_a_side_that_answers_nobody_has_no_cost() -> None:
    with pytest.raises(GivenUpError, match="A server answered nobody") as error:
        next_load([LoadStep(7, (0.1, 0.0), (7.0, 0.0), seconds=3.0)], limits())
    assert error.value.outcome == "costs-too-unlike"


def test_sides_of_which_one_cannot_answer_what_little_is_asked_are_too_unlike() -> None:
    steps = [a_step(7, 0.004, 0.005), a_step(8, 0.004, 0.005, of_b=0.5)]
    said = "no load suits both servers. A server cannot answer 8 views/s. Half of that is 4 views/s"
    with pytest.raises(GivenUpError, match=said) as error:
        next_load(steps, limits(most=8.0))
    assert (error.value.outcome, error.value.load) == ("costs-too-unlike", 4)


def test_twins_that_few_users_ask_have_too_small_a_load_and_not_unlike_costs() -> None:
    """Five users of a view of 0.8 s ask for 6.25 views/s, and a view costs 4 ms on either side."""
    within = limits_of(a_duet(most_users=5.0, delays_ms=(800.0,), slots=100), 1)
    with pytest.raises(GivenUpError) as error:
        climbed(within, 0.004, 0.004)
    assert str(error.value) == (
        "the load asked for is too small. The suite asks for 6.2 views/s on each server, which is "
        "too few"
    )
    assert (error.value.outcome, error.value.load) == ("load-too-small", 6.2)


@pytest.mark.parametrize("slice_s", [4.0, 4.25, 5.0, 7.0, 12.5, 300.0])
def test_the_least_load_is_enough_and_two_digits_less_are_not(slice_s: float) -> None:
    least = least_load(slice_s)
    assert least == float(f"{least:.2g}")
    assert climbed(limits(most=least, first=least, slice_s=slice_s), 0.001, 0.001)[-1] == least
    with pytest.raises(GivenUpError):
        climbed(limits(most=least * 0.99, first=least * 0.99, slice_s=slice_s), 0.001, 0.001)


def test_each_outcome_of_a_duet_that_was_given_up_has_its_words() -> None:
    assert set(WHY_GIVEN_UP) == GIVEN_UP


def a_duet(most_users: float = 100.0, most_rps: float = 0.0, slots: int = 40, **axes: Any) -> Duet:
    sides = [
        a_trial(
            case=a_case(server=name, driver="own", **axes).in_a_duet,
            server=a_server(name=name, slots=of_server),
        )
        for name, of_server in (("one", slots), ("other", None))
    ]
    a, b = sides
    return duet_of(DuetPair(a.case, b.case, most_users, most_rps), a, b)


def test_users_are_the_rate_that_they_ask_for() -> None:
    assert a_duet(most_users=30, slots=1000).most == pytest.approx(30 / 0.6)
    assert a_duet(most_users=30, most_rps=60.0).most == 60
    assert a_duet(most_users=0, most_rps=40.0).most == 40


def test_users_of_a_view_that_waits_for_nothing_ask_for_what_there_is() -> None:
    duet = a_duet(delays_ms=(0.0,), slots=1000)
    assert duet.most == math.inf
    of_nothing = limits_of(duet, 1)
    assert of_nothing.first == 4 / 0.2
    assert climbed(of_nothing, 0.004, 0.005)[-1] == 66


def test_no_view_waits_for_a_slot() -> None:
    assert limits_of(a_duet(), 1).most == pytest.approx(0.6 * 40 / 0.6)
    assert limits_of(a_duet(most_users=12.0), 1).most == pytest.approx(12 / 0.6)


def test_it_begins_with_the_rate_of_four_users() -> None:
    assert limits_of(a_duet(), 1).first == pytest.approx(4 / 0.6)
    assert limits_of(a_duet(delays_ms=(50.0,)), 1).first == 4 / 0.2


def test_sides_of_which_one_answered_less_had_no_equal_load() -> None:
    # Five slices of 4 s.
    check_equal_load(a_duet(), (1000.0, 955.0), 50.0)
    check_equal_load(a_duet(), (30.0, 33.0), 1.5)
    said = "Each server was asked for 1000 views: one answered 1000, other 940"
    with pytest.raises(TrialError, match=said) as error:
        check_equal_load(a_duet(), (1000.0, 940.0), 50.0)
    assert error.value.outcome == "costs-too-unlike"


def test_sides_that_both_answered_less_than_they_were_asked_were_too_busy() -> None:
    with pytest.raises(TrialError, match="one answered 800, other 800"):
        check_equal_load(a_duet(), (800.0, 800.0), 50.0)
    both = LoadStep(66, (0.2, 0.2), (50.0, 50.0), seconds=3.0)
    assert next_load([both, both], limits()) == Proposal(33, is_found=True)


def test_a_counter_that_has_not_moved_leaves_room_for_all_that_is_asked() -> None:
    assert next_load([LoadStep(7, (0.0, 0.0), (7.0, 7.0), seconds=3.0)], limits()).load == 100


def test_a_round_of_a_known_load_that_was_unequal_says_nothing_of_the_pair() -> None:
    with pytest.raises(TrialError) as error:
        check_equal_load(replace(a_duet(), load=50.0), (1000.0, 920.0), 50.0)
    assert error.value.outcome == "unequal-load"


def test_what_holds_too_few_is_named() -> None:
    step = a_step(2, 0.004, 0.005)
    with pytest.raises(GivenUpError) as error:
        next_load([step], limits_of(a_duet(slots=2), 1))
    assert str(error.value) == (
        "a server has too few slots. one has 2 slots, so it holds 2 views/s, which is too few"
    )
    assert (error.value.outcome, error.value.load) == ("too-few-slots", 2)


def test_a_pool_that_holds_too_few_is_named() -> None:
    duet = a_duet(delays_ms=(600.0,))
    a, b = duet.sides
    pooled = replace(duet, sides=(replace(a, connections=2), b))
    with pytest.raises(GivenUpError, match="The pool of one's client holds 2 views/s") as error:
        next_load([a_step(2, 0.004, 0.005)], limits_of(pooled, 1))
    assert (error.value.outcome, error.value.load) == ("pool-too-small", 2)
