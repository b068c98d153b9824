"""What a suite compares: ratios with their intervals."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from loadgen.charts.canvas import RowWords
from loadgen.charts.ratios import ratios_chart
from loadgen.documents.document import (
    EVERYWHERE,
    MOST_LINES,
    PAGE,
    TERMINAL,
    TEXT,
    WIDE,
    Block,
    Cell,
    Figure,
    Medium,
    Picture,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.few_rounds import FAR_RATIO
from loadgen.documents.run_material import Group
from loadgen.documents.words import UNKNOWN, count_of, decimals, listing, plain_ratio, times
from loadgen.findings.claims import judge_claims
from loadgen.findings.comparisons import Comparison, Planted, in_words, percent_text, ratio_text
from loadgen.suites.labels import WRITTEN, metric_name
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import MARGIN, clopper_pearson

#: More than this are not drawn: first those that say something.
MOST_DRAWN = 30
INTRODUCTION = (
    "Each line is a ratio, the second case divided by the first, with its 95 % interval over "
    "rounds. A triangle means that it lies beyond the chart. "
    f"Within the band, ± {MARGIN:.0%}, a difference does not matter. "
    "Better or worse: the 95 % interval leaves out 1. Equivalent: it does not, and the 90 % "
    "interval lies within the band. Undecided: neither. Both intervals are widened by the bound "
    "first: the most that the lab itself can have changed the ratio."
)
#: What a column of that name holds.
COULD_SEE = "the smallest difference that 4 of 5 such runs find"
#: Of ratios that were measured in duets.
DUETS = (
    "In a duet two servers run at once, on the same CPUs, each with the same load. What disturbs "
    "the CPU disturbs both. The ratio holds for that load only."
)


def blocks(group: Group) -> Iterator[Block]:
    """What was planted or expected, the ratios, and why some of them say less; none where the
    suite compares nothing. Of fewer than three rounds: what is told, and what has to wait.
    """
    if group.early:
        yield Text([*far_in_words(group), wait_for_three_rounds(group.early, [group.suite])])
    if not group.comparisons:
        return
    if sentences := list(sentences_above(group.suite, group.comparisons)):
        yield Text(sentences)
    title = f"Ratios of what was compared: {group.suite.question}"
    yield from ratios(f"comparisons-{group.suite.name}", title, group.comparisons, TEXT)
    if any(comparison.duet for comparison in group.comparisons):
        yield Text([DUETS], "note")


def ratios(
    name: str,
    title: str,
    comparisons: Sequence[Comparison],
    brief: frozenset[Medium],
) -> Iterator[Block]:
    """A chart of these ratios with all of them as a table, and their remarks.

    The table alone where nothing can be compared: each line has its reason. Where it is to be
    brief, only those of too many are listed that say something.
    """
    table = _table(comparisons, brief)
    drawn = [comparison for comparison in comparisons if comparison.difference]
    left_out = max(0, len(drawn) - MOST_DRAWN)
    if left_out:
        drawn = sorted(drawn, key=lambda comparison: not comparison.is_alarm)[:MOST_DRAWN]
    if drawn:
        most = _most_rounds(drawn)
        rows = [(_row_words(each, most[each.metric]), each) for each in drawn]
        canvas = ratios_chart(rows)
        caption = f"{left_out} more are in the table." if left_out else ""
        yield Figure(name, Picture(title, canvas.chart), caption, table)
    else:
        yield table
    if notes := list(_notes(comparisons)):
        yield Text(notes, "note", shown=TERMINAL)  # elsewhere they are in the table


def far_in_words(group: Group) -> Iterator[str]:
    """What one round tells: who makes, needs or takes how many times as much as whom.

    Of each pair the first metric that the suite names. Who is far from several is named once.
    Duets, and trials in their place, are told pair by pair, each with its load.
    """
    called = {entry.case.slug: entry.called for entry in group.entries}
    apart: dict[frozenset[str], tuple[str, str, str, float]] = {}
    in_duets: list[str] = []
    for comparison in group.far:
        how, metric = comparison.difference, metric_name(comparison.metric)
        if how and comparison.load:
            pair = comparison.without_load + comparison.with_load
            in_duets.append(f"{metric} {times(how.ratio)} ({pair})")
        elif how:
            more, less = (comparison.b, comparison.a)[:: 1 if how.ratio > 1 else -1]
            of_pair = (metric, more, less, max(how.ratio, 1 / how.ratio))
            apart.setdefault(frozenset((more, less)), of_pair)
    grouped = [_by_side(list(apart.values()), side) for side in ("less", "more")]
    for metric, greater, lesser, ratios_of_it in min(grouped, key=len):
        low, high = plain_ratio(min(ratios_of_it)), plain_ratio(max(ratios_of_it))
        by = low if low == high else f"{low} to {high}"
        who, whom = (listing(called[case] for case in side) for side in (greater, lesser))
        yield f"{metric} of {who} is {by} times that of {whom}."
    if in_duets:
        large = "A large difference" if len(in_duets) == 1 else "Large differences"
        yield f"{large}: {listing(in_duets)}."


def _by_side(
    apart: Sequence[tuple[str, str, str, float]], side: Literal["less", "more"]
) -> list[tuple[str, list[str], list[str], list[float]]]:
    """Those far apart, together where metric and that side are the same."""
    shared: dict[tuple[str, str], list[tuple[str, str, str, float]]] = {}
    for of_pair in apart:
        metric, more, less, _ = of_pair
        shared.setdefault((metric, less if side == "less" else more), []).append(of_pair)
    return [
        (
            metric,
            list(dict.fromkeys(more for _, more, _, _ in alike)),
            list(dict.fromkeys(less for _, _, less, _ in alike)),
            [ratio for *_, ratio in alike],
        )
        for (metric, _), alike in shared.items()
    ]


def wait_for_three_rounds(
    early: Sequence[Comparison], suites: Sequence[Suite], how: str = ""
) -> str:
    """What three rounds would tell of comparisons that have fewer.

    Args:
        early: these comparisons.
        suites: that ask for them.
        how: what makes three rounds of the run, as the end of the sentence; empty: it goes on by
            itself.
    """
    count = len(judge_claims(suites, early))
    claims = f" and {count_of(count, 'claim')}" if count else ""
    judged = f"{count_of(len(early), 'comparison')}{claims}"
    need = "needs" if len(early) == 1 and not claims else "need"
    return f"Differences under ×{FAR_RATIO:g} may be chance. {judged} {need} three rounds{how}."


def verdicts_in_words(comparisons: Sequence[Comparison]) -> str:
    """`40 comparisons: 31 equivalent, 6 undecided, 3 worse`."""
    verdicts = Counter(comparison.verdict for comparison in comparisons)
    of_each = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return f"{count_of(len(comparisons), 'comparison')}: {of_each}"


def could_see(comparison: Comparison | None) -> str:
    """The smallest difference that 4 of 5 such runs find; – where that is not known."""
    difference = comparison.difference if comparison else None
    smallest = difference.smallest_detectable_ratio if difference else None
    return UNKNOWN if smallest is None else percent_text(smallest - 1)


def each_once(reasons: Iterable[str]) -> Iterator[str]:
    """Each reason once, with how many it concerns; its figure only if it is the only one."""
    grouped: dict[str, list[str]] = {}
    for reason in reasons:
        grouped.setdefault(re.sub(r": [^:;]* is [0-9.]+", "", reason), []).append(reason)
    for in_general, alike in grouped.items():
        yield alike[0] if len(alike) == 1 else f"{in_general} ({len(alike)} times)"


def _most_rounds(comparisons: Iterable[Comparison]) -> dict[str, int]:
    """By metric, the rounds of the comparison that has most."""
    most: dict[str, int] = {}
    for comparison in comparisons:
        if how := comparison.difference:
            most[comparison.metric] = max(most.get(comparison.metric, 0), how.rounds)
    return most


def _row_words(comparison: Comparison, most_rounds: int) -> RowWords:
    """What is compared and the verdict; that it rests on fewer rounds than others beside it."""
    rounds = comparison.difference.rounds if comparison.difference else most_rounds
    fewer = f" · {rounds} of {most_rounds} rounds" if rounds < most_rounds else ""
    left = f"{comparison.label}: {metric_name(comparison.metric)}"
    return RowWords(left, comparison.verdict + fewer)


def sentences_above(suite: Suite, comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What stands above the table."""
    if len(comparisons) > MOST_LINES:
        yield f"{verdicts_in_words(comparisons)} (all in comparisons.csv)."
    if suite.expect == "no difference":
        yield from _false_alarms(comparisons)
    planted = [(each, each.planted) for each in comparisons if each.planted]
    if planted:
        yield _how_many_found(planted)
    yield from (_planted_in_words(comparison, made) for comparison, made in planted)


