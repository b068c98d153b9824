"""Distributions of known quantiles, as lists of answers for the API to play."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

#: The median of every distribution, milliseconds.
MEDIAN_MS = 100.0
#: Half of the uniform distribution's width, and the lognormal one's σ.
HALF_WIDTH_MS = 50.0
SIGMA = 0.5

#: An answer as the API's `/-/play` has it.
type PlannedAnswer = dict[str, float | int]


@dataclass(frozen=True)
class Distribution:
    """A distribution of delays, with its quantile function: a share in (0, 1) → milliseconds."""

    mean_ms: float
    quantile_ms: Callable[[float], float]


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "fixed": Distribution(MEDIAN_MS, lambda _: MEDIAN_MS),
    "uniform": Distribution(MEDIAN_MS, lambda p: MEDIAN_MS + HALF_WIDTH_MS * (2 * p - 1)),
    # ln X is normal with mean ln(median), so the mean of X is median · exp(σ²/2).
    "lognormal": Distribution(
        MEDIAN_MS * math.exp(SIGMA**2 / 2),
        lambda p: MEDIAN_MS * math.exp(SIGMA * NormalDist().inv_cdf(p)),
    ),
}


@dataclass(frozen=True)
class Failures:
    """The failures of a list, as shares of its answers.

    Attributes:
        errors: whole answers with status 500.
        cut: answers that end in the midst of their first line, with the connection.
        hung_up: connections that close without a byte.
    """

    errors: float = 0
    cut: float = 0
    hung_up: float = 0

    def fields(self, count: int) -> list[PlannedAnswer]:
        """What makes each failing one of so many answers fail; at least one of each kind asked."""
        kinds: Sequence[tuple[float, PlannedAnswer]] = (
            (self.errors, {"status": 500}),
            (self.cut, {"bytes": len("HTTP/1.1 ")}),
            (self.hung_up, {"bytes": 0}),
        )
        return [how for share, how in kinds if share for _ in range(max(1, round(share * count)))]


def planned_answers(
    distribution: Distribution, count: int, failures: Failures, random_: random.Random
) -> list[PlannedAnswer]:
    """The quantiles (i − 0.5)/n of a distribution, n = `count`, in shuffled order.

    A failing answer takes its time too.
    """
    answers: list[PlannedAnswer] = [
        {"ms": round(distribution.quantile_ms((number + 0.5) / count), 3)}
        for number in range(count)
    ]
    random_.shuffle(answers)
    failing = failures.fields(count)
    for place, how in zip(random_.sample(range(count), len(failing)), failing, strict=True):
        answers[place] |= how
    return answers
