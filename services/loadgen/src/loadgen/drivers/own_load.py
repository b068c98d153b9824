"""`python -m loadgen.drivers.own_load plan.json`: N users without think time, in one process."""

import asyncio
import gc
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Any

import uvloop

from loadgen.drivers.connection import Caller, Endpoint
from loadgen.drivers.request_log import Request, RequestLog

#: A user whose request got no answer waits before the next one, which is due only then: one whom
#: the server refuses at once would otherwise ask thousands of times a second, and the driver's own
#: CPU time would be all that is measured.
PAUSE_NS = 100_000_000
#: Requests are kept in memory and written now and then: so no request waits for the disk, and a
#: killed driver leaves what it has seen.
FLUSH_EVERY_S = 1.0
LOG_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class Load:
    """What to do, as the plan file has it.

    Attributes:
        url: the view.
        ca: file of the CA's certificate that an https server is trusted by; None for http.
        expected_text: what a right answer contains.
        users: how many, closed: each waits for its answer.
        spread_s: the users' starts are spread over this, so that they do not move in lockstep.
        seconds: length of the load.
        drain_s: the most that unanswered requests are waited for afterwards.
        timeout_s: the most that any answer is waited for.
        log, ready: files.
    """

    url: str
    ca: str | None
    expected_text: str
    users: int
    spread_s: float
    seconds: float
    drain_s: float
    timeout_s: float
    log: str
    ready: str


class User:
    """Asks, waits for the answer, and asks again at once, until its next request is due too late.

    A request counts as sent when the driver sets about it: just before it is written, or before
    the connection for it is opened, since a server that accepts late is slow, not the driver.

    Args:
        endpoint, timeout_s: as a caller wants them.
        expected: what a right body contains.
        end_ns: no request is due from this instant on.
        requests: gets every request, once it has ended.
        gone: called when this user has its last answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeout_s: float,
        expected: bytes,
        end_ns: int,
        requests: list[Request],
        gone: Callable[[], None],
    ) -> None:
        self._caller = Caller(endpoint, timeout_s, self._answered, self._failed)
        self._expected = expected
        self._end_ns = end_ns
        self._requests = requests
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._due_ns = 0
        self._sent_ns: int | None = None

    def ask_at(self, due_ns: int) -> None:
        """Ask when it is due, or leave for good where that is after the end."""
        if due_ns >= self._end_ns:
            self._caller.close()
            self._gone()
            return
        self._due_ns = due_ns
        self._ask_when_due()

    def give_up(self) -> None:
        """The drain is over: a request that is in flight still has no answer."""
        self._caller.close()
        if self._sent_ns is not None:
            self._note(None, 0, "unanswered")

    def _ask_when_due(self) -> None:
        now_ns = monotonic_ns()
        if now_ns < self._due_ns:
            # uvloop counts in whole milliseconds, so its timers may come early: looked at again.
            self._loop.call_later((self._due_ns - now_ns) / 1e9, self._ask_when_due)
            return
        self._sent_ns = now_ns
        self._caller.ask()

    def _answered(self, answered_ns: int, status: int, body: bytes) -> None:
        if status != 200:
            failure = f"status {status}"
        else:
            failure = "" if self._expected in body else "wrong body"
        self._note(answered_ns, status, failure)
        self.ask_at(answered_ns)

    def _failed(self, reason: str) -> None:
        self._note(None, 0, f"no answer: {reason}")
        self.ask_at(monotonic_ns() + PAUSE_NS)

    def _note(self, answered_ns: int | None, status: int, failure: str) -> None:
        assert self._sent_ns is not None
        self._requests.append((self._due_ns, self._sent_ns, answered_ns, status, failure))
        self._sent_ns = None


class ClosedLoad:
    """All users, from the first one's start to the last one's answer."""

    def __init__(self, load: Load, log: RequestLog, start_ns: int) -> None:
        self._load = load
        self._log = log
        self._start_ns = start_ns
        self._end_ns = start_ns + int(load.seconds * 1e9)
        self._requests: list[Request] = []

    async def run(self) -> None:
        """The whole load, with its drain; what fails in any callback ends it, and is raised."""
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(self._fail)
        users = self._users()
        patience_ns = self._end_ns + int(self._load.drain_s * 1e9)
        while not self._over.done() and (left_ns := patience_ns - monotonic_ns()) > 0:
            await asyncio.wait([self._over], timeout=min(left_ns / 1e9, FLUSH_EVERY_S))
            self._write()
        for user in users:
            user.give_up()
        self._write()
        if self._over.done():
            self._over.result()

    def _users(self) -> list[User]:
        load = self._load
        endpoint = Endpoint.of(load.url, load.ca)
        expected = load.expected_text.encode()
        self._present = load.users
        users = [
            User(endpoint, load.timeout_s, expected, self._end_ns, self._requests, self._leave)
            for _ in range(load.users)
        ]
        for number, user in enumerate(users):
            user.ask_at(self._start_ns + int(load.spread_s * number / load.users * 1e9))
        return users

    def _leave(self) -> None:
        self._present -= 1
        if not self._present and not self._over.done():
            self._over.set_result(None)

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._over.done():
            self._over.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def _write(self) -> None:
        self._log.write_all(self._requests)
        self._requests.clear()
        self._log.flush()


def main(plan_file: Path) -> None:
    """Say that all is imported, then make the load from the instant that the protocol sends."""
    load = Load(**json.loads(plan_file.read_text()))
    with RequestLog(Path(load.log), LOG_BUFFER_BYTES) as log:
        _calm_garbage_collector()
        Path(load.ready).touch()
        start_ns = int(sys.stdin.readline())
        uvloop.run(ClosedLoad(load, log, start_ns).run())


def _calm_garbage_collector() -> None:
    """Let no collection walk through all connections in the midst of the load."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
