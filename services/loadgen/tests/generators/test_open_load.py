"""The own driver's open load, as the process that it is, against servers of several tempers."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import uvloop

from loadgen.drivers import own as own_driver
from loadgen.drivers.logged import read_log
from loadgen.drivers.own import Own
from loadgen.errors import TrialError
from loadgen.generators import open_load
from loadgen.generators.arrivals import instants_ns
from loadgen.generators.load_run import OwnPlan
from loadgen.generators.open_load import KeptConnection, OpenLoad
from loadgen.generators.request_log import LOG, LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import Followed, ProtocolOrders
from loadgen.records.samples import SCHEMA
from loadgen.trials import accounting
from tests.drive import ARRIVALS_SEED, DELAY_S, FRACTION_S, Driven, a_plan, drive, mishandle, told
from tests.stand_ins import Behaviour, View

RATE_RPS = 80.0
SECOND_NS = 10**9
#: 40 arrivals a second for half a second.
EVERY_25_MS = [number / 40 for number in range(20)]


def open_axes(rate_rps: float = RATE_RPS, arrivals: str = "poisson") -> dict[str, Any]:
    axes = {"driver": "own", "load": "open", "users": None}
    return axes | {"rate_rps": rate_rps, "arrivals": arrivals}


@pytest.fixture(scope="module")
def mishandled(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """By a server that errs, hangs up and keeps silent."""
    folder = tmp_path_factory.mktemp("open") / "raw"
    return mishandle(folder, **open_axes())


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """By a server that answers everything."""
    folder = tmp_path_factory.mktemp("open") / "raw"
    with View(DELAY_S) as view:
        yield drive(view, folder, FRACTION_S, drain_s=20, **open_axes())


@pytest.fixture(params=["mishandled", "smooth"])
def driven(request: pytest.FixtureRequest) -> Driven:
    loaded = request.getfixturevalue(request.param)
    assert isinstance(loaded, Driven)
    return loaded


class TestEveryLoad:
    def test_requests_are_due_by_the_schedule_and_at_no_other_instant(self, driven: Driven) -> None:
        due_s = [
            ns / SECOND_NS for ns in instants_ns(RATE_RPS, FRACTION_S, "poisson", ARRIVALS_SEED)
        ]
        assert driven.samples["due_s"].sort().to_list() == pytest.approx(due_s, abs=1e-9)

    def test_every_one_is_sent_once(self, driven: Driven) -> None:
        assert driven.samples.height == driven.view.received

    def test_no_request_is_sent_before_it_is_due(self, driven: Driven) -> None:
        lags = driven.samples["sent_s"] - driven.samples["due_s"]
        assert lags.min() >= 0  # type: ignore[operator]

    def test_good_are_the_answers_with_the_right_body(self, driven: Driven) -> None:
        assert accounting.good(driven.samples).height == driven.view.seen[Behaviour.RIGHT]

    def test_the_samples_have_the_one_schema(self, driven: Driven) -> None:
        assert dict(driven.samples.schema) == SCHEMA


def test_nothing_fails_where_the_server_behaves(smooth: Driven) -> None:
    assert smooth.failures() == {}


def test_each_mishap_is_named(mishandled: Driven) -> None:
    assert mishandled.failures() == {
        "wrong body": 2,
        "status 500": 3,
        "no answer: ConnectionLost": 1,
        "unanswered": 2,
    }


def test_arrivals_go_on_while_nobody_is_answered(tmp_path: Path) -> None:
    with View(0, lambda _: Behaviour.SILENCE) as view:
        driven = drive(view, tmp_path / "raw", 0.5, 0.3, **open_axes(40.0, "constant"))
    assert driven.failures() == {"unanswered": 20}


def test_a_server_that_refuses_fails_every_arrival_at_its_time(tmp_path: Path) -> None:
    with View(0) as view:
        pass
    driven = drive(view, tmp_path / "raw", 0.5, 5, **open_axes(40.0, "constant"))
    assert driven.failures() == {"no answer: ConnectionRefusedError": 20}
    assert driven.samples["due_s"].sort().to_list() == pytest.approx(EVERY_25_MS)


def test_arrivals_beyond_the_cap_are_dropped_and_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_driver, "MOST_OUTSTANDING", 3)
    with View(0, lambda _: Behaviour.SILENCE) as view:
        driven = drive(view, tmp_path / "raw", 0.5, 0.5, **open_axes(40.0, "constant"))
    assert driven.failures() == {"unanswered": 3, "dropped": 17}
    assert view.received == 3
    dropped = driven.samples.filter(pl.col("failure") == "dropped")
    assert dropped.select("sent_s", "answered_s", "status").null_count().row(0) == (17, 17, 17)
    assert dropped["due_s"].to_list() == pytest.approx(EVERY_25_MS[3:])


class Stall:
    """Keeps every request waiting while it lasts; begins with the n-th."""

    def __init__(self, at: int, seconds: float) -> None:
        self._at = at
        self._seconds = seconds
        self._lock = threading.Lock()
        self._count = 0
        self.begin_ns = self.end_ns = 0

    def __call__(self, _: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._count += 1
            if self._count == self._at:
                self.begin_ns = time.monotonic_ns()
                self.end_ns = self.begin_ns + int(self._seconds * SECOND_NS)
        while (left_ns := self.end_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / SECOND_NS)


def test_a_stall_of_the_server_shows_in_the_latency_of_all_who_came_during_it(
    tmp_path: Path,
) -> None:
    """No omission: a closed load would have sent each user's one request and none besides."""
    stall = Stall(at=10, seconds=1.0)
    with View(0, on_request=stall) as view:
        driven = drive(view, tmp_path / "raw", 2.0, 20, **open_axes(100.0, "constant"))
    assert driven.failures() == {}
    log = pl.read_csv(driven.folder / LOG)
    during = log.filter(pl.col("due_ns").is_between(stall.begin_ns, stall.end_ns))
    assert during.height >= 50
    assert during.filter(pl.col("answered_ns") < stall.end_ns).height == 0


