"""What a run says about the pairs that its suites compare."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from loadgen.findings.answers_nobody import always_silent, silence, speaks
from loadgen.findings.both_sides import (
    DISTANCE_COLUMNS,
    BothSides,
    Distance,
    distance_cells,
    mean_distance,
    same_rounds,
    two_runs,
)
from loadgen.findings.summary import THROUGHPUT, starved_users
from loadgen.records.columns import COUNT, NUMBER, TEXT, Cell, Column, Row, rows_by_case
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
    difference,
    interval,
    rounds_needed,
    where_known,
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
    Column("suite", TEXT, "the suites that compare the pair, joined with +"),
    Column("a", TEXT, "the case that is compared with"),
    Column("b", TEXT, "the case that is judged"),
    Column("label", TEXT, "what differs between them, in words"),
    Column("metric", TEXT, "the column of trials.csv"),
    Column("rounds", COUNT, "rounds in which both were measured and ranked"),
    *DISTANCE_COLUMNS,
    Column("ratio", NUMBER, "geometric mean of b / a over rounds"),
    Column("low", NUMBER, "its 95 % interval, from three rounds on"),
    Column("high", NUMBER, "the interval's other end"),
    Column(
        "smallest_detectable_ratio",
        NUMBER,
        "a true ratio of this size, or its inverse, shows in 80 % of such runs",
    ),
    Column("p", NUMBER, "two-sided, of a ratio this far from 1 where there is none"),
    Column("p_adjusted", NUMBER, "the same by Benjamini and Hochberg over the run"),
    Column("verdict", TEXT, "of b: `better`, `worse`, `equivalent`, `undecided`, `not comparable`"),
    Column("reason", TEXT, "why there is no verdict, or how far to trust it"),
)


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


#: Its two cases and its metric.
type ComparisonKey = tuple[str, str, str]


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
    def key(self) -> ComparisonKey:
        """What tells it from the others of its run."""
        return self.a, self.b, self.metric

    @property
    def is_alarm(self) -> bool:
        """Whether its own 95 % interval excludes 1."""
        return self.verdict in ("better", "worse")


def compare_cases(suites: Iterable[Suite], rows: Iterable[Row]) -> list[Comparison]:
    """Every metric of every pair of which both cases have rows, each once; called by all that
    differs among what the suites compare.
    """
    by_case = rows_by_case(rows)
    asking = list(suites)
    labels = _labels(asking)
    known: dict[ComparisonKey, Comparison] = {}
    for suite in asking:
        for a, b, metric, planted in _asked(suite):
            if a.slug not in by_case or b.slug not in by_case:
                continue
            key = (a.slug, b.slug, metric)
            if key in known:
                names = dict.fromkeys([*known[key].suites.split("+"), suite.name])
                known[key] = replace(known[key], suites="+".join(names))
                continue
            of_a, of_b = by_case[a.slug], by_case[b.slug]
            judged = compare_rows(suite.name, labels.pair(a, b), of_a, of_b, metric)
            both = same_rounds(of_a, of_b)
            known[key] = replace(judged, planted=_planted(judged.difference, both, metric, planted))
    return adjusted(list(known.values()))


def compare_rows(
    suites: str,
    label: str,
    a: Sequence[Row],
    b: Sequence[Row],
    metric: str,
    counts: Callable[[Row], bool] = lambda row: row.is_ranked,
    *,
    paired: bool = True,
) -> Comparison:
    """One metric of two cases, over the rounds in which both rows count; p is not adjusted.

    Args:
        suites: those that ask, joined with `+`.
        a, b: the rows of both, at least one each.
        counts: which measured rows do.
        paired: whether they are of the same rounds; otherwise they are of two runs, and each row
            stands for itself.
    """
    both = same_rounds(a, b) if paired else two_runs(a, b)
    unjudged = Comparison(
        suites=suites,
        a=a[0].case,
        b=b[0].case,
        label=label,
        metric=metric,
        difference=None,
        p_adjusted=None,
        verdict="not comparable",
        reason="",
        distance=mean_distance(both.those(counts).pairs) if paired else None,
    )
    return _by_silence(unjudged, a, b) or _by_ratio(unjudged, both, counts)


def of_suite(suite: Suite, comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that this suite asks for, called by what differs among them alone."""
    labels = _labels([suite])
    cases = {case.slug: case for case in suite.whole}
    return [
        replace(comparison, label=labels.pair(cases[comparison.a], cases[comparison.b]))
        for comparison in comparisons
        if suite.name in comparison.suites.split("+")
    ]


