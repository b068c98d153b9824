"""The one clock of the API: calls back at absolute instants, never before them."""

import asyncio
import os
import sys
import time
from time import monotonic_ns

from upstream.deadlines import Callback, Deadline, Deadlines

NEVER_NS = sys.maxsize


class Clock:
    """Deadlines on the monotonic clock, kept by one kernel timer per event loop.

    The event loop's own timers will not do: uvloop's count in whole milliseconds and fire up to
    1 ms early. A timerfd takes the absolute instant in nanoseconds and is never early.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._deadlines = Deadlines()
        self._armed_ns = NEVER_NS
        flags = os.TFD_NONBLOCK | os.TFD_CLOEXEC
        self._timer = os.timerfd_create(time.CLOCK_MONOTONIC, flags=flags)
        loop.add_reader(self._timer, self._fire)

    def at(self, due_ns: int, callback: Callback) -> Deadline:
        """Call `callback` at the instant `due_ns` of `time.monotonic_ns`, at once if it is past."""
        deadline = self._deadlines.add(due_ns, callback)
        if due_ns < self._armed_ns:
            self._arm(due_ns)
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """Do not call back after all; harmless when it has happened already."""
        self._deadlines.cancel(deadline)

    def close(self) -> None:
        """Give the kernel timer back; no deadline is kept from now on."""
        self._loop.remove_reader(self._timer)
        os.close(self._timer)

    def _fire(self) -> None:
        self._armed_ns = 0  # callbacks may add deadlines: the timer is set once, at the end
        try:
            while callback := self._deadlines.take(monotonic_ns()):
                callback()
        finally:
            self._arm(self._deadlines.next_due_ns())

    def _arm(self, due_ns: int | None) -> None:
        # Setting the timer also clears its count of expirations, so it need not be read.
        # An initial value of 0 switches it off; an instant in the past fires at once.
        initial = 0 if due_ns is None else due_ns
        flags = os.TFD_TIMER_ABSTIME
        os.timerfd_settime_ns(self._timer, flags=flags, initial=initial)
        self._armed_ns = initial or NEVER_NS
