"""Rounds are the replicates: means, intervals and differences over rounds, never over requests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from scipy.special import stdtr, stdtrit

Verdict = Literal["better", "worse", "equivalent", "undecided"]

#: Fewer rounds than this give no interval.
LEAST_ROUNDS = 3
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
    """How much larger b is than a, over the rounds in which both were measured.

    Attributes:
        rounds: how many.
        ratio: geometric mean of b / a.
        low, high: its 95 % interval; None under three rounds.
        sd_log: standard deviation of ln(b / a) over rounds; None under three.
        smallest_detectable_ratio: a true ratio of this size (or its inverse) would have shown in
            80 % of such runs; None under three rounds.
        p: two-sided, of a ratio this far from 1 where there is none; None under three rounds.
        verdict: of b against a.
    """

    rounds: int
    ratio: float
    low: float | None
    high: float | None
    sd_log: float | None
    smallest_detectable_ratio: float | None
    p: float | None
    verdict: Verdict


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
    margin = _t((1 + confidence) / 2, len(values)) * _standard_error(logs)
    return Interval(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))


def difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    higher_is_better: bool = True,
    margin: float = MARGIN,
) -> Difference:
    """Compare two cases of which each round measured both.

    d = ln(b / a) by round, so that what a round does to both cancels out; ratio and interval are
    exp(mean ± t·s/√n) (Student; Kalibera & Jones 2013). `better` or `worse` where the 95 % interval
    excludes 1, however small the difference; else `equivalent` where the 90 % interval lies inside
    the margin, taken as 1 / (1 + margin) to 1 + margin (two one-sided tests: D. J. Schuirmann,
    J. Pharmacokin. Biopharm. 15, 1987); else `undecided`.

    Args:
        a, b: positive values of both, in the same order of rounds; at least one.
        higher_is_better: what makes b better than a.
        margin: the largest difference that does not matter.
    """
    logs = np.log(np.asarray(b, dtype=np.float64)) - np.log(np.asarray(a, dtype=np.float64))
    mean, rounds = float(logs.mean()), len(logs)
    if rounds < LEAST_ROUNDS:
        return Difference(rounds, math.exp(mean), None, None, None, None, None, "undecided")
    sd_log, error = float(logs.std(ddof=1)), _standard_error(logs)
    reach = _t(1 - ALARM / 2, rounds) * error
    if abs(mean) > reach:
        verdict: Verdict = "better" if (mean > 0) == higher_is_better else "worse"
    elif abs(mean) + _t(0.95, rounds) * error < math.log1p(margin):
        verdict = "equivalent"
    else:
        verdict = "undecided"
    return Difference(
        rounds=rounds,
        ratio=math.exp(mean),
        low=math.exp(mean - reach),
        high=math.exp(mean + reach),
        sd_log=sd_log,
        smallest_detectable_ratio=math.exp(_detectable_log(sd_log, rounds)),
        p=_two_sided_p(mean, error, rounds),
        verdict=verdict,
    )


def equivalence_p(found: Difference, margin: float = MARGIN) -> float:
    """The p-value of `equivalent`: of two one-sided tests, the larger (Schuirmann 1987).

    1 where there are fewer than three rounds.
    """
    if found.sd_log is None:
        return 1.0
    inside = math.log1p(margin) - abs(math.log(found.ratio))
    error = found.sd_log / math.sqrt(found.rounds)
    if error == 0:  # all rounds agree to the last digit
        return 0.0 if inside > 0 else 1.0
    return float(stdtr(found.rounds - 1, -inside / error))


def rounds_needed(sd_log: float, ratio: float) -> int:
    """The fewest rounds (three at least) in which a true ratio shows with a power of 80 %.

    Args:
        sd_log: standard deviation of ln(b / a) over rounds.
        ratio: the true one; positive, not 1.
    """
    if ratio <= 0 or ratio == 1:
        raise ValueError(f"no number of rounds shows a ratio of {ratio}")
    enough = LEAST_ROUNDS
    while _detectable_log(sd_log, enough) > abs(math.log(ratio)):
        enough *= 2
    too_few = max(enough // 2, LEAST_ROUNDS - 1)
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _detectable_log(sd_log, middle) > abs(math.log(ratio)):
            too_few = middle
        else:
            enough = middle
    return enough


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that at most 5 % of what is below 5 % is false, in expectation.

    Y. Benjamini & Y. Hochberg, J. R. Stat. Soc. B 57(1), 1995. In the order given.
    """
    return [float(value) for value in stats.false_discovery_control(p)] if p else []


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that any false one below 5 % has a chance of 5 %.

    S. Holm, Scand. J. Stat. 6(2), 1979. In the order given.
    """
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def clopper_pearson(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share, `count` of so many.

    C. J. Clopper & E. S. Pearson, Biometrika 26(4), 1934.
    """
    found = stats.binomtest(count, of).proportion_ci(confidence, method="exact")
    return float(found.low), float(found.high)


def _standard_error(logs: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(logs.std(ddof=1)) / math.sqrt(len(logs))


def _t(quantile: float, rounds: int) -> float:
    """Student's quantile for a mean over so many rounds."""
    return float(stdtrit(rounds - 1, quantile))


def _detectable_log(sd_log: float, rounds: int) -> float:
    """(t₀.₉₇₅ + t₀.₈)·s/√n: H. S. Bloom, "Minimum Detectable Effects", Eval. Rev. 19(5), 1995."""
    return (_t(1 - ALARM / 2, rounds) + _t(POWER, rounds)) * sd_log / math.sqrt(rounds)


def _two_sided_p(mean: float, error: float, rounds: int) -> float:
    if error == 0:  # all rounds agree to the last digit
        return 1.0 if mean == 0 else 0.0
    return 2 * float(stdtr(rounds - 1, -abs(mean) / error))