def write_comparisons(suites: Iterable[Suite], rows: Iterable[Row], file: Path) -> None:
    """comparisons.csv: a line per comparison; no file where the suites compare nothing."""
    comparisons = compare_cases(suites, rows)
    if not comparisons:
        return
    write_csv(file, (column.name for column in COLUMNS), map(comparison_cells, comparisons))


def comparison_cells(comparison: Comparison) -> tuple[Cell, ...]:
    """A comparison as cells of COLUMNS."""
    ratio = comparison.difference
    return (
        *(comparison.suites, comparison.a, comparison.b, comparison.label, comparison.metric),
        ratio.rounds if ratio else None,
        *distance_cells(comparison.distance),
        *((ratio.ratio, ratio.low, ratio.high) if ratio else (None,) * 3),
        *((ratio.smallest_detectable_ratio, ratio.p) if ratio else (None,) * 2),
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


def _by_silence(unjudged: Comparison, a: Sequence[Row], b: Sequence[Row]) -> Comparison | None:
    """Judged where a side answered nobody, in every metric alike; None where none did.

    Who answers nobody in any round loses, whatever his few figures are. Who does in some rounds may
    be better or worse: a ratio of the other rounds would be one of good luck.
    """
    both = ((a, silence(a)), (b, silence(b)))
    sentences = dict.fromkeys(f"{rows[0]['server']} {silent}" for rows, silent in both if silent)
    if not sentences:
        return None
    instead = "; ".join(sentences)
    lost_a, lost_b = always_silent(a), always_silent(b)
    if lost_a and lost_b:
        return replace(unjudged, reason="neither answered anybody")
    if not (any(map(speaks, a)) and any(map(speaks, b))):
        return replace(unjudged, reason=f"{instead}; the other was not measured")
    verdict: Verdict = "worse" if lost_b else "better" if lost_a else "undecided"
    return replace(unjudged, reason=instead, verdict=verdict, instead=instead)


def _by_ratio(unjudged: Comparison, both: BothSides, counts: Callable[[Row], bool]) -> Comparison:
    """Judged over the rounds that count, or why not."""
    metric, reasons = unjudged.metric, list[str]()

    def because(reason: str) -> Comparison:
        return replace(unjudged, reason="; ".join([*reasons, reason]))

    if not both.least:
        return because("no round measured both" if both.paired else "not measured in both")
    rounds = both.those(counts)
    if lost := both.count - rounds.count:
        uncounted = [row for row in both.rows if not counts(row)]
        names = caveats.unranking(name for row in uncounted for name in row.caveats)
        unranked = f"{lost} of {both.count} {both.counted} unranked ({', '.join(names)})"
        if rounds.least < LEAST_ROUNDS:
            return because(unranked)
        reasons.append(unranked)
    if unknown := rounds.count - rounds.knowing(metric).count:
        return because(f"{metric} unknown in {unknown} of {rounds.count} {rounds.counted}")
    a, b = rounds.values(metric)
    if min(*a, *b) <= 0:
        return because(f"{metric} is zero in some round")
    if metric == "app_cpu_ms_per_view" and (load := _unequal_load(rounds)) is not None:
        return because(f"unequal load: the rates' ratio is {load:.2f}")
    if rounds.least < LEAST_ROUNDS:
        reasons.append(f"needs {LEAST_ROUNDS} rounds")
    if metric in LATENCIES:  # users who waited through the window are in none
        sides = ((rows[0]["server"], starved_users(rows)) for rows in (rounds.a, rounds.b))
        reasons += [f"{server} starved {words}" for server, words in sides if words]
    same_ceiling = _at_one_ceiling(rounds.rows)
    if metric in THROUGHPUT and same_ceiling:
        reasons.append("both at a ceiling, which is not the servers' doing")
    higher_is_better = metric in HIGHER_IS_BETTER
    ratio = difference(a, b, higher_is_better=higher_is_better, paired=rounds.paired)
    return replace(
        unjudged,
        difference=ratio,
        verdict=ratio.verdict,
        reason="; ".join(reasons),
        same_ceiling=same_ceiling,
        b_at_ceiling=all(map(_at_ceiling, rounds.b)),
    )


def _unequal_load(rounds: BothSides) -> float | None:
    """The ratio of the rates where they are not equal."""
    a, b = rounds.values("rps")
    if not a or not b or min(*a, *b) <= 0:
        return None
    ratio = difference(a, b, paired=rounds.paired).ratio
    return None if is_equal_load(ratio) else ratio


def is_equal_load(ratio: float) -> bool:
    """Whether two rates of this ratio are near enough to compare CPU per view."""
    return max(ratio, 1 / ratio) - 1 <= EQUAL_LOAD_SHARE


def _at_one_ceiling(rows: Sequence[Row]) -> bool:
    """Whether all are at a ceiling, as high for the one as for the other.

    Two threads under 100 users are at a ceiling of their own: they are what is wrong.
    """
    return all(map(_at_ceiling, rows)) and len(set(map(_lowest_ceiling, rows))) == 1


def _at_ceiling(row: Row) -> bool:
    return caveats.AT_CEILING.name in row.caveats


def _lowest_ceiling(row: Row) -> float | None:
    """The least that users, slots and pool allow."""
    ceilings = map(row.number, ("users_ceiling_rps", "slots_ceiling_rps", "pool_ceiling_rps"))
    return min((rps for rps in ceilings if rps is not None), default=None)


def _planted(
    ratio: Difference | None, rounds: BothSides, metric: str, planted: float | None
) -> Planted | None:
    """The planted amount as a ratio: it was added to what a took."""
    base = interval(rounds.values(metric)[0])
    if planted is None or base is None:
        return None
    true_ratio = 1 + planted / base.mean
    sd_log = ratio.sd_log if ratio else None
    return Planted(true_ratio, None if sd_log is None else rounds_needed(sd_log, true_ratio))


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same with their p adjusted (Benjamini & Hochberg): together they are one family."""
    ratios = [comparison.difference for comparison in comparisons]
    p = [ratio.p if ratio else None for ratio in ratios]
    count = len(p) - p.count(None)
    both = zip(comparisons, where_known(benjamini_hochberg, p), strict=True)
    return [_with_adjusted(comparison, p_adjusted, count) for comparison, p_adjusted in both]


def _with_adjusted(comparison: Comparison, p_adjusted: float | None, of: int) -> Comparison:
    reason = comparison.reason
    if comparison.is_alarm and p_adjusted is not None and p_adjusted >= ALARM:
        note = f"may be chance: one of {of} comparisons"
        reason = f"{reason}; {note}" if reason else note
    return replace(comparison, p_adjusted=p_adjusted, reason=reason)


def in_words(comparison: Comparison) -> str:
    """`1.240 [1.118–1.375]`, or the verdict where there is no interval, or why there is none."""
    ratio = comparison.difference
    if comparison.instead:
        return comparison.instead
    if not ratio or ratio.low is None or ratio.high is None:
        return comparison.verdict
    return f"{ratio_text(ratio.ratio)} [{ratio_text(ratio.low)}–{ratio_text(ratio.high)}]"


def ratio_text(ratio: float) -> str:
    """A ratio with the digits that matter."""
    return f"{ratio:.3f}" if ratio < 10 else f"{ratio:.1f}"


def percent_text(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"
