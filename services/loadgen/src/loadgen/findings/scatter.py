"""How much the differences of pairs scatter over rounds, of one run and of a machine's runs."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loadgen.findings.both_sides import BothSides, same_rounds
from loadgen.records.columns import Row, attempts_by_case
from loadgen.records.scatter_file import Spread, SpreadsByRun

#: Nearly idle, busy, or full: the shares of the app's CPU at which a bin begins.
BUSY_FROM = (0.0, 0.5, 0.9)
#: What is kept counts for no more degrees of freedom than this beside a new run, and so does the
#: new one. So a long run weighs as much as all before it, and a machine that has changed is
#: forgotten within a few.
MOST_FREEDOM = 30.0
LEAST_ROUNDS_OF_A_SPREAD = 2
#: Metric, how it was measured, and where its bin begins.
type SpreadKey = tuple[str, str, float]
#: The slugs of two cases, and the metric in which they are compared.
type ComparedPair = tuple[str, str, str]


@dataclass(frozen=True)
class Scatter:
    """What a machine has shown so far.

    Attributes:
        spreads: one for each metric, way of measuring and bin of how busy the CPU was.
    """

    spreads: Mapping[SpreadKey, Spread] = field(default_factory=dict)

    def sd_log(self, metric: str, busy_share: float | None, by: str = "trials") -> float | None:
        """Standard deviation of ln(b / a) over rounds; None where nothing is kept.

        Args:
            metric: the column of trials.csv.
            busy_share: of the app's CPU; None: whatever it was, all bins together.
            by: `trials` or `duet`: how the pair is measured.
        """
        if busy_share is not None:
            found = self.spreads.get((metric, by, busy_from(busy_share)))
            return found.sd_log if found else None
        every = [spread for key, spread in self.spreads.items() if key[:2] == (metric, by)]
        return pooled(every).sd_log if every else None


def busy_from(busy_share: float) -> float:
    """Where the bin begins that a share of the app's CPU lies in."""
    return max(begin for begin in BUSY_FROM if begin <= max(busy_share, 0.0))


def pooled(spreads: Sequence[Spread]) -> Spread:
    """Spreads of one kind as one: √(Σ νs² / Σ ν), as those of a common variance are pooled.

    Args:
        spreads: one at least; of the first comes what they are of.
    """
    freedom = sum(spread.freedom for spread in spreads)
    squares = sum(spread.freedom * spread.sd_log**2 for spread in spreads)
    return replace(spreads[0], sd_log=math.sqrt(squares / freedom), freedom=freedom)


def scatter_of(runs: SpreadsByRun) -> Scatter:
    """What the runs of a machine say together, the newest with the most weight (MOST_FREEDOM)."""
    known: dict[SpreadKey, Spread] = {}
    for spreads in runs.values():
        for spread in spreads:
            before = known.get(_key(spread))
            both = [before, spread] if before else [spread]
            known[_key(spread)] = pooled([_capped(each) for each in both])
    return Scatter(known)


def spreads_of(pairs: Iterable[ComparedPair], rows: Sequence[Row]) -> list[Spread]:
    """What one run shows: of each pair over the rounds that measured both, and of duets; pooled.

    Pairs that share a case are not independent of each other: their pooled spread is right, and
    rests on somewhat less than its degrees of freedom say.

    Args:
        pairs: the slugs of two cases, and a metric in which they can be compared.
        rows: of the run.
    """
    by_kind: dict[SpreadKey, list[Spread]] = {}
    for spread in (*_of_trials(pairs, rows), *_of_duets(rows)):
        by_kind.setdefault(_key(spread), []).append(spread)
    return [pooled(spreads) for spreads in by_kind.values()]


def _key(spread: Spread) -> SpreadKey:
    return spread.metric, spread.by, spread.busy_from


def _capped(spread: Spread) -> Spread:
    return replace(spread, freedom=min(spread.freedom, MOST_FREEDOM))


def _of_trials(pairs: Iterable[ComparedPair], rows: Iterable[Row]) -> Iterator[Spread]:
    by_case = attempts_by_case(rows)
    for a, b, metric in pairs:
        both = same_rounds(by_case.get(a, ()), by_case.get(b, ()))
        yield from _of_rounds(both, metric, "trials", max)


def _of_duets(rows: Iterable[Row]) -> Iterator[Spread]:
    """Both sides of a duet keep the same CPUs busy, so what they take of it adds up."""
    sides: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.is_of_duet:
            sides.setdefault((row.case, row.text("partner")), []).append(row)
    for (case, partner), a in sides.items():
        if case < partner:
            both = same_rounds(a, sides.get((partner, case), ()))
            yield from _of_rounds(both, "app_cpu_ms_per_view", "duet", sum)


def _of_rounds(
    measured: BothSides, metric: str, by: str, together: Callable[[tuple[float, float]], float]
) -> Iterator[Spread]:
    """The spread of one pair's differences; none under two rounds.

    Args:
        measured: both sides, in the same rounds.
        together: what both sides' shares of the app's CPU come to.
    """
    both = measured.those(lambda row: row.is_ranked_for(metric)).knowing(metric)
    a, b = (np.asarray(values, np.float64) for values in both.values(metric))
    if len(a) < LEAST_ROUNDS_OF_A_SPREAD or min(a.min(), b.min()) <= 0:
        return
    shares = [
        together((row_a.number("app_cpu_share") or 0.0, row_b.number("app_cpu_share") or 0.0))
        for row_a, row_b in both.pairs
    ]
    sd_log = float(np.log(b / a).std(ddof=1))
    yield Spread(metric, by, busy_from(sum(shares) / len(shares)), sd_log, len(a) - 1.0)
