"""Which cases a suite compares with each other, and so measures next to each other, or at once.

Of a `[[compare]]` entry with `duet = true` CPU per view is measured with both sides under load at
once. A duet finds a load of its own, so pairs that differ in nothing but the load are one duet.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loadgen.lab.lab import SetAxes
from loadgen.lab.toml_tables import TomlTable, written
from loadgen.suites.axes import are_set, tuples, values_of
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
        when: axes that the command line must have set so; else nobody asks. Empty: always.
        planted: by how much b was made larger than a on purpose, by metric, in the metric's unit.
        duet: whether CPU per view is measured with both sides under load at once.
    """

    a: Matcher
    b: Matcher
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("rps",)
    words: str | None = None
    change: str | None = None
    when: dict[str, Any] = Field(default_factory=dict)
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
    suite: str, compare: Sequence[Compare], cases: Sequence[Case], axes: SetAxes
) -> tuple[list[Compare], list[str]]:
    """The comparisons of a suite that select something.

    Args:
        compare: as its file has them.
        cases: all that it measures.
        axes: that the command line has set; where there are some, there may be no case to compare.
            Else that is a mistake.

    Returns:
        The comparisons, and sentences that say which are left out and why.

    Raises:
        ConfigurationError: one of them selects nothing.
    """
    selecting, left_out = [], []
    may_be_empty = bool(axes)
    for number, asked in enumerate(compare, start=1):
        if not are_set(asked.when, axes):
            continue
        where = f"compare[{number}]"
        if not may_be_empty:
            _check_values(suite, f"{where}.a", asked.a, cases)
            _check_values(suite, f"{where}.b", asked.b, cases)
        what = "a and b have no two cases that differ only in what they name"
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


# ------------------------------------------------------------------------------------------ duets

#: What a duet measures.
CPU_METRIC = "app_cpu_ms_per_view"


@dataclass(frozen=True)
class DuetPair:
    """Two cases that are under load at once.

    Attributes:
        a, b: the cases, without their loads.
        most_users: users each that are asked for; 0: none.
        most_rps: arrivals a second each that are asked for; 0: none.
    """

    a: Case
    b: Case
    most_users: float = 0.0
    most_rps: float = 0.0

    @property
    def key(self) -> frozenset[str]:
        """The same for both directions: one duet answers both."""
        return frozenset((self.a.slug, self.b.slug))


def is_in_a_duet(entry: Compare, pair: Pair, always_on: Collection[str]) -> bool:
    """Whether CPU per view of a pair is asked of a duet; not of a server that is always on, which
    tells nobody its CPU time.
    """
    return entry.duet and not any(case.server in always_on for case in pair)


def by_trials(entry: Compare, pair: Pair, always_on: Collection[str]) -> list[str]:
    """The metrics of a pair that its cases' own trials are asked for."""
    in_a_duet = is_in_a_duet(entry, pair, always_on)
    return [metric for metric in entry.metrics if metric != CPU_METRIC or not in_a_duet]


def duet_pairs(
    compare: Iterable[Compare], cases: Sequence[Case], always_on: Collection[str]
) -> list[DuetPair]:
    """The duets of a suite, each once."""
    return merged(
        _duet_pair(a, b)
        for entry in compare
        if entry.duet
        for a, b in entry.pairs(cases)
        if is_in_a_duet(entry, (a, b), always_on)
    )


def merged(pairs: Iterable[DuetPair]) -> list[DuetPair]:
    """Each duet once, with the largest load that any asks for."""
    known: dict[frozenset[str], DuetPair] = {}
    for pair in pairs:
        first = known.setdefault(pair.key, pair)
        known[pair.key] = replace(
            first,
            most_users=max(first.most_users, pair.most_users),
            most_rps=max(first.most_rps, pair.most_rps),
        )
    return list(known.values())


def only_in_duets(
    compare: Iterable[Compare], cases: Sequence[Case], always_on: Collection[str]
) -> set[Case]:
    """The cases that are compared, and only in duets: nothing asks for trials of their own."""
    in_duets: set[Case] = set()
    asked: set[Case] = set()
    entries = list(compare)
    if not any(entry.duet for entry in entries):
        return in_duets
    for entry in entries:
        for pair in entry.pairs(cases):
            (asked if by_trials(entry, pair, always_on) else in_duets).update(pair)
    return in_duets - asked


def _duet_pair(a: Case, b: Case) -> DuetPair:
    """Two cases at once, with no more of a load than both may have."""
    return DuetPair(
        a.in_a_duet,
        b.in_a_duet,
        most_users=min(case.users or 0 for case in (a, b)),
        most_rps=min(case.rate_rps or 0.0 for case in (a, b)),
    )
