"""What a run says about the pairs that its suites compare."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from loadgen.findings import distance
from loadgen.findings.distance import Distance, mean_distance
from loadgen.findings.silence import always_silent, silence, speaks
from loadgen.findings.summary import THROUGHPUT, starved_users
from loadgen.records.columns import COUNT, NUMBER, TEXT, Cell, Column, Row, cell_text
from loadgen.records.files import write_csv
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels
from loadgen.suites.suite import Suite, native_views
from loadgen.theory.statistics import (
    ALARM,
    LEAST_ROUNDS,
    Difference,
    Verdict,
    benjamini_hochberg,
    clopper_pearson,
    difference,
    interval,
    rounds_needed,
)
from loadgen.trials import caveats

#: Of these more is better; of every other metric, less.
HIGHER_IS_BETTER = frozenset({"rps", "max_rps"})
#: Of these nobody who waited through the window is a part, or one request among many.
LATENCIES = frozenset({"min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"})
#: CPU per view falls with load, by 0.2 to 0.4 % for each percent (measured on uvicorn with aiohttp:
#: 5.8 ms at 10 users, 3.5 at 100, 2.1 at 400). So it is compared only where the rates differ by
#: less than this share, which moves it by less than the margin of 3 %.
EQUAL_LOAD_SHARE = 0.05

#: Of comparisons.csv.
COLUMNS = (
    Column("suite", TEXT, "", "the suites that compare the pair, joined with +"),
    Column("a", TEXT, "", "the case that is compared with"),
    Column("b", TEXT, "", "the case that is judged"),
    Column("label", TEXT, "", "what differs between them, in words"),
    Column("metric", TEXT, "", "the column of trials.csv"),
    Column("rounds", COUNT, "", "rounds in which both were measured and ranked"),
    *distance.COLUMNS,
    Column("ratio", NUMBER, "", "geometric mean of b / a over rounds"),
    Column("low", NUMBER, "", "its 95 % interval, from three rounds on"),
    Column("high", NUMBER, "", "the interval's other end"),
    Column(
        "smallest_detectable_ratio",
        NUMBER,
        "",
        "a true ratio of this size, or its inverse, shows in 80 % of such runs",
    ),
    Column("p", NUMBER, "", "two-sided, of a ratio this far from 1 where there is none"),
    Column("p_adjusted", NUMBER, "", "the same by Benjamini and Hochberg over the run"),
    Column(
        "verdict", TEXT, "", "of b: `better`, `worse`, `equivalent`, `undecided`, `not comparable`"
    ),
    Column("reason", TEXT, "", "why there is no verdict, or how far to trust it"),
)


@dataclass(frozen=True)
class Samples:
    """Measured rows of two cases.

    Attributes:
        a, b: the rows; paired: of the same rounds, in the same order.
        paired: whether the rounds measured both.
    """

    a: Sequence[Row]
    b: Sequence[Row]
    paired: bool

    def those(self, keep: Callable[[Row], bool]) -> "Samples":
        """Those rows; paired: those rounds of which both rows are."""
        if not self.paired:
            return replace(self, a=list(filter(keep, self.a)), b=list(filter(keep, self.b)))
        both = [pair for pair in self.pairs if all(map(keep, pair))]
        return replace(self, a=[a for a, _ in both], b=[b for _, b in both])

    @property
    def pairs(self) -> list[tuple[Row, Row]]:
        """Paired: the two rows of each round."""
        return list(zip(self.a, self.b, strict=True))

    def knowing(self, metric: str) -> "Samples":
        """Those in which a metric is known."""
        return self.those(lambda row: isinstance(row[metric], int | float))

    def values(self, metric: str) -> tuple[list[float], list[float]]:
        """A metric's values where they are known."""
        known = self.knowing(metric)
        a, b = ([float(row[metric] or 0) for row in rows] for rows in (known.a, known.b))
        return a, b

    @property
    def count(self) -> int:
        """Rounds, or trials of which each stands for itself."""
        return len(self.a) if self.paired else len(self.a) + len(self.b)

    @property
    def counted(self) -> str:
        """What `count` counts."""
        return "rounds" if self.paired else "trials"

    @property
    def least(self) -> int:
        """Rounds of the side that has fewer."""
        return min(len(self.a), len(self.b))


@dataclass(frozen=True)
class Planted:
    """A difference that was made on purpose.

    Attributes:
        ratio: b / a as made.
        rounds_needed: the rounds that show it with a power of 80 %; None where nothing was found
            to judge by.
    """

    ratio: float
    rounds_needed: int | None


