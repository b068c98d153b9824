"""What a run says about the pairs that its suites compare."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from loadgen.duets.duet import load_in_words, with_load
from loadgen.duets.load import load_of, why_given_up
from loadgen.duets.rows import REFERENCE_METRIC
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
from loadgen.records.columns import (
    COUNT,
    NUMBER,
    TEXT,
    Cell,
    Column,
    Row,
    attempts_by_case,
    last_attempts,
    rows_by_duet,
)
from loadgen.records.files import write_csv
from loadgen.suites.cases import Case, plain
from loadgen.suites.labels import Labels
from loadgen.suites.pairs import CPU_METRIC, Compare, Pair, is_in_a_duet
from loadgen.suites.suite import Suite, native_views
from loadgen.theory.laws import is_equal_load
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
#: These depend on the load.
COSTS_OF_A_VIEW = frozenset({CPU_METRIC, REFERENCE_METRIC})
#: Of comparisons.csv.
COLUMNS = (
    Column("suite", TEXT, "the suites that compare the pair, joined with +"),
    Column("a", TEXT, "the case that b is compared with"),
    Column("b", TEXT, "the case that is judged"),
    Column("label", TEXT, "what differs between a and b, in words"),
    Column("metric", TEXT, "the column of trials.csv that is compared"),
    Column(
        "by",
        TEXT,
        "`trials`: measured one after the other. `duet`: both under load at once; then a and b "
        "name the cases without their loads",
    ),
    Column("load", TEXT, "of a duet, or of trials in its place: their load, in words; else empty"),
    Column("rounds", COUNT, "rounds in which both were measured and ranked"),
    *DISTANCE_COLUMNS,
    Column("ratio", NUMBER, "geometric mean of b / a over rounds"),
    Column("low", NUMBER, "lower end of the ratio's 95 % interval, from three rounds on"),
    Column("high", NUMBER, "upper end of the ratio's 95 % interval, from three rounds on"),
    Column(
        "bound",
        NUMBER,
        "the most that the lab itself can have changed ln(ratio). What hit both cases alike does "
        "not count; known drift of the CPU does. The verdict widens the interval by it",
    ),
    Column(
        "smallest_detectable_ratio",
        NUMBER,
        "a true ratio of this size, or its inverse, is found in 80 % of such runs",
    ),
    Column(
        "p",
        NUMBER,
        "how likely a ratio this far from 1 is by chance alone (two-sided, beyond its bound)",
    ),
    Column(
        "p_adjusted",
        NUMBER,
        "p, adjusted for all comparisons of the run (Benjamini and Hochberg)",
    ),
    Column(
        "verdict",
        TEXT,
        "how b does: `better`, `worse`, `equivalent`, `undecided`, `not comparable`",
    ),
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


#: Its two cases, its metric, and whether it was measured in duets.
type ComparisonKey = tuple[str, str, str, bool]


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
        duet: whether both were under load at once, in fresh pairs of processes.
        load: of a duet, in words: `22 views/s each`, and of trials in its place, whose a and b are
            those of the duet; empty elsewhere.
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
    duet: bool = False
    load: str = ""

    @property
    def key(self) -> ComparisonKey:
        """What tells it from the others of its run."""
        return self.a, self.b, self.metric, self.duet

    @property
    def is_alarm(self) -> bool:
        """Whether its own 95 % interval excludes 1."""
        return self.verdict in ("better", "worse")

    @property
    def without_load(self) -> str:
        """Its label without the load, which a sentence says behind the figure."""
        return self.label.removesuffix(f", at {self.load}")

    @property
    def with_load(self) -> str:
        """`, with 22 views/s on each server`; empty where it has no load of its own."""
        return f", with {self.load.removesuffix(' each')} on each server" if self.load else ""


@dataclass(frozen=True)
class _Asked:
    """A comparison that a suite asks for.

    Attributes:
        in_a_duet: it is asked of a duet.
    """

    pair: Pair
    metric: str
    planted: float | None
    in_a_duet: bool


@dataclass(frozen=True)
class _Sides:
    """The rows that answer what is asked.

    Attributes:
        a, b: of both sides.
        in_a_duet: they are of duets.
        reason: why they are not, though it was asked; may be empty.
        load: of trials in the place of a duet, in words; else empty.
    """

    a: Sequence[Row]
    b: Sequence[Row]
    in_a_duet: bool = False
    reason: str = ""
    load: str = ""


def compare_cases(suites: Iterable[Suite], rows: Iterable[Row]) -> list[Comparison]:
    """Every metric of every pair of which both cases have rows, each once; called by all that
    differs among what the suites compare.
    """
    listed = list(rows)
    by_case, by_duet = attempts_by_case(listed), rows_by_duet(listed)
    asking = list(suites)
    naming = _Names(asking)
    known: dict[ComparisonKey, Comparison] = {}
    for suite in asking:
        for asked in _asked(suite):
            sides = _sides(asked, by_case, by_duet)
            if sides is None:
                continue
            a, b = asked.pair
            of_a, of_b = sides.a, sides.b
            names = (a.in_a_duet, b.in_a_duet) if sides.in_a_duet or sides.load else (a, b)
            key = (names[0].slug, names[1].slug, asked.metric, sides.in_a_duet)
            if key in known:
                suite_names = dict.fromkeys([*known[key].suites.split("+"), suite.name])
                known[key] = replace(known[key], suites="+".join(suite_names))
                continue
            judged = _judged(suite.name, asked, sides)
            judged = replace(judged, label=naming.label(a, b, judged))
            both = same_rounds(of_a, of_b)
            planted = _planted(judged.difference, both, asked.metric, asked.planted)
            known[key] = replace(judged, planted=planted)
    return adjusted(list(known.values()))


def compare_by_duets(
    pair: Pair,
    by_case: Mapping[str, Sequence[Row]],
    by_duet: Mapping[tuple[str, str], Sequence[Row]],
) -> Comparison | None:
    """CPU per view of two cases by their duets, or by the trials in the place of these; without a
    label. None: there are none.

    Args:
        pair: the cases.
        by_case, by_duet: the rows of the run, every attempt.
    """
    asked = _Asked(pair, CPU_METRIC, None, in_a_duet=True)
    sides = _sides(asked, by_case, by_duet)
    return _judged("", asked, sides) if sides else None


def _judged(suite: str, asked: _Asked, sides: _Sides) -> Comparison:
    judged = compare_rows(suite, "", sides.a, sides.b, asked.metric)
    if sides.load:
        a, b = asked.pair
        judged = replace(judged, a=a.in_a_duet.slug, b=b.in_a_duet.slug, load=sides.load)
    return replace(judged, reason="; ".join(filter(None, (sides.reason, judged.reason))))


def _sides(
    asked: _Asked,
    by_case: Mapping[str, Sequence[Row]],
    by_duet: Mapping[tuple[str, str], Sequence[Row]],
) -> _Sides | None:
    """Whose rows answer; None where there are none.

    Where a duet was given up, trials in its place answer, under the load at which that was; or the
    cases' own trials, if there are only these.
    """
    a, b = asked.pair
    alone = (by_case.get(a.slug, ()), by_case.get(b.slug, ()))
    if not asked.in_a_duet:
        return _Sides(*alone) if all(alone) else None
    names = a.in_a_duet.slug, b.in_a_duet.slug
    duets = by_duet.get(names, ()), by_duet.get(names[::-1], ())
    if given_up := [row for row in duets[0] if row.is_given_up]:
        why = why_given_up([*duets[0], *duets[1]])
        reason = f"{why}. Compared by separate trials"
        if load := load_of(given_up[0]):
            of_a, of_b = (by_case.get(with_load(case.in_a_duet, load).slug) for case in asked.pair)
            if of_a and of_b:
                at = f"at {plain(load)} views/s"
                return _Sides(of_a, of_b, reason=f"{reason} {at}", load=load_in_words(load))
        if all(alone):
            return _Sides(*alone, reason=reason)
    return _Sides(*duets, in_a_duet=True) if all(duets) else None


def is_given_up(duet: Iterable[Row]) -> bool:
    """Whether some round has shown that there is no load for both."""
    return any(row.is_given_up for row in duet)


def compare_rows(
    suites: str,
    label: str,
    a: Sequence[Row],
    b: Sequence[Row],
    metric: str,
    counts: Callable[[Row, str], bool] = Row.is_ranked_for,
    *,
    paired: bool = True,
) -> Comparison:
    """One metric of two cases, over the rounds in which both rows count; p is not adjusted.

    Args:
        suites: those that ask, joined with `+`.
        a, b: the rows of both, at least one each; paired: with every attempt.
        counts: which measured rows do, in a metric.
        paired: whether they are of the same rounds; otherwise they are of two runs, and each row
            stands for itself.
    """

    def in_this(row: Row) -> bool:
        return counts(row, metric)

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
        distance=mean_distance(both.those(in_this).pairs) if paired else None,
        duet=a[0].is_of_duet,
        load=_load_of_duet(a),
    )
    if unjudged.duet:  # who answers nobody may have been brought down by the other
        if not both.least:
            return replace(unjudged, reason=_why_no_duet([*a, *b]))
        return _by_ratio(unjudged, both, in_this)
    silent = _by_silence(unjudged, last_attempts(a), last_attempts(b))
    return silent or _by_ratio(unjudged, both, in_this)


def of_suite(suite: Suite, comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that this suite asks for, called by what differs among them alone."""
    naming = _Names([suite])
    cases = {case.slug: case for whole in suite.whole for case in (whole, whole.in_a_duet)}
    return [
        replace(
            comparison,
            label=naming.label(cases[comparison.a], cases[comparison.b], comparison),
        )
        for comparison in comparisons
        if suite.name in comparison.suites.split("+")
    ]


