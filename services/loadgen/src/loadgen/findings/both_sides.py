"""The measured rows of two cases, side by side, and how far apart their trials were."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from loadgen.records.columns import NUMBER, Cell, Column, Row, last_attempts
from loadgen.theory.bounds import CPU_BY_LOAD, drift_of, mean_log
from loadgen.theory.statistics import Difference, difference, mean_of_known

#: What goes as fast as the CPU where that is used up.
BY_CPU_SPEED = frozenset({"rps", "max_rps", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"})

#: Of the files that compare.
DISTANCE_COLUMNS = (
    Column(
        "apart",
        NUMBER,
        "how far apart the two trials were, in trials: 1 is one right after the other; mean over "
        "the rounds that count. A search counts as one trial. Empty where one was measured again",
    ),
    Column(
        "apart_s",
        NUMBER,
        "how far apart they were in time, from the start of one load to that of the other",
        unit="s",
    ),
)


@dataclass(frozen=True)
class Distance:
    """How far apart the trials of a pair were, on average over rounds.

    Attributes:
        trials: 1 is one right after the other. A search has one place, however long it takes;
            what is measured again has none.
        seconds: from start to start, which sees searches, and sittings of a run that was resumed.
    """

    trials: float | None
    seconds: float | None


@dataclass(frozen=True)
class BothSides:
    """Measured rows of two cases.

    Attributes:
        a, b: the rows; paired: of the same rounds, in the same order.
        paired: whether the rounds measured both.
    """

    a: Sequence[Row]
    b: Sequence[Row]
    paired: bool

    def those(self, keep: Callable[[Row], bool]) -> "BothSides":
        """Those rows; paired: those rounds of which both rows are."""
        if not self.paired:
            return replace(self, a=list(filter(keep, self.a)), b=list(filter(keep, self.b)))
        return _paired(pair for pair in self.pairs if all(map(keep, pair)))

    @property
    def rows(self) -> list[Row]:
        """Those of both."""
        return [*self.a, *self.b]

    @property
    def pairs(self) -> list[tuple[Row, Row]]:
        """Paired: the two rows of each round."""
        return list(zip(self.a, self.b, strict=True))

    def knowing(self, metric: str) -> "BothSides":
        """Those in which a metric is known."""
        return self.those(lambda row: row.number(metric) is not None)

    def values(self, metric: str) -> tuple[list[float], list[float]]:
        """A metric's values where they are known."""
        known = self.knowing(metric)
        a, b = ([row.number(metric) or 0.0 for row in rows] for rows in (known.a, known.b))
        return a, b

    def bound_log(self, metric: str) -> float:
        """The most that instruments can have done to ln(b / a) of a metric, over these rows.

        What both share cancels where the same thing held both back, so that a late instrument did
        the same to both: |mean bound of b − mean bound of a|. Elsewhere only one of them may have
        felt it: the greater of the two. What is known of the CPU's drift joins it: |drift of b −
        drift of a|, each from its case's usual round, for CPU per view as it was measured, and for
        what a used-up CPU decides; and of duets, what their loads differ by.
        """
        a, b = (
            sum(row.bound(metric) for row in rows) / len(rows) if rows else 0.0
            for rows in (self.a, self.b)
        )
        instruments = abs(b - a) if self._are_bound_alike() else max(a, b)
        return instruments + self._drift_log(metric) + self._load_log()

    def _are_bound_alike(self) -> bool:
        """Whether the rounds of both were held back by the same things."""
        of_a, of_b = ({row["bound_by"] for row in rows} for rows in (self.a, self.b))
        return of_a == of_b

    def _load_log(self) -> float:
        """What sides of duets differ by since their loads did: 0.4 × |mean ln(rate b / rate a)|.

        Rates are of what was answered; rows of an earlier lab know what was asked for alone. Where
        trials were measured by themselves it is 0: their rates are what is compared.
        """
        duets = self.those(lambda row: row.is_of_duet)
        answered = duets.knowing("parts_rps")
        a, b = answered.values("parts_rps") if answered.count else duets.values("offered_rps")
        return CPU_BY_LOAD * abs(mean_log(b) - mean_log(a)) if a and b else 0.0

    def _drift_log(self, metric: str) -> float:
        """Known drift, as far as it moves a metric; 0 where a row has no probe."""
        probed = self.knowing("probe_ms")
        if metric == "app_cpu_ms_per_view":
            share = 1.0
        elif metric in BY_CPU_SPEED:
            share = max(map(_cpu_share_that_binds, probed.rows), default=0.0)
        else:
            share = 0.0
        a, b = probed.values("probe_ms")
        if not share or not a or not b or any(row.is_of_duet for row in probed.rows):
            return 0.0
        # The same case in two runs has the same server beside the probe, so what differs is drift.
        return share * abs(drift_of(b) - drift_of(a) if self.paired else mean_log(b) - mean_log(a))

    def difference(self, metric: str, *, higher_is_better: bool = True) -> Difference:
        """How b does against a in a metric, widened by the bound; its values are positive."""
        known = self.knowing(metric)
        return difference(
            *known.values(metric),
            higher_is_better=higher_is_better,
            paired=self.paired,
            bound_log=known.bound_log(metric),
        )

    @property
    def count(self) -> int:
        """Rounds, or trials of which each stands for itself."""
        return len(self.a) if self.paired else len(self.rows)

    @property
    def counted(self) -> str:
        """What `count` counts."""
        return "rounds" if self.paired else "trials"

    @property
    def least(self) -> int:
        """Rounds of the side that has fewer."""
        return min(len(self.a), len(self.b))


