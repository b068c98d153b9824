"""What every load of the own driver shares: its plan, its end, and how an answer is judged."""

import asyncio
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

from loadgen.generators.connection import Endpoint
from loadgen.generators.request_log import LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import Followed, ProtocolOrders
from loadgen.suites.cases import Arrivals

#: Requests are kept in memory and written now and then: so no request waits for the disk, and a
#: killed driver leaves what it has seen.
FLUSH_EVERY_S = 0.5


@dataclass(frozen=True)
class OwnPlan:
    """What to do, as the plan file has it.

    Attributes:
        url: the view.
        ca: file of the CA's certificate that an https server is trusted by; None for http.
        expected_text: what a right answer contains.
        users: how many, closed: each waits for its answer. None: the load is open.
        spread_s: the users' starts are spread over this, so that they do not move in lockstep.
        rate_rps: mean arrivals a second of an open load.
        arrivals: how they are spaced.
        arrivals_seed: what they are drawn with.
        most_outstanding: arrivals beyond so many requests in flight are dropped.
        seconds: no request is due from then on; None: the load stays on until what it is told to
            follow has ended.
        drain_s: the most that unanswered requests are waited for afterwards.
        timeout_s: the most that any answer is waited for.
        log, ready: files.
    """

    url: str
    ca: str | None
    expected_text: str
    users: int | None
    spread_s: float
    rate_rps: float | None
    arrivals: Arrivals | None
    arrivals_seed: int | None
    most_outstanding: int
    seconds: float | None
    drain_s: float
    timeout_s: float
    log: str
    ready: str

    @property
    def most_connections(self) -> int:
        """How many the load may have open at once."""
        return self.most_outstanding if self.users is None else self.users


class LoadRun(ABC):
    """A load, from its first request to its last answer.

    Attributes:
        load: what to do.
        endpoint: where to.
        start_ns, end_ns: of the load; no request is due from its end on, if it has one.
    """

    def __init__(
        self, load: OwnPlan, log: RequestLog, start_ns: int, orders: ProtocolOrders
    ) -> None:
        self.load = load
        self.endpoint = Endpoint.of(load.url, load.ca)
        self.start_ns = start_ns
        self.end_ns = math.inf
        self._patience_ns = math.inf
        if load.seconds is not None:
            self.end_ns = start_ns + load.seconds * 1e9
            self._patience_ns = self.end_ns + load.drain_s * 1e9
        self._requests: list[LoggedRequest] = []
        self._orders = orders
        self._followed: Followed | None = None
        self._awaited: int | None = None
        self._log = log
        self._expected = load.expected_text.encode()

    @abstractmethod
    def begin(self) -> None:
        """Let the requests come when they are due."""

    @abstractmethod
    def give_up(self) -> None:
        """The drain is over: what is in flight still has no answer."""

    @abstractmethod
    def waiting(self, before_ns: int) -> int:
        """How many requests are in flight that were due before an instant."""

    def follow(self, window: Followed) -> None:
        """The load ends once the requests due in this window have ended, or patience has."""
        self._followed = window
        self._patience_ns = window.patience_ns
        self._count_awaited(window)

    def note(self, request: LoggedRequest) -> None:
        """A request has ended."""
        self._requests.append(request)
        if self._followed and self._awaited and request.due_ns < self._followed.end_ns:
            self._awaited -= 1
            if not self._awaited:
                self.end()

    def failure_of(self, status: int, body: bytes) -> str:
        """Why an answer is not a good one; empty where it is."""
        if status != 200:
            return f"status {status}"
        return "" if self._expected in body else "wrong body"

    def end(self) -> None:
        """Nothing is waited for any more."""
        if not self._over.done():
            self._over.set_result(None)

    async def run(self) -> None:
        """The whole load, to its end; what fails in any callback ends it, and is raised."""
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._loop.set_exception_handler(self._fail)
        if self.load.seconds is None:
            self._loop.add_reader(self._orders.file, self._hear)
        self.begin()
        while not self._over.done() and (left_ns := self._patience_ns - monotonic_ns()) > 0:
            await asyncio.wait([self._over], timeout=min(left_ns / 1e9, FLUSH_EVERY_S))
            self._write()
        self.give_up()
        self._write()
        if self._over.done():
            self._over.result()

    def _hear(self) -> None:
        """Hear what to follow; a protocol that has gone wants nothing any more."""
        self._loop.remove_reader(self._orders.file)
        if window := self._orders.followed():
            self.follow(window)
        else:
            self.end()

    def _count_awaited(self, window: Followed) -> None:
        """At the window's end, count what is still awaited of it."""
        left_ns = window.end_ns - monotonic_ns()
        if left_ns > 0:
            # uvloop counts in whole milliseconds, so its timers may come early: looked at again.
            self._loop.call_later(left_ns / 1e9, self._count_awaited, window)
            return
        self._awaited = self.waiting(window.end_ns)
        if not self._awaited:
            self.end()

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._over.done():
            self._over.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def _write(self) -> None:
        self._log.write_all(self._requests)
        self._requests.clear()
        self._log.flush()
