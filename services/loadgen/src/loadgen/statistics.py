"""Rounds are the replicates: means and intervals over rounds, never over requests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Fewer rounds than this give no interval.
LEAST_ROUNDS = 3


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
    margin = float(
        stats.t.ppf((1 + confidence) / 2, len(values) - 1)
        * logs.std(ddof=1)
        / math.sqrt(len(values))
    )
    return Interval(math.exp(mean), math.exp(mean - margin), math.exp(mean + margin))