def _cpu_share_that_binds(row: Row) -> float:
    """The share of the app's CPUs that was used, where that is what bound the row; else 0."""
    return (row.number("app_cpu_share") or 0.0) if "cpu" in row.text("bound_by").split("+") else 0.0


def same_rounds(a: Iterable[Row], b: Iterable[Row]) -> BothSides:
    """The rounds in which both cases were measured, each by the last attempt that both have: the
    attempts of a pair belong to one moment.

    Args:
        a, b: every attempt. Of three cases in a chain the middle one may have been measured again
            with its one rival and not with the other.
    """
    of_b = {(row["round"], row.attempt): row for row in b}
    both = ((row, of_b.get((row["round"], row.attempt))) for row in a)
    common = [(of_a, of_b) for of_a, of_b in both if of_b]
    return _in_rounds(common)


def each_ones_last(a: Iterable[Row], b: Iterable[Row]) -> BothSides:
    """The rounds in which both cases were measured, each by its own last attempt: for cases that
    nothing compares, which are not measured again together.
    """
    of_b = {row["round"]: row for row in last_attempts(b)}
    return _in_rounds((row, of_b[row["round"]]) for row in last_attempts(a) if row["round"] in of_b)


def _in_rounds(pairs: Iterable[tuple[Row, Row]]) -> BothSides:
    """Of each round the pair of the last attempt, where both could be measured."""
    last: dict[Cell, tuple[Row, Row]] = {}
    for pair in sorted(pairs, key=lambda pair: pair[0].attempt):
        last[pair[0]["round"]] = pair
    return _paired(pair for pair in last.values() if all(row.is_measured for row in pair))


def two_runs(a: Iterable[Row], b: Iterable[Row]) -> BothSides:
    """The rounds of each that were measured."""
    of_a, of_b = ([row for row in rows if row.is_measured] for rows in (a, b))
    return BothSides(of_a, of_b, paired=False)


def _paired(pairs: Iterable[tuple[Row, Row]]) -> BothSides:
    listed = list(pairs)
    return BothSides([a for a, _ in listed], [b for _, b in listed], paired=True)


def mean_distance(pairs: Sequence[tuple[Row, Row]]) -> Distance:
    """Means over these pairs of trials; None where one of them does not know, or there is none."""
    return Distance(
        trials=mean_of_known([_trials_apart(*pair) for pair in pairs]),
        seconds=mean_of_known([_seconds_apart(*pair) for pair in pairs]),
    )


def are_neighbours(pair: tuple[Row, Row]) -> bool:
    """Whether one trial was measured right after the other."""
    return _trials_apart(*pair) == 1


def distance_cells(distance: Distance | None) -> tuple[Cell, Cell]:
    """As cells of DISTANCE_COLUMNS."""
    return (distance.trials, distance.seconds) if distance else (None, None)


def _trials_apart(a: Row, b: Row) -> float | None:
    """Unknown where they were measured again: that was at the end of the round, in any order."""
    if max(a.attempt, b.attempt) > 1:
        return None
    place_a, place_b = a.count("position"), b.count("position")
    if place_a is None or place_b is None:
        return None
    # Trials in the place of a duet share its place, and come one right after the other.
    return abs(place_a - place_b) if a.is_of_duet else max(1, abs(place_a - place_b))


def _seconds_apart(a: Row, b: Row) -> float | None:
    began_a, began_b = a.text("started_at"), b.text("started_at")
    if not began_a or not began_b:
        return None
    apart = datetime.fromisoformat(began_a) - datetime.fromisoformat(began_b)
    return abs(apart.total_seconds())
