"""How much an instrument can have moved what it measured: pure functions.

An instrument is the upstream API, the load generator, or the machine that takes CPU time away. What
each can have done at most to a metric is a share of it, as the logarithm of (measured / without
it): shares of several add up, and ratios of two cases can be widened by them.

A bound never says more than can be: without any instrument a server makes no more than the least of
its ceilings, and no answer comes before its service time.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

#: CPU per view falls with load, by at most so many percent for each percent (measured on uvicorn
#: with aiohttp: 5.8 ms at 10 users, 3.5 at 100, 2.1 at 400).
CPU_BY_LOAD = 0.4

#: A share in (0, 1) → the quantile of a measured distribution; None where there is none.
type QuantileOf = Callable[[float], float | None]


@dataclass(frozen=True)
class Lateness:
    """How late something was, each time.

    Attributes:
        mean_ms: on average.
        later: quantiles: ms → the share of times in which it was later than that; 0 of the maximum.
    """

    mean_ms: float
    later: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """What a trial made.

    Attributes:
        rps: answers a second.
        service_ms: the time that a view waits at least.
        avg_ms: mean response time; None: not known.
        most_rps: the least of its ceilings; None: none is known.
        queue: how much longer a queue becomes, relative to how much longer each place in it is
            held: 1 under a closed load, where a turn of all users is their sum. Under an open one
            1 / (1 − ρ), as of M/M/1 (L. Kleinrock, Queueing Systems I, 1975), of slots that are in
            use for a share ρ; 0 where nobody queues for slots.
    """

    rps: float
    service_ms: float
    avg_ms: float | None
    most_rps: float | None = None
    queue: float = 1.0


@dataclass(frozen=True)
class Instruments:
    """What is known of a trial's instruments.

    Attributes:
        late: of each call of a view: how late it was read, and how late it was answered.
        calls: of a view, on average.
        missing_users: share of a closed load's users whom the driver left out: neither in flight
            nor pausing (Little's law).
        stolen: share of the app's CPU time that its machine took.
        driver_full: the driver had next to no CPU time left. Answers may have lain unread then, for
            nobody knows how long: all that lies below a ceiling may be its doing.
    """

    late: tuple[Lateness, ...]
    calls: float
    missing_users: float = 0.0
    stolen: float = 0.0
    driver_full: bool = False

    @property
    def view_late_ms(self) -> float:
        """Mean lateness of a view: the sum over its calls, which is an upper bound of the mean of
        the latest where they are made at once.
        """
        return self.calls * sum(late.mean_ms for late in self.late)


def log_share(part: float, whole: float) -> float:
    """ln(whole / (whole − part)); infinite where the part is all of it."""
    return -math.log1p(-part / whole) if part < whole else math.inf


def stolen_log(share: float) -> float:
    """−ln(1 − s): work that has all of the CPU takes 1 / (1 − s) times as long."""
    return log_share(share, 1.0)


def held_log(made: Made, late_ms: float) -> float:
    """How much longer a view holds its place (a user, a slot, a connection) for the API's lateness.

    It holds it for S + L at least, so L is no more than L / (S + L) of it; of a view that waits for
    nothing, L of its response time.
    """
    if not late_ms:
        return 0.0
    held_ms = made.service_ms + late_ms if made.service_ms else (made.avg_ms or 0.0)
    return log_share(late_ms, held_ms)


def rps_bound(made: Made, instruments: Instruments) -> float:
    """Of throughput: by Little's law X = N / R and X = k / H, so what lengthens R or H lowers X by
    the same share; users who were left out add theirs. No more than its least ceiling is missing.
    """
    late = held_log(made, instruments.view_late_ms)
    lost = late + stolen_log(instruments.stolen) + missing_log(instruments)
    lost += driver_log(instruments)
    if made.most_rps and made.rps:
        lost = min(lost, max(0.0, math.log(made.most_rps / made.rps)))
    return lost


def driver_log(instruments: Instruments) -> float:
    """What a driver without CPU time may have done: all of it, for nobody knows."""
    return math.inf if instruments.driver_full else 0.0


def missing_log(instruments: Instruments) -> float:
    """−ln(1 − m) for a share m of users who were left out."""
    return log_share(max(0.0, instruments.missing_users), 1.0)


def mean_bound(made: Made, instruments: Instruments, without_lag_ms: float) -> float | None:
    """Of the mean response time.

    Args:
        made, instruments: of the trial.
        without_lag_ms: the same mean from the instant sent.
    """
    if made.avg_ms is None:
        return None
    own_ms = instruments.view_late_ms
    return _latency_bound(made, instruments, made.avg_ms, own_ms, without_lag_ms)


def percentile_bound(
    made: Made,
    instruments: Instruments,
    share: float,
    quantile_ms: QuantileOf,
    without_lag_ms: float,
) -> float | None:
    """Of a percentile of the response time.

    Where X = Y + L with L ≥ 0, Q_Y(p) ≥ Q_X(p − δ) − Q_L(1 − δ) for every δ, whatever the two have
    to do with each other (G. D. Makarov, "Estimates for the Distribution Function of a Sum of Two
    Random Variables When the Marginal Distributions Are Fixed", Theory Probab. Appl. 26(4), 1981).
    A view of k calls is late by more than the quantiles of both its sources with a chance of at
    most δ = k · (the sum of the shares above them). Of all δ the one counts that shows most.

    Args:
        made, instruments: of the trial.
        share: of the percentile: 0.95.
        quantile_ms: of the response times.
        without_lag_ms: the same percentile from the instant sent.

    Returns:
        A logarithm; None where the percentile, or how late the API was, is not known.
    """
    measured_ms = quantile_ms(share)
    if measured_ms is None:
        return None
    least_ms = [
        at_ms - late_ms
        for delta, late_ms in _chances(instruments.late, instruments.calls)
        if delta < share and (at_ms := quantile_ms(share - delta)) is not None
    ]
    if not least_ms:
        return None
    own_ms = max(0.0, measured_ms - max(least_ms))
    return _latency_bound(made, instruments, measured_ms, own_ms, without_lag_ms)


def _chances(late: tuple[Lateness, ...], calls: float) -> Iterable[tuple[float, float]]:
    """Pairs: the chance that a view is later, at most, and by how many milliseconds."""
    sums = [(0.0, 0.0)]
    for source in late if calls else ():
        sums = [
            (delta + calls * above, sum_ms + max(0.0, ms))
            for delta, sum_ms in sums
            for ms, above in source.later.items()
        ]
    return sums


def _latency_bound(
    made: Made, instruments: Instruments, measured_ms: float, own_ms: float, without_lag_ms: float
) -> float:
    """What a latency has of its own lateness, of a queue of late ones, of lag and of stolen time;
    no more than what it is above the service time. Users who were left out would wait as well.

    A queue in front of it is shorter by the share by which each place in it is held shorter. Stolen
    time is taken in slices far shorter than a response, so it stretches every percentile alike;
    what comes in one piece differs from round to round, and is in the interval.
    """
    late_ms, held = instruments.view_late_ms, held_log(made, instruments.view_late_ms)
    waiting_ms = max(0.0, measured_ms - made.service_ms - late_ms)
    queue_ms = -waiting_ms * math.expm1(-made.queue * held) if held else 0.0
    lag_ms = max(0.0, measured_ms - without_lag_ms)
    lost = log_share(own_ms + queue_ms + lag_ms, measured_ms) + stolen_log(instruments.stolen)
    lost += driver_log(instruments)
    if 0 < made.service_ms <= measured_ms:
        lost = min(lost, math.log(measured_ms / made.service_ms))
    return lost + missing_log(instruments)


def cpu_bound(of_rps: float) -> float:
    """Of CPU per view: it falls with load, and the load may have been lower by the bound of it."""
    return CPU_BY_LOAD * of_rps


def correction_error(mean: float, sd: float, count: int) -> float:
    """The error of a correction by a mean of so many values: two of its standard errors, as a share
    of it (95 % for many values).
    """
    return 2 * sd / math.sqrt(count) / mean


def drift_of(probe_ms: Sequence[float]) -> float:
    """By how much a case's rounds had a slower CPU than its usual one: mean ln(probe / median).

    A server's own threads and caches slow down the probe beside it, in each round alike: that is in
    the median. A round that is apart from it met another CPU.

    Args:
        probe_ms: what the probe took in each round, one at least.
    """
    return mean_log(probe_ms) - math.log(median(probe_ms))


def mean_log(values: Sequence[float]) -> float:
    """Mean logarithm of positive values, one at least."""
    return sum(map(math.log, values)) / len(values)
