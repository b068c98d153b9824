"""Loads that stay on until what was due in a window has ended, by the drivers as they are."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from select import select
from typing import Any

import polars as pl
import pytest

from loadgen.drivers.driver import READY, LoadPlan
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.generators.arrivals import instants_ns
from loadgen.generators.window_to_follow import Followed, ProtocolOrders
from loadgen.records.samples import in_window
from loadgen.trials import accounting
from tests.drive import ARRIVALS_SEED, a_plan
from tests.stand_ins import Behaviour, View

DELAY_S = 0.3
USERS = 6
BEGIN_S, WINDOW_S = 0.8, 0.8
END_S = BEGIN_S + WINDOW_S


def follow(
    view: View,
    folder: Path,
    begin_s: float = BEGIN_S,
    patience_s: float = 20.0,
    **axes: Any,
) -> pl.DataFrame:
    """The samples of a load of which a window is followed."""
    plan = a_plan(view, None, 20, service_s=DELAY_S, **axes)
    folder.mkdir()
    end_s = begin_s + WINDOW_S
    with DriverProcess(DRIVERS[plan.case.driver], plan, folder) as process:
        process.wait_until_ready()
        start_ns = process.start()
        begin_ns, end_ns = (start_ns + int(at_s * 1e9) for at_s in (begin_s, end_s))
        time.sleep(begin_s / 2)  # it is told while the load is on
        process.follow(Followed(begin_ns, end_ns, end_ns + int(patience_s * 1e9)))
        process.wait_for_end(30)
        return process.samples(start_ns)


def silent_after(seconds: float) -> Callable[[int], Behaviour]:
    """Answers what comes within so long of the first request, and nothing from then on."""
    asked_s: list[float] = []

    def behave(_number: int) -> Behaviour:
        asked_s.append(time.monotonic())
        return Behaviour.SILENCE if asked_s[-1] - asked_s[0] > seconds else Behaviour.RIGHT

    return behave


def due_in(samples: pl.DataFrame) -> pl.DataFrame:
    return in_window(samples, BEGIN_S, END_S, "due_s")


@pytest.fixture(scope="module", params=["own", "locust"])
def followed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> pl.DataFrame:
    """A load of which everything is answered, but what is asked after the window."""
    folder = tmp_path_factory.mktemp("followed") / "raw"
    with View(DELAY_S, silent_after(END_S + 0.1)) as view:
        return follow(view, folder, driver=request.param, users=USERS)


def test_the_load_stays_on_until_the_last_request_of_the_window_is_answered(
    followed: pl.DataFrame,
) -> None:
    due = due_in(followed)
    assert due.height >= USERS
    assert due["failure"].null_count() == due.height
    last_s = due["answered_s"].max()
    assert isinstance(last_s, float)
    assert last_s > END_S
    # Whoever was answered after the window has asked again before the last one was.
    after = followed.filter(pl.col("due_s") >= END_S)
    assert after.height >= USERS - 1


def test_who_is_given_up_at_the_loads_end_is_unanswered_and_has_an_end(
    followed: pl.DataFrame,
) -> None:
    given_up = followed.filter(pl.col("failure") == "unanswered")
    assert given_up.height >= 1
    assert given_up["due_s"].min() >= END_S  # type: ignore[operator]
    assert followed["ended_s"].null_count() == 0
    assert (given_up["ended_s"] >= given_up["due_s"]).all()


@pytest.mark.parametrize("driver", ["own", "locust"])
def test_patience_with_the_windows_requests_ends_the_load(driver: str, tmp_path: Path) -> None:
    begin_s = 2.0  # a busy machine has sent everybody by then
    end_s = begin_s + WINDOW_S
    axes: dict[str, Any] = {"driver": driver, "users": USERS}
    with View(DELAY_S, lambda _: Behaviour.SILENCE) as view:
        samples = follow(view, tmp_path / "raw", begin_s, patience_s=0.5, **axes)
    waiting = samples.filter(pl.col("failure") == "unanswered")
    assert waiting.height == USERS
    assert waiting["ended_s"].min() >= end_s + 0.5  # type: ignore[operator]
    assert accounting.starved(samples, begin_s, end_s).height == USERS


@pytest.mark.parametrize("driver", ["own", "locust"])
def test_a_load_whose_protocol_has_gone_ends(driver: str, tmp_path: Path) -> None:
    with View(0.05) as view:
        plan = a_plan(view, None, 20, driver=driver, users=2)
        command = DRIVERS[driver].command(plan, tmp_path)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdin is not None
            while not (tmp_path / READY).exists():
                time.sleep(0.02)
            process.stdin.write(b"%d\n" % time.monotonic_ns())
            process.stdin.close()
            assert process.wait(20) == 0


def test_the_arrivals_of_a_window_are_its_own_whatever_the_warm_up_took(tmp_path: Path) -> None:
    axes: dict[str, Any] = {"driver": "own", "load": "open", "users": None, "rate_rps": 80.0}
    with View(0.02) as view:
        both = [
            (begin_s, follow(view, tmp_path / str(begin_s), begin_s, **axes, arrivals="poisson"))
            for begin_s in (0.5, 0.9)
        ]
    expected = [ns / 1e9 for ns in instants_ns(80, WINDOW_S, "poisson", ARRIVALS_SEED)]
    for begin_s, samples in both:
        end_s = begin_s + WINDOW_S
        due = in_window(samples, begin_s, end_s, "due_s")["due_s"].sort()
        assert (due - begin_s).to_list() == pytest.approx(expected, abs=1e-6)
        warm_up = samples.filter(pl.col("due_s") < begin_s)["due_s"]
        assert 10 < warm_up.len() < 130
        assert due.to_list()[:5] != warm_up.sort().to_list()[:5]


@contextmanager
def orders_of_a_protocol() -> Iterator[tuple[ProtocolOrders, FileIO]]:
    """The orders, and where the protocol writes them."""
    reading, writing = os.pipe()
    with FileIO(reading) as file, FileIO(writing, "w") as protocol:
        yield ProtocolOrders(file.fileno()), protocol


@pytest.mark.parametrize("pieces", [[b"5\n1 2 3\n"], [b"5\n", b"1 2 3\n"], [b"5\n1 ", b"2 3\n"]])
def test_orders_may_come_together_or_one_by_one_or_in_pieces(pieces: list[bytes]) -> None:
    with orders_of_a_protocol() as (orders, protocol):
        protocol.write(pieces[0])
        assert orders.start_ns() == 5
        for piece in pieces[1:]:
            protocol.write(piece)
        assert select([orders.file], [], [], 0)[0], "the next line still waits to be read"
        assert orders.followed() == Followed(1, 2, 3)


def test_a_protocol_that_goes_without_an_order_is_told() -> None:
    with orders_of_a_protocol() as (orders, protocol):
        protocol.write(b"5\n")
        protocol.close()
        assert orders.start_ns() == 5
        assert orders.followed() is None
        with pytest.raises(EOFError, match="gone before the load began"):
            orders.start_ns()


@pytest.mark.parametrize("driver", ["own", "locust"])
def test_a_driver_whose_load_is_followed_has_no_time_out_of_its_own(
    driver: str, tmp_path: Path
) -> None:
    """A user who gave up and asked again would not have waited through the window."""
    with View(0) as view:
        followed, bounded = (
            a_plan(view, seconds, 20, driver=driver, users=USERS) for seconds in (None, 1.0)
        )
    assert told(followed, tmp_path)["timeout_s"] >= 3600
    assert told(bounded, tmp_path)["timeout_s"] < 100


def told(plan: LoadPlan, folder: Path) -> dict[str, Any]:
    """What the driver's process is told."""
    DRIVERS[plan.case.driver].command(plan, folder)
    load = json.loads((folder / "plan.json").read_text())
    assert isinstance(load, dict)
    return load
