"""The check before a run: what is demanded, how it is judged, and that it is really made."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from loadgen.trials import self_check
from loadgen.trials.instruments import ApiStats, HttpApi
from loadgen.trials.self_check import ApiCheck, Demand, check_api, demands, judge_attempt
from tests.make import (
    Request,
    a_case,
    a_case_of_a_page,
    a_page,
    a_server,
    a_trial,
    an_api_stats,
    some_samples,
)
from tests.stand_ins import Served, http_client, send

HUNDRED_MS = Demand(a_case(), delay_ms=100, calls_per_s=100)
ASKED = ApiCheck(upstream="http", delay_ms=100, demanded_per_s=100, users=11, attempts=1)


def demanded(app_cpus: int = 1, slots: int | None = None, **axes: Any) -> list[float]:
    trial = a_trial(case=a_case(**axes), server=a_server(slots=slots))
    return [demand.calls_per_s for demand in demands([trial], app_cpus)]


def test_the_users_ask_for_so_much_that_a_fifth_of_it_is_a_reserve() -> None:
    assert demanded(users=100, delays_ms=(300.0, 600.0, 150.0)) == [
        pytest.approx(1.2 * 100 / 0.6 * 3)
    ]


def test_the_slots_let_through_no_more() -> None:
    assert demanded(slots=2, users=100, delays_ms=(500.0,)) == [pytest.approx(1.2 * 2 / 0.5)]


def test_no_server_answers_more_than_1000_views_a_second_with_a_cpu() -> None:
    crowd: dict[str, Any] = {"users": 10_000, "delays_ms": (500.0,)}
    assert demanded(**crowd) == [pytest.approx(1200)]
    assert demanded(app_cpus=4, **crowd) == [pytest.approx(4800)]


def test_calls_one_after_the_other_are_one_in_flight_for_each_user() -> None:
    """100 users, each with one call at a time, whatever its delay; 1.2 times as many."""
    case = a_case(workload="serial", users=100, delays_ms=(800.0, 100.0, 300.0))
    (demand,) = demands([a_trial(case=case)], 1)
    assert demand.delay_ms == 400
    assert demand.calls_per_s == pytest.approx(1.2 * 3 * 100 / 1.2)
    assert demand.users == pytest.approx(1.2 * 100, rel=0.01)


def test_views_that_call_nobody_demand_nothing() -> None:
    assert demanded(http_client="no-http") == []


def test_a_page_of_a_servers_own_demands_nothing_that_is_known() -> None:
    trial = a_trial(case=a_case_of_a_page(), server=a_server(page=a_page()))
    assert demands([trial], 1) == []


def test_article_as_own_api_is_not_checked() -> None:
    assert demanded(upstream="django") == []


def test_the_largest_demand_over_each_upstream_counts() -> None:
    trials = [
        a_trial(case=a_case(upstream=upstream, users=users))
        for upstream, users in (("http", 10), ("https", 30), ("http", 20))
    ]
    found = demands(trials, 1)
    assert [(demand.case.upstream, demand.case.users) for demand in found] == [
        ("http", 20),
        ("https", 30),
    ]


def test_long_delays_are_checked_with_a_shorter_one_at_the_same_rate() -> None:
    (demand,) = demands([a_trial(case=a_case(delays_ms=(30_000.0,), users=100))], 1)
    assert demand.delay_ms == 1000
    assert demand.calls_per_s == pytest.approx(1.2 * 100 / 30)


def test_the_users_reach_the_rate_although_each_answer_is_a_little_late() -> None:
    late_s = 0.002
    assert HUNDRED_MS.users / (0.1 + late_s) >= HUNDRED_MS.calls_per_s


def calls(rate: float, late_s: float = 0.001, failure: str | None = None) -> list[Request]:
    """Calls of 100 ms, evenly spread over four seconds."""
    starts = [number / rate for number in range(int(4 * rate))]
    return [(start, start + 0.1 + late_s, failure) for start in starts]


def faults(requests: list[Request], stats: ApiStats | None = None) -> str:
    stats = stats or an_api_stats(4, 1.0, 300, p99=0.2)
    return "; ".join(judge_attempt(HUNDRED_MS, ASKED, some_samples(requests), stats).faults)


def test_an_api_that_keeps_its_delays_has_no_fault() -> None:
    assert faults(calls(100)) == ""
    assert faults(calls(97)) == ""


def test_too_few_answers_are_a_fault_with_their_number() -> None:
    assert faults(calls(80)) == "only 80 calls/s were answered"


def test_late_answers_are_a_fault_wherever_they_are_seen() -> None:
    assert faults(calls(100, late_s=0.0055)) == (
        "it was 5.5 ms late at the client on average (5 ms are allowed)"
    )
    late = an_api_stats(4, 1.0, 300, p99=30.0)
    assert "it was 6.0 ms late by its own record on average" in faults(calls(100), late)
    assert "it was 6.0 ms late in its event loop on average" in faults(calls(100), late)


def test_a_pause_that_makes_a_few_calls_late_is_no_fault() -> None:
    # Between 2.1 and 2.2 s nothing is answered: ten of 250 calls are late, by 100 ms at most.
    began = [sent for sent, _, _ in calls(100)]
    ends = [sent + 0.101 for sent in began]
    paused = [2.2 if 2.1 < end < 2.2 else end for end in ends]
    assert faults([(sent, end, None) for sent, end in zip(began, paused, strict=True)]) == ""
    assert faults(calls(100), an_api_stats(4, 1.0, 300, p99=24.0)) == ""


def test_a_long_delay_may_be_late_by_three_hundredths() -> None:
    assert Demand(a_case(), delay_ms=600, calls_per_s=1).late_ms == pytest.approx(18)


def test_a_failed_call_is_a_fault() -> None:
    one = calls(100)
    one[150] = (*one[150][:2], "status 503")
    assert faults(one) == "1 of 250 calls failed"


class StandInApi:
    """Answers after the delay in the path, and what it is told besides."""

    def __init__(self, late_s: Callable[[], float]) -> None:
        self.late_s = late_s
        self._served = Served(self._answer)

    @property
    def port(self) -> int:
        return self._served.port

    def close(self) -> None:
        self._served.close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/-/"):
            send(handler, 200, json.dumps(an_api_stats(1, 0.1, 10, p99=0.1).model_dump()))
            return
        time.sleep(float(handler.path.strip("/")) / 1000 + self.late_s())
        send(handler, 200, '{"name": "Chad", "alpha_2": "TD"}')


@pytest.fixture
def api() -> Iterator[StandInApi]:
    stand_in = StandInApi(lambda: 0.0)
    yield stand_in
    stand_in.close()


def checked(api: StandInApi, monkeypatch: pytest.MonkeyPatch) -> ApiCheck:
    monkeypatch.setitem(self_check.PORTS, "http", api.port)
    monkeypatch.setattr("socket.gethostbyname", lambda _: "127.0.0.1")
    demand = Demand(a_case(), delay_ms=100, calls_per_s=20)
    with http_client() as http:
        return check_api(demand, HttpApi(f"http://127.0.0.1:{api.port}", http))


def test_the_api_is_really_asked_as_often_as_the_views_might(
    api: StandInApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in in Python threads on a shared machine: what matters is that it was asked and heard.
    monkeypatch.setattr(self_check, "LATE_MS", 1000.0)
    monkeypatch.setattr(self_check, "RATE_SHARE", 0.5)
    result = checked(api, monkeypatch)
    assert result.faults == ()
    assert (result.users, result.failures) == (3, 0)
    assert result.calls_per_s is not None
    assert result.calls_per_s > 10
    assert "the API kept its delays at 20 calls/s over http" in str(result)


def test_an_api_that_is_always_late_is_asked_three_times_and_refused_with_numbers(
    api: StandInApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "WINDOW_S", 1.0)
    api.late_s = lambda: 0.1
    result = checked(api, monkeypatch)
    assert result.attempts == 3
    assert "the API cannot keep up with it. At 20 calls/s over http, " in str(result)
    assert "calls/s were answered" in str(result)
    assert "LOADGEN_CPUS" in str(result)


def test_a_load_that_cannot_be_made_is_a_fault_too(
    api: StandInApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "DRAIN_S", -60.0)
    result = checked(api, monkeypatch)
    assert result.calls_per_s is None
    assert "did not end within" in str(result)
