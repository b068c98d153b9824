"""Samples and a window → throughput and latency."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from loadgen.suite_file import Accounting

#: A percentile speaks only where this many samples lie above it.
SAMPLES_ABOVE = 5
PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}

type Ordered = np.ndarray[tuple[int], np.dtype[np.float64]]

#: Answers that fall on average into each of the stretches that `idle_share` counts.
ANSWERS_PER_STRETCH = 5
#: Of fewer stretches nothing is said.
LEAST_STRETCHES = 10

#: Length of the stretch that `max_rps` is the best of, as Locust's chart averages.
BEST_STRETCH_S = 10.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds; None where the value cannot be known.

    Attributes:
        min_ms, avg_ms, max_ms: of good answers.
        percentiles: by column name.
        censored: a percentile lands on a request that failed or was never answered.
        too_few: a percentile has fewer than five samples above it.
    """

    min_ms: float | None
    avg_ms: float | None
    max_ms: float | None
    percentiles: dict[str, float | None]
    censored: bool
    too_few: bool


def in_window(samples: pl.DataFrame, start_s: float, end_s: float, by: str) -> pl.DataFrame:
    """The samples whose instant `by` lies in [start, end); one without a due instant counts."""
    inside = pl.col(by).is_between(start_s, end_s, closed="left")
    return samples.filter(inside | pl.col("due_s").is_null())


def counted(
    samples: pl.DataFrame, start_s: float, end_s: float, accounting: Accounting
) -> pl.DataFrame:
    """The requests that a trial speaks of.

    `due`: those due in the window, however late their answer. `answered`: those answered in it, as
    Locust and hey count, and those that the tool lost.
    """
    if accounting == "due":
        return in_window(samples, start_s, end_s, "due_s")
    until_end = pl.col("answered_s").is_between(start_s, end_s, closed="both")
    return samples.filter(until_end | pl.col("due_s").is_null())


def good(samples: pl.DataFrame) -> pl.DataFrame:
    """Answers with the right status and the right body."""
    return samples.filter(pl.col("failure").is_null() & pl.col("answered_s").is_not_null())


