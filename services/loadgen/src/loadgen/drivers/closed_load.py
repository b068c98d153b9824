"""A closed load: N users without think time."""

import asyncio
from time import monotonic_ns

from loadgen.drivers.connection import Caller
from loadgen.drivers.load_run import Load, LoadRun
from loadgen.drivers.request_log import RequestLog

#: A user whose request got no answer waits before the next one, which is due only then: one whom
#: the server refuses at once would otherwise ask thousands of times a second, and the driver's own
#: CPU time would be all that is measured.
PAUSE_NS = 100_000_000


class User:
    """Asks, waits for the answer, and asks again at once, until its next request is due too late.

    A request counts as sent when the driver sets about it: just before it is written, or before
    the connection for it is opened, since a server that accepts late is slow, not the driver.

    Args:
        run: the load that it is one of.
    """

    def __init__(self, run: "ClosedLoad") -> None:
        self._run = run
        timeout_s = run.load.timeout_s
        self._caller = Caller(run.endpoint, timeout_s, self._answered, self._failed)
        self._loop = asyncio.get_running_loop()
        self._due_ns = 0
        self._sent_ns: int | None = None

    def ask_at(self, due_ns: int) -> None:
        """Ask when it is due, or leave for good where that is after the end."""
        if due_ns >= self._run.end_ns:
            self._caller.close()
            self._run.leave()
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
        self._note(answered_ns, status, self._run.failure_of(status, body))
        self.ask_at(answered_ns)

    def _failed(self, reason: str) -> None:
        self._note(None, 0, f"no answer: {reason}")
        self.ask_at(monotonic_ns() + PAUSE_NS)

    def _note(self, answered_ns: int | None, status: int, failure: str) -> None:
        assert self._sent_ns is not None
        self._run.requests.append((self._due_ns, self._sent_ns, answered_ns, status, failure))
        self._sent_ns = None


class ClosedLoad(LoadRun):
    """All users, from the first one's start to the last one's answer."""

    def __init__(self, load: Load, log: RequestLog, start_ns: int) -> None:
        super().__init__(load, log, start_ns)
        assert load.users is not None
        self._present = load.users

    def begin(self) -> None:
        """Users come spread, as the load says."""
        spread_ns = self.load.spread_s * 1e9
        self._users = [User(self) for _ in range(self._present)]
        for number, user in enumerate(self._users):
            user.ask_at(self.start_ns + int(spread_ns * number / len(self._users)))

    def give_up(self) -> None:
        """Nobody waits any longer."""
        for user in self._users:
            user.give_up()

    def leave(self) -> None:
        """A user has its last answer."""
        self._present -= 1
        if not self._present:
            self.end()