def answer_to(
    by_key: Mapping[ComparisonKey, Comparison],
    suite: Suite,
    entry: Compare,
    pair: Pair,
    metric: str,
) -> Comparison | None:
    """What answers one metric of one pair of an entry; None: nothing does.

    Args:
        by_key: the comparisons of the suite.
        suite: that has the entry.
        entry: that asks.
        pair: two of the suite's cases.
        metric: one of the entry's.
    """
    a, b = pair
    if metric == CPU_METRIC and is_in_a_duet(entry, pair, suite.always_on):
        names = (a.in_a_duet.slug, b.in_a_duet.slug, metric)
        duet = by_key.get((*names, True)) or by_key.get((*names, False))
        return duet or by_key.get((a.slug, b.slug, metric, False))
    return by_key.get((a.slug, b.slug, metric, False))


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
        *("duet" if comparison.duet else "trials", comparison.load or None),
        ratio.rounds if ratio else None,
        *distance_cells(comparison.distance),
        *((ratio.ratio, ratio.low, ratio.high, ratio.bound_log) if ratio else (None,) * 4),
        *((ratio.smallest_detectable_ratio, ratio.p) if ratio else (None,) * 2),
        *(comparison.p_adjusted, comparison.verdict, comparison.reason or None),
    )


class _Names:
    """What the pairs are called that these suites compare, in runs of the whole suites."""

    def __init__(self, suites: Iterable[Suite]) -> None:
        listed = list(suites)
        cases = [
            case
            for suite in listed
            for entry in suite.compare
            for pair in entry.pairs(suite.whole)
            for case in pair
        ]
        native = native_views(listed)
        self._alone = Labels(cases, native)
        self._in_duets = Labels([case.in_a_duet for case in cases], native)

    def label(self, a: Case, b: Case, comparison: Comparison) -> str:
        """What differs between two cases; of a duet with the load that it was measured at."""
        if not comparison.load and not comparison.duet:
            return self._alone.pair(a, b)
        pair = self._in_duets.pair(a.in_a_duet, b.in_a_duet)
        return f"{pair}, at {comparison.load}" if comparison.load else pair