def good_between(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """Good answers between two instants; one that lies partly between counts by that part.

    Counting completions instead is off by 1 to 1.5 % where users move in clusters.
    """
    spans = good(samples)
    begin = spans["sent_s"].to_numpy()
    # hey rounds to 0.1 ms: an answer may seem to take no time, and still counts.
    end = np.maximum(spans["answered_s"].to_numpy(), begin + 1e-6)
    inside = np.minimum(end, end_s) - np.maximum(begin, start_s)
    return float(np.clip(inside / (end - begin), 0, 1).sum())


def good_count(samples: pl.DataFrame, start_s: float, end_s: float, by_parts: bool) -> float:
    """Good answers between two instants, by parts or by completions.

    By parts is exact where the load is steady. While a queue builds up it is not: the answers of
    later would be counted before their time. An article's ramp is such a load, and an open load
    that the server cannot keep up with.
    """
    if by_parts:
        return good_between(samples, start_s, end_s)
    return good(counted(samples, start_s, end_s, "answered")).height


def best_rate_rps(samples: pl.DataFrame, start_s: float, end_s: float) -> float | None:
    """The best mean rate of good answers over any stretch of 10 s within the window.

    None where the window is shorter than that.
    """
    if end_s - start_s < BEST_STRETCH_S:
        return None
    answered = np.sort(
        in_window(good(samples), start_s, end_s, "answered_s")["answered_s"].to_numpy()
    )
    if not answered.size:
        return 0.0
    # A best stretch can be moved until it ends at an answer, or at the window's first 10 s.
    ends = np.maximum(answered, start_s + BEST_STRETCH_S)
    first = np.searchsorted(answered, ends - BEST_STRETCH_S, side="right")
    last = np.searchsorted(answered, ends, side="right")
    return float((last - first).max() / BEST_STRETCH_S)


def idle_share(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """How much of a window passes without an answer: where users move in step, most of it.

    The window is cut into equal stretches that hold five good answers each on average; this is the
    share of them that hold none. By chance alone (answers that do not depend on each other, a
    Poisson process) it is e⁻⁵ = 0.7 %.

    Returns:
        A share; 0 where there are answers for fewer than ten stretches.
    """
    answered = in_window(good(samples), start_s, end_s, "answered_s")["answered_s"].to_numpy()
    stretches = answered.size // ANSWERS_PER_STRETCH
    if stretches < LEAST_STRETCHES:
        return 0.0
    places = np.floor((answered - start_s) / (end_s - start_s) * stretches)
    return 1 - np.unique(places).size / stretches


def inflight_mean(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """Mean requests in flight: time in flight within the window by its length.

    An unanswered request is in flight until the window's end.
    """
    known = samples.filter(pl.col("sent_s").is_not_null())
    begin = known["sent_s"].to_numpy()
    end = known["answered_s"].fill_null(math.inf).to_numpy()
    inside = np.minimum(end, end_s) - np.maximum(begin, start_s)
    return float(np.clip(inside, 0, None).sum() / (end_s - start_s))


def inflight_growth(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """How much of an open load stays in flight: the growth of the requests in flight, by the
    requests sent.

    0: the server keeps up; 0.05: of a hundred requests that come, five stay, and in a longer window
    the queue would be longer; below 0: a queue is worked off. It compares the mean in flight of the
    window's last third with that of its first, 2/3 of the window apart.

    Where the server keeps up, what is left is chance. With Poisson arrivals at a rate r and a
    constant time S in the server, the mean in flight over a time T varies with a variance of about
    r·S²/T (T much longer than S), so this value has a standard deviation of about
    S/T · sqrt(2/(r·T)) / 2 for thirds of length T: 0.004 for 100/s, 0.6 s and a window of 15 s.

    Args:
        samples: of the whole load.
        start_s, end_s: the window.

    Returns:
        A share of the requests sent in the window; 0 where there is none.
    """
    sent = in_window(samples, start_s, end_s, "sent_s")["sent_s"].count()
    third_s = (end_s - start_s) / 3
    first = inflight_mean(samples, start_s, start_s + third_s)
    last = inflight_mean(samples, end_s - third_s, end_s)
    apart = 2 / 3  # of the window, in which so many requests were sent
    return (last - first) / (apart * sent) if sent else 0.0


def sent_percentile_ms(requests: pl.DataFrame, share: float) -> float | None:
    """A percentile of (answered − sent) by the same rules as that of the latency, which is longer
    by what the load generator was late; None where it cannot be known.
    """
    answers = good(requests)
    good_ms = np.sort((answers["answered_s"] - answers["sent_s"]).to_numpy() * 1000)
    return _known(percentile(_with_failures(good_ms, requests.height), share))


def latency(requests: pl.DataFrame) -> Latency:
    """Latencies of the requests that a trial speaks of; a failed one ranks as infinitely slow."""
    answers = good(requests)
    good_ms = np.sort((answers["answered_s"] - answers["due_s"]).to_numpy() * 1000)
    ranked_ms = _with_failures(good_ms, requests.height)
    values = {name: percentile(ranked_ms, share) for name, share in PERCENTILES.items()}
    return Latency(
        min_ms=float(good_ms[0]) if good_ms.size else None,
        avg_ms=float(good_ms.mean()) if good_ms.size else None,
        max_ms=float(good_ms[-1]) if good_ms.size else None,
        percentiles={name: _known(value) for name, value in values.items()},
        censored=any(value == math.inf for value in values.values()),
        too_few=any(value is None for value in values.values()),
    )


def _with_failures(good_ms: Ordered, count: int) -> Ordered:
    """The latencies of so many requests: those that are not good come last."""
    return np.append(good_ms, np.full(count - good_ms.size, math.inf))


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def percentile(ordered: Ordered, share: float) -> float | None:
    """Nearest rank ⌈p·n⌉ of exact samples; None where fewer than five lie above it.

    R. J. Hyndman & Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician
    50(4), 1996, definition 1.
    """
    rank = math.ceil(round(share * ordered.size, 9))
    if ordered.size - rank < SAMPLES_ABOVE or rank < 1:
        return None
    return float(ordered[rank - 1])
