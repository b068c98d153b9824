"""Measures the lab's own driver alone: what a request costs it, how late it sends, what it loses.

    python benchmark.py [--driver-cpu N] [--warm-up N] [--seconds N] [--only WORDS]

or, in the image of the tests, which needs nothing else:

    docker build --target test -t django-lab/loadgen:test services/loadgen
    docker run --rm --ulimit nofile=16384 django-lab/loadgen:test python benchmark.py

It makes each load by the driver's own process, kept on one CPU (default: the highest that it may
use), against a small server on another CPU where there is one, which answers each request after
the same delay. Prints each figure beside its goal: a percentile is unknown where fewer than five
requests lie above it, so give it more --seconds. Exit code: 0 all goals met, 1 not. Run it on a
quiet machine: whatever else runs adds to the lag.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).parent / "src"))

import uvloop

from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.target import Target
from loadgen.errors import TrialError
from loadgen.records.samples import in_window
from loadgen.suites.cases import Case
from loadgen.trials import accounting

DRAIN_S = 10.0
#: The driver may need this long after its drain to write its files.
FAREWELL_S = 30.0
#: As long as the page that a view of the lab answers with.
BODY = b'<!DOCTYPE html><p id="country">Iceland</p>'.ljust(500)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(BODY)


@dataclass(frozen=True)
class Load:
    """A load and what the driver has to reach under it.

    Attributes:
        title: for the table.
        delay_s: of each answer.
        users: of a closed load.
        rate_rps: of an open one.
        most_cpu: CPU time of the driver by time.
        most_lag_ms: p99 of (sent - due).
    """

    title: str
    delay_s: float
    users: int | None = None
    rate_rps: float | None = None
    most_cpu: float = 0.25
    most_lag_ms: float = 2.0

    def plan(self, port: int, seconds: float) -> LoadPlan:
        """The load for the driver."""
        case = Case(
            server="benchmark",
            settings="",
            view="",
            workload="",
            http_client="",
            upstream="",
            delays_ms=(self.delay_s * 1000,),
            cpu_ms=None,
            driver="own",
            load="open" if self.rate_rps else "closed",
            users=self.users,
            rate_rps=self.rate_rps,
            arrivals="poisson" if self.rate_rps else None,
        )
        target = Target(
            origin=f"http://127.0.0.1:{port}",
            path="/",
            expected_text='id="country"',
            service_time_s=self.delay_s,
            launcher=None,
        )
        return LoadPlan(case, target, seconds, DRAIN_S, arrivals_seed=1)


LOADS = (
    Load("closed: 420 users, 0.6 s, 700 requests/s", 0.6, users=420),
    Load("closed: 2000 users, 3 s, 667 requests/s", 3.0, users=2000),
    Load("open: 700 arrivals/s, 0.6 s", 0.6, rate_rps=700),
    Load("open: 700 arrivals/s, 3 s, 2100 in flight", 3.0, rate_rps=700),
)


@dataclass(frozen=True)
class Figure:
    """A line of the table: a measured value with the goal that it meets or misses.

    None is no value: there were too few requests, and a goal is then missed.
    """

    title: str
    value: float | None
    unit: str
    least: float = -inf
    most: float = inf

    @property
    def met(self) -> bool:
        """Whether it meets its goal, if it has one."""
        if self.value is None:
            return not self.has_goal
        return self.least <= self.value <= self.most

    @property
    def has_goal(self) -> bool:
        """Whether there is one to meet."""
        return self.least > -inf or self.most < inf

    def __str__(self) -> str:
        bound = f"<= {self.most:g}" if self.most < inf else f">= {self.least:g}"
        goal, met = (bound, "yes" if self.met else "NO") if self.has_goal else ("", "")
        value = "unknown" if self.value is None else f"{self.value:.3f}"
        return f"  {self.title:<44}{value:>10} {self.unit:<4}{goal:>9}  {met}"


class Pinned(Own):
    """The driver, kept on one CPU."""

    def __init__(self, cpu: int) -> None:
        self._cpu = cpu

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """That of the driver, in its surroundings."""
        sources = f"PYTHONPATH={Path(__file__).parent / 'src'}"
        pinned = ["env", sources, "taskset", "--cpu-list", str(self._cpu)]
        return pinned + super().command(plan, folder)


class Answering(asyncio.Protocol):
    """A connection of the server: answers each request after the delay."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, _data: bytes) -> None:
        """Wait; requests are short and come one at a time, so each comes whole."""
        self._loop.call_later(self._delay_s, self._answer)

    def _answer(self) -> None:
        # Head and body apart, as the servers of the lab write them.
        self._transport.write(HEAD)
        self._transport.write(BODY)