def test_what_the_driver_itself_is_late_is_in_the_latency_and_not_in_that_from_sending(
    tmp_path: Path,
) -> None:
    blocked: list[int] = []

    def block() -> None:
        blocked.append(time.monotonic_ns())
        time.sleep(0.3)
        blocked.append(time.monotonic_ns())

    with View(0) as view:
        log = run_here(view, tmp_path, 1.0, open_axes(100.0, "constant"), at=(0.1, block))
    begin_ns, end_ns = blocked
    during = log.filter(pl.col("due_ns").is_between(begin_ns, end_ns))
    assert during.height >= 29
    assert during.filter(pl.col("sent_ns") < end_ns).height == 0
    due_ms = (during["answered_ns"] - during["due_ns"]) / 1e6
    sent_ms = (during["answered_ns"] - during["sent_ns"]) / 1e6
    lag_ms = (during["sent_ns"] - during["due_ns"]) / 1e6
    assert (due_ms - sent_ms - lag_ms).abs().max() < 1e-6  # type: ignore[operator]
    assert lag_ms.max() >= 290  # type: ignore[operator]


class Doors:
    """Which connection each request came by."""

    def __init__(self) -> None:
        self.ports: list[int] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.ports.append(handler.client_address[1])


def test_arrivals_share_a_connection_as_long_as_none_waits(tmp_path: Path) -> None:
    doors = Doors()
    with View(0, on_request=doors) as view:
        drive(view, tmp_path / "raw", 1.0, 20, **open_axes(10.0, "constant"))
    assert len(doors.ports) == 10
    assert len(set(doors.ports)) < 10


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_load, "IDLE_NS", 0)
    doors = Doors()
    with View(0, on_request=doors) as view:
        log = run_here(view, tmp_path, 1.0, open_axes(10.0, "constant"))
    assert len(set(doors.ports)) == log.height == 10
    assert log["failure"].null_count() == 10


def test_there_is_no_idle_connection_once_nobody_comes_any_more(tmp_path: Path) -> None:
    """Where an idle connection holds a slot, one that waits for a slot would wait for ever."""
    with View(0.2) as view:
        plan = a_plan(view, 0.3, 20, **open_axes(40.0, "constant"))
        with RequestLog(tmp_path / LOG) as log:
            run = OpenLoad(
                OwnPlan(**told(plan, tmp_path)), log, time.monotonic_ns(), ProtocolOrders()
            )
            uvloop.run(run.run())
    assert read_log(tmp_path, 0).height == 12
    assert not run._idle
    assert not run._busy


@pytest.mark.parametrize(
    ("owner", "callback"),
    [
        (KeptConnection, "_answered"),
        (KeptConnection, "_failed"),
        (OpenLoad, "_send"),
        (OpenLoad, "_close_idle"),
    ],
)
def test_an_error_of_the_driver_itself_ends_the_load_and_is_raised(
    owner: type[object], callback: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(owner, callback, broken)
    with (
        View(0.01, lambda number: Behaviour.HANG_UP if number > 5 else Behaviour.RIGHT) as view,
        pytest.raises(LookupError, match="a mistake of ours"),
    ):
        run_here(view, tmp_path, 60, open_axes())


def test_a_log_that_lacks_arrivals_is_no_measurement(tmp_path: Path) -> None:
    with View(0) as view:
        plan = a_plan(view, 1.0, 5, **open_axes(20.0, "constant"))
    with RequestLog(tmp_path / LOG) as log:
        log.write_all(LoggedRequest(n, n, n + 1, n + 1, 200, "") for n in range(19))
    with pytest.raises(TrialError, match="made 19 of the 20 arrivals that were due") as error:
        Own().samples(plan, tmp_path, 0)
    assert error.value.outcome == "driver-failed"


def run_here(
    view: View,
    folder: Path,
    seconds: float,
    axes: dict[str, Any],
    at: tuple[float, Callable[[], None]] | None = None,
) -> pl.DataFrame:
    """An open load in this process, with something that happens at an instant; its raw log."""
    load = OwnPlan(**told(a_plan(view, seconds, 20, **axes), folder))
    with RequestLog(folder / LOG) as log:

        async def run() -> None:
            if at:
                asyncio.get_running_loop().call_later(*at)
            await OpenLoad(load, log, time.monotonic_ns(), ProtocolOrders()).run()

        uvloop.run(run())
    return pl.read_csv(folder / LOG)


@pytest.mark.parametrize("start_ns", [1_234_567_891, 8_000_000_123, 987_654_321_987_654])
@pytest.mark.parametrize("begin_ms", [1603, 4777, 6001])
def test_an_arrival_at_the_very_end_of_a_window_is_of_the_next(
    start_ns: int, begin_ms: int, tmp_path: Path
) -> None:
    begin_ns = start_ns + begin_ms * 10**6
    end_ns = begin_ns + 8_400 * 10**6
    with View(0) as view:
        plan = a_plan(view, None, 5, **open_axes(50.0, "constant"))
    with RequestLog(tmp_path / LOG) as log:
        due_ns = (begin_ns + number * 20 * 10**6 for number in range(425))
        log.write_all(LoggedRequest(due, due, due + 1, due + 1, 200, "") for due in due_ns)
    samples = Own().samples(plan, tmp_path, start_ns, Followed(begin_ns, end_ns, end_ns))
    assert samples.height == 425
