"""The lab's own driver, as the process that it is, against a server that does not always behave."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import uvloop

from loadgen.drivers import driver
from loadgen.drivers import own as own_driver
from loadgen.drivers.driver import READY, LoadPlan
from loadgen.drivers.logged import Tally, read_log
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.errors import TrialError
from loadgen.generators.closed_load import ClosedLoad, User
from loadgen.generators.load_run import OwnPlan
from loadgen.generators.request_log import LOG, LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import Followed, ProtocolOrders
from loadgen.records.samples import SCHEMA
from loadgen.trials import accounting
from tests.drive import DELAY_S, FRACTION_S, Driven, a_plan, drive, mishandle, told
from tests.stand_ins import Behaviour, View

USERS = 10
#: What a user waits after a request without an answer, less what a double rounds off.
PAUSE_S = 0.1 - 1e-6


@pytest.fixture(scope="module")
def mishandled(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """By a server that errs, hangs up and keeps silent."""
    folder = tmp_path_factory.mktemp("own") / "raw"
    return mishandle(folder, driver="own", users=USERS)


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """By a server that answers everything, with all the time that the last answers may need."""
    folder = tmp_path_factory.mktemp("own") / "raw"
    with View(DELAY_S) as view:
        yield drive(view, folder, FRACTION_S, drain_s=20, driver="own", users=USERS)


@pytest.fixture(params=["mishandled", "smooth"])
def driven(request: pytest.FixtureRequest) -> Driven:
    loaded = request.getfixturevalue(request.param)
    assert isinstance(loaded, Driven)
    return loaded


class TestEveryLoad:
    def test_every_request_that_the_server_received_is_logged_and_no_other(
        self, driven: Driven
    ) -> None:
        assert driven.samples.height == driven.view.received

    def test_good_are_the_answers_with_the_right_body(self, driven: Driven) -> None:
        assert accounting.good(driven.samples).height == driven.view.seen[Behaviour.RIGHT]

    def test_all_users_come_and_no_more(self, driven: Driven) -> None:
        assert driven.view.peak == USERS

    def test_starts_are_spread_evenly_over_one_service_time(self, driven: Driven) -> None:
        first = driven.samples["due_s"].sort().head(USERS).to_list()
        assert first == pytest.approx([DELAY_S * user / USERS for user in range(USERS)])

    def test_no_request_is_sent_before_it_is_due(self, driven: Driven) -> None:
        lags = driven.samples["sent_s"] - driven.samples["due_s"]
        assert lags.min() >= 0  # type: ignore[operator]

    def test_no_answer_is_faster_than_the_server(self, driven: Driven) -> None:
        good = accounting.good(driven.samples)
        assert (good["answered_s"] - good["sent_s"]).min() >= DELAY_S  # type: ignore[operator]

    def test_nothing_is_due_outside_the_load(self, driven: Driven) -> None:
        assert driven.samples["due_s"].is_between(0, FRACTION_S, closed="left").all()

    def test_the_samples_have_the_one_schema(self, driven: Driven) -> None:
        assert dict(driven.samples.schema) == SCHEMA

    def test_answers_are_counted_in_its_log(self, driven: Driven) -> None:
        assert driven.answered == driven.samples.height


class TestASmoothLoad:
    def test_a_users_next_request_is_due_when_its_last_answer_came(self, smooth: Driven) -> None:
        next_due = smooth.samples["due_s"].sort()[USERS:]
        answered = smooth.samples["answered_s"].sort()
        assert next_due.to_list() == answered.filter(answered < FRACTION_S).to_list()

    def test_every_user_is_busy_to_the_end_and_followed_through_the_drain(
        self, smooth: Driven
    ) -> None:
        late = smooth.samples.filter(pl.col("answered_s") >= FRACTION_S)
        assert late.height == USERS
        assert accounting.good(late).height == USERS

    def test_nothing_fails(self, smooth: Driven) -> None:
        assert smooth.failures() == {}


class TestMishaps:
    def test_each_is_named(self, mishandled: Driven) -> None:
        assert mishandled.failures() == {
            "wrong body": 2,
            "status 500": 3,
            "no answer: ConnectionLost": 1,
            "unanswered": 2,
        }

    def test_what_was_not_answered_has_neither_instant_nor_status(self, mishandled: Driven) -> None:
        lost = mishandled.samples.filter(
            pl.col("failure").is_in(["unanswered", "no answer: ConnectionLost"])
        )
        assert lost.select("answered_s", "status").null_count().row(0) == (3, 3)

    def test_a_wrong_answer_has_its_instant_and_status(self, mishandled: Driven) -> None:
        wrong = mishandled.samples.filter(pl.col("failure").is_in(["wrong body", "status 500"]))
        assert sorted(wrong["status"]) == [200, 200, 500, 500, 500]
        assert wrong["answered_s"].null_count() == 0


def test_a_kept_connection_that_closes_is_a_failure_and_not_asked_again(tmp_path: Path) -> None:
    def every_second(number: int) -> Behaviour:
        return Behaviour.RIGHT if number % 2 else Behaviour.HANG_UP

    with View(0.01, every_second) as view:
        driven = drive(view, tmp_path / "raw", 0.8, 20, driver="own", users=1)
    assert driven.samples.height == view.received
    assert driven.failures() == {"no answer: ConnectionLost": view.seen[Behaviour.HANG_UP]}


def test_a_server_that_never_answers_has_each_users_one_request_unanswered(tmp_path: Path) -> None:
    with View(0, lambda _: Behaviour.SILENCE) as view:
        driven = drive(view, tmp_path / "raw", 0.5, 0.2, driver="own", users=3)
    assert driven.failures() == {"unanswered": 3}


def test_patience_with_one_request_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_driver, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(driver, "PATIENCE_S", 0)
    with View(0, lambda _: Behaviour.SILENCE) as view:
        driven = drive(view, tmp_path / "raw", 0.5, 20, driver="own", users=1)
    assert set(driven.failures()) == {"no answer: TimeoutError"}


def test_a_refused_user_pauses_before_the_next_request(tmp_path: Path) -> None:
    with View(0) as view:
        pass
    driven = drive(view, tmp_path / "raw", 1, 5, driver="own", users=1)
    assert driven.failures() == {"no answer: ConnectionRefusedError": driven.samples.height}
    assert driven.samples["answered_s"].null_count() == driven.samples.height >= 2
    assert driven.samples["due_s"].diff().min() >= PAUSE_S  # type: ignore[operator]


def test_users_of_a_view_without_any_delay_come_at_once(tmp_path: Path) -> None:
    with View(0) as view:
        driven = drive(view, tmp_path / "raw", 0.5, 20, service_s=0, driver="own", users=4)
    assert driven.samples["due_s"].sort().head(4).to_list() == [0, 0, 0, 0]
    assert driven.samples.height == view.received == accounting.good(driven.samples).height


def test_users_of_a_ramp_come_spread_over_its_climb(tmp_path: Path) -> None:
    ramp = ((0.0, 0), (10.0, 100), (30.0, 100))
    with View(0) as view:
        plan = a_plan(view, 30, 10, driver="own", users=100, ramp=ramp)
    assert told(plan, tmp_path)["spread_s"] == 10


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Confined(Own):
    """A driver under a limit of the shell's `ulimit`."""

    def __init__(self, limit: str) -> None:
        self._limit = limit

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        confine = ["sh", "-c", f'ulimit {self._limit} && exec "$@"', "sh"]
        return confine + super().command(plan, folder)


