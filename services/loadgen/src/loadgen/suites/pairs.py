"""Which cases a suite compares with each other, and so measures next to each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from loadgen.suites.cases import Case

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