def _how_many_found(planted: Sequence[tuple[Comparison, Planted]]) -> str:
    """`5 planted differences were looked for; all 5 were found.`"""
    count, found = len(planted), sum(_is_found(*each) for each in planted)
    were = "was" if count == 1 else "were"
    asked = f"{count_of(count, 'planted difference')} {were} looked for"
    if found == count:
        return f"{asked}; {'it was' if count == 1 else f'all {count} were'} found."
    return f"{asked}; {found or 'none'} {'was' if found < 2 else 'were'} found."


def _is_found(comparison: Comparison, planted: Planted) -> bool:
    """Whether its own 95 % interval excludes 1, to the side that was planted."""
    how = comparison.difference
    return bool(how and comparison.is_alarm and (how.ratio > 1) == (planted.ratio > 1))


def _planted_in_words(comparison: Comparison, planted: Planted) -> str:
    """`a → b, Min (ms): ×1.017 was planted, ×1.016 [1.015–1.017] was found. 3 rounds find it …`"""
    what = f"{comparison.without_load}{comparison.with_load}, {WRITTEN[comparison.metric][0]}"
    found = in_words(comparison)
    if comparison.difference:
        found = f"×{found} was found"
    words = f"{what}: ×{ratio_text(planted.ratio)} was planted, {found}."
    needed = planted.rounds_needed
    return words + (f" {needed} rounds find it in 4 of 5 such runs." if needed else "")


