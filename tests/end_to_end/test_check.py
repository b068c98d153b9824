"""`loadgen check`: every driver against the API's own record of the same requests."""

import csv
import re

import pytest

from lab import ROOT, Compose
from runs import Row, folder_in

DELAYS = "uniform"
OPEN = f"{DELAYS}, open"
LEAST_MS = 50


@pytest.fixture(scope="module")
def checked(loadgen: Compose) -> list[Row]:
    """A short check of all drivers. On a busy machine latencies may differ: exit code 0 or 1."""
    done = loadgen("check", "--delays", DELAYS, "--rates", "200")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    with (ROOT / "results" / folder_in(done.stdout) / "check.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_driver_makes_every_load(checked: list[Row]) -> None:
    assert [(row["driver"], row["delays"]) for row in checked] == [
        ("own", DELAYS),
        ("own", OPEN),
        ("own", "hang-ups"),
        *((driver, delays) for driver in ("locust", "hey") for delays in (DELAYS, "hang-ups")),
    ]


def test_each_request_that_the_api_got_is_known_and_each_failure_found(checked: list[Row]) -> None:
    for row in checked:
        if row["delays"] in (DELAYS, OPEN):
            assert int(row["requests"]) > 0
            assert row["requests"] == row["api_requests"], row
            assert row["failures"] == row["api_failures"] != "0", row
            assert not re.search("requests|failures", row["agrees"]), row


def test_no_latency_is_shorter_than_the_apis_own(checked: list[Row]) -> None:
    for row in checked:
        if row["delays"] in (DELAYS, OPEN):
            # hey writes a tenth of a millisecond.
            assert float(row["p50_ms"]) + 0.1 >= float(row["api_p50_ms"]) >= LEAST_MS, row


def test_a_connection_that_closes_is_a_failure_of_our_drivers_and_hey_asks_again(
    checked: list[Row],
) -> None:
    hang_ups = {row["driver"]: row for row in checked if row["delays"] == "hang-ups"}
    for driver in ("own", "locust"):
        assert hang_ups[driver]["asked_again"] == "0"
        assert hang_ups[driver]["failures"] == hang_ups[driver]["api_failures"] != "0"
        assert hang_ups[driver]["agrees"] == "yes"
    assert int(hang_ups["hey"]["asked_again"]) > 0
    assert hang_ups["hey"]["agrees"] == "asks again"


def test_the_tools_own_figures_stand_beside_ours(checked: list[Row]) -> None:
    told = {row["driver"]: row for row in checked if row["delays"] == DELAYS}
    assert told["own"]["tool_requests"] == ""
    # hey keeps no line of a request without an answer; ours counts it all the same.
    assert int(told["hey"]["tool_requests"]) < int(told["hey"]["requests"])
    assert float(told["locust"]["tool_p50_ms"]) >= LEAST_MS


def test_an_unknown_driver_is_wrong_usage(loadgen: Compose) -> None:
    done = loadgen("check", "--driver", "ab")

    assert done.returncode == 2
    assert "allowed are own, locust, hey" in done.stderr
