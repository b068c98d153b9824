"""How much the differences of pairs scatter over rounds, of one run and of a machine's runs."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

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
#: The slugs of two cases → how long their windows were planned to be, seconds.
type Windows = Mapping[frozenset[str], float]


@dataclass(frozen=True)
class Scatter:
    """What a machine has shown so far.

    Attributes:
        runs: what each of its runs has shown, the newest last.
    """

    runs: SpreadsByRun = field(default_factory=dict)

    @cached_property
    def spreads(self) -> Mapping[SpreadKey, Spread]:
        """What its runs say together, the newest with the most weight (MOST_FREEDOM): one for each
        metric, way of measuring and bin of how busy the CPU was.
        """
        known: dict[SpreadKey, Spread] = {}
        for spreads in self.runs.values():
            for key, of_run in _by_key(spreads).items():
                both = [*filter(None, [known.get(key)]), pooled(of_run)]
                known[key] = pooled([_capped(each) for each in both])
        return known

    def within(self, longest_s: float) -> "Scatter":
        """What was shown in windows that are known to have been no longer than that, seconds."""
        return Scatter(
            {
                run: [each for each in spreads if (each.window_s or math.inf) <= longest_s]
                for run, spreads in self.runs.items()
            }
        )

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


def spreads_of(
    pairs: Iterable[ComparedPair], rows: Sequence[Row], windows: Windows | None = None
) -> list[Spread]:
    """What one run shows: of each pair over the rounds that measured both, and of duets; those in
    windows of one length pooled.

    Pairs that share a case are not independent of each other: their pooled spread is right, and
    rests on somewhat less than its degrees of freedom say.

    Args:
        pairs: the slugs of two cases, and a metric in which they can be compared.
        rows: of the run.
        windows: of its pairs and duets, as planned; None: not known.
    """
    known = windows or {}
    spreads = [*_of_trials(pairs, rows, known), *_of_duets(rows, known)]
    by_window: dict[float | None, list[Spread]] = {}
    for spread in spreads:
        by_window.setdefault(spread.window_s, []).append(spread)
    return [pooled(alike) for listed in by_window.values() for alike in _by_key(listed).values()]


def _by_key(spreads: Iterable[Spread]) -> dict[SpreadKey, list[Spread]]:
    found: dict[SpreadKey, list[Spread]] = {}
    for spread in spreads:
        key = spread.metric, spread.by, spread.busy_from
        found.setdefault(key, []).append(spread)
    return found


def _capped(spread: Spread) -> Spread:
    return replace(spread, freedom=min(spread.freedom, MOST_FREEDOM))


def _of_trials(
    pairs: Iterable[ComparedPair], rows: Iterable[Row], windows: Windows
) -> Iterator[Spread]:
    by_case = attempts_by_case(rows)
    for a, b, metric in pairs:
        both = same_rounds(by_case.get(a, ()), by_case.get(b, ()))
        yield from _of_rounds(both, metric, "trials", max, windows.get(frozenset((a, b))))


def _of_duets(rows: Iterable[Row], windows: Windows) -> Iterator[Spread]:
    """Both sides of a duet keep the same CPUs busy, so what they take of it adds up."""
    sides: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.is_of_duet:
            sides.setdefault((row.case, row.text("partner")), []).append(row)
    for (case, partner), a in sides.items():
        if case < partner:
            both = same_rounds(a, sides.get((partner, case), ()))
            window_s = windows.get(frozenset((case, partner)))
            yield from _of_rounds(both, "app_cpu_ms_per_view", "duet", sum, window_s)


def _of_rounds(
    measured: BothSides,
    metric: str,
    by: str,
    together: Callable[[tuple[float, float]], float],
    window_s: float | None,
) -> Iterator[Spread]:
    """The spread of one pair's differences; none under two rounds.

    Args:
        measured: both sides, in the same rounds.
        together: what both sides' shares of the app's CPU come to.
        window_s: as planned; None: not known.
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
    begin = busy_from(sum(shares) / len(shares))
    yield Spread(metric, by, begin, sd_log, len(a) - 1.0, window_s)
