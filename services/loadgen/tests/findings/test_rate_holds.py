"""Whether a rate holds, and which criterion it fails where it does not."""

import pytest

from loadgen.findings.rate_holds import judge_window
from loadgen.records import columns
from loadgen.records.columns import Cell
from loadgen.suites.search import Rules, Window

RULES = Rules()


def judged(**cells: Cell) -> Window:
    """A window that holds, but for these cells."""
    fine: dict[str, Cell] = {
        "outcome": "measured",
        "ranked": "yes",
        "failures": 0,
        "starved": 0,
        "dropped": 0,
        "service_time_ms": 600.0,
        "p95_ms": 650.0,
        "offered_rps": 100.0,
        "rps": 99.6,
        "inflight_growth": 0.01,
    }
    return judge_window(94, columns.row(fine | cells), RULES)


def test_a_window_that_meets_every_criterion_holds() -> None:
    assert judged() == Window(94, True, ())


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"failures": 1}, "failures: 1"),
        ({"starved": 1}, "starved: 1"),
        ({"dropped": 3}, "dropped: 3"),
        ({"p95_ms": 900.5}, "p95: 900 ms"),
        ({"rps": 98.9}, "answered: 98.9%"),
        ({"inflight_growth": 0.021}, "piling up: 2.1%"),
    ],
)
def test_a_window_that_fails_one_criterion_does_not_hold_and_says_which(
    cells: dict[str, Cell], reason: str
) -> None:
    assert judged(**cells) == Window(94, False, (reason,))


@pytest.mark.parametrize(
    "cells", [{"p95_ms": 900.0}, {"rps": 99.0}, {"inflight_growth": 0.02}, {"dropped": None}]
)
def test_the_limits_themselves_hold(cells: dict[str, Cell]) -> None:
    assert judged(**cells).held is True


def test_every_criterion_that_fails_is_named() -> None:
    window = judged(failures=2, p95_ms=None, rps=50.0, inflight_growth=1.5)
    assert window.reasons == ("failures: 2", "answered: 50.0%", "piling up: 150.0%")


def test_a_window_spoilt_by_the_lab_says_nothing_where_it_does_not_hold() -> None:
    spoilt = judged(p95_ms=2000.0, ranked="no", caveats="api-saturated unsteady")
    assert spoilt == Window(94, None, ("api-saturated",))


def test_a_window_that_may_hold_without_the_instruments_says_nothing() -> None:
    late: dict[str, Cell] = {"p95_ms_bound": 0.1, "caveats": "api-saturated"}
    assert judged(**late, p95_ms=950.0) == Window(94, None, ("api-saturated", "moved by up to 11%"))
    assert judged(**late, p95_ms=1050.0) == Window(94, False, ("p95: 1050 ms",))
    assert judged(rps=98.0, rps_bound=0.02).held is None
    assert judged(rps=98.0, rps_bound=0.005).held is False


def test_a_window_that_holds_although_the_lab_was_late_holds() -> None:
    assert judged(ranked="no", caveats="loadgen-saturated").held is True


def test_too_few_requests_say_nothing() -> None:
    assert judged(p95_ms=None).held is None


@pytest.mark.parametrize("outcome", ["server-died", "out-of-memory"])
def test_a_server_that_dies_does_not_carry_its_load(outcome: str) -> None:
    assert judged(outcome=outcome) == Window(94, False, (outcome,))


def test_a_trial_that_could_not_be_measured_says_nothing() -> None:
    assert judged(outcome="driver-failed") == Window(94, None, ("driver-failed",))


def test_what_chance_leaves_in_flight_at_the_windows_end_is_no_shortfall() -> None:
    # 72 in flight on average: √144 / 15 s = 0.8/s is one standard deviation, two are allowed.
    poisson: dict[str, Cell] = {"arrivals": "poisson", "inflight_mean": 72.0, "window_s": 15.0}
    assert judged(**poisson, rps=97.5).held is True
    assert judged(**poisson, rps=97.3).held is False
    assert judged(**poisson | {"arrivals": "constant"}, rps=97.5).held is False
