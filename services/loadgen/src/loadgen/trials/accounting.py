"""What the requests of a load come to. Every figure of a row has its one definition here.

A load is on before the window, and stays on until what was due in the window has ended. The window
is cut out of its samples afterwards: [start, end), in seconds since the load's start. So a request
may be of the window in two ways: it was *due* in it, or it *ended* in it. And it may be neither and
still belong to it: a user whose request waits through all of the window is *starved*.

- **Throughput** is what was answered well in the window (`answers`), by its length: by parts, or by
  what ended in it. Where the load is steady both are the same but for chance.
- **Latency** is that of the requests due in the window, from due to answered. What failed ranks as
  infinitely slow, and so does a starved user's request, although it was due before.
- **Requests in flight** is the time that requests spend between sent and ended within the window,
  by its length.
- **Little's law** (J. D. C. Little, Operations Research 9(3), 1961) ties these together: each of N
  users either has a request in flight or pauses after a failure.
"""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from loadgen.generators.request_log import NO_ANSWER, PAUSE_S, UNANSWERED
from loadgen.records.samples import in_window
from loadgen.suites.timing import Accounting

type Ordered = np.ndarray[tuple[int], np.dtype[np.float64]]

#: A percentile speaks only where this many samples lie above it.
SAMPLES_ABOVE = 5
PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}

#: Answers by parts and answers that ended in a window are the same within this share of them,
AGREEING_SHARE = 0.02
#: or within so many square roots of the requests in flight: the chance at the window's edges.
AGREEING_ROOTS = 3.0
#: Users by Little's law are as many as there are, within this share.
LITTLE_SHARE = 0.05

#: Answers that fall on average into each of the stretches that `idle_share` counts.
ANSWERS_PER_STRETCH = 5
#: Of fewer stretches nothing is said.
LEAST_STRETCHES = 10

#: Length of the stretch that `max_rps` is the best of, as Locust's chart averages.
BEST_STRETCH_S = 10.0


def starved(samples: pl.DataFrame, start_s: float, end_s: float) -> pl.DataFrame:
    """The requests that wait through the whole window: due before it, and not ended in it."""
    sent_before = (pl.col("due_s") < start_s) & pl.col("sent_s").is_not_null()
    return samples.filter(sent_before & ~(pl.col("ended_s") < end_s).fill_null(value=False))


def requests_of(
    samples: pl.DataFrame, start_s: float, end_s: float, accounting: Accounting
) -> pl.DataFrame:
    """The requests that a row speaks of.

    `due`: those due in the window, however late their answer, and those that wait through it.
    `answered`: those that ended in it, well or not, as Locust and hey count, and those that the
    tool lost.
    """
    if accounting == "due":
        due = in_window(samples, start_s, end_s, "due_s")
        return pl.concat([due, starved(samples, start_s, end_s)])
    until_end = pl.col("ended_s").is_between(start_s, end_s, closed="both")
    return samples.filter(until_end | pl.col("due_s").is_null())


def good(samples: pl.DataFrame) -> pl.DataFrame:
    """Answers with the right status and the right body."""
    return samples.filter(pl.col("failure").is_null() & pl.col("answered_s").is_not_null())


def unanswered(samples: pl.DataFrame, start_s: float, end_s: float) -> pl.DataFrame:
    """Requests of the window that were given up at the load's end, whenever they were due, and
    those that the tool lost.
    """
    given_up = (pl.col("failure") == UNANSWERED) & (pl.col("due_s") < end_s)
    still_there = (pl.col("ended_s") >= start_s).fill_null(value=True)
    lost = pl.col("due_s").is_null()
    return samples.filter(lost | (given_up & still_there))


# --------------------------------------------------------------------------------------- throughput


@dataclass(frozen=True)
class Answers:
    """Good answers of a stretch, counted in both ways.

    Attributes:
        parts: one that lies partly in the stretch counts by that part of its time in flight. Exact
            where the load is steady, also where users move in clusters (counting completions is
            off by 1 to 1.5 % there). While a queue builds up it is not: answers of later are
            counted before their time.
        ended: those that came in the stretch.
    """

    parts: float
    ended: int

    def agree(self, in_flight: float) -> bool:
        """Whether they are the same but for chance at the edges, where so many were in flight.

        Where nothing ended, parts of answers that came later are no chance.
        """
        if not self.ended:
            return not self.parts
        most = max(AGREEING_SHARE * self.parts, AGREEING_ROOTS * math.sqrt(in_flight))
        return abs(self.parts - self.ended) <= most


def answers(samples: pl.DataFrame, start_s: float, end_s: float) -> Answers:
    """The good answers between two instants."""
    spans = good(samples)
    begin = spans["sent_s"].to_numpy()
    # hey rounds to 0.1 ms: an answer may seem to take no time, and still counts.
    end = np.maximum(spans["answered_s"].to_numpy(), begin + 1e-6)
    inside = np.minimum(end, end_s) - np.maximum(begin, start_s)
    parts = float(np.clip(inside / (end - begin), 0, 1).sum())
    return Answers(parts, in_window(spans, start_s, end_s, "answered_s").height)


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


# ------------------------------------------------------------------------------- requests in flight


