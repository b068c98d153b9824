"""What the samples of a row that nothing explains show."""

import polars as pl
import pytest

from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign, signs
from tests.make import Request, a_case, a_server, a_trial, constant_users, some_samples

WINDOW = (2.0, 12.0)


def a_closed(users: int = 40, **server: object) -> Trial:
    return a_trial(
        case=a_case(driver="own", delays_ms=(500.0,), users=users), server=a_server(**server)
    )


def shown(trial: Trial, samples: pl.DataFrame) -> set[Sign]:
    return set(signs(trial, samples, WINDOW))


def test_users_who_are_spread_over_their_wait_show_nothing() -> None:
    assert shown(a_closed(), constant_users(users=40, latency_s=0.6, until_s=14)) == set()


def test_users_who_are_answered_in_waves_are_in_step() -> None:
    waves = some_samples([(second, second + 1.0, None) for second in range(13)] * 40)
    assert shown(a_closed(), waves) == {"in-step"}


def test_arrivals_are_nobodys_waves() -> None:
    axes = {"load": "open", "users": None, "rate_rps": 20.0, "arrivals": "constant"}
    trial = a_trial(case=a_case(driver="own", delays_ms=(500.0,), **axes))
    waves = some_samples([(second, second + 1.0, None) for second in range(13)] * 40)
    assert shown(trial, waves) == set()


def two_processes(in_first: int, in_second: int) -> pl.DataFrame:
    """Twenty slots each, half a second: who has no slot in his process waits for one."""
    return pl.concat(
        constant_users(users, latency_s=0.5 * max(1.0, users / 20), until_s=14)
        for users in (in_first, in_second)
    )


def test_connections_that_fill_two_processes_unevenly_show_by_who_waits() -> None:
    two_by_twenty = a_closed(processes=2, slots=40, concurrency="threads", interface="wsgi")
    assert shown(two_by_twenty, two_processes(32, 8)) == {"uneven-processes"}
    assert shown(two_by_twenty, two_processes(20, 20)) == set()


def test_of_one_process_or_too_few_slots_waiting_says_nothing_about_processes() -> None:
    uneven = two_processes(32, 8)
    assert shown(a_closed(processes=1, slots=40, concurrency="threads"), uneven) == set()
    assert shown(a_closed(processes=2, slots=30, concurrency="threads"), uneven) == set()


def test_views_that_run_one_after_the_other_end_a_service_time_apart() -> None:
    queue: list[Request] = [(0.5 * n, 0.5 * n + 2.5, None) for n in range(24)]
    assert shown(a_closed(users=5), some_samples(queue)) == {"one-at-a-time"}
    # Two processes: two at a time.
    assert shown(a_closed(users=5, processes=2), some_samples(queue * 2)) == {"one-at-a-time"}
    # Three at a time on one loop are not held up by each other.
    assert "one-at-a-time" not in shown(a_closed(users=5), some_samples(queue * 3))


def test_a_thread_that_waits_holds_up_no_loop() -> None:
    queue: list[Request] = [(0.5 * n, 0.5 * n + 2.5, None) for n in range(24)]
    assert shown(a_closed(users=5, concurrency="threads"), some_samples(queue)) == set()


@pytest.mark.parametrize(("plateau_rps", "is_shown"), [(19.0, True), (15.0, False)])
def test_a_ramp_that_reaches_what_its_plateau_asks_for_is_only_the_mean_of_a_climb(
    plateau_rps: float, is_shown: bool
) -> None:
    ramp = ((0.0, 0), (10.0, 10), (30.0, 10))
    trial = a_trial(case=a_case(delays_ms=(500.0,), users=10, ramp=ramp))
    climb: list[Request] = [(n / 4, n / 4 + 0.5, None) for n in range(40)]
    plateau: list[Request] = [
        (10 + n / plateau_rps, 10.5 + n / plateau_rps, None) for n in range(int(20 * plateau_rps))
    ]
    found = signs(trial, some_samples(climb + plateau), (0.0, 30.0))
    assert ("ramp-in-mean" in found) is is_shown