def test_a_log_that_cannot_be_written_ends_the_load_with_its_traceback(tmp_path: Path) -> None:
    with View(0.01) as view, pytest.raises(TrialError, match="exit code 1") as error:
        drive(view, tmp_path / "raw", 20, 5, by=Confined("-f 16"), driver="own", users=10)
    assert error.value.outcome == "driver-failed"
    assert any("OSError" in line and "too large" in line for line in error.value.details)


def test_more_users_than_open_files_are_refused_before_the_load(tmp_path: Path) -> None:
    with View(0.01) as view, pytest.raises(TrialError) as error:
        drive(view, tmp_path / "raw", 1, 5, by=Confined("-n 128"), driver="own", users=100)
    assert view.received == 0
    assert "may need 100 connections" in error.value.details[-1]
    assert "may open 128 files: raise ulimits.nofile" in error.value.details[-1]


def test_the_soft_limit_of_open_files_is_raised(tmp_path: Path) -> None:
    with View(2) as view:  # so long that all 100 wait at once, on a busy machine too
        soft = Confined("-S -n 128")
        driven = drive(view, tmp_path / "raw", 0.3, 20, by=soft, driver="own", users=100)
    assert driven.failures() == {}
    assert view.peak == 100


@pytest.mark.parametrize("callback", ["_answered", "_failed", "_ask_when_due"])
def test_an_error_of_the_driver_itself_ends_the_load_and_is_raised(
    callback: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(User, callback, broken)
    with View(0.01, lambda number: Behaviour.HANG_UP if number > 5 else Behaviour.RIGHT) as view:
        plan = a_plan(view, 60, 5, driver="own", users=4)
        load = OwnPlan(**told(plan, tmp_path))
        with (
            RequestLog(tmp_path / LOG) as log,
            pytest.raises(LookupError, match="a mistake of ours"),
        ):
            uvloop.run(ClosedLoad(load, log, time.monotonic_ns(), ProtocolOrders()).run())


class EndsWithItsFirstRequest(ClosedLoad):
    """A load that is over with the first request that ends."""

    def note(self, request: LoggedRequest) -> None:
        super().note(request)
        self.end()


def test_who_pauses_or_is_yet_to_come_when_the_load_ends_never_asks(tmp_path: Path) -> None:
    async def asked_at_its_end_and_after_all_would_have_asked() -> tuple[int, int]:
        await load.run()
        at_its_end = view.received
        await asyncio.sleep(plan.spread_s)
        return at_its_end, view.received

    with (
        View(0.01, lambda _: Behaviour.HANG_UP) as view,
        RequestLog(tmp_path / LOG) as log,
    ):
        told_plan = told(a_plan(view, 60, 5, driver="own", users=2), tmp_path)
        plan = OwnPlan(**told_plan | {"spread_s": 1})
        load = EndsWithItsFirstRequest(plan, log, time.monotonic_ns(), ProtocolOrders())
        at_its_end, later = uvloop.run(asked_at_its_end_and_after_all_would_have_asked())
    assert at_its_end > 0
    assert later == at_its_end


def seen(tally: Tally) -> int:
    """Requests in a log so far."""
    tally.read()
    return tally.count


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_is_killed_leaves_the_lines_of_what_it_has_seen(
    sent: signal.Signals, tmp_path: Path
) -> None:
    driver = Own()
    with View(0.01) as view:
        command = driver.command(a_plan(view, 60, 5, driver="own", users=4), tmp_path)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdin is not None
            wait_until(lambda: (tmp_path / READY).exists())
            process.stdin.write(f"{time.monotonic_ns()}\n")
            process.stdin.flush()
            tally = Tally(tmp_path / LOG)
            wait_until(lambda: seen(tally) > 0)
            before = seen(tally)
            process.send_signal(sent)
        assert process.returncode
    log = (tmp_path / LOG).read_text()
    assert log.endswith("\n")
    assert read_log(tmp_path, 0).height == seen(tally) >= before


def test_a_driver_that_is_gone_when_it_is_told_something_costs_its_trial_only(
    tmp_path: Path,
) -> None:
    with View(0) as view:
        plan = a_plan(view, None, 5, driver="own", users=2)

        def follow_what_is_gone() -> None:
            with DriverProcess(Own(), plan, tmp_path) as process:
                process.wait_until_ready()
                process._running().kill()
                process._running().wait()
                process.follow(Followed(1, 2, 3))

        with pytest.raises(TrialError, match="own ended before its window began"):
            follow_what_is_gone()
