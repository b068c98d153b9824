"""When a load counts as steady."""

import pytest

from loadgen.drivers.logged import Ended
from loadgen.suites.lengths import bound_s
from loadgen.trials.settling import Settling

SECOND_NS = 10**9


def served(
    users: int, response_s: float, until_s: float, begin_s: float = 0.0, number: int = 0
) -> list[Ended]:
    """Users, the first with this number, who are answered after so long, again and again."""
    ended = []
    for user in range(users):
        due_s = begin_s + response_s * user / users
        while due_s + response_s < until_s:
            due_s += response_s
            ended.append(Ended(int(due_s * SECOND_NS), int(response_s * SECOND_NS), number + user))
    return sorted(ended)


def settled_at(requests: list[Ended], users: int | None, until_s: float = 60.0) -> float | None:
    """The first tenth of a second at which the load is steady, looked at as it goes on."""
    settling = Settling(0, users)
    left = list(requests)
    for tenth in range(int(until_s * 10)):
        now_s = tenth / 10
        while left and left[0].ended_ns < now_s * SECOND_NS:
            settling.add([left.pop(0)])
        if settling.is_steady(now_s):
            return now_s
    return None


def test_a_load_that_is_steady_at_once_takes_two_stretches_of_two_seconds() -> None:
    assert settled_at(served(20, 0.5, 60), users=20) == pytest.approx(4.0, abs=0.11)


def test_long_responses_make_long_stretches() -> None:
    # Everybody is answered after 5 s, and the two stretches of 5 s are those before 15 s.
    assert settled_at(served(20, 5.0, 60), users=20) == pytest.approx(10.0, abs=0.11)


def test_a_queue_that_fills_up_is_not_steady_before_it_is_full() -> None:
    # 100 users, ten answers a second: a user waits the longer the later he came, 10 s in the end.
    queue = [
        Ended(n * SECOND_NS // 10, min(n, 100) * SECOND_NS // 10, n % 100) for n in range(1, 900)
    ]
    settled_s = settled_at(queue, users=100, until_s=90)
    assert settled_s is not None
    # Two stretches of 10 s after the first 10 s, of which 5 % may still be filling up.
    assert 25 < settled_s < 31


def test_nobody_is_left_out_who_has_not_been_answered_once() -> None:
    two_thirds = served(20, 0.5, 60)
    assert settled_at(two_thirds, users=30) is None
    late = sorted(two_thirds + served(10, 0.5, 60, begin_s=20, number=20))
    assert settled_at(late, users=30) == pytest.approx(21.0, abs=0.11)


def test_arrivals_have_no_users_to_wait_for() -> None:
    arrivals = [Ended(n * SECOND_NS // 10, SECOND_NS // 2, None) for n in range(600)]
    assert settled_at(arrivals, users=None) == pytest.approx(4.0, abs=0.11)


def test_response_times_that_differ_by_more_than_5_percent_are_not_steady() -> None:
    def climbing(each_s: float) -> list[Ended]:
        return [
            Ended(n * SECOND_NS // 50, int((1 + each_s * n / 50) * SECOND_NS), n % 10)
            for n in range(1, 3000)
        ]

    # Means of neighbouring stretches of 2 s lie 2 s of climb apart.
    assert settled_at(climbing(0.1), users=10, until_s=10) is None
    assert settled_at(climbing(0.01), users=10, until_s=10) is not None


def test_a_load_that_nobody_answers_is_never_steady() -> None:
    settling = Settling(0, users=10)
    assert settling.response_time_s(50) is None
    assert not settling.is_steady(50)


def test_the_response_time_is_that_of_what_ended_last() -> None:
    settling = Settling(0, users=None)
    settling.add(served(4, 0.5, 10))
    settling.add(served(4, 1.5, 20, begin_s=10))
    assert settling.response_time_s(9) == pytest.approx(0.5)
    assert settling.response_time_s(20) == pytest.approx(1.5)
    assert settling.response_time_s(40) == pytest.approx(1.5)  # nothing has ended since


@pytest.mark.parametrize(
    ("response_s", "service_s", "bound"),
    [
        (0.6, 0.6, 20),
        (7.0, 0.6, 35),
        (30.0, 0.6, 60),  # not five of them: a minute at most
        (None, 0.6, 60),
        (60.0, 60.0, 300),
        (None, 60.0, 300),
    ],
)
def test_a_warm_up_is_bounded(response_s: float | None, service_s: float, bound: float) -> None:
    assert bound_s(response_s, service_s) == bound
