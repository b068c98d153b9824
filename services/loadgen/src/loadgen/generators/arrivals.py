"""When the requests of an open load are due: a schedule that no answer changes."""

import math
import random
from collections.abc import Iterator
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

    Args:
        rate_rps: mean number of arrivals a second.
        seconds: length of the load; none is due at its end or later. It may have no end.
        arrivals: how they are spaced.
        seed: of the random ones: the same seed gives the same instants.
    """
    end_ns = seconds * SECOND_NS
    at_random = _at_random(SECOND_NS / rate_rps, random.Random(seed))
    evenly = (number * SECOND_NS / rate_rps for number in count())
    for due_ns in evenly if arrivals == "constant" else at_random:
        if due_ns >= end_ns:
            return
        yield int(due_ns)


def _at_random(mean_gap_ns: float, draw: random.Random) -> Iterator[float]:
    due_ns = 0.0
    while True:
        # Only `random()` is promised to give the same numbers in every version of Python.
        due_ns -= math.log(1 - draw.random()) * mean_gap_ns
        yield due_ns
