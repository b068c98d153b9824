"""A run's rows → its stacks."""

from typing import Any

import pytest

from loadgen.prediction.measured_stacks import Measured, measured
from loadgen.prediction.stack import Prediction, predict_stack
from loadgen.records import columns
from loadgen.records.columns import Row
from loadgen.theory.mva import flow
from tests.make import a_case


def a_row(users: int = 100, *, held_s: float = 0.01, cpus: int = 1, **cells: Any) -> Row:
    """A trial in which each view holds the process for so long, all of it CPU time."""
    axes = {key: cells.pop(key) for key in list(cells) if key in ("server", "http_client", "ramp")}
    axes |= {"users": users, "driver": "own"}
    rps = flow(users, 0.6, held_s).rps
    return columns.row(
        a_case(**axes).cells()
        | {"round": 1, "outcome": "measured", "ranked": "yes", "failures": 0, "processes": 1}
        | {"title": "A server", "service_time_ms": 600.0, "rps": rps}
        | {
            "app_cpu_ms_per_view": held_s * 1000,
            "cpu_ceiling_rps": cpus / held_s,
            "app_pss_mib": 40 + users / 10,
        }
        | cells
    )


def only(found: list[Measured]) -> Measured:
    (one,) = found
    return one


def test_a_stack_predicts_what_its_rows_say() -> None:
    rows = [
        a_row(users, held_s=held_s) for users, held_s in ((50, 0.012), (100, 0.01), (200, 0.009))
    ]
    one = only(measured(rows))
    stack = one.stack(one.levels)
    for row in rows:
        made = predict_stack(stack, int(row["users"] or 0), 0.6, 1)
        assert isinstance(made, Prediction)
        assert made.rps == pytest.approx(row["rps"])
        assert made.cpu_ms_per_view == pytest.approx(row["app_cpu_ms_per_view"])
        assert made.memory_mib == pytest.approx(row["app_pss_mib"])


def test_rounds_are_one_level() -> None:
    rows = [a_row(round=number, rps=rps) for number, rps in enumerate((60.0, 64.0, 62.0), start=1)]
    (level,) = only(measured(rows)).levels
    assert level.rps == pytest.approx((60 * 64 * 62) ** (1 / 3))


def test_a_view_holds_its_process_for_longer_than_its_cpu_time_where_the_rate_says_so() -> None:
    one = only(measured([a_row(rps=60.0)]))
    (point,) = one.stack(one.levels).points
    assert point.cpu_s == pytest.approx(0.01)
    assert flow(100, 0.6, point.held_s).rps == pytest.approx(60)


def test_and_never_for_less() -> None:
    one = only(measured([a_row(users=10, rps=16.66)]))
    (point,) = one.stack(one.levels).points
    assert point.held_s == point.cpu_s


@pytest.mark.parametrize(
    "cells",
    [
        {"outcome": "server-died"},
        {"ranked": "no"},
        {"load": "open"},
        {"planned_requests": 1000},
        {"ramp": ((0.0, 0), (10.0, 100), (30.0, 100))},
        {"failures": 1},
        {"app_cpu_ms_per_view": None},
        {"rps": 0.0},
    ],
    ids=str,
)
def test_rows_that_the_laws_do_not_speak_of_are_left_out(cells: dict[str, Any]) -> None:
    assert measured([a_row(**cells)]) == []


def test_stacks_differ_by_server_client_and_what_the_view_does() -> None:
    rows = [
        a_row(),
        a_row(server="gunicorn-100-threads", slots=100),
        a_row(http_client="aiohttp-shared"),
        a_row(cpu_ms=2.0),
        a_row(50),
    ]
    found = measured(rows)
    assert [(one.first["server"], one.first["http_client"], one.axes) for one in found] == [
        ("uvicorn", "httpx-per-request", "0 ms of CPU"),
        ("gunicorn-100-threads", "httpx-per-request", "0 ms of CPU"),
        ("uvicorn", "aiohttp-shared", "0 ms of CPU"),
        ("uvicorn", "httpx-per-request", "2 ms of CPU"),
    ]
    assert [len(one.levels) for one in found] == [2, 1, 1, 1]


def test_of_more_users_than_slots_the_slots_were_in_service() -> None:
    row = a_row(users=100, slots=20, rps=flow(20, 0.6, 0.01).rps)
    one = only(measured([row]))
    stack = one.stack(one.levels)
    assert stack.points[0].queue == pytest.approx(flow(20, 0.6, 0.01).queue)
    assert stack.slots == 20
    assert stack.memory
    assert (stack.memory.fewest, stack.memory.most) == (20, 20)


def test_four_processes_on_four_cpus_are_four_times_one() -> None:
    rps = 4 * flow(25, 0.6, 0.01).rps
    row = a_row(users=100, processes=4, cpus=4, slots=40, rps=rps, app_pss_mib=200.0)
    one = only(measured([row]))
    stack = one.stack(one.levels)
    assert (stack.slots, one.levels[0].cpus) == (10, 4)
    made = predict_stack(stack, 100, 0.6, 4)
    assert isinstance(made, Prediction)
    assert made.memory_mib == pytest.approx(200)


def test_four_processes_on_one_cpu_count_as_one() -> None:
    one = only(measured([a_row(processes=4, slots=40)]))
    assert one.levels[0].cpus == 1
    assert one.stack(one.levels).slots == 40


def test_a_pool_is_kept_for_other_delays() -> None:
    """Of 100 connections a view of 300, 600 and 150 ms holds 1.75 for its service time."""
    one = only(measured([a_row(pool_ceiling_rps=100 / 1.05)]))
    assert one.stack(one.levels).pool == pytest.approx(100 / 1.75)
