"""When a load has become steady, so that its window may begin.

Two things are asked while the load is on. Every user has been answered once: what waits longest is
in the response times, then. And the response times of two stretches in a row are as good as equal,
each as long as a response, and two seconds at least. Requests that arrive by themselves have no
users, so of an open load the second is asked alone.

A server that never becomes steady is measured all the same, once `bound_s` has passed.
"""

from array import array
from collections.abc import Iterable

import numpy as np

from loadgen.drivers.logged import Ended
from loadgen.suites.lengths import LEAST_STRETCH_S

#: Mean response times of two stretches are as good as equal within this share.
EQUAL_SHARE = 0.05


class Settling:
    """What a load has shown so far, seconds since its start.

    Args:
        start_ns: of the load.
        users: how many there are; None: of an open load.
    """

    def __init__(self, start_ns: int, users: int | None) -> None:
        self._start_ns = start_ns
        self._users = users
        self._seen: set[int] = set()
        # Arrays, which numpy takes as they are: they are looked at again and again while they grow.
        self._ended_s = array("d")
        self._response_s = array("d")

    def add(self, requests: Iterable[Ended]) -> None:
        """Requests that have ended, answered or failed."""
        for request in requests:
            self._ended_s.append((request.ended_ns - self._start_ns) / 1e9)
            self._response_s.append(request.response_ns / 1e9)
            if request.user is not None:
                self._seen.add(request.user)

    def response_time_s(self, until_s: float) -> float | None:
        """The mean response time of what ended last, as far as is known; None: nothing has.

        Of the last stretch of two seconds in which something ended, up to an instant.
        """
        ended_s = np.asarray(self._ended_s)
        before = ended_s[ended_s < until_s]
        if not before.size:
            return None
        return self._mean_s(before.max() - LEAST_STRETCH_S, until_s)

    def is_steady(self, until_s: float) -> bool:
        """Whether the load has settled, by all that ended before an instant."""
        if self._users is not None and len(self._seen) < self._users:
            return False
        response_s = self.response_time_s(until_s)
        if response_s is None:
            return False
        stretch_s = max(response_s, LEAST_STRETCH_S)
        middle_s, begin_s = until_s - stretch_s, until_s - 2 * stretch_s
        if begin_s < 0:
            return False
        first, second = self._mean_s(begin_s, middle_s), self._mean_s(middle_s, until_s)
        if first is None or second is None:
            return False
        return max(first, second) <= (1 + EQUAL_SHARE) * min(first, second)

    def _mean_s(self, begin_s: float, end_s: float) -> float | None:
        """Mean response time of what ended between two instants; None: nothing did."""
        ended_s = np.asarray(self._ended_s)
        inside = (ended_s >= begin_s) & (ended_s < end_s)
        return float(np.asarray(self._response_s)[inside].mean()) if inside.any() else None
