"""Watches how late the event loop is."""

from time import monotonic_ns

from upstream.clock import Clock
from upstream.statistics import Statistics

TICK_NS = 10_000_000


class LoopLag:
    """Ticks every 10 ms and records how late each tick came.

    A blocked loop does not see the calls that wait for it, so the lateness of answers alone cannot
    acquit it. A tick that fell due while the loop was blocked counts with its own lag, as a
    call that came at that instant would have felt it.
    """

    def __init__(self, clock: Clock, statistics: Statistics) -> None:
        self._clock = clock
        self._statistics = statistics
        self._due_ns = monotonic_ns()
        self._tick()

    def _tick(self) -> None:
        now_ns = monotonic_ns()
        while self._due_ns <= now_ns:
            self._statistics.loop_lagged(now_ns - self._due_ns)
            self._due_ns += TICK_NS
        self._clock.at(self._due_ns, self._tick)