def _false_alarms(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """By metric: how many of the comparisons that have an interval exclude 1."""
    by_metric: dict[str, list[bool]] = {}
    for comparison in comparisons:
        if comparison.difference and comparison.difference.p is not None:
            by_metric.setdefault(comparison.metric, []).append(comparison.is_alarm)
    for metric, alarms in by_metric.items():
        raised, count = sum(alarms), len(alarms)
        shares = (raised / count, *clopper_pearson(raised, count))
        share, low, high = map(percent_text, shares)
        yield (
            f"{metric_name(metric)}: {count_of(raised, 'false alarm')} in {count} comparisons of a "
            f"server with its twin ({share}, 95 % bounds {low} to {high}; 5 % are expected)."
        )


def _table(comparisons: Sequence[Comparison], brief: frozenset[Medium]) -> Table:
    columns = (
        TableColumn("Comparison", numeric=False, merged=True),
        TableColumn("Metric", numeric=False),
        TableColumn("Ratio", meaning="second / first"),
        TableColumn("95 %"),
        TableColumn(
            "Bound",
            shown=PAGE,
            meaning="the most that API, driver, stolen time and known drift can have changed the "
            "ratio, beyond what they did to both sides alike",
        ),
        TableColumn("Could see", meaning=COULD_SEE),
        TableColumn("Verdict", numeric=False),
        TableColumn(
            "Adjusted p",
            shown=WIDE,
            meaning="for the number of comparisons (Benjamini and Hochberg)",
        ),
        TableColumn(
            "Apart",
            shown=PAGE,
            meaning="how many trials later the other was measured (mean over rounds). 0: at the "
            "same time; 1: right after",
        ),
        TableColumn("Remark", numeric=False, shown=WIDE),
    )
    rows = [
        TableRow(tuple(_cells(comparison)), telling=comparison.is_alarm)
        for comparison in comparisons
    ]
    folded = f"All {len(rows)} comparisons as a table" if len(rows) > 1 else "The same as a table"
    return Table("", columns, rows, folded=folded, shown=EVERYWHERE, brief=brief)


def _cells(comparison: Comparison) -> Iterator[Cell]:
    difference, p = comparison.difference, comparison.p_adjusted
    yield comparison.label
    yield metric_name(comparison.metric)
    yield ratio_text(difference.ratio) if difference else comparison.instead or UNKNOWN
    low, high = (difference.low, difference.high) if difference else (None, None)
    yield UNKNOWN if low is None or high is None else f"{ratio_text(low)}–{ratio_text(high)}"
    yield percent_text(math.expm1(difference.bound_log)) if difference else UNKNOWN
    yield could_see(comparison)
    yield comparison.verdict
    yield UNKNOWN if p is None else f"{p:.2g}"
    yield decimals(comparison.distance.trials if comparison.distance else None, 1)
    yield comparison.reason


def _notes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Why some have no verdict or a weak one, of those that are listed."""
    few = len(comparisons) <= MOST_LINES
    listed = [comparison for comparison in comparisons if few or comparison.is_alarm]
    return each_once(
        f"{comparison.verdict}: {comparison.reason}"
        for comparison in listed[:MOST_LINES]
        if comparison.reason
    )
