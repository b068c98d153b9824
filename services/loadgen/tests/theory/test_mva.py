"""The law of a closed network with one queue, against closed forms and bounds of the textbooks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.theory.mva import flow, held_s_of

USERS = st.integers(1, 300)
SECONDS = st.floats(0.01, 10)
HELD = st.floats(1e-4, 1)


def machine_repairman_rps(users: int, service_s: float, held_s: float) -> float:
    """M/M/1//N in closed form: (1 − p₀) / H with 1/p₀ = Σ N!/(N − k)!·(H/S)ᵏ.

    L. Kleinrock, "Queueing Systems" I, 1975, section 3.8. As logarithms, for N! is large.
    """
    ratio = math.log(held_s / service_s)
    terms = [
        math.lgamma(users + 1) - math.lgamma(users - k + 1) + k * ratio for k in range(users + 1)
    ]
    largest = max(terms)
    log_sum = largest + math.log(sum(math.exp(term - largest) for term in terms))
    return -math.expm1(-log_sum) / held_s


@given(USERS, SECONDS, HELD)
def test_it_is_the_machine_repairman(users: int, service_s: float, held_s: float) -> None:
    found = flow(users, service_s, held_s)
    assert found.rps == pytest.approx(machine_repairman_rps(users, service_s, held_s), rel=1e-9)


@given(USERS, SECONDS, HELD)
def test_it_lies_within_the_asymptotic_bounds(users: int, service_s: float, held_s: float) -> None:
    """P. J. Denning & J. P. Buzen 1978: one behind the other at worst, nobody waiting at best."""
    found = flow(users, service_s, held_s)
    slack = 1 + 1e-9
    assert found.rps <= slack * min(users / (service_s + held_s), 1 / held_s)
    assert found.rps * slack >= users / (service_s + users * held_s)


@given(USERS, SECONDS, HELD)
def test_littles_law_holds_of_the_whole(users: int, service_s: float, held_s: float) -> None:
    found = flow(users, service_s, held_s)
    assert found.rps * service_s + found.queue == pytest.approx(users)


@given(SECONDS, HELD)
def test_one_user_never_waits_for_another(service_s: float, held_s: float) -> None:
    assert flow(1, service_s, held_s).rps == pytest.approx(1 / (service_s + held_s))


@given(USERS, SECONDS, HELD)
def test_one_more_user_makes_no_fewer_views(users: int, service_s: float, held_s: float) -> None:
    now, then = (flow(n, service_s, held_s) for n in (users, users + 1))
    assert then.rps >= now.rps * (1 - 1e-12)
    assert then.queue > now.queue


def test_nobody_makes_no_view() -> None:
    assert flow(0, 0.6, 0.01).rps == 0


def test_a_worked_example() -> None:
    """Two users, S = 1 s, H = 1 s: R(1) = 1, Q(1) = 1/2; R(2) = 3/2, X = 2 / 2.5."""
    found = flow(2, 1, 1)
    assert found.rps == pytest.approx(0.8)
    assert found.queue == pytest.approx(1.2)


@given(USERS, SECONDS, HELD)
def test_the_held_time_is_found_again_from_the_rate(
    users: int, service_s: float, held_s: float
) -> None:
    rps = flow(users, service_s, held_s).rps
    found = held_s_of(users, service_s, rps)
    assert found
    assert flow(users, service_s, found).rps == pytest.approx(rps, rel=1e-9)


def test_a_rate_that_leaves_no_time_holds_the_process_for_none() -> None:
    assert held_s_of(100, 0.6, 100 / 0.6) is None
    assert held_s_of(100, 0.6, 200) is None
    assert held_s_of(0, 0.6, 1) is None
