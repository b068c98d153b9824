"""The duets that a run has rows of: what was under load at once, and what was measured instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen.duets.duet import with_load
from loadgen.duets.load import load_of, why_given_up
from loadgen.records.columns import Row, rows_by_duet
from loadgen.suites.cases import Case
from loadgen.suites.pairs import DuetPair
from loadgen.suites.suite import Suite


@dataclass(frozen=True)
class DuetOfARun:
    """A pair of cases with its rows.

    Attributes:
        key: unlike any other duet's of the run, and no case's.
        suite: the first that asks for it.
        a, b: its sides; these cases have no load.
        of_a, of_b: the rows of each, one a round.
    """

    key: str
    suite: Suite
    a: Case
    b: Case
    of_a: Sequence[Row]
    of_b: Sequence[Row]

    @property
    def rows(self) -> list[Row]:
        """Those of both."""
        return [*self.of_a, *self.of_b]

    @property
    def load(self) -> float | None:
        """Arrivals a second each that were found, or at which it was given up; None: neither."""
        return next(filter(None, map(load_of, self.rows)), None)

    @property
    def why_given_up(self) -> str:
        """Why there is no load for both, in words; empty where it was not given up."""
        return why_given_up(self.rows)

    @property
    def in_its_place(self) -> list[tuple[Case, Case]]:
        """Of each side of one that was given up: the side, and the case that was measured."""
        if not (self.load and self.why_given_up):
            return []
        return [(side, with_load(side, self.load)) for side in (self.a, self.b)]


def duets_of_a_run(suites: Iterable[Suite], rows: Iterable[Row]) -> list[DuetOfARun]:
    """Those that these suites ask for and that have rows, in the suites' order."""
    asked: dict[frozenset[str], tuple[Suite, DuetPair]] = {}
    for suite in suites:
        for pair in suite.duets:
            asked.setdefault(pair.key, (suite, pair))
    by_side = rows_by_duet(rows)
    found = []
    for number, (suite, pair) in enumerate(asked.values(), start=1):
        a, b = pair.a, pair.b
        of_a, of_b = (by_side.get(key, []) for key in ((a.slug, b.slug), (b.slug, a.slug)))
        if of_a or of_b:
            found.append(DuetOfARun(f"{suite.name}-duet{number}", suite, a, b, of_a, of_b))
    return found
