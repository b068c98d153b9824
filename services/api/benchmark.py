"""Measures the API alone: what a call costs, how late answers are, and that none is early.

    python benchmark.py [--api-cpu N] [--seconds N]

or, in the image of the tests, which needs nothing else:

    docker build --target test -t django-lab/api:test services/api
    docker run --rm django-lab/api:test python benchmark.py

It starts an API of its own on loopback and keeps it on one CPU (default: the highest that it may
use); the load comes from another CPU where there is one. Prints each figure beside its goal.
Exit code: 0 all goals met, 1 not. Run it on a quiet machine: whatever else runs adds to the delays.
"""

import argparse
import gc
import http.client
import itertools
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from time import monotonic_ns
from typing import Any

DELAYS_MS = (300, 600, 150)
WARM_UP_S = 2
HEAD_START_NS = 100_000_000
NO_ANSWER_S = 5
STARTED = re.compile(r"http on port (\d+)")


@dataclass(frozen=True)
class Load:
    """A load and what the API has to reach under it.

    Attributes:
        title: for the table.
        rate: calls per second.
        burst: calls that are sent at one instant.
        most_cpu_us: CPU time of the API per call, microseconds.
        most_late_ms: p99 of the lateness by the API's own record, milliseconds.
        most_late_seen_ms: p99 of the lateness as the client sees it, milliseconds.

    """

    title: str
    rate: int
    burst: int
    most_cpu_us: float
    most_late_ms: float
    most_late_seen_ms: float

    def instants(self, seconds: float) -> list[int]:
        """When to send each call, in nanoseconds of the monotonic clock, from now on."""
        start = monotonic_ns() + HEAD_START_NS
        bursts = round(self.rate * seconds / self.burst)
        gap = 1_000_000_000 * self.burst / self.rate
        return [start + round(i * gap) for i in range(bursts) for _ in range(self.burst)]


LOADS = (
    Load("500 calls/s, evenly paced", 500, 1, 150, 2, 3),
    Load("2100 calls/s, in bursts of three", 2100, 3, inf, 10, 10),
)


@dataclass(frozen=True)
class Figure:
    """A line of the table: a measured value with the goal that it meets or misses."""

    title: str
    value: float
    unit: str
    least: float = -inf
    most: float = inf

    @property
    def has_goal(self) -> bool:
        return self.least > -inf or self.most < inf

    @property
    def met(self) -> bool:
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        bound = f"<= {self.most:g}" if self.most < inf else f">= {self.least:g}"
        goal, met = (bound, "yes" if self.met else "NO") if self.has_goal else ("", "")
        return f"  {self.title:<42}{self.value:>10.2f} {self.unit:<3}{goal:>9}  {met}"


