"""Which cases a suite compares with each other, and so measures next to each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random

from loadgen.cases import Case

AXES = tuple(field.name for field in fields(Case))

type Pair = tuple[Case, Case]
#: Axis → the values that it may have.
type Matcher = Mapping[str, tuple[object, ...]]


@dataclass(frozen=True)
class Compare:
    """A `[[compare]]` entry of a suite: each case of the one side against its like on the other.

    Attributes:
        a, b: what selects the sides. The question is always how b does against a.
        metrics: the columns that are compared.
        words: a claim, which holds where b is better than a; None: a question.
        planted: by how much b was made larger than a on purpose, by metric, in the metric's unit.
        change: what a reader does who goes from a to b, such as `share the client`; None: nobody
            is asked to.
    """

    a: Matcher
    b: Matcher
    metrics: tuple[str, ...]
    words: str | None
    planted: Mapping[str, float]
    change: str | None = None

    def pairs(self, cases: Sequence[Case]) -> Iterator[Pair]:
        """Every case of `a` with each case of `b` that equals it on the axes that neither names.

        Where servers are compared their views follow them: `view` counts only if it is named.
        """
        named = {*self.a, *self.b}
        if "server" in named:
            named.add("view")
        shared = [axis for axis in AXES if axis not in named]
        for a in cases:
            for b in cases:
                alike = all(getattr(a, axis) == getattr(b, axis) for axis in shared)
                if a != b and alike and matches(self.a, a) and matches(self.b, b):
                    yield a, b


def matches(matcher: Matcher, case: Case) -> bool:
    """Whether a case has one of the values on every axis that is named."""
    return all(getattr(case, axis) in values for axis, values in matcher.items())


def blocks(cases: Iterable[Case], pairs: Iterable[Pair]) -> list[list[Case]]:
    """The cases, those together that pairs join, directly or through others; in their order."""
    block_of = {case: [case] for case in cases}
    for a, b in pairs:
        if a in block_of and b in block_of and block_of[a] is not block_of[b]:
            block_of[a] += block_of[b]
            for case in block_of[b]:
                block_of[case] = block_of[a]
    return list({id(block): block for block in block_of.values()}.values())


def shuffled(block: Sequence[Case], pairs: Iterable[Pair], random: Random) -> list[Case]:
    """A block in random order.

    Where it is a ring, each case compared with two others, it is walked around from a random case
    in a random direction: so all pairs but one stand next to each other. The two orders of a
    waterfall are such a ring.
    """
    around = _ring(block, pairs)
    if around is None:
        return random.sample(block, len(block))
    start = random.randrange(len(around))
    turned = [*around[start:], *around[:start]]
    return turned if random.random() < 0.5 else turned[::-1]


def _ring(block: Sequence[Case], pairs: Iterable[Pair]) -> list[Case] | None:
    """The block in the order of a walk around it; None where it is no ring."""
    partners: dict[Case, set[Case]] = {case: set() for case in block}
    for a, b in pairs:
        if a in partners and b in partners:
            partners[a].add(b)
            partners[b].add(a)
    if any(len(partners[case]) != 2 for case in block):
        return None
    walk = [block[0]]
    while left := [case for case in block if case in partners[walk[-1]] and case not in walk]:
        walk.append(left[0])
    return walk