async def serve(delay_s: float) -> None:
    """Answer until the end; prints the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(delay_s), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> int:
    """Make every load; 0 when all goals are met, else 1."""
    options = _options()
    if options.serve is not None:
        uvloop.run(serve(options.serve))
    cpus = os.sched_getaffinity(0)
    server_cpu = min(cpus - {options.driver_cpu}, default=options.driver_cpu)
    print(f"driver on CPU {options.driver_cpu}, server on CPU {server_cpu}")
    missed = 0
    for load in LOADS:
        if options.only not in load.title:
            continue
        print(f"\n{load.title}, {options.seconds:g} s", flush=True)
        with _server(load.delay_s, server_cpu) as port:
            for figure in _measure(load, port, options):
                print(figure, flush=True)
                missed += not figure.met
    print(f"\n{missed} goals missed" if missed else "\nall goals met")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the lab's own driver alone.")
    cpus = sorted(os.sched_getaffinity(0))
    parser.add_argument(
        "--driver-cpu", type=int, choices=cpus, default=cpus[-1], help="CPU of it (%(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10, help="length of each window (%(default)s)"
    )
    parser.add_argument(
        "--warm-up", type=float, default=4, help="seconds before each window (%(default)s)"
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="loads with this in the title")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def _server(delay_s: float, cpu: int) -> Iterator[int]:
    """The server on one CPU; gives its port."""
    command = [sys.executable, __file__, "--serve", str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {cpu})
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _measure(load: Load, port: int, options: argparse.Namespace) -> Iterator[Figure]:
    seconds = options.seconds
    window = options.warm_up, options.warm_up + seconds
    driver = Pinned(options.driver_cpu)
    with (
        tempfile.TemporaryDirectory() as name,
        DriverProcess(driver, load.plan(port, window[1]), Path(name)) as process,
    ):
        process.wait_until_ready()
        start_ns = process.start()
        cpu_seconds, instants = [], []
        for instant_s in window:
            time.sleep(max(0.0, start_ns / 1e9 + instant_s - time.monotonic()))
            cpu_seconds.append(process.cpu_seconds() or 0.0)
            instants.append(time.monotonic())
        process.wait_for_end(DRAIN_S + FAREWELL_S)
        samples = process.samples(start_ns)
    due = in_window(samples, *window, by="due_s")
    used = (cpu_seconds[1] - cpu_seconds[0]) / (instants[1] - instants[0])
    answered = accounting.answers(samples, *window).parts / seconds
    lag_ms = ((due["sent_s"] - due["due_s"]) * 1000).sort().to_numpy()
    late_ms = ((due["answered_s"] - due["sent_s"] - load.delay_s) * 1000).sort().to_numpy()
    yield Figure("answers a second", answered, "1/s")
    yield Figure("CPU of the driver", used, "", most=load.most_cpu)
    yield Figure("CPU per request", used / answered * 1e6, "us")
    for share in (0.5, 0.99):
        lag = accounting.percentile(lag_ms, share)
        most = load.most_lag_ms if share == 0.99 else inf
        yield Figure(f"sent after due, p{share * 100:g}", lag, "ms", most=most)
    for share in (0.5, 0.99):
        late = accounting.percentile(late_ms, share)
        yield Figure(f"answered after sent + delay, p{share * 100:g}", late, "ms")
    if load.users:
        in_flight = accounting.inflight_mean(samples, *window) / load.users
        yield Figure("in flight, by users (Little)", in_flight, "", least=0.98)
    yield Figure("failures", float(samples["failure"].count()), "", most=0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TrialError as error:  # with what the driver said last
        sys.exit("\n".join([str(error), *error.details]))
