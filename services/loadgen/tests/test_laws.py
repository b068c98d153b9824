"""Ceilings by Little's law."""

from loadgen.laws import slots_ceiling_rps, users_ceiling_rps


def test_a_hundred_users_of_a_view_of_600_ms_ask_for_at_most_167_a_second() -> None:
    assert users_ceiling_rps(100, 0.6) == 100 / 0.6


def test_two_slots_finish_at_most_3_views_of_600_ms_a_second() -> None:
    assert slots_ceiling_rps(2, 0.6) == 2 / 0.6


def test_without_a_bound_there_is_no_ceiling() -> None:
    assert slots_ceiling_rps(None, 0.6) is None
    assert users_ceiling_rps(None, 0.6) is None
    assert users_ceiling_rps(100, 0) is None