def _asked(suite: Suite) -> Iterator[_Asked]:
    for entry in suite.compare:
        for pair in entry.pairs(suite.cases):
            in_a_duet = is_in_a_duet(entry, pair, suite.always_on)
            for metric in entry.metrics:
                planted = entry.planted.get(metric)
                yield _Asked(pair, metric, planted, in_a_duet and metric == CPU_METRIC)


def _why_no_duet(rows: Sequence[Row]) -> str:
    outcomes = dict.fromkeys(row.text("outcome") for row in rows)
    return why_given_up(rows) or f"no duet could be measured ({', '.join(outcomes)})"


def _load_of_duet(rows: Sequence[Row]) -> str:
    """The load of a duet's rows in words; empty of other rows, and where none was measured."""
    for row in rows:
        load = load_of(row)
        if row.is_of_duet and row.is_measured and load:
            return load_in_words(load)
    return ""


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
        return because("no round measured both" if both.paired else "not measured in both runs")
    rounds = both.those(counts)
    if lost := both.count - rounds.count:
        uncounted = [row for row in both.rows if not counts(row)]
        do = "does" if lost == 1 else "do"
        why = _why_uncounted(uncounted, metric, "it" if lost == 1 else "them")
        without = f"{lost} of {both.count} {both.counted} {do} not count{why}"
        if rounds.least < LEAST_ROUNDS:
            return because(without)
        reasons.append(without)
    if unknown := rounds.count - rounds.knowing(metric).count:
        return because(f"{metric} unknown in {unknown} of {rounds.count} {rounds.counted}")
    a, b = rounds.values(metric)
    if min(*a, *b) <= 0:
        return because(f"{metric} is zero in some round")
    if metric in COSTS_OF_A_VIEW and (load := _unequal_load(rounds)) is not None:
        return because(f"unequal load: the ratio of views/s is {load:.2f}")
    if rounds.least < LEAST_ROUNDS:
        reasons.append(f"needs {LEAST_ROUNDS} rounds")
    reasons += _seen_in_duets(rounds)
    if metric in LATENCIES:  # users who waited through the window are in none
        sides = ((rows[0]["server"], starved_users(rows)) for rows in (rounds.a, rounds.b))
        reasons += [f"{server} starved {words}" for server, words in sides if words]
    same_ceiling = _at_one_ceiling(rounds.rows)
    if metric in THROUGHPUT and same_ceiling:
        reasons.append("both at the same ceiling: this says nothing about the servers")
    ratio = rounds.difference(metric, higher_is_better=metric in HIGHER_IS_BETTER)
    if is_bound_alone(ratio):
        bound = percent_text(math.expm1(ratio.bound_log))
        reasons.append(f"may come from the lab's instruments, ±{bound}")
    return replace(
        unjudged,
        difference=ratio,
        verdict=ratio.verdict,
        reason="; ".join(reasons),
        same_ceiling=same_ceiling,
        b_at_ceiling=all(map(_at_ceiling, rounds.b)),
    )


