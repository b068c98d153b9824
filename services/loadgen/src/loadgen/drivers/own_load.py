"""`python -m loadgen.drivers.own_load plan.json`: N users without think time, in one process."""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from loadgen.drivers.request_log import RequestLog

#: A user whose request got no answer waits before the next one, which is due only then: one whom
#: the server refuses at once would otherwise ask thousands of times a second, and the driver's own
#: CPU time would be all that is measured.
PAUSE_NS = 100_000_000
FLUSH_EVERY_S = 1.0
LOG_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class Load:
    """What to do, as the plan file has it.

    Attributes:
        url: the view.
        expected_text: what a right answer contains.
        users: how many, closed: each waits for its answer.
        spread_s: the users' starts are spread over this, so that they do not move in lockstep.
        seconds: length of the load.
        drain_s: the most that unanswered requests are waited for afterwards.
        timeout_s: the most that any answer is waited for.
        log, ready: files.
    """

    url: str
    expected_text: str
    users: int
    spread_s: float
    seconds: float
    drain_s: float
    timeout_s: float
    log: str
    ready: str


class ConnectionLost(aiohttp.ClientError):
    """The server closed the connection instead of answering."""


async def once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A middleware that keeps aiohttp from asking a second time.

    aiohttp does so with a GET whose kept connection turns out closed, unseen by its caller: the
    server would get more requests than the log has. It knows the case by the error's class.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # never asked again, and says more
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionLost from error


class ClosedLoad:
    """Users who ask, wait for the answer, and ask again at once."""

    def __init__(self, load: Load, log: RequestLog, start_ns: int) -> None:
        self._load = load
        self._log = log
        self._url = load.url
        self._expected = load.expected_text.encode()
        self._start_ns = start_ns
        self._end_ns = start_ns + int(load.seconds * 1e9)

    async def run(self) -> None:
        """The whole load, with its drain."""
        # What fails in one task ends them all, and the process with a traceback.
        async with self._session() as session, asyncio.TaskGroup() as group:
            flushing = group.create_task(self._flush())
            await self._drive(session)
            flushing.cancel()
        self._log.flush()

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=self._load.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(once,),
        )

    async def _drive(self, session: aiohttp.ClientSession) -> None:
        """All users, until each has its last answer or the drain ends."""
        patience_s = (self._end_ns - time.monotonic_ns()) / 1e9 + self._load.drain_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s), asyncio.TaskGroup() as users:
                for number in range(self._load.users):
                    users.create_task(self._user(session, number))

    async def _user(self, session: aiohttp.ClientSession, number: int) -> None:
        offset_s = self._load.spread_s * number / self._load.users
        due_ns = self._start_ns + int(offset_s * 1e9)
        while due_ns < self._end_ns:
            await _sleep_until(due_ns)
            due_ns = await self._ask(session, due_ns)

    async def _ask(self, session: aiohttp.ClientSession, due_ns: int) -> int:
        """One request; returns the instant when the user's next one is due."""
        sent_ns = time.monotonic_ns()
        answered_ns, status, failure = None, 0, "unanswered"
        try:
            async with session.get(self._url) as response:
                body = await response.read()
                answered_ns, status = time.monotonic_ns(), response.status
            failure = self._judge(status, body)
        except aiohttp.ClientConnectorError as error:
            failure = f"no answer: {type(error.os_error).__name__}"
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = f"no answer: {type(error).__name__}"
        finally:
            # Also when the drain ends and the request with it: it then has no answer.
            self._log.write(due_ns, sent_ns, answered_ns, status, failure)
        return answered_ns or time.monotonic_ns() + PAUSE_NS

    def _judge(self, status: int, body: bytes) -> str:
        """Why the answer is wrong; empty where it is right."""
        if status != 200:
            return f"status {status}"
        return "" if self._expected in body else "wrong body"

    async def _flush(self) -> None:
        """Write through now and then, so that a killed driver leaves what it has seen."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self._log.flush()


async def _sleep_until(instant_ns: int) -> None:
    """Never early: uvloop counts in whole milliseconds, so its timers may be."""
    while (left_ns := instant_ns - time.monotonic_ns()) > 0:
        await asyncio.sleep(left_ns / 1e9)


def main(plan_file: Path) -> None:
    """Say that all is imported, then make the load from the instant that the protocol sends."""
    load = Load(**json.loads(plan_file.read_text()))
    log = RequestLog(Path(load.log), LOG_BUFFER_BYTES)
    Path(load.ready).touch()
    start_ns = int(sys.stdin.readline())
    uvloop.run(ClosedLoad(load, log, start_ns).run())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
