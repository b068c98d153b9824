"""Which cases a suite compares with each other, and so measures next to each other."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loadgen.lab.toml_tables import TomlTable, written
from loadgen.suites.axes import tuples, values_of
from loadgen.suites.cases import Case
from loadgen.suites.mistakes import mistake

AXES = tuple(field.name for field in fields(Case))

type Pair = tuple[Case, Case]


def _values(side: object) -> object:
    """A side as written → the values that each axis of it may have."""
    if not isinstance(side, dict):
        return side
    return {
        axis: tuple(tuples(each) for each in values_of(axis, value)) for axis, value in side.items()
    }


#: Axis → the values that it may have.
type Matcher = Annotated[dict[str, tuple[Any, ...]], BeforeValidator(_values)]


class Compare(TomlTable):
    """A `[[compare]]` entry of a suite: each case of the one side against its like on the other.

    Attributes:
        a, b: what selects the sides. The question is always how b does against a.
        metrics: the columns that are compared.
        words: a claim, which holds where b is better than a; None: a question.
        change: what a reader does who goes from a to b, such as `share the client`; None: nobody
            is asked to.
        planted: by how much b was made larger than a on purpose, by metric, in the metric's unit.
        duet: whether CPU per view is measured with both sides under load at once.
    """

    a: Matcher
    b: Matcher
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("rps",)
    words: str | None = None
    change: str | None = None
    planted: dict[str, float] = Field(default_factory=dict)
    duet: bool = False

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


def comparisons(
    suite: str, compare: Sequence[Compare], cases: Sequence[Case], *, may_be_empty: bool
) -> tuple[list[Compare], list[str]]:
    """The comparisons of a suite that select something.

    Args:
        compare: as its file has them.
        cases: all that it measures.
        may_be_empty: whether there may be no case to compare; else that is a mistake.

    Returns:
        The comparisons, and sentences that say which are left out and why.

    Raises:
        ConfigurationError: one of them selects nothing.
    """
    selecting, left_out = [], []
    for number, asked in enumerate(compare, start=1):
        where = f"compare[{number}]"
        if not may_be_empty:
            _check_values(suite, f"{where}.a", asked.a, cases)
            _check_values(suite, f"{where}.b", asked.b, cases)
        what = "no case of a has a like in b that equals it on every axis they do not name"
        if next(asked.pairs(cases), None):
            selecting.append(asked)
        elif may_be_empty:
            left_out.append(f"{where}: {what}")
        else:
            raise mistake(suite, where, what)
    return selecting, left_out


def _check_values(suite: str, where: str, matcher: Matcher, cases: Sequence[Case]) -> None:
    """A value that no case has selects nothing."""
    for axis, values in matcher.items():
        present = list(dict.fromkeys(getattr(case, axis) for case in cases))
        for value in values:
            if value not in present:
                what = f"no case has {written(value)}; its cases have "
                what += ", ".join(map(written, present))
                raise mistake(suite, f"{where}.{axis}", what)
