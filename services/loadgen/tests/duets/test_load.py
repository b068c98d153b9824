"""The load of a duet is found from few users upwards, and leaves the CPUs idle for a good part."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.duets.duet import Duet, duet_of
from loadgen.duets.load import (
    BUSY_SHARE,
    KEPT_EQUAL_SHARE,
    LEAST_ANSWERS,
    MOST_STEPS,
    Limits,
    LoadStep,
    TooUnlikeError,
    check_equal_load,
    half_of,
    limits_of,
    next_load,
)
from loadgen.errors import TrialError
from loadgen.suites.pairs import DuetPair
from loadgen.theory.laws import EQUAL_LOAD_SHARE
from tests.make import a_case, a_server, a_trial

SERVICE_S = 0.6


def limits(**values: Any) -> Limits:
    plain: dict[str, Any] = {
        "most": 100.0,
        "first": 4.0,
        "whole": True,
        "cpus": 1,
        "cpus_of_a": 1,
        "cpus_of_b": 1,
        "slice_s": 4.0,
    }
    return Limits(**plain | values)


def a_step(load: float, cpu_a_s: float, cpu_b_s: float, apart: float = 1.0) -> LoadStep:
    """So many users, who are answered after the service time by views that cost so much."""
    rate = load / SERVICE_S
    return LoadStep(load, (cpu_a_s * rate, cpu_b_s * rate), (rate, rate * apart), seconds=3.0)


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


def test_it_begins_with_few_users_and_scales_by_what_they_used() -> None:
    # 4 users: 6.7 views/s of 8.9 ms on both sides keep 6 % busy; ten times that is 60 %.
    assert climbed(limits(), 0.004, 0.0049) == [4, 40, 40]


def test_a_case_of_few_users_is_never_given_more() -> None:
    assert climbed(limits(most=7.0), 0.004, 0.005)[-1] == 7
    assert climbed(limits(most=3.0, first=3.0, slice_s=9.0), 0.001, 0.001) == [3, 3]


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
        return  # too unlike
    found = loads[-1]
    assert len(loads) <= MOST_STEPS + 1
    assert found <= most
    assert found == math.floor(found)
    cheaper = (found / loads[0]) ** -falls
    assert (cpu_a_ms + cpu_b_ms) / 1000 * cheaper * found / SERVICE_S <= BUSY_SHARE + 1e-6


def test_on_many_cpus_a_server_of_one_process_keeps_well_below_one_of_them() -> None:
    found = climbed(limits(cpus=8), 0.0089, 0.001)[-1]
    assert found == 40  # 9 ms of one process's CPU, and not of eight


def test_a_load_that_does_not_keep_its_rates_equal_is_halved() -> None:
    steps = [a_step(4, 0.004, 0.005), a_step(40, 0.004, 0.005, apart=0.9)]
    halved = next_load(steps, limits())
    assert (halved.load, halved.is_found) == (20, True)


def test_costs_that_leave_under_three_users_are_too_unlike() -> None:
    busy = LoadStep(4, (0.9, 0.05), (100.0, 100.0), seconds=3.0)
    with pytest.raises(TrialError, match="2 users, and a duet needs 3") as error:
        next_load([busy], limits())
    assert error.value.outcome == "costs-too-unlike"


def test_costs_that_leave_too_few_answers_are_too_unlike() -> None:
    with pytest.raises(TrialError, match=f"answers a slice, and {LEAST_ANSWERS} are needed"):
        climbed(limits(), 0.06, 0.03)


def a_duet(most: float = 100.0, **axes: Any) -> Duet:
    sides = [
        a_trial(
            case=a_case(server=name, driver="own", **axes).in_a_duet,
            server=a_server(name=name, slots=slots),
        )
        for name, slots in (("one", 40), ("other", None))
    ]
    a, b = sides
    return duet_of(DuetPair(a.case, b.case, most), a, b)


OPEN: dict[str, Any] = {"load": "open", "users": None, "rate_rps": 50.0, "arrivals": "poisson"}


def test_no_user_waits_for_a_slot() -> None:
    assert limits_of(a_duet(), 1).most == 40
    assert limits_of(a_duet(most=30.0), 1).most == 30


def test_an_open_load_leaves_slots_free_and_begins_with_the_rate_of_four_users() -> None:
    of_rate = limits_of(a_duet(**OPEN), 1)
    assert of_rate.most == pytest.approx(0.6 * 40 / 0.6)
    assert of_rate.first == pytest.approx(4 / 0.6)
    assert not of_rate.whole
    found = climbed(of_rate, 0.004, 0.005)[-1]
    assert found == float(f"{found:.2g}")


def test_sides_that_made_five_percent_more_or_less_had_no_equal_load() -> None:
    check_equal_load(replace(a_duet(), load=20.0), (1000.0, 1045.0), 20.0)
    with pytest.raises(TrialError, match=r"the rates' ratio is 0\.94"):
        check_equal_load(a_duet(), (1000.0, 940.0), 20.0)


def test_a_round_of_a_known_load_that_was_unequal_says_nothing_of_the_pair() -> None:
    with pytest.raises(TrialError) as error:
        check_equal_load(replace(a_duet(), load=20.0), (1000.0, 920.0), 20.0)
    assert error.value.outcome == "unequal-load"


def test_half_a_load_is_tried_as_long_as_it_says_enough() -> None:
    assert half_of(21.0, limits(), (600.0, 500.0)) == 10
    assert half_of(5.0, limits(), (600.0, 500.0)) is None
    assert half_of(21.0, limits(), (600.0, 290.0)) is None


def test_arrivals_of_an_open_load_may_differ_by_chance() -> None:
    check_equal_load(a_duet(**OPEN), (200.0, 240.0), 20.0)
    with pytest.raises(TrialError):
        check_equal_load(a_duet(**OPEN), (200.0, 400.0), 20.0)


@pytest.mark.parametrize(("rate", "of_a", "of_b"), [(30.0, 82, 98), (12.0, 30, 42), (8.0, 18, 30)])
def test_a_step_of_an_open_load_is_not_halved_nor_given_up_by_chance(
    rate: float, of_a: int, of_b: int
) -> None:
    arriving = limits(whole=False, most=rate, first=rate)
    steps = [
        LoadStep(load, (0.05, 0.06), (of_a / 3, of_b / 3), seconds=3.0) for load in (7.0, rate)
    ]
    proposal = next_load(steps, arriving)
    assert (proposal.load, proposal.is_found) == (rate, True)


def test_a_step_of_an_open_load_that_differs_beyond_chance_is_halved() -> None:
    steps = [LoadStep(40, (0.2, 0.1), (40.0, 20.0), seconds=3.0)] * 2
    assert next_load(steps, limits(whole=False, most=40.0)).load == 20


def test_a_load_that_is_found_leaves_later_rounds_room_to_differ() -> None:
    assert KEPT_EQUAL_SHARE > EQUAL_LOAD_SHARE
    by_six = (1000.0, 1060.0)
    with pytest.raises(TrialError):
        check_equal_load(a_duet(), by_six, 20.0)
    check_equal_load(replace(a_duet(), load=20.0), by_six, 20.0)
    steps = [a_step(4, 0.004, 0.005), a_step(40, 0.004, 0.005, apart=1.06)]
    assert next_load(steps, limits()).load == 20


def test_what_holds_too_few_users_is_named() -> None:
    duet = a_duet()
    few = replace(duet.sides[0].server, name="my-project", slots=2)
    narrow = replace(duet, sides=(replace(duet.sides[0], server=few), duet.sides[1]))
    with pytest.raises(TooUnlikeError) as error:
        next_load([], limits_of(narrow, 1))
    assert str(error.value) == "my-project has 2 slots, so it holds 2 users, and a duet needs 3"
    assert (error.value.outcome, error.value.load) == ("costs-too-unlike", 2)
