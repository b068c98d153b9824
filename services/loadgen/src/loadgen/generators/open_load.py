"""An open load: requests arrive when they are due, whether others have been answered or not."""

import math
import os
import time
from collections import deque
from collections.abc import Iterator
from itertools import chain, takewhile
from time import monotonic_ns

from loadgen.generators.arrivals import instants_ns, warm_up_seed
from loadgen.generators.connection import Caller
from loadgen.generators.load_run import LoadRun, OwnPlan
from loadgen.generators.request_log import DROPPED, NO_ANSWER, UNANSWERED, LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import Followed, ProtocolOrders

#: A connection that was idle for so long is closed: well before any server would close it under a
#: request, and soon enough for a server in which an idle connection holds a slot.
IDLE_NS = 1_000_000_000


class KeptConnection:
    """A connection that is kept, and the arrival that it serves.

    Args:
        run: the load that it is one of.
    """

    __slots__ = ("_caller", "_due_ns", "_run", "_sent_ns", "idle_since_ns")

    def __init__(self, run: "OpenLoad") -> None:
        self._run = run
        timeout_s = run.load.timeout_s
        self._caller = Caller(run.endpoint, timeout_s, self._answered, self._failed)
        self._due_ns = self._sent_ns = self.idle_since_ns = 0

    def ask(self, due_ns: int) -> None:
        """Send the request that is due; there must be none in flight.

        It counts as sent when the driver sets about it, before a connection is opened for it.
        """
        self._due_ns = due_ns
        self._sent_ns = monotonic_ns()
        self._caller.ask()

    def close(self) -> None:
        """Hang up."""
        self._caller.close()

    def waits(self, before_ns: int) -> bool:
        """Whether its request was due before an instant."""
        return self._due_ns < before_ns

    def give_up(self) -> None:
        """The load is over: the request in flight still has no answer."""
        self._caller.close()
        self._note(None, monotonic_ns(), 0, UNANSWERED)

    def _answered(self, answered_ns: int, status: int, body: bytes) -> None:
        self._note(answered_ns, answered_ns, status, self._run.failure_of(status, body))
        self.idle_since_ns = answered_ns
        self._run.free(self)

    def _failed(self, reason: str) -> None:
        self.idle_since_ns = monotonic_ns()
        self._note(None, self.idle_since_ns, 0, NO_ANSWER + reason)
        self._run.free(self)

    def _note(self, answered_ns: int | None, ended_ns: int, status: int, failure: str) -> None:
        self._run.note(
            LoggedRequest(self._due_ns, self._sent_ns, answered_ns, ended_ns, status, failure)
        )


class OpenLoad(LoadRun):
    """All arrivals, from the first one to the last answer.

    An arrival takes the connection that became idle last, and opens one only where none is idle, as
    a proxy in front of the server would. Beyond `most_outstanding` requests in flight it is
    dropped, and noted as never sent.
    """

    def __init__(
        self, load: OwnPlan, log: RequestLog, start_ns: int, orders: ProtocolOrders
    ) -> None:
        super().__init__(load, log, start_ns, orders)
        self._idle: deque[KeptConnection] = deque()
        self._busy: set[KeptConnection] = set()

    def begin(self) -> None:
        """Let the kernel wake us for each arrival: uvloop's timers count in whole milliseconds."""
        self._schedule = self._due()
        self._next_ns = next(self._schedule, None)
        flags = os.TFD_NONBLOCK | os.TFD_CLOEXEC
        self._timer = os.timerfd_create(time.CLOCK_MONOTONIC, flags=flags)
        self._loop.add_reader(self._timer, self._arrive)
        self._arrive()

    def give_up(self) -> None:
        """Nobody comes or waits any longer."""
        self._loop.remove_reader(self._timer)
        os.close(self._timer)
        for line in self._idle:
            line.close()
        for line in self._busy:
            line.give_up()

    def free(self, line: KeptConnection) -> None:
        """A connection's request has ended; it is kept for as long as others arrive."""
        self._busy.remove(line)
        if self._next_ns is None:
            line.close()
        else:
            self._idle.append(line)
        self._end_if_over()

    def waiting(self, before_ns: int) -> int:
        """How many arrivals of before an instant have not been answered."""
        self._arrive()  # the timer may be about to fire
        return sum(line.waits(before_ns) for line in self._busy)

    def follow(self, window: Followed) -> None:
        """The window has arrivals of its own, whatever the load before it took."""
        drawn = () if self._next_ns is None else (self._next_ns,)
        before = chain(drawn, self._schedule)
        self._schedule = chain(
            takewhile(lambda due_ns: due_ns < window.begin_ns, before),
            self._due_since(window.begin_ns, self.load.arrivals_seed),
        )
        self._next_ns = next(self._schedule)
        self._arrive()
        super().follow(window)

    def _due(self) -> Iterator[int]:
        """The arrivals of a load that has an end, or of the warm-up of one that has none yet."""
        seed = self.load.arrivals_seed
        if self.load.seconds is None and seed is not None:
            seed = warm_up_seed(seed)
        return self._due_since(self.start_ns, seed)

    def _due_since(self, begin_ns: int, seed: int | None) -> Iterator[int]:
        load = self.load
        assert load.rate_rps is not None
        assert load.arrivals is not None
        seconds = math.inf if load.seconds is None else load.seconds
        for since_ns in instants_ns(load.rate_rps, seconds, load.arrivals, seed):
            yield begin_ns + since_ns

    def _arrive(self) -> None:
        """Send what is due by now; what came due while the driver was busy goes out at once."""
        self._close_idle()
        while self._next_ns is not None and self._next_ns <= monotonic_ns():
            self._send(self._next_ns)
            self._next_ns = next(self._schedule, None)
        if self._next_ns is None:
            self._close_idle()
        # Setting the timer also clears its count of expirations; 0 switches it off, and an instant
        # in the past fires at once.
        flags = os.TFD_TIMER_ABSTIME
        os.timerfd_settime_ns(self._timer, flags=flags, initial=self._next_ns or 0)
        self._end_if_over()

    def _send(self, due_ns: int) -> None:
        if len(self._busy) >= self.load.most_outstanding:
            self.note(LoggedRequest(due_ns, None, None, None, 0, DROPPED))
            return
        line = self._idle.pop() if self._idle else KeptConnection(self)
        self._busy.add(line)
        line.ask(due_ns)

    def _close_idle(self) -> None:
        """Close those idle for too long, all of them once nobody comes any more.

        The one that became idle last is taken first, so they lie in the order of their age.
        """
        too_old_ns = monotonic_ns() - (0 if self._next_ns is None else IDLE_NS)
        while self._idle and self._idle[0].idle_since_ns < too_old_ns:
            self._idle.popleft().close()

    def _end_if_over(self) -> None:
        if self._next_ns is None and not self._busy:
            self.end()
