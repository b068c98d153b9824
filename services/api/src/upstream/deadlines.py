"""Instants in the order in which they fall due, and what to do then."""

import heapq
import itertools
from collections.abc import Callable

type Callback = Callable[[], None]

SMALLEST_HEAP_TO_TIDY = 64


class Deadline:
    """A callback waiting for its instant; handed out so that it can be cancelled."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback


class Deadlines:
    """A heap of instants in nanoseconds; equal ones come out in the order they went in."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Deadline]] = []
        self._order = itertools.count()
        self._cancelled = 0

    def __len__(self) -> int:
        """How many deadlines wait, cancelled ones not counted."""
        return len(self._heap) - self._cancelled

    def add(self, due_ns: int, callback: Callback) -> Deadline:
        """Let `callback` wait for the instant `due_ns`."""
        deadline = Deadline(callback)
        heapq.heappush(self._heap, (due_ns, next(self._order), deadline))
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """Forget a deadline; one that was taken or cancelled before is left as it is."""
        if deadline.callback is None:
            return
        deadline.callback = None
        self._cancelled += 1
        # A cancelled entry stays in the heap until it is on top, up to a minute from now. Clients
        # that come and go quickly would pile them up, so they are swept out when they prevail.
        if self._cancelled * 2 > len(self._heap) > SMALLEST_HEAP_TO_TIDY:
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_due_ns(self) -> int | None:
        """The earliest instant that anything waits for; None when nothing does."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def take(self, now_ns: int) -> Callback | None:
        """Take out the earliest callback that is due at `now_ns`; None when none is."""
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            deadline = heapq.heappop(heap)[2]
            if deadline.callback is not None:
                callback, deadline.callback = deadline.callback, None
                return callback
            self._cancelled -= 1
        return None
