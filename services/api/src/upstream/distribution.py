"""Exact percentiles of many durations in little memory."""

from collections import defaultdict
from math import ceil
from typing import TypedDict

STEP_NS = 10_000
STEPS_PER_MS = 100


class Summary(TypedDict):
    """A distribution in figures, milliseconds; all but `count` are None while it is empty."""

    count: int
    min: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


class Distribution:
    """Counts durations in steps of 0.01 ms.

    A duration belongs to the step that it has reached: rounding down keeps one that is a
    nanosecond below zero visible as -0.01 ms.
    """

    def __init__(self) -> None:
        self._counts: defaultdict[int, int] = defaultdict(int)

    def record(self, duration_ns: int) -> None:
        """Count one duration."""
        self._counts[duration_ns // STEP_NS] += 1

    def summary(self) -> Summary:
        """Count, extremes and nearest-rank percentiles."""
        steps = sorted(self._counts.items())
        count = sum(times for _, times in steps)
        ranks = [ceil(percent * count / 100) for percent in (0, 50, 95, 99, 100)]
        least, p50, p95, p99, most = (_at_rank(steps, rank) for rank in ranks)
        return {"count": count, "min": least, "p50": p50, "p95": p95, "p99": p99, "max": most}


def _at_rank(steps: list[tuple[int, int]], rank: int) -> float | None:
    """The value in ms at a 1-based rank of sorted (step, times) pairs; rank 0 is the first."""
    seen = 0
    for step, times in steps:
        seen += times
        if seen >= rank:
            return step / STEPS_PER_MS
    return None