@dataclass(frozen=True)
class Comparison:
    """One metric of two cases: how b does against a.

    Attributes:
        suites: those that ask, joined with `+`.
        a, b: the cases' slugs.
        label: what differs between them, then what else differs in the table that it stands in.
        metric: the column.
        difference: over the rounds that count; None where they cannot be compared.
        p_adjusted: its p by Benjamini and Hochberg over all comparisons of the run.
        verdict: of b against a.
        reason: why there is none, or how far to trust it; may be empty.
        same_ceiling: both are at a ceiling of the same height in every round that counts, so what
            users see of them is not the servers' doing.
        b_at_ceiling: b is at a ceiling in every round that counts, so it might do more.
        planted: what was made different on purpose; None: nothing.
        instead: what stands in the place of a ratio: that a side answered nobody. Empty elsewhere.
        distance: how far apart their trials were, in the rounds that count; None: of two runs.
    """

    suites: str
    a: str
    b: str
    label: str
    metric: str
    difference: Difference | None
    p_adjusted: float | None
    verdict: Verdict | Literal["not comparable"]
    reason: str
    same_ceiling: bool = False
    b_at_ceiling: bool = False
    planted: Planted | None = None
    instead: str = ""
    distance: Distance | None = None

    @property
    def is_alarm(self) -> bool:
        """Whether its own 95 % interval excludes 1."""
        return self.verdict in ("better", "worse")


@dataclass(frozen=True)
class Alarms:
    """How often a metric's interval excluded 1.

    Attributes:
        metric: the column.
        alarms, comparisons: how many of how many that have an interval.
        low, high: the exact 95 % bounds of the share (Clopper & Pearson).
    """

    metric: str
    alarms: int
    comparisons: int
    low: float
    high: float


def compare(suites: Iterable[Suite], rows: Iterable[Row]) -> list[Comparison]:
    """Every metric of every pair of which both cases have rows, each once; called by all that
    differs among what the suites compare.
    """
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(str(row["case"]), []).append(row)
    asking = list(suites)
    labels = _labels(asking)
    found: dict[tuple[str, str, str], Comparison] = {}
    for suite in asking:
        for a, b, metric, planted in _asked(suite):
            if a.slug not in by_case or b.slug not in by_case:
                continue
            key = (a.slug, b.slug, metric)
            if key in found:
                names = dict.fromkeys([*found[key].suites.split("+"), suite.name])
                found[key] = replace(found[key], suites="+".join(names))
                continue
            of_a, of_b = by_case[a.slug], by_case[b.slug]
            judged = compare_rows(suite.name, labels.pair(a, b), of_a, of_b, metric)
            made = _planted(judged.difference, same_rounds(of_a, of_b), metric, planted)
            found[key] = replace(judged, planted=made)
    return adjusted(list(found.values()))


def is_ranked(row: Row) -> bool:
    """Whether a row speaks of its server."""
    return row["ranked"] == "yes"


def compare_rows(
    suites: str,
    label: str,
    a: Sequence[Row],
    b: Sequence[Row],
    metric: str,
    counts: Callable[[Row], bool] = is_ranked,
    *,
    paired: bool = True,
) -> Comparison:
    """One metric of two cases, over the rounds in which both rows count; p is not adjusted.

    Args:
        suites: those that ask.
        label: what differs, in words.
        a, b: the rows of both, at least one each.
        metric: the column.
        counts: which measured rows do.
        paired: whether they are of the same rounds; otherwise they are of two runs, and each row
            stands for itself.
    """
    both = same_rounds(a, b) if paired else _two_runs(a, b)
    judged = _of_silence(a, b) or _judge(both, metric, counts)
    verdict = judged.difference.verdict if judged.difference else judged.verdict
    return Comparison(
        suites=suites,
        a=str(a[0]["case"]),
        b=str(b[0]["case"]),
        label=label,
        metric=metric,
        difference=judged.difference,
        p_adjusted=None,
        verdict=verdict,
        reason="; ".join(judged.reasons),
        same_ceiling=judged.same_ceiling,
        b_at_ceiling=judged.b_at_ceiling,
        instead=judged.instead,
        distance=mean_distance(both.those(counts).pairs) if paired else None,
    )


