"""What the API counts, and the document it tells of it."""

import time
from typing import TypedDict

from upstream.distribution import Distribution, Summary


class Document(TypedDict):
    """The answer of `/-/stats`.

    Attributes:
        monotonic_ns: instant of the snapshot; containers on one host share this clock.
        started_ns: instant of the process's start: another one tells that the API was restarted.
        cpu_seconds: CPU time of the process since its start.
        calls: calls of the delay routes received, refused ones too.
        failures: such calls not answered 200: refused, or the client left before its answer.
        in_flight: calls received and not answered yet.
        peak_in_flight: most calls in flight at once.
        lateness_ms: instant of the write less (instant of the read + asked delay).
        loop_lag_ms: how late the event loop came to its ticks.

    """

    monotonic_ns: int
    started_ns: int
    cpu_seconds: float
    calls: int
    failures: int
    in_flight: int
    peak_in_flight: int
    lateness_ms: Summary
    loop_lag_ms: Summary


class Statistics:
    """Counters and distributions since the last reset."""

    def __init__(self) -> None:
        self._started_ns = time.monotonic_ns()
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Start anew; calls in flight stay in flight, and their answers count when they come."""
        self._calls = 0
        self._failures = 0
        self._peak_in_flight = self._in_flight
        self._lateness = Distribution()
        self._loop_lag = Distribution()

    def call_received(self) -> None:
        """Count a call that will be answered after its delay."""
        self._calls += 1
        self._in_flight += 1
        if self._in_flight > self._peak_in_flight:
            self._peak_in_flight = self._in_flight

    def call_answered(self, late_ns: int) -> None:
        """Count the answer of a call received before."""
        self._in_flight -= 1
        self._lateness.record(late_ns)

    def call_abandoned(self) -> None:
        """Count a call received before whose client does not get its answer."""
        self._in_flight -= 1
        self._failures += 1

    def call_refused(self) -> None:
        """Count a call that asks for something impossible and is answered so at once."""
        self._calls += 1
        self._failures += 1

    def loop_lagged(self, lag_ns: int) -> None:
        """Count a tick of the event loop that came so late."""
        self._loop_lag.record(lag_ns)

    def document(self) -> Document:
        """Everything as it is now."""
        return {
            "monotonic_ns": time.monotonic_ns(),
            "started_ns": self._started_ns,
            "cpu_seconds": time.process_time(),
            "calls": self._calls,
            "failures": self._failures,
            "in_flight": self._in_flight,
            "peak_in_flight": self._peak_in_flight,
            "lateness_ms": self._lateness.summary(),
            "loop_lag_ms": self._loop_lag.summary(),
        }
