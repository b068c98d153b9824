"""When the requests of an open load are due: a schedule that no answer changes."""

import math
import random
from collections.abc import Callable, Iterator
from itertools import count

from loadgen.suites.cases import Arrivals

SECOND_NS = 1_000_000_000


def warm_up_seed(seed: int) -> int:
    """What the arrivals before a window are drawn with, whose own have the seed."""
    return seed + 1


def instants_ns(
    rate_rps: float, seconds: float, arrivals: Arrivals, seed: int | None
) -> Iterator[int]:
    """The arrivals of a load, ns since its start, in their order.

    `poisson`: independent of each other, as of many people who do not know each other: the gaps are
    exponential, -ln(1 - u) / rate for u uniform in [0, 1). (W. Feller, "An Introduction to
    Probability Theory and Its Applications" II, 2nd ed. 1971, I.4.) `constant`: one every 1 / rate.
    `jittered`: one in each 1 / rate, at an instant drawn uniformly from it, so that as many come in
    any stretch, and never in step. (R. L. Cook, "Stochastic Sampling in Computer Graphics", ACM
    Transactions on Graphics 5(1), 1986.)

    Args:
        rate_rps: mean number of arrivals a second.
        seconds: length of the load; none is due at its end or later. It may have no end.
        arrivals: how they are spaced.
        seed: of the random ones: the same seed gives the same instants.
    """
    end_ns = seconds * SECOND_NS
    for due_ns in SPACED[arrivals](rate_rps, random.Random(seed)):
        if due_ns >= end_ns:
            return
        yield int(due_ns)


# Only `random()` is promised to give the same numbers in every version of Python.
def _at_random(rate_rps: float, draw: random.Random) -> Iterator[float]:
    due_ns = 0.0
    while True:
        due_ns -= math.log(1 - draw.random()) * SECOND_NS / rate_rps
        yield due_ns


def _evenly(rate_rps: float, _: random.Random) -> Iterator[float]:
    return (number * SECOND_NS / rate_rps for number in count())


def _one_in_each(rate_rps: float, draw: random.Random) -> Iterator[float]:
    return ((number + draw.random()) * SECOND_NS / rate_rps for number in count())


SPACED: dict[Arrivals, Callable[[float, random.Random], Iterator[float]]] = {
    "poisson": _at_random,
    "constant": _evenly,
    "jittered": _one_in_each,
}
