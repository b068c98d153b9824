"""Ceilings, what binds, and Little's law."""

import pytest

from loadgen.theory.laws import (
    Bound,
    bound,
    cpu_ceiling_kind,
    cpu_ceiling_rps,
    little_holds,
    pool_ceiling_rps,
    slots_ceiling_rps,
    usable_cpus,
    users_ceiling_rps,
)


def test_a_hundred_users_of_a_view_of_600_ms_ask_for_at_most_167_a_second() -> None:
    assert users_ceiling_rps(100, 0.6) == 100 / 0.6


def test_two_slots_finish_at_most_3_views_of_600_ms_a_second() -> None:
    assert slots_ceiling_rps(2, 0.6) == 2 / 0.6


def test_a_view_holds_a_connection_for_each_of_its_calls() -> None:
    assert pool_ceiling_rps(4, 10, [0.3, 0.6, 0.1]) == 40


def test_views_of_10_ms_of_cpu_are_at_most_100_a_second_for_each_cpu() -> None:
    assert cpu_ceiling_rps(2, 0.01) == 200


def test_a_cpu_ceiling_is_measured_near_saturation_and_below_it_only_a_lower_bound() -> None:
    assert cpu_ceiling_kind(0.9) == "measured"
    assert cpu_ceiling_kind(0.89) == "lower-bound"


def test_a_process_uses_one_cpu_at_a_time() -> None:
    assert usable_cpus(app_cpus=4, processes=1) == 1
    assert usable_cpus(app_cpus=2, processes=4) == 2


def test_without_a_bound_there_is_no_ceiling() -> None:
    assert slots_ceiling_rps(None, 0.6) is None
    assert users_ceiling_rps(None, 0.6) is None
    assert users_ceiling_rps(100, 0) is None
    assert pool_ceiling_rps(1, None, [0.6]) is None
    assert pool_ceiling_rps(1, 10, []) is None
    assert cpu_ceiling_rps(1, None) is None


def test_the_resource_that_is_used_up_binds() -> None:
    assert bound({"users": 0.4, "slots": None, "cpu": 0.97}) == Bound("cpu", 0.97)


def test_resources_used_up_alike_bind_together() -> None:
    assert bound({"users": 0.99, "slots": 0.98, "cpu": 0.5}) == Bound("users+slots", 0.99)


def test_a_trial_far_from_every_ceiling_is_unexplained() -> None:
    assert bound({"users": 0.5, "cpu": 0.89}) == Bound("unexplained", 0.89)


def test_nothing_binds_where_nothing_is_known() -> None:
    assert bound({"users": None, "cpu": None}) is None


def test_more_than_all_of_a_resource_cannot_be() -> None:
    assert bound({"users": 1.009}) == Bound("users", 1.0)
    with pytest.raises(ValueError, match="more than its users can ask for"):
        bound({"users": 1.011})


def test_users_in_flight_are_the_users_within_2_percent() -> None:
    assert little_holds(98, 100)
    assert not little_holds(97.9, 100)
    assert not little_holds(102.1, 100)
