"""Rounds are the replicates: means, intervals and differences over rounds, never over requests."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv, stdtr, stdtrit  # scipy.stats takes long to import

Verdict = Literal["better", "worse", "equivalent", "undecided"]

#: Fewer rounds than this give no interval.
LEAST_ROUNDS = 3
#: Nobody measures so many, whatever they would show.
MOST_ROUNDS = 10**9
#: Two servers that differ by less than this are as good as equal.
MARGIN = 0.03
#: The chance of an alarm where there is nothing, and of none where there is something.
ALARM = 0.05
POWER = 0.8


@dataclass(frozen=True)
class Interval:
    """A mean over rounds.

    Attributes:
        mean: geometric mean.
        low, high: its 95 % interval; None under three rounds.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """How much larger b is than a, over rounds; under three there is a ratio and nothing else.

    Attributes:
        rounds: in which both were measured; where they were not measured in the same ones, those of
            the side that has fewer.
        ratio: geometric mean of b / a.
        low, high: its 95 % interval.
        sd_log: standard deviation of ln(b / a) over rounds; None where they are not the same.
        smallest_detectable_ratio: a true ratio of this size (or its inverse) would have shown in
            80 % of such runs.
        p: two-sided, of a ratio this far from 1 where there is none.
        verdict: of b against a.
        error_log: standard error of ln(ratio).
        freedom: degrees of freedom of Student's t.
    """

    rounds: int
    ratio: float
    low: float | None
    high: float | None
    sd_log: float | None
    smallest_detectable_ratio: float | None
    p: float | None
    verdict: Verdict
    error_log: float | None = None
    freedom: float | None = None


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Geometric mean of positive values with a Student interval on their logarithms.

    exp(mean ± t·s/√n): T. Kalibera & R. Jones, "Rigorous Benchmarking in Reasonable Time", ISMM
    2013. None where there is no value or one that is not positive.
    """
    if not values or min(values) <= 0:
        return None
    logs = np.log(np.asarray(values, dtype=np.float64))
    mean = float(logs.mean())
    if len(values) < LEAST_ROUNDS:
        return Interval(math.exp(mean), None, None)
    margin = _t((1 + confidence) / 2, len(values) - 1) * _standard_error(logs)
    return Interval(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """The arithmetic mean; None where one of the values is not known, or there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    higher_is_better: bool = True,
    paired: bool = True,
) -> Difference:
    """Compare two cases over rounds.

    Paired, each round measured both: d = ln(b / a) by round, so that what a round does to both
    cancels out; ratio and interval are exp(mean ± t·s/√n) (Student; Kalibera & Jones 2013).

    Unpaired, rounds of one run and of another: exp(mean ln b − mean ln a ± t·√(s²a/na + s²b/nb)),
    of which each side scatters by its own (B. L. Welch, Biometrika 34(1–2), 1947), with
    (va + vb)² / (va²/(na − 1) + vb²/(nb − 1)) degrees of freedom, v = s²/n (F. E. Satterthwaite,
    Biometrics Bull. 2(6), 1946).

    `better` or `worse` where the 95 % interval excludes 1, however small the difference; else
    `equivalent` where the 90 % interval lies inside the MARGIN, taken as 1 / (1 + MARGIN) to
    1 + MARGIN (two one-sided tests: D. J. Schuirmann, J. Pharmacokin. Biopharm. 15, 1987); else
    `undecided`.

    Args:
        a, b: positive values of both, at least one each; paired: in the same order of rounds.
        higher_is_better: what makes b better than a.
        paired: whether each round measured both.
    """
    logs_a, logs_b = np.log(np.asarray(a, np.float64)), np.log(np.asarray(b, np.float64))
    rounds = min(len(logs_a), len(logs_b))
    mean = float((logs_b - logs_a).mean() if paired else logs_b.mean() - logs_a.mean())
    if rounds < LEAST_ROUNDS:
        return Difference(rounds, math.exp(mean), None, None, None, None, None, "undecided")
    if paired:
        sd_log: float | None = float((logs_b - logs_a).std(ddof=1))
        error, freedom = _standard_error(logs_b - logs_a), float(rounds - 1)
    else:
        sd_log = None
        error, freedom = _welch(logs_a, logs_b)
    reach = _t(1 - ALARM / 2, freedom) * error
    if abs(mean) > reach:
        verdict: Verdict = "better" if (mean > 0) == higher_is_better else "worse"
    elif abs(mean) + _t(0.95, freedom) * error < math.log1p(MARGIN):
        verdict = "equivalent"
    else:
        verdict = "undecided"
    return Difference(
        rounds=rounds,
        ratio=math.exp(mean),
        low=math.exp(mean - reach),
        high=math.exp(mean + reach),
        sd_log=sd_log,
        smallest_detectable_ratio=math.exp(_detectable_log(error, freedom)),
        p=min(1.0, 2 * _tail(abs(mean), error, freedom)),
        verdict=verdict,
        error_log=error,
        freedom=freedom,
    )


