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

#: A view waits at most 60 s for the API; we wait a little longer.
TIMEOUT_S = 65.0
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
        log, ready: files.
    """

    url: str
    expected_text: str
    users: int
    spread_s: float
    seconds: float
    drain_s: float
    log: str
    ready: str


class ClosedLoad:
    """Users who ask, wait for the answer, and ask again at once."""

    def __init__(self, load: Load, log: RequestLog, start_ns: int) -> None:
        self._load = load
        self._log = log
        self._expected = load.expected_text.encode()
        self._start_ns = start_ns
        self._end_ns = start_ns + int(load.seconds * 1e9)

    async def run(self) -> None:
        """The whole load, with its drain."""
        load = self._load
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            users = [
                asyncio.create_task(self._user(session, number / load.users * load.spread_s))
                for number in range(load.users)
            ]
            flushing = asyncio.create_task(self._flush())
            patience_s = (self._end_ns - time.monotonic_ns()) / 1e9 + load.drain_s
            _, unfinished = await asyncio.wait(users, timeout=patience_s)
            for user in unfinished:
                user.cancel()
            await asyncio.gather(*users, return_exceptions=True)
            flushing.cancel()
            for user in users:
                if not user.cancelled() and (error := user.exception()):
                    raise error
        self._log.flush()

    async def _user(self, session: aiohttp.ClientSession, offset_s: float) -> None:
        due_ns = self._start_ns + int(offset_s * 1e9)
        await asyncio.sleep((due_ns - time.monotonic_ns()) / 1e9)
        while due_ns < self._end_ns:
            due_ns = await self._ask(session, due_ns)

    async def _ask(self, session: aiohttp.ClientSession, due_ns: int) -> int:
        """One request; returns the instant of its end, when the user's next one is due."""
        sent_ns = time.monotonic_ns()
        answered_ns, status, failure = None, 0, "unanswered"
        try:
            async with session.get(self._load.url) as response:
                body = await response.read()
                answered_ns, status = time.monotonic_ns(), response.status
            failure = self._judge(status, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = f"no answer: {type(error).__name__}"
        finally:
            # Also when the drain ends and the request with it: it then has no answer.
            self._log.write(due_ns, sent_ns, answered_ns, status, failure)
        return answered_ns or time.monotonic_ns()

    def _judge(self, status: int, body: bytes) -> str:
        """Why the answer is wrong; empty where it is right."""
        if status != 200:
            return f"status {status}"
        return "" if self._expected in body else "wrong body"

    async def _flush(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(FLUSH_EVERY_S)
                self._log.flush()


def main(plan_file: Path) -> None:
    """Say that all is imported, then make the load from the instant that the protocol sends."""
    load = Load(**json.loads(plan_file.read_text()))
    log = RequestLog(Path(load.log), LOG_BUFFER_BYTES)
    Path(load.ready).touch()
    start_ns = int(sys.stdin.readline())
    uvloop.run(ClosedLoad(load, log, start_ns).run())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
