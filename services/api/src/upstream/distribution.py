"""Exact percentiles of many durations in little memory."""

from collections import defaultdict
from typing import TypedDict

STEP_NS = 10_000
STEPS_PER_MS = 100


class Summary(TypedDict):
    """A distribution in figures, milliseconds; all but `count` are None while it is empty."""

    count: int
    mean: float | None
    min: float | None
    p50: float | None
    p95: float | None
    p98: float | None
    p99: float | None
    p99_5: float | None
    p99_9: float | None
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
        """Count, mean, extremes and nearest-rank percentiles, all of the steps reached."""
        steps = sorted(self._counts.items())
        count = sum(times for _, times in steps)

        def at(per_mille: int) -> float | None:
            # In whole numbers: 99.9 % of 1000 would be a little more than 999.
            return _at_rank(steps, -(-per_mille * count // 1000))

        return {
            "count": count,
            "mean": _mean(steps, count),
            "min": at(0),
            "p50": at(500),
            "p95": at(950),
            "p98": at(980),
            "p99": at(990),
            "p99_5": at(995),
            "p99_9": at(999),
            "max": at(1000),
        }


def _mean(steps: list[tuple[int, int]], count: int) -> float | None:
    """The mean in ms of (step, times) pairs."""
    if not count:
        return None
    return sum(step * times for step, times in steps) / count / STEPS_PER_MS


def _at_rank(steps: list[tuple[int, int]], rank: int) -> float | None:
    """The value in ms at a 1-based rank of sorted (step, times) pairs; rank 0 is the first."""
    seen = 0
    for step, times in steps:
        seen += times
        if seen >= rank:
            return step / STEPS_PER_MS
    return None
