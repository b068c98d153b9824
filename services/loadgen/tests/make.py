"""What the tests build things with: a plain one of each kind, with what a test cares about set."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import polars as pl

from loadgen.duets.duet import Duet, Measurement
from loadgen.lab.cpus import Roles, cpu_set
from loadgen.lab.servers import Page, Server
from loadgen.records.samples import frame
from loadgen.suites.cases import Case
from loadgen.suites.suite import Suite
from loadgen.suites.suite_file import OF_A_PAGE
from loadgen.suites.timing import Timing
from loadgen.trials.instruments import ApiStats, AppStats, Quantiles, Snapshot
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial

#: (due, answered, failure): a request that is sent when it is due; answered None = it never ended.
type Request = tuple[float, float | None, str | None]

SECOND_NS = 10**9


def a_case(**axes: Any) -> Case:
    plain: dict[str, Any] = {
        "server": "uvicorn",
        "settings": "startproject",
        "view": "async",
        "workload": "fanout",
        "http_client": "httpx-per-request",
        "upstream": "http",
        "delays_ms": (300.0, 600.0, 150.0),
        "cpu_ms": 0.0,
        "driver": "locust",
        "load": "closed",
        "users": 100,
    }
    return Case(**plain | axes)


def a_server(**attributes: Any) -> Server:
    plain: dict[str, Any] = {
        "name": "uvicorn",
        "title": "Uvicorn, 1 process, async",
        "interface": "asgi",
        "concurrency": "asyncio",
        "processes": 1,
        "slots": None,
    }
    return Server(**plain | attributes)


def a_page(**attributes: Any) -> Page:
    plain: dict[str, Any] = {
        "host": "localhost",
        "port": 8000,
        "path": "/report/?year=2026",
        "expected_text": "Quarterly report",
        "service_time_s": 0.6,
    }
    return Page(**plain | attributes)


def a_case_of_a_page(**axes: Any) -> Case:
    return a_case(**OF_A_PAGE | axes)


def a_timing(**rules: Any) -> Timing:
    plain: dict[str, Any] = {
        "warm_up_s": None,
        "window_s": None,
        "drain_s": 10.0,
        "accounting": "due",
    }
    return Timing(**plain | rules)


def a_trial(**attributes: Any) -> Trial:
    plain: dict[str, Any] = {
        "case": a_case(),
        "server": a_server(),
        "suites": "a-suite",
        "round": 1,
        "position": 1,
        "warm_up_s": 2.0,
        "window_s": 10.0,
        "timing": a_timing(),
        "seed": 1,
    }
    return Trial(**plain | attributes)


def no_duets(measurements: Iterable[Measurement]) -> list[Trial]:
    """The trials of a plan that has no duets."""
    trials = list(measurements)
    assert not [each for each in trials if isinstance(each, Duet)]
    return [side for each in trials for side in each.sides]


def a_suite(**attributes: Any) -> Suite:
    plain: dict[str, Any] = {
        "name": "a-suite",
        "question": "Which is it?",
        "cases": (a_case(),),
        "left_out": (),
        "rounds": 1,
        "sort": None,
        "timing": a_timing(),
        "published": (),
        "compare": (),
    }
    return Suite(**plain | attributes)


def some_samples(requests: Iterable[Request]) -> pl.DataFrame:
    listed = list(requests)
    return frame(
        {
            "due_s": [due for due, _, _ in listed],
            "sent_s": [due for due, _, _ in listed],
            "answered_s": [answered for _, answered, _ in listed],
            "ended_s": [answered for _, answered, _ in listed],
            "status": [None if answered is None else 200 for _, answered, _ in listed],
            "failure": [failure for _, _, failure in listed],
        }
    )


def constant_users(users: int, latency_s: float, until_s: float) -> pl.DataFrame:
    """Users without think time and with one latency, spread over it."""
    requests: list[Request] = []
    for user in range(users):
        due_s = latency_s * user / users
        while due_s < until_s:
            requests.append((due_s, due_s + latency_s, None))
            due_s += latency_s
    return some_samples(requests)


def an_app_stats(second: float, cpu_seconds: float | None, **values: Any) -> AppStats:
    return AppStats(
        **{
            "running": True,
            "exit_code": None,
            "monotonic_ns": int(second * SECOND_NS),
            "cpu_seconds": cpu_seconds,
        }
        | values
    )


def an_api_stats(second: float, cpu_seconds: float, calls: int, p99: float | None) -> ApiStats:
    """It is late by a fifth of its p99 on average, and never by more than that."""
    mean = None if p99 is None else p99 / 5
    late = Quantiles(mean=mean, p50=mean, p99=p99, max=p99)
    return ApiStats(
        monotonic_ns=int(second * SECOND_NS),
        started_ns=1,
        cpu_seconds=cpu_seconds,
        calls=calls,
        lateness_ms=late,
        loop_lag_ms=late,
    )


def a_snapshot(second: float, **values: Any) -> Snapshot:
    plain: dict[str, Any] = {
        "app": an_app_stats(second, cpu_seconds=0.5 * second, processes=1, threads=3),
        "api": an_api_stats(second, cpu_seconds=0.25 * second, calls=30, p99=0.25),
        "loadgen_cpu_s": 0.125 * second,
        "driver_cpu_s": 0.1 * second,
        "loadgen_ns": int(second * SECOND_NS),
        "steal_ticks": 0,
        "all_ticks": int(100 * second),
    }
    return Snapshot(**plain | values)


def cpus(app: str = "0", api: str = "1", loadgen: str = "2") -> Roles:
    """Those of each role, as lists that Docker writes."""
    return Roles(cpu_set(app), cpu_set(api), cpu_set(loadgen))


def a_recording(samples: pl.DataFrame, window: tuple[float, float], **values: Any) -> Recording:
    """A load that began at instant 0 of the monotonic clock."""
    start_s, end_s = window
    plain: dict[str, Any] = {
        "samples": samples,
        "start_ns": 0,
        "started_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "window": window,
        "settled": True,
        "before": a_snapshot(start_s),
        "after": a_snapshot(end_s),
        "memory": an_app_stats(end_s, None, pss_bytes=64 * 2**20, peak_bytes=80 * 2**20),
        "calibration_ms": 50.0,
        "roles": cpus(),
        "smt_shared": False,
    }
    return Recording(**plain | values)
