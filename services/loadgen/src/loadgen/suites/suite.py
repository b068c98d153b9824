"""A suite: one question and the cases that answer it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from loadgen.lab.http_clients import HttpClient
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare, DuetPair, Pair, by_trials, duet_pairs, only_in_duets
from loadgen.suites.search import Rules
from loadgen.suites.suite_file import Expected
from loadgen.suites.timing import Timing
from loadgen.suites.waterfall import Waterfall


@dataclass(frozen=True)
class Published:
    """A row of an article's table: which case it was, and its figures by column name."""

    axes: Mapping[str, object]
    figures: Mapping[str, float]

    def describes(self, case: Mapping[str, object]) -> bool:
        """Whether the case (as cells) has all the axes of this row."""
        return all(case.get(axis) == value for axis, value in self.axes.items())


@dataclass(frozen=True)
class Suite:
    """A question and the cases that answer it.

    Attributes:
        name: the file's name without its ending.
        question: what the suite asks, one sentence.
        cases: in the file's order, without the impossible ones.
        left_out: sentences that say which combinations are impossible, or which axes say nothing,
            and why.
        rounds: how often every case is measured by default.
        minutes: that a run of it may take; None: as long as its rounds do.
        most_rounds: in these minutes; None: as many as fit.
        fewer_cases: they stand in order of importance, and the last are left out before a run is
            refused for want of time.
        sort: the column its closing table sorts by; None: the file's order.
        timing: how its trials are timed.
        published: an article's figures.
        compare: the comparisons that it asks for.
        waterfalls: cases of which each is one change away from the one before.
        self_test: it asks about the lab itself, not about servers.
        expect: what its comparisons should say; None: nobody knows.
        http_clients: what each HTTP client can do, by name.
        narrowed_from: all its cases, where the command line has left some out.
        search: how the capacity of each case's stack is searched; None: it is not.
        native_views: server → the view that its cases have where the file does not say.
        always_on: its servers that the lab cannot start anew, and so not two at once.
    """

    name: str
    question: str
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]
    rounds: int
    sort: str | None
    timing: Timing
    published: tuple[Published, ...]
    compare: tuple[Compare, ...]
    waterfalls: tuple[Waterfall, ...] = ()
    self_test: bool = False
    expect: Expected | None = None
    minutes: float | None = None
    most_rounds: int | None = None
    fewer_cases: bool = False
    http_clients: Mapping[str, HttpClient] = field(default_factory=dict)
    narrowed_from: tuple[Case, ...] | None = None
    search: Rules | None = None
    native_views: Mapping[str, str] = field(default_factory=dict)
    always_on: frozenset[str] = frozenset()

    @property
    def whole(self) -> tuple[Case, ...]:
        """All its cases, those included that the command line has left out."""
        return self.cases if self.narrowed_from is None else self.narrowed_from

    @property
    def duets(self) -> list[DuetPair]:
        """The pairs that are under load at once; those of which both sides are left."""
        return duet_pairs(self.compare, self.cases, self.always_on)

    @property
    def alone(self) -> list[Case]:
        """The cases that have trials of their own: all but those of which only duets are asked.

        Of steps of a waterfall, of stacks of a search and of published figures more is asked.
        """
        if self.waterfalls or self.search or self.published:
            return list(self.cases)
        in_duets = only_in_duets(self.compare, self.whole, self.always_on)
        return [case for case in self.cases if case not in in_duets]

    @property
    def pairs(self) -> list[Pair]:
        """The cases whose own trials are compared, each pair once; those left after narrowing."""
        pairs = [
            pair
            for entry in self.compare
            for pair in entry.pairs(self.cases)
            if by_trials(entry, pair, self.always_on)
        ]
        for waterfall in self.waterfalls:
            pairs += [pair for pair in waterfall.pairs if set(pair) <= set(self.cases)]
        return list(dict.fromkeys(pairs))


def native_views(suites: Iterable[Suite]) -> dict[str, str]:
    """Server → the view that it has where nobody says, of all these suites."""
    return {server: view for suite in suites for server, view in suite.native_views.items()}