class Client:
    """Plain sockets and one epoll: lean, so that what it sees is the API and not itself."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._epoll = select.epoll()
        self._timer = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK)
        self._epoll.register(self._timer, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._idle: list[int] = []
        self._due_ns: dict[int, int] = {}
        self.late_ns: list[int] = []
        self.send_lag_ns: list[int] = []

    def run(self, instants: list[int]) -> None:
        """Send a call at each of the instants and wait for all answers."""
        delays = itertools.cycle(DELAYS_MS)
        waiting = iter(instants)
        send_ns = next(waiting, None)
        self._set_timer(send_ns)
        while send_ns is not None or self._due_ns:
            events = self._epoll.poll(NO_ANSWER_S)
            if not events:
                raise TimeoutError(f"the API left {len(self._due_ns)} calls without an answer")
            for descriptor, _ in events:
                if descriptor != self._timer:
                    self._receive(descriptor)
                    continue
                while send_ns is not None and send_ns <= monotonic_ns():
                    self._send(send_ns, next(delays))
                    send_ns = next(waiting, None)
                self._set_timer(send_ns)

    def forget(self) -> None:
        """Drop what was noted so far."""
        self.late_ns.clear()
        self.send_lag_ns.clear()

    def _send(self, send_ns: int, delay_ms: int) -> None:
        descriptor = self._idle.pop() if self._idle else self._connect()
        sent_ns = monotonic_ns()
        self._sockets[descriptor].send(b"GET /%d/ HTTP/1.1\r\nHost: api\r\n\r\n" % delay_ms)
        self._due_ns[descriptor] = sent_ns + delay_ms * 1_000_000
        self.send_lag_ns.append(sent_ns - send_ns)

    def _receive(self, descriptor: int) -> None:
        data = self._sockets[descriptor].recv(65_536)
        self.late_ns.append(monotonic_ns() - self._due_ns.pop(descriptor))
        # The API writes an answer at once, and loopback does not split what is this short.
        head, _, body = data.partition(b"\r\n\r\n")
        length = b"Content-Length: %d" % len(body)
        if not head.startswith(b"HTTP/1.1 200 OK\r\n") or length not in head:
            raise ValueError(f"not the answer of the API: {data!r}")
        self._idle.append(descriptor)

    def _connect(self) -> int:
        connection = socket.create_connection(self._address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[connection.fileno()] = connection
        self._epoll.register(connection, select.EPOLLIN)
        return connection.fileno()

    def _set_timer(self, instant_ns: int | None) -> None:
        initial = instant_ns or 0  # 0 switches it off
        os.timerfd_settime_ns(self._timer, flags=os.TFD_TIMER_ABSTIME, initial=initial)


def main() -> int:
    """Run every load; 0 when all goals are met, else 1."""
    options = _options()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    cpus = os.sched_getaffinity(0)
    client_cpu = min(cpus - {options.api_cpu}, default=options.api_cpu)
    gc.disable()  # the client must be punctual too, and lives half a minute
    with _api(options.api_cpu) as port:
        os.sched_setaffinity(0, {client_cpu})
        print(f"API on CPU {options.api_cpu}, client on CPU {client_cpu}")
        figures = []
        for load in LOADS:
            print(f"\n{load.title}, {options.seconds:g} s", flush=True)
            for figure in _measure(load, port, options.seconds):
                print(figure, flush=True)
                figures.append(figure)
    missed = [figure for figure in figures if not figure.met]
    print(f"\n{len(missed)} goals missed" if missed else "\nall goals met")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the upstream API alone.")
    cpus = sorted(os.sched_getaffinity(0))
    parser.add_argument(
        "--api-cpu", type=int, choices=cpus, default=cpus[-1], help="CPU of the API (%(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10, help="length of each measurement (%(default)s)"
    )
    return parser.parse_args()


@contextmanager
def _api(cpu: int) -> Iterator[int]:
    """An API of our own on one CPU; gives its http port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "upstream", "--host", "127.0.0.1", "--http-port", "0"]
        command += ["--https-port", "0", "--ca-file", str(Path(folder, "ca.pem"))]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "src")}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            os.sched_setaffinity(process.pid, {cpu})
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                port = STARTED.search(line)
                if port is None:
                    raise RuntimeError(f"the API did not start; it said {line!r}")
                yield int(port[1])
            finally:
                process.terminate()


def _measure(load: Load, port: int, seconds: float) -> Iterator[Figure]:
    client = Client(port)
    client.run(load.instants(WARM_UP_S))
    client.forget()
    before = _ask(port, "/-/reset")
    client.run(load.instants(seconds))
    after = _ask(port, "/-/stats")

    late = after["lateness_ms"]
    cpu_us = (after["cpu_seconds"] - before["cpu_seconds"]) / after["calls"] * 1e6
    yield Figure("CPU per call", cpu_us, "us", most=load.most_cpu_us)
    yield Figure("lateness by the API's record, min", late["min"], "ms", least=0)
    yield Figure("lateness by the API's record, p50", late["p50"], "ms")
    yield Figure("lateness by the API's record, p99", late["p99"], "ms", most=load.most_late_ms)
    yield Figure("lateness by the API's record, max", late["max"], "ms")
    yield Figure("lag of the API's event loop, p99", after["loop_lag_ms"]["p99"], "ms")
    seen = client.late_ns
    yield Figure("lateness as the client sees it, min", min(seen) / 1e6, "ms", least=0)
    yield Figure("lateness as the client sees it, p50", _percentile_ms(seen, 50), "ms")
    p99 = _percentile_ms(seen, 99)
    yield Figure("lateness as the client sees it, p99", p99, "ms", most=load.most_late_seen_ms)
    yield Figure("the client's own send lag, p99", _percentile_ms(client.send_lag_ns, 99), "ms")
    yield Figure("calls not answered 200", after["failures"], "", most=0)


def _ask(port: int, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=NO_ANSWER_S)
    connection.request("GET", path)
    document: dict[str, Any] = json.load(connection.getresponse())
    connection.close()
    return document


def _percentile_ms(durations_ns: list[int], percent: int) -> float:
    """Nearest rank."""
    return sorted(durations_ns)[ceil(percent * len(durations_ns) / 100) - 1] / 1e6


if __name__ == "__main__":
    sys.exit(main())