def of_suite(suite: Suite, comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that this suite asks for, called by what differs among them alone."""
    labels = _labels([suite])
    cases = {case.slug: case for case in suite.whole}
    return [
        replace(one, label=labels.pair(cases[one.a], cases[one.b]))
        for one in comparisons
        if suite.name in one.suites.split("+")
    ]


def alarms(comparisons: Iterable[Comparison]) -> list[Alarms]:
    """By metric: how many of the comparisons that have an interval exclude 1."""
    by_metric: dict[str, list[bool]] = {}
    for comparison in comparisons:
        if comparison.difference and comparison.difference.p is not None:
            by_metric.setdefault(comparison.metric, []).append(comparison.is_alarm)
    return [
        Alarms(metric, sum(raised), len(raised), *clopper_pearson(sum(raised), len(raised)))
        for metric, raised in by_metric.items()
    ]


def write_comparisons(suites: Iterable[Suite], rows: Iterable[Row], file: Path) -> None:
    """comparisons.csv: a line per comparison; no file where the suites compare nothing."""
    comparisons = compare(suites, rows)
    if not comparisons:
        return
    header = (column.name for column in COLUMNS)
    write_csv(file, header, (map(cell_text, cells(comparison)) for comparison in comparisons))


def cells(comparison: Comparison) -> tuple[Cell, ...]:
    """A comparison as cells of COLUMNS."""
    found = comparison.difference
    return (
        *(comparison.suites, comparison.a, comparison.b, comparison.label, comparison.metric),
        found.rounds if found else None,
        *distance.cells(comparison.distance),
        *((found.ratio, found.low, found.high) if found else (None,) * 3),
        *((found.smallest_detectable_ratio, found.p) if found else (None,) * 2),
        *(comparison.p_adjusted, comparison.verdict, comparison.reason or None),
    )


def _labels(suites: Iterable[Suite]) -> Labels:
    """What the cases are called that these suites compare, in runs of the whole suites."""
    listed = list(suites)
    pairs = (
        pair for suite in listed for entry in suite.compare for pair in entry.pairs(suite.whole)
    )
    return Labels((case for pair in pairs for case in pair), native_views(listed))


def _asked(suite: Suite) -> Iterator[tuple[Case, Case, str, float | None]]:
    for entry in suite.compare:
        for a, b in entry.pairs(suite.cases):
            for metric in entry.metrics:
                yield a, b, metric, entry.planted.get(metric)


def same_rounds(a: Iterable[Row], b: Iterable[Row]) -> Samples:
    """The rounds in which both cases were measured."""
    of_b = {row["round"]: row for row in b if row["outcome"] == "measured"}
    both = [
        (row, of_b[row["round"]])
        for row in a
        if row["outcome"] == "measured" and row["round"] in of_b
    ]
    return Samples([row for row, _ in both], [row for _, row in both], paired=True)


def _two_runs(a: Iterable[Row], b: Iterable[Row]) -> Samples:
    """The rounds of each that were measured."""
    of_a, of_b = ([row for row in rows if row["outcome"] == "measured"] for rows in (a, b))
    return Samples(of_a, of_b, paired=False)


@dataclass(frozen=True)
class _Judged:
    difference: Difference | None
    reasons: tuple[str, ...]
    same_ceiling: bool = False
    b_at_ceiling: bool = False
    verdict: Verdict | Literal["not comparable"] = "not comparable"
    instead: str = ""


def _of_silence(a: Sequence[Row], b: Sequence[Row]) -> _Judged | None:
    """The comparison where a side answered nobody, in every metric alike; None where none did.

    Who answers nobody in any round loses, whatever his few figures are. Who does in some rounds may
    be better or worse: a ratio of the other rounds would be one of good luck.
    """
    of_a, of_b = silence(a), silence(b)
    if not of_a and not of_b:
        return None
    both = ((a, of_a), (b, of_b))
    told = dict.fromkeys(f"{rows[0]['server']} {words}" for rows, words in both if words)
    instead = "; ".join(told)
    lost_a, lost_b = always_silent(a), always_silent(b)
    if lost_a and lost_b:
        return _Judged(None, ("neither answered anybody",))
    if not (any(map(speaks, a)) and any(map(speaks, b))):
        return _Judged(None, (f"{instead}; the other was not measured",))
    if lost_a or lost_b:
        return _Judged(None, (instead,), verdict="worse" if lost_b else "better", instead=instead)
    return _Judged(None, (instead,), verdict="undecided", instead=instead)


def _judge(both: Samples, metric: str, counts: Callable[[Row], bool]) -> _Judged:
    """Compare a metric over the rounds that count, or say why not."""
    if not both.least:
        return _Judged(None, ("no round measured both" if both.paired else "not measured in both",))
    rounds = both.those(counts)
    reasons = []
    if rounds.count < both.count:
        lost, names = both.count - rounds.count, ", ".join(_unranking(both, counts))
        reasons.append(f"{lost} of {both.count} {both.counted} unranked ({names})")
        if rounds.least < LEAST_ROUNDS:
            return _Judged(None, tuple(reasons))
    a, b = rounds.values(metric)
    if unknown := rounds.count - rounds.knowing(metric).count:
        unknown_in = f"{metric} unknown in {unknown} of {rounds.count} {rounds.counted}"
        return _Judged(None, (*reasons, unknown_in))
    if min(*a, *b) <= 0:
        return _Judged(None, (*reasons, f"{metric} is zero in some round"))
    if metric == "app_cpu_ms_per_view" and (load := _load_ratio(rounds)) is not None:
        return _Judged(None, (*reasons, f"unequal load: the rates' ratio is {load:.2f}"))
    if rounds.least < LEAST_ROUNDS:
        reasons.append(f"needs {LEAST_ROUNDS} rounds")
    same_ceiling = _at_one_ceiling(rounds)
    if metric in LATENCIES:
        reasons += _starved(rounds)
    if metric in THROUGHPUT and same_ceiling:
        reasons.append("both at a ceiling, which is not the servers' doing")
    better = metric in HIGHER_IS_BETTER
    found = difference(a, b, higher_is_better=better, paired=rounds.paired)
    return _Judged(found, tuple(reasons), same_ceiling, all(map(_at_ceiling, rounds.b)))


def _starved(rounds: Samples) -> list[str]:
    """Whose users waited through the window, which no latency can show."""
    return [
        f"{rows[0]['server']} starved {words}"
        for rows in (rounds.a, rounds.b)
        if (words := starved_users(rows))
    ]


def _load_ratio(rounds: Samples) -> float | None:
    """The ratio of the rates where they are not equal."""
    a, b = rounds.values("rps")
    if not a or not b or min(*a, *b) <= 0:
        return None
    ratio = difference(a, b, paired=rounds.paired).ratio
    return None if is_equal_load(ratio) else ratio


def is_equal_load(ratio: float) -> bool:
    """Whether two rates of this ratio are near enough to compare CPU per view."""
    return max(ratio, 1 / ratio) - 1 <= EQUAL_LOAD_SHARE


def _unranking(both: Samples, counts: Callable[[Row], bool]) -> list[str]:
    """The caveats that unrank some of these rounds."""
    lost = [row for row in (*both.a, *both.b) if not counts(row)]
    named = {name for row in lost for name in str(row["caveats"] or "").split()}
    return [caveat.name for caveat in caveats.ALL if caveat.unranks and caveat.name in named]


def _at_one_ceiling(rounds: Samples) -> bool:
    """Whether both are at a ceiling in every round, as high for the one as for the other.

    Two threads under 100 users are at a ceiling of their own: they are what is wrong.
    """
    rows = [*rounds.a, *rounds.b]
    return all(map(_at_ceiling, rows)) and len(set(map(_lowest_ceiling, rows))) == 1


def _at_ceiling(row: Row) -> bool:
    return caveats.AT_CEILING.name in str(row["caveats"] or "").split()


def _lowest_ceiling(row: Row) -> float | None:
    """The least that users, slots and pool allow."""
    known = (row["users_ceiling_rps"], row["slots_ceiling_rps"], row["pool_ceiling_rps"])
    return min((float(cell) for cell in known if isinstance(cell, int | float)), default=None)


def _planted(
    found: Difference | None, rounds: Samples, metric: str, planted: float | None
) -> Planted | None:
    """The planted amount as a ratio: it was added to what a took."""
    base = interval(rounds.values(metric)[0])
    if planted is None or base is None:
        return None
    ratio = 1 + planted / base.mean
    sd_log = found.sd_log if found else None
    return Planted(ratio, None if sd_log is None else rounds_needed(sd_log, ratio))


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same with their p adjusted (Benjamini & Hochberg): together they are one family."""
    p = {
        index: comparison.difference.p
        for index, comparison in enumerate(comparisons)
        if comparison.difference and comparison.difference.p is not None
    }
    by_index: Mapping[int, float] = dict(zip(p, benjamini_hochberg(list(p.values())), strict=True))
    return [
        _with_adjusted(comparison, by_index.get(index), len(p))
        for index, comparison in enumerate(comparisons)
    ]


def _with_adjusted(comparison: Comparison, p_adjusted: float | None, of: int) -> Comparison:
    reason = comparison.reason
    if comparison.is_alarm and p_adjusted is not None and p_adjusted >= ALARM:
        note = f"may be chance: one of {of} comparisons"
        reason = f"{reason}; {note}" if reason else note
    return replace(comparison, p_adjusted=p_adjusted, reason=reason)