def _why_uncounted(rows: Sequence[Row], metric: str, them: str) -> str:
    """`: the lab itself may have changed it by up to 12 % (api-saturated)`; without what is not
    known.
    """
    share = caveats.changed_at_most(rows, metric)
    changed = f": the lab itself may have changed {them} by up to {100 * share:.0f} %"
    blame = ", ".join(caveats.blamed_alone(rows, metric))
    return (changed if share else "") + (f" ({blame})" if blame else "")


def is_bound_alone(ratio: Difference) -> bool:
    """Whether the interval excludes 1, and only its bound leaves it undecided."""
    if ratio.verdict != "undecided" or ratio.low is None or ratio.high is None:
        return False
    return ratio.low > 1 or ratio.high < 1


def _seen_in_duets(rounds: BothSides) -> Iterator[str]:
    """`failures in 1 of 5 rounds`: what may have disturbed duets that count all the same. Of other
    trials the tables of cases tell it, which duets are not in.
    """
    duets = [pair for pair in rounds.pairs if pair[0].is_of_duet] if rounds.paired else []
    for name in (caveats.FAILURES.name, caveats.CPU_DRIFT.name):
        if count := sum(any(name in row.caveats for row in pair) for pair in duets):
            yield f"{name} in {count} of {len(duets)} rounds"


def _unequal_load(rounds: BothSides) -> float | None:
    """The ratio of the rates where they are not equal."""
    a, b = rounds.values("rps")
    if not a or not b or min(*a, *b) <= 0:
        return None
    ratio = difference(a, b, paired=rounds.paired).ratio
    return None if is_equal_load(ratio) else ratio


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
        note = f"may be chance: of {of} comparisons some may come out like this by luck"
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
