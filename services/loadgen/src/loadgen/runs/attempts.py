"""Which trials of a round are measured again: those that an instrument may have moved by more than
the margin, with all that is compared with them.

Pure: the trials of a round and the rows so far go in, the trials to be measured again come out. So
a run that was interrupted goes on by its rows alone. Only bounds and pairs are looked at, never
what came out: who is slower is not asked twice.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loadgen.records.columns import Row
from loadgen.runs.order import joined_by
from loadgen.runs.places import RowsByName
from loadgen.suites.pairs import Pair
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import MARGIN
from loadgen.trials.trial import Trial

#: A trial is measured so often at most.
MOST_ATTEMPTS = 3
#: What every trial is asked, also where nothing compares it: a row that is not ranked for it counts
#: for nothing.
ALWAYS_ASKED = frozenset({"rps"})


@dataclass(frozen=True)
class Compared:
    """What suites compare, by slugs of cases.

    Attributes:
        metrics: case → the metrics in which it is compared.
        rivals: case → the cases that it is compared with.
    """

    metrics: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rivals: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def and_pairs(self, pairs: Iterable[Pair], metrics: Iterable[str]) -> "Compared":
        """The same, and these pairs in these metrics."""
        of_case, rivals, names = dict(self.metrics), dict(self.rivals), frozenset(metrics)
        for a, b in pairs:
            for case, rival in ((a.slug, b.slug), (b.slug, a.slug)):
                of_case[case] = of_case.get(case, frozenset()) | names
                rivals[case] = rivals.get(case, frozenset()) | {rival}
        return Compared(of_case, rivals)


def compared_in(suites: Iterable[Suite]) -> Compared:
    """What these suites compare: their entries, and the steps of their waterfalls."""
    compared = Compared()
    for suite in suites:
        for entry in suite.compare:
            compared = compared.and_pairs(entry.pairs(suite.cases), entry.metrics)
        compared = compared.and_pairs(suite.pairs, ())
    return compared


def again(
    trials: Sequence[Trial], compared: Compared, rows: RowsByName, spare_s: float = math.inf
) -> Iterator[Trial]:
    """The trials of a round that are measured again, as far as its rows say so.

    What comparisons join is measured again together or not at all. Where time is short such groups
    come in the round's order, each for which there is time. That goes by bounds and by how long
    trials are planned to take: who was faster has no say in it.

    Args:
        trials: of one round, their first attempts, those in the place of a duet too. Not duets:
            what an instrument does, it does to both sides at once.
        compared: what the run compares.
        rows: those so far, by the trial's name.
        spare_s: how long they may take.
    """
    last = {trial.name: trial for trial in trials}
    had_no_time: set[str] = set()
    for attempt in range(2, MOST_ATTEMPTS + 1):
        moved = {
            name
            for name, trial in last.items()
            if (row := rows.get(trial.name)) and _may_be_moved(row, compared)
        } - had_no_time
        due = [
            trial
            for trial in trials
            if trial.name in moved
            or any(other.name in moved and _belong(trial, other, compared) for other in trials)
        ]
        for group in _groups(due, compared):
            needed_s = sum(trial.expected_s for trial in group)
            if needed_s > spare_s:
                had_no_time |= {trial.name for trial in group}
                continue
            spare_s -= needed_s
            for trial in group:
                last[trial.name] = replace(trial, attempt=attempt)
                yield last[trial.name]


def _groups(due: Sequence[Trial], compared: Compared) -> Iterator[list[Trial]]:
    """Those that comparisons join, directly or through others; all in the round's order."""
    by_case = {trial.case.slug: trial for trial in due}
    pairs = [(case, rival) for case in by_case for rival in compared.rivals.get(case, ())]
    for group in joined_by(by_case, pairs):
        yield [trial for case, trial in by_case.items() if case in group]


def _may_be_moved(row: Row, compared: Compared) -> bool:
    """Whether an instrument may have moved it by more than the margin, in a metric that is asked.

    One that could not be measured has no bounds: what it died of says something.
    """
    asked = ALWAYS_ASKED | compared.metrics.get(row.case, frozenset())
    return any(row.bound(metric) > MARGIN for metric in asked)


def _belong(trial: Trial, other: Trial, compared: Compared) -> bool:
    """Whether a trial is measured again where the other is: both are compared."""
    return other.case.slug in compared.rivals.get(trial.case.slug, ())