def inflight_mean(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """Mean requests in flight: time from sent to ended within the window by its length."""
    known = samples.filter(pl.col("sent_s").is_not_null())
    begin = known["sent_s"].to_numpy()
    end = known["ended_s"].fill_null(math.inf).to_numpy()
    return _overlap_s(begin, end, start_s, end_s) / (end_s - start_s)


def pausing_mean(samples: pl.DataFrame, start_s: float, end_s: float) -> float:
    """Mean users of the own driver who pause, each for 0.1 s after a request without an answer."""
    failed = samples.filter(pl.col("failure").str.starts_with(NO_ANSWER))
    begin = failed["ended_s"].drop_nulls().to_numpy()
    return _overlap_s(begin, begin + PAUSE_S, start_s, end_s) / (end_s - start_s)


def _overlap_s(begin: Ordered, end: Ordered, start_s: float, end_s: float) -> float:
    """How much of these spans lies between two instants, all together."""
    inside = np.minimum(end, end_s) - np.maximum(begin, start_s)
    return float(np.clip(inside, 0, None).sum())


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


# ------------------------------------------------------------------------------------- Little's law


@dataclass(frozen=True)
class Users:
    """The users of a closed load as Little's law finds them, in two ways.

    Attributes:
        in_flight: mean requests in flight in the window, and users who pause.
        by_response_time: Σ response times of the requests due in the window by its length, starved
            users, and users who pause. A user's requests follow each other without a gap, so over
            a window of a steady load these times fill it.
        wave: mean response time by window: by this share the second may be off where users move in
            a wave, of which the window holds one more or one less.
    """

    in_flight: float
    by_response_time: float
    wave: float

    def times_add_up(self, users: int) -> bool:
        """Whether the response times of the window are those of all its users."""
        most = max(LITTLE_SHARE, self.wave) * users
        return abs(self.by_response_time - users) <= most


def users_by_little(
    samples: pl.DataFrame, start_s: float, end_s: float, *, pauses: bool = True
) -> Users:
    """How many users the samples of a closed load speak of.

    A request that was never ended counts until the last instant that is known.

    Args:
        samples: of the whole load.
        start_s, end_s: the window.
        pauses: whether its users pause after a request without an answer, as the own driver's do.
    """
    length_s = end_s - start_s
    due = in_window(samples, start_s, end_s, "due_s").drop_nulls("due_s")
    last_s = samples["ended_s"].max()
    ended = due["ended_s"].fill_null(last_s if isinstance(last_s, float) else end_s)
    times = (ended - due["due_s"]).to_numpy()
    waiting = starved(samples, start_s, end_s).height
    pausing = pausing_mean(samples, start_s, end_s) if pauses else 0.0
    return Users(
        in_flight=inflight_mean(samples, start_s, end_s) + pausing,
        by_response_time=float(times.sum()) / length_s + waiting + pausing,
        wave=float(times.mean()) / length_s if times.size else 0.0,
    )


# ------------------------------------------------------------------------------------------ latency


@dataclass(frozen=True)
class Latency:
    """Milliseconds; None where the value cannot be known.

    Attributes:
        min_ms, avg_ms, max_ms: of good answers.
        percentiles: by column name.
        sent_p95_ms: of (answered − sent), without what the load generator was late.
        censored: a percentile lands on a request that failed, was never answered, or waited
            through the whole window.
        too_few: a percentile has fewer than five samples above it.
    """

    min_ms: float | None
    avg_ms: float | None
    max_ms: float | None
    percentiles: dict[str, float | None]
    sent_p95_ms: float | None
    censored: bool
    too_few: bool


def latency(requests: pl.DataFrame, starved_count: int = 0) -> Latency:
    """Latencies of the requests that a row speaks of.

    Args:
        requests: without the starved ones.
        starved_count: how many of those there are: like a failed request, each ranks as infinitely
            slow, also if it was answered after the window.
    """
    answered = good(requests)
    good_ms = np.sort((answered["answered_s"] - answered["due_s"]).to_numpy() * 1000)
    ranked = ranked_ms(requests, starved_count)
    from_sending = ranked_ms(requests, starved_count, since="sent_s")
    values = {name: percentile(ranked, share) for name, share in PERCENTILES.items()}
    return Latency(
        min_ms=float(good_ms[0]) if good_ms.size else None,
        avg_ms=float(good_ms.mean()) if good_ms.size else None,
        max_ms=float(good_ms[-1]) if good_ms.size else None,
        percentiles={name: _known(value) for name, value in values.items()},
        sent_p95_ms=_known(percentile(from_sending, 0.95)),
        censored=any(value == math.inf for value in values.values()),
        too_few=any(value is None for value in values.values()),
    )


def ranked_ms(requests: pl.DataFrame, starved_count: int = 0, since: str = "due_s") -> Ordered:
    """All latencies in order, milliseconds; those that are not good come last, as infinite.

    Args:
        requests: without the starved ones.
        starved_count: how many of those there are.
        since: the instant that they count from: `due_s`, or `sent_s` without the driver's lag.
    """
    answered = good(requests)
    good_ms = np.sort((answered["answered_s"] - answered[since]).to_numpy() * 1000)
    others_ms = np.full(requests.height + starved_count - good_ms.size, math.inf)
    return np.append(good_ms, others_ms)


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def least_samples(share: float) -> int:
    """The fewest samples of which a percentile is stated."""
    return math.ceil(round(SAMPLES_ABOVE / (1 - share), 9))


def percentile(ordered: Ordered, share: float) -> float | None:
    """Nearest rank ⌈p·n⌉ of exact samples; None where fewer than five lie above it.

    R. J. Hyndman & Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician
    50(4), 1996, definition 1.
    """
    rank = math.ceil(round(share * ordered.size, 9))
    if ordered.size - rank < SAMPLES_ABOVE or rank < 1:
        return None
    return float(ordered[rank - 1])
