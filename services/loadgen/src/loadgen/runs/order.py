"""The order of each round: random, with compared cases next to each other as far as that goes.

A machine changes from minute to minute, so what is compared should be measured one after the other.
But a round measures each case once, and a case has two neighbours at most. So each round makes
neighbours of as many compared cases as it can, of others than the rounds before, and keeps the rest
as near as it can: it looks for a small

    Σ w · log₂ |distance|   over the compared pairs,
    w = 1 / (1 + earlier rounds in which they were neighbours)

which the logarithm makes a matter of neighbours first. (Without weights this is the minimum
logarithmic arrangement of F. Chierichetti et al., "On Compressing Social Networks", KDD 2009.) Each
round goes from a random order to the nearest one that no single move betters, so it is random too.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from math import log2
from random import Random

from loadgen.suites.cases import Case
from loadgen.suites.pairs import DuetPair, Pair

#: What a round measures once: a case by itself, or two in a duet.
type Item = Case | DuetPair

#: Two cases of a block, by number, and how much their distance matters.
type _Pull = tuple[int, int, float]
type _Order = list[int]

#: A move that betters an order by less than this may do so by rounding alone.
ROUNDING = 1e-9
#: So many are looked at for a block and round, within about half a second. That is far more than
#: the lab's suites need; 40 cases, each compared with each, stop short.
MOST_DISTANCES = 2_000_000


class RoundOrders:
    """The orders of a run's rounds, one after the other.

    Of Python's generator only `random()` is used, which alone is promised to give the same numbers
    in every version: a run that is resumed goes on in its own order.

    Args:
        pairs: the cases that are compared.
        seed: of the orders.
    """

    def __init__(self, pairs: Iterable[Pair], seed: int) -> None:
        self._pairs = list(dict.fromkeys(pairs))
        self._random = Random(seed).random
        self._were_neighbours: Counter[Pair] = Counter()
        #: How often a went before b, less how often it went after it.
        self._lead: Counter[Pair] = Counter()

    def next[Each: Item](self, items: Sequence[Each]) -> list[Each]:
        """The cases and duets of the next round, each once.

        Those that pairs join, directly or through others, stay together as a block. Of a block and
        its mirror image that is taken which lets first be measured what came second before.
        """
        blocks = [self._arranged(block) for block in joined_by(items, self._pairs)]
        order = [case for block in self._shuffled(blocks) for case in block]
        place = {case: at for at, case in enumerate(order)}
        for a, b in self._pairs:
            if a in place and b in place:
                self._were_neighbours[a, b] += abs(place[a] - place[b]) == 1
                self._lead[a, b] += 1 if place[a] < place[b] else -1
        return order

    def _arranged[Each: Item](self, block: Sequence[Each]) -> list[Each]:
        if len(block) == 1:
            return list(block)
        number: dict[Item, int] = {case: at for at, case in enumerate(block)}
        pairs = [pair for pair in self._pairs if set(pair) <= number.keys()]
        pulls = [(number[a], number[b], 1 / (1 + self._were_neighbours[a, b])) for a, b in pairs]
        order = _settled(self._shuffled(range(len(block))), pulls)
        place = {case: at for at, case in enumerate(order)}
        lead = sum(
            self._lead[a, b] * (1 if place[number[a]] < place[number[b]] else -1) for a, b in pairs
        )
        if lead > 0 or (lead == 0 and self._random() < 0.5):
            order.reverse()
        return [block[case] for case in order]

    def _shuffled[T](self, items: Iterable[T]) -> list[T]:
        return sorted(items, key=lambda _: self._random())


def joined_by[Each: Hashable](
    items: Iterable[Each], pairs: Iterable[tuple[Hashable, Hashable]]
) -> list[list[Each]]:
    """The items, those that pairs join together, directly or through others; in the order of their
    first ones.
    """
    block_of: dict[Hashable, list[Each]] = {item: [item] for item in items}
    for a, b in pairs:
        if a in block_of and b in block_of and block_of[a] is not block_of[b]:
            block_of[a] += block_of[b]
            for case in block_of[b]:
                block_of[case] = block_of[a]
    return list({id(block): block for block in block_of.values()}.values())


def _settled(order: _Order, pulls: Sequence[_Pull]) -> _Order:
    """An order that no single move betters, from this one on; of a large block, one near it."""
    moves = list(_moves(len(order), pulls))
    least, in_vain = _strain(order, pulls), 0
    for move in islice(cycle(moves), MOST_DISTANCES // len(pulls)):
        moved = move(order)
        strain = _strain(moved, pulls)
        in_vain += 1
        if strain < least - ROUNDING:
            order, least, in_vain = moved, strain, 0
        if in_vain == len(moves):
            break
    return order


def _strain(order: _Order, pulls: Iterable[_Pull]) -> float:
    """How far apart compared cases are."""
    place = [0] * len(order)
    for at, case in enumerate(order):
        place[case] = at
    return sum([weight * log2(abs(place[a] - place[b])) for a, b, weight in pulls])


def _moves(size: int, pulls: Iterable[_Pull]) -> Iterator[Callable[[_Order], _Order]]:
    """A case goes beside one that it is compared with, or a stretch is turned around."""
    for a, b, _ in pulls:
        for case, other in ((a, b), (b, a)):
            yield partial(_beside, case, other, 0)
            yield partial(_beside, case, other, 1)
    for begin in range(size):
        for end in range(begin + 2, size + 1):
            yield partial(_turned, begin, end)


def _beside(case: int, other: int, after: int, order: _Order) -> _Order:
    rest = [each for each in order if each != case]
    at = rest.index(other) + after
    return [*rest[:at], case, *rest[at:]]


def _turned(begin: int, end: int, order: _Order) -> _Order:
    return [*order[:begin], *reversed(order[begin:end]), *order[end:]]
