"""What every load of the own driver shares: its plan, its end, and how an answer is judged."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

from loadgen.cases import Arrivals
from loadgen.drivers.connection import Endpoint
from loadgen.drivers.request_log import Request, RequestLog

#: Requests are kept in memory and written now and then: so no request waits for the disk, and a
#: killed driver leaves what it has seen.
FLUSH_EVERY_S = 1.0


@dataclass(frozen=True)
class Load:
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
        seconds: length of the load.
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
    seconds: float
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
        start_ns, end_ns: of the load; no request is due from its end on.
        requests: gets every request, once it has ended.
    """

    def __init__(self, load: Load, log: RequestLog, start_ns: int) -> None:
        self.load = load
        self.endpoint = Endpoint.of(load.url, load.ca)
        self.start_ns = start_ns
        self.end_ns = start_ns + int(load.seconds * 1e9)
        self.requests: list[Request] = []
        self._log = log
        self._expected = load.expected_text.encode()

    @abstractmethod
    def begin(self) -> None:
        """Let the requests come when they are due."""

    @abstractmethod
    def give_up(self) -> None:
        """The drain is over: what is in flight still has no answer."""

    def failure_of(self, status: int, body: bytes) -> str:
        """Why an answer is not a good one; empty where it is."""
        if status != 200:
            return f"status {status}"
        return "" if self._expected in body else "wrong body"

    def end(self) -> None:
        """All requests have ended."""
        if not self._over.done():
            self._over.set_result(None)

    async def run(self) -> None:
        """The whole load, with its drain; what fails in any callback ends it, and is raised."""
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(self._fail)
        self.begin()
        patience_ns = self.end_ns + int(self.load.drain_s * 1e9)
        while not self._over.done() and (left_ns := patience_ns - monotonic_ns()) > 0:
            await asyncio.wait([self._over], timeout=min(left_ns / 1e9, FLUSH_EVERY_S))
            self._write()
        self.give_up()
        self._write()
        if self._over.done():
            self._over.result()

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._over.done():
            self._over.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def _write(self) -> None:
        self._log.write_all(self.requests)
        self.requests.clear()
        self._log.flush()
