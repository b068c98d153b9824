"""The real Locust and the real hey against a small server that does not always behave."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import polars as pl
import pytest

from loadgen.drivers import driver
from loadgen.drivers import hey as hey_driver
from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.registry import DRIVERS
from loadgen.drivers.target import Target
from loadgen.errors import TrialError
from loadgen.records.samples import SCHEMA
from loadgen.trials import accounting
from tests.drive import DELAY_S, FRACTION_S, MISHAPS, Driven, drive, mishandle
from tests.make import a_case
from tests.stand_ins import RIGHT_BODY, Behaviour, View


@pytest.fixture(scope="module")
def locust(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    return mishandle(tmp_path_factory.mktemp("locust") / "raw", users=10)


@pytest.fixture(scope="module")
def hey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    folder = tmp_path_factory.mktemp("hey") / "raw"
    mishaps_that_hey_can_meet = {**MISHAPS, 45: Behaviour.ERROR}
    with (
        pytest.MonkeyPatch.context() as patch,
        View(
            DELAY_S, lambda number: mishaps_that_hey_can_meet.get(number, Behaviour.RIGHT)
        ) as view,
    ):
        # A busy machine has answered all others by then: who gives up would come once more.
        patch.setattr(hey_driver, "TIMEOUT_S", 5)
        patch.setattr(driver, "PATIENCE_S", 0)
        yield drive(view, folder, None, 0, driver="hey", users=10, planned_requests=100)


class TestLocust:
    def test_every_request_that_the_server_received_is_logged(self, locust: Driven) -> None:
        assert locust.samples.height == locust.view.received

    def test_a_kept_connection_that_closes_is_one_failure_and_no_second_request(
        self, locust: Driven
    ) -> None:
        lost = [failure for failure in locust.failures() if "HTTPConnectionClosed" in failure]
        assert lost
        assert locust.failures()[lost[0]] == locust.view.seen[Behaviour.HANG_UP] == 1

    def test_good_are_the_answers_with_the_right_body(self, locust: Driven) -> None:
        assert accounting.good(locust.samples).height == locust.view.seen[Behaviour.RIGHT]

    def test_a_wrong_body_with_status_200_is_a_failure(self, locust: Driven) -> None:
        assert locust.failures()["wrong body"] == locust.view.seen[Behaviour.WRONG_BODY] == 2

    def test_an_error_is_named_by_its_status(self, locust: Driven) -> None:
        assert locust.failures()["status 500"] == locust.view.seen[Behaviour.ERROR] == 3

    def test_a_request_that_is_never_answered_is_logged_when_locust_gives_up(
        self, locust: Driven
    ) -> None:
        unanswered = locust.samples.filter(pl.col("failure") == "unanswered")
        assert unanswered.height == locust.view.seen[Behaviour.SILENCE] == 2
        assert unanswered["answered_s"].null_count() == 2

    def test_no_answer_is_faster_than_the_server(self, locust: Driven) -> None:
        latencies = accounting.good(locust.samples).select(pl.col("answered_s") - pl.col("sent_s"))
        assert latencies.to_series().min() >= DELAY_S  # type: ignore[operator]

    def test_all_users_come_and_no_more(self, locust: Driven) -> None:
        assert locust.view.peak == 10

    def test_no_request_is_sent_before_the_start_instant(self, locust: Driven) -> None:
        assert locust.samples["sent_s"].min() >= 0  # type: ignore[operator]

    def test_the_load_lasts_at_least_as_long_as_planned(self, locust: Driven) -> None:
        assert locust.samples["sent_s"].max() >= FRACTION_S - DELAY_S  # type: ignore[operator]

    def test_the_samples_have_the_one_schema(self, locust: Driven) -> None:
        assert dict(locust.samples.schema) == SCHEMA

    def test_answers_are_counted_while_it_runs(self, locust: Driven) -> None:
        assert locust.answered == locust.samples.height

    def test_its_own_files_are_there(self, locust: Driven) -> None:
        names = {file.name for file in locust.folder.iterdir()}
        assert {"locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv"} <= names

    def test_a_ramp_spawns_as_many_a_second_as_it_says(self, tmp_path: Path) -> None:
        case = a_case(users=100, ramp=((0, 0), (10, 100), (30, 100)))
        target = Target("http://127.0.0.1:1", "/", "text", 0.6, "http://127.0.0.1:2")
        command = DRIVERS["locust"].command(LoadPlan(case, target, 30.0, 10.0), tmp_path)
        assert command[command.index("--spawn-rate") + 1] == "10"
        assert command[command.index("--users") + 1] == "100"
        assert command[command.index("--run-time") + 1] == "30s"

    def test_a_view_without_any_delay_can_be_loaded(self, tmp_path: Path) -> None:
        target = Target("http://127.0.0.1:1", "/", "text", 0, "http://127.0.0.1:2")
        command = DRIVERS["locust"].command(LoadPlan(a_case(users=7), target, 8, 1), tmp_path)
        assert float(command[command.index("--spawn-rate") + 1]) > 0

    def test_a_refused_connection_is_no_answer(self, tmp_path: Path) -> None:
        with View(0) as view:
            pass
        driven = drive(view, tmp_path / "raw", seconds=1, drain_s=0, users=1)
        assert driven.samples.height > 0
        assert accounting.good(driven.samples).is_empty()
        assert driven.samples["answered_s"].null_count() == driven.samples.height


class TestHey:
    def test_sent_is_rows_plus_lost(self, hey: Driven) -> None:
        rows = (hey.folder / "hey.csv").read_text().count("\n") - 1
        lost = hey.failures()[hey_driver.LOST]
        assert rows + lost == hey.samples.height == hey.plan.case.planned_requests == 100
        assert hey.view.received == 100

    def test_requests_that_it_gave_up_are_counted_although_it_hides_them(self, hey: Driven) -> None:
        assert hey.failures()[hey_driver.LOST] == hey.view.seen[Behaviour.SILENCE] == 2

    def test_a_lost_request_has_no_instant(self, hey: Driven) -> None:
        lost = hey.samples.filter(pl.col("failure") == hey_driver.LOST)
        assert lost.select("due_s", "sent_s", "answered_s", "status").null_count().row(0) == (
            (lost.height,) * 4
        )

    def test_an_error_is_named_by_its_status(self, hey: Driven) -> None:
        assert hey.failures()["status 500"] == hey.view.seen[Behaviour.ERROR] == 4

    def test_it_looks_at_no_body(self, hey: Driven) -> None:
        passed = hey.view.seen[Behaviour.RIGHT] + hey.view.seen[Behaviour.WRONG_BODY]
        assert accounting.good(hey.samples).height == passed
        assert hey.view.seen[Behaviour.WRONG_BODY] == 2

    def test_no_answer_is_faster_than_the_server(self, hey: Driven) -> None:
        latencies = accounting.good(hey.samples).select(pl.col("answered_s") - pl.col("sent_s"))
        # hey writes four digits.
        assert latencies.to_series().round(4).min() >= DELAY_S  # type: ignore[operator]

    def test_all_users_come_and_no_more(self, hey: Driven) -> None:
        assert hey.view.peak == 10

    def test_the_samples_have_the_one_schema(self, hey: Driven) -> None:
        assert dict(hey.samples.schema) == SCHEMA

    def test_it_tells_nothing_before_its_end(self, hey: Driven) -> None:
        assert hey.answered is None

    def test_a_load_without_a_single_answer_is_all_lost(self, tmp_path: Path) -> None:
        with View(0) as view:
            pass
        driven = drive(view, tmp_path / "raw", None, 0, driver="hey", users=2, planned_requests=4)
        assert driven.failures() == {hey_driver.LOST: 4}

    def test_what_it_refuses_fails_the_trial_with_its_own_words(self, tmp_path: Path) -> None:
        with (
            View(0) as view,
            pytest.raises(TrialError, match="hey ended with exit code 1") as error,
        ):
            drive(view, tmp_path / "raw", None, 0, driver="hey", users=4, planned_requests=2)
        assert error.value.outcome == "driver-failed"
        assert any("-disable-keepalive" in line for line in error.value.details)

    def test_more_rows_than_planned_are_refused(self, hey: Driven) -> None:
        plan = LoadPlan(a_case(driver="hey", planned_requests=50), hey.plan.target, None, 0)
        with pytest.raises(TrialError, match="48 more requests than planned"):
            DRIVERS["hey"].samples(plan, hey.folder, 0)

    def test_an_empty_file_fails_the_trial(self, hey: Driven, tmp_path: Path) -> None:
        (tmp_path / "hey.csv").touch()
        with pytest.raises(TrialError, match="hey wrote no results"):
            DRIVERS["hey"].samples(hey.plan, tmp_path, 0)


def test_a_locust_that_cannot_begin_fails_the_trial_with_its_own_words(tmp_path: Path) -> None:
    with View(0) as view, pytest.raises(TrialError, match="locust ended with exit code") as error:
        drive(view, tmp_path / "raw", seconds=1, drain_s=0, users=-1)
    assert error.value.outcome == "driver-failed"
    assert any("--spawn-rate: must be > 0" in line for line in error.value.details)


def test_a_locust_that_logged_nothing_fails_the_trial(tmp_path: Path) -> None:
    target = Target("http://127.0.0.1:1", "/", "text", 0.6, "http://127.0.0.1:2")
    with pytest.raises(TrialError, match="the driver logged no request"):
        DRIVERS["locust"].samples(LoadPlan(a_case(), target, 8, 1), tmp_path, 0)


def test_locust_is_told_path_and_expected_text_by_a_file(tmp_path: Path) -> None:
    target = Target("http://127.0.0.1:1", "/path?x=1", 'id="country"', 0.6, "http://127.0.0.1:2")
    DRIVERS["locust"].command(LoadPlan(a_case(), target, 8, 1), tmp_path)
    told = json.loads((tmp_path / "plan.json").read_text())
    assert (told["path"], told["expected_text"]) == ("/path?x=1", 'id="country"')


def test_every_driver_goes_by_its_name() -> None:
    assert {name: driver.name for name, driver in DRIVERS.items()} == {
        "own": "own",
        "locust": "locust",
        "hey": "hey",
    }


@pytest.mark.parametrize("driver", ["own", "locust"])
def test_an_answer_that_breaks_off_is_a_failure_with_a_reason(driver: str, tmp_path: Path) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(RIGHT_BODY.encode())
        raise ConnectionAbortedError

    with View(0, on_request=break_off) as view:
        driven = drive(view, tmp_path / "raw", seconds=0.5, drain_s=1, driver=driver, users=1)
    assert driven.samples.height > 0
    assert driven.samples["answered_s"].null_count() == driven.samples.height
    assert all(failure.startswith("no answer: ") for failure in driven.failures())