def equivalence_p(measured: Difference) -> float:
    """The p-value of `equivalent`: of two one-sided tests, the larger (Schuirmann 1987).

    1 where there are fewer than three rounds.
    """
    if measured.error_log is None or measured.freedom is None:
        return 1.0
    inside = math.log1p(MARGIN) - abs(math.log(measured.ratio))
    return _tail(inside, measured.error_log, measured.freedom)


def beyond_p(measured: Difference, ratio: float, *, above: bool) -> float | None:
    """The p-value of "the true ratio lies above this one" (or below it), two-sided.

    It is under 5 % exactly where the whole 95 % interval lies beyond, so a ratio that is not beyond
    has a chance of 2.5 % at most. None under three rounds. The ratio is positive.
    """
    if measured.error_log is None or measured.freedom is None:
        return None
    beyond = math.log(measured.ratio) - math.log(ratio)
    return min(1.0, 2 * _tail(beyond if above else -beyond, measured.error_log, measured.freedom))


def rounds_needed(sd_log: float, ratio: float) -> int:
    """The fewest rounds (three at least) in which a true ratio shows with a power of 80 %.

    Args:
        sd_log: standard deviation of ln(b / a) over rounds.
        ratio: the true one; positive, not 1.
    """
    if ratio <= 0 or ratio == 1:
        raise ValueError(f"no number of rounds shows a ratio of {ratio}")

    def excess_log(rounds: int) -> float:
        """By how much the ratio exceeds what so many rounds detect; it grows with them."""
        return abs(math.log(ratio)) - _detectable_log(sd_log / math.sqrt(rounds), rounds - 1)

    return bisect_left(range(MOST_ROUNDS), 0.0, lo=LEAST_ROUNDS, key=excess_log)


def detectable_ratio(sd_log: float, rounds: int) -> float:
    """The true ratio (or its inverse) that so many rounds show with a power of 80 %.

    exp((t₀.₉₇₅ + t₀.₈)·s/√n) with n − 1 degrees of freedom (Bloom 1995).

    Args:
        sd_log: standard deviation of ln(b / a) over rounds.
        rounds: three at least.
    """
    if rounds < LEAST_ROUNDS:
        raise ValueError(f"{rounds} rounds give no interval")
    return math.exp(_detectable_log(sd_log / math.sqrt(rounds), rounds - 1))


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that at most 5 % of what is below 5 % is false, in expectation.

    Y. Benjamini & Y. Hochberg, J. R. Stat. Soc. B 57(1), 1995. In the order given.
    """
    adjusted, least = [0.0] * len(p), 1.0
    for larger, index in enumerate(sorted(range(len(p)), key=p.__getitem__, reverse=True)):
        least = min(least, len(p) / (len(p) - larger) * p[index])
        adjusted[index] = least
    return adjusted


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that any false one below 5 % has a chance of 5 %.

    S. Holm, Scand. J. Stat. 6(2), 1979. In the order given.
    """
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def where_known(
    adjust: Callable[[Sequence[float]], list[float]], p: Sequence[float | None]
) -> list[float | None]:
    """p-values adjusted as one family, of which some are not known and stay so."""
    adjusted = iter(adjust([value for value in p if value is not None]))
    return [None if value is None else next(adjusted) for value in p]


def clopper_pearson(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share, `count` of so many.

    C. J. Clopper & E. S. Pearson, Biometrika 26(4), 1934, as quantiles of beta distributions.
    """
    tail = (1 - confidence) / 2
    low = betaincinv(count, of - count + 1, tail) if count > 0 else 0.0
    high = betaincinv(count + 1, of - count, 1 - tail) if count < of else 1.0
    return float(low), float(high)


type _Logs = np.ndarray[tuple[int], np.dtype[np.float64]]


def _standard_error(logs: _Logs) -> float:
    return float(logs.std(ddof=1)) / math.sqrt(len(logs))


def _welch(a: _Logs, b: _Logs) -> tuple[float, float]:
    """Standard error of the difference of two means, and its degrees of freedom."""
    of_a, of_b = _standard_error(a) ** 2, _standard_error(b) ** 2
    if of_a + of_b == 0:  # all rounds agree to the last digit
        return 0.0, float(len(a) + len(b) - 2)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    return math.sqrt(of_a + of_b), freedom


def _t(quantile: float, freedom: float) -> float:
    """Student's quantile."""
    return float(stdtrit(freedom, quantile))


def _detectable_log(error: float, freedom: float) -> float:
    """(t₀.₉₇₅ + t₀.₈)·s/√n: H. S. Bloom, "Minimum Detectable Effects", Eval. Rev. 19(5), 1995."""
    return (_t(1 - ALARM / 2, freedom) + _t(POWER, freedom)) * error


def _tail(distance: float, error: float, freedom: float) -> float:
    """The chance that a mean falls so far on one side of the truth, or further."""
    if error == 0:  # all rounds agree to the last digit
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(freedom, -distance / error))
