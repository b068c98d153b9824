"""A closed load: N users without think time."""

import asyncio
from time import monotonic_ns

from loadgen.generators.connection import Caller
from loadgen.generators.load_run import LoadRun, OwnPlan
from loadgen.generators.request_log import NO_ANSWER, PAUSE_S, UNANSWERED, LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import ProtocolOrders

PAUSE_NS = int(PAUSE_S * 1e9)


class User:
    """Asks, waits for the answer, and asks again at once, until its next request is due too late.

    A request counts as sent when the driver sets about it: just before it is written, or before
    the connection for it is opened, since a server that accepts late is slow, not the driver.

    Args:
        run: the load that it is one of.
        number: which of its users.
    """

    def __init__(self, run: "ClosedLoad", number: int) -> None:
        self._run = run
        self._number = number
        timeout_s = run.load.timeout_s
        self._caller = Caller(run.endpoint, timeout_s, self._answered, self._failed)
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
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

    def waits(self, before_ns: int) -> bool:
        """Whether its request was due before an instant; it may be about to be sent."""
        return self._due_ns < before_ns

    def give_up(self) -> None:
        """The load is over: what is not due yet is never sent, what is in flight has no answer."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._caller.close()
        if self._sent_ns is not None:
            self._note(None, monotonic_ns(), 0, UNANSWERED)

    def _ask_when_due(self) -> None:
        now_ns = monotonic_ns()
        if now_ns < self._due_ns:
            # uvloop counts in whole milliseconds, so its timers may come early: looked at again.
            left_s = (self._due_ns - now_ns) / 1e9
            self._alarm = self._loop.call_later(left_s, self._ask_when_due)
            return
        self._sent_ns = now_ns
        self._caller.ask()

    def _answered(self, answered_ns: int, status: int, body: bytes) -> None:
        self._note(answered_ns, answered_ns, status, self._run.failure_of(status, body))
        self.ask_at(answered_ns)

    def _failed(self, reason: str) -> None:
        failed_ns = monotonic_ns()
        self._note(None, failed_ns, 0, NO_ANSWER + reason)
        self.ask_at(failed_ns + PAUSE_NS)

    def _note(self, answered_ns: int | None, ended_ns: int, status: int, failure: str) -> None:
        sent_ns, self._sent_ns = self._sent_ns, None
        self._run.note(
            LoggedRequest(
                self._due_ns, sent_ns, answered_ns, ended_ns, status, failure, self._number
            )
        )


class ClosedLoad(LoadRun):
    """All users, from the first one's start to the last one's answer."""

    def __init__(
        self, load: OwnPlan, log: RequestLog, start_ns: int, orders: ProtocolOrders
    ) -> None:
        super().__init__(load, log, start_ns, orders)
        self._present = load.users or 0

    def begin(self) -> None:
        """Users come spread, as the load says."""
        spread_ns = self.load.spread_s * 1e9
        self._users = [User(self, number) for number in range(self._present)]
        for number, user in enumerate(self._users):
            user.ask_at(self.start_ns + int(spread_ns * number / len(self._users)))

    def give_up(self) -> None:
        """Nobody waits any longer."""
        for user in self._users:
            user.give_up()

    def waiting(self, before_ns: int) -> int:
        """How many users wait for an answer to a request that was due before an instant."""
        return sum(user.waits(before_ns) for user in self._users)

    def leave(self) -> None:
        """A user has its last answer."""
        self._present -= 1
        if not self._present:
            self.end()
