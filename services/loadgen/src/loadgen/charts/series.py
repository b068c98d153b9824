"""Samples → what a report draws of them: a distribution, and how a trial went over time.

A trial's file is read once and reduced to some dozens of numbers, so that millions of samples take
seconds and no more memory than the largest file.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from loadgen.records.samples import read_samples
from loadgen.suites.timing import Accounting
from loadgen.trials.accounting import percentile

type Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]

#: A trial is shown in no more steps than this.
MOST_STEPS = 60
#: A 95th percentile needs five values above it.
LEAST_FOR_P95 = 100
BINS = 72
#: Samples have three digits after the point of a millisecond.
DIGIT_S = 1e-5


@dataclass(frozen=True)
class Course:
    """How a trial went, step by step.

    Attributes:
        step_s: length of a step.
        seconds: the middle of each step, from the window's start.
        rate_rps: good answers a second.
        failure_rps: failed answers a second.
        in_flight: mean requests in flight.
        p95_seconds, p95_ms: the middle and the 95th percentile of stretches of whole steps that
            hold a hundred good answers; empty where the trial does not.
    """

    step_s: float
    seconds: Sequence[float]
    rate_rps: Sequence[float]
    failure_rps: Sequence[float]
    in_flight: Sequence[float]
    p95_seconds: Sequence[float]
    p95_ms: Sequence[float]


def read_requests(file: Path) -> pl.DataFrame:
    """The requests of a trial, without those that the tool lost, which have no instants.

    Instants are by the samples' own clock, in seconds from the window's start; what never was is
    infinite.

    Returns:
        sent_s: when each was sent.
        answered_s: when it was answered.
        ended_s: when it was answered, failed or was given up.
        latency_ms: from due to answered.
        good: whether status and body were right.

    Raises:
        ConfigurationError: the file is no samples of a trial, or is broken.
    """
    answered_s = pl.col("due_s") + pl.col("latency_ms") / 1000
    return read_samples(file).select(
        sent_s=pl.col("due_s") + pl.col("lag_ms").fill_null(0) / 1000,
        answered_s=answered_s.fill_null(math.inf),
        ended_s=pl.col("ended_s").fill_null(math.inf),
        latency_ms=pl.col("latency_ms").fill_null(math.inf),
        good=pl.col("failure").is_null() & pl.col("latency_ms").is_not_null(),
    )


def bin_edges(low_ms: float, high_ms: float) -> Numbers:
    """Edges of bins of equal width on a logarithmic scale."""
    return np.geomspace(low_ms, max(high_ms, low_ms * 1.001), BINS + 1)


def distribution(
    trials: Iterable[pl.DataFrame],
    windows_s: Iterable[float],
    accounting: Accounting,
    edges: Numbers,
) -> Numbers:
    """How many good answers of the trials' windows fall into each bin.

    Args:
        accounting: whether answers count that were due in the window, or answered in it.
        edges: of the bins; what lies beyond counts in the nearest.
    """
    counts = np.zeros(len(edges) - 1)
    for requests, window_s in zip(trials, windows_s, strict=True):
        good = requests.filter("good")
        latency_ms, instants_s = good["latency_ms"].to_numpy(), good["answered_s"].to_numpy()
        if accounting == "due":
            instants_s = instants_s - latency_ms / 1000
        # To the digits of the file, which the last answer of a counted load is at the end of.
        inside = latency_ms[(instants_s >= -DIGIT_S) & (instants_s <= window_s + DIGIT_S)]
        counts += np.histogram(np.clip(inside, edges[0], edges[-1]), edges)[0]
    return counts


def p50_by_thirds(requests: pl.DataFrame, window_s: float) -> list[float | None]:
    """The median latency (ms) of the good answers in each third of a window; None of a few."""
    good = requests.filter("good")
    medians: list[float | None] = []
    for third in range(3):
        ends = (window_s * third / 3, window_s * (third + 1) / 3)
        inside = good.filter(pl.col("answered_s").is_between(*ends, closed="left"))
        ordered: Numbers = np.sort(inside["latency_ms"].to_numpy())
        medians.append(percentile(ordered, 0.5))
    return medians


def longest_pause_s(requests: pl.DataFrame, window_s: float) -> float:
    """The longest time within a window in which no good answer came (s)."""
    instants_s = requests.filter("good")["answered_s"].to_numpy()
    inside = np.sort(instants_s[(instants_s >= 0) & (instants_s <= window_s)])
    return float(np.diff(np.concatenate(([0.0], inside, [window_s]))).max())


def course(requests: pl.DataFrame, window_s: float) -> Course:
    """A trial's window, in steps of whole seconds where it is long."""
    step_s = max(1.0, math.ceil(window_s / MOST_STEPS)) if window_s >= 4 else window_s / 8
    steps = max(1, math.floor(window_s / step_s + 1e-9))
    edges: Numbers = np.arange(steps + 1, dtype=np.float64) * step_s
    good = requests.filter("good")
    failed = requests.filter(~pl.col("good"), pl.col("ended_s").is_finite())
    middles = edges[:-1] + step_s / 2
    p95 = _p95(good, edges)
    return Course(
        step_s=step_s,
        seconds=middles.tolist(),
        rate_rps=(np.histogram(good["answered_s"], edges)[0] / step_s).tolist(),
        failure_rps=(np.histogram(failed["ended_s"], edges)[0] / step_s).tolist(),
        in_flight=_in_flight(requests, edges).tolist(),
        p95_seconds=[second for second, _ in p95],
        p95_ms=[value for _, value in p95],
    )


def _in_flight(requests: pl.DataFrame, edges: Numbers) -> Numbers:
    """Mean in flight between edges: F(t) = Σ max(0, t − sent) − Σ max(0, t − ended)."""

    def area(instants: Numbers) -> Numbers:
        ordered = np.sort(instants[np.isfinite(instants)])
        sums = np.concatenate(([0.0], np.cumsum(ordered)))
        before = np.searchsorted(ordered, edges, side="right")
        return before * edges - sums[before]

    sent_s, ended_s = (requests[name].to_numpy() for name in ("sent_s", "ended_s"))
    in_flight: Numbers = np.diff(area(sent_s) - area(ended_s)) / np.diff(edges)
    return in_flight


def _p95(good: pl.DataFrame, edges: Numbers) -> list[tuple[float, float]]:
    """(middle, 95th percentile) of the shortest stretches of steps with a hundred good answers."""
    answered = good.sort("answered_s")
    answered_s, latency_ms = answered["answered_s"].to_numpy(), answered["latency_ms"].to_numpy()
    places = np.searchsorted(answered_s, edges)
    percentiles, begin = [], 0
    for end in range(1, len(edges)):
        if places[end] - places[begin] < LEAST_FOR_P95:
            continue
        value = percentile(np.sort(latency_ms[places[begin] : places[end]]), 0.95)
        if value is not None:
            percentiles.append((float(edges[begin] + edges[end]) / 2, value))
        begin = end
    return percentiles
