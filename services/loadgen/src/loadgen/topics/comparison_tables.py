"""How comparisons are printed, in a terminal and as Markdown."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.findings.comparisons import Comparison, alarms
from loadgen.findings.wording import in_words, percent_text, ratio_text
from loadgen.suites.labels import metric_name
from loadgen.suites.suite import Suite

#: More comparisons than this are counted, and only those that say something are listed.
MOST_LINES = 20
HEADINGS = ("Comparison", "Metric", "Ratio", "95 %", "Could see", "Verdict")
EXPLANATION = "ratio: second by first; could see: what 80 % of such runs would have found"


def print_comparisons(console: Console, suite: Suite, comparisons: Sequence[Comparison]) -> None:
    """What a suite's comparisons say; nothing where it has none."""
    if not comparisons:
        return
    console.print()
    for sentence in _sentences(suite, comparisons):
        console.print(sentence)
    print_listed(console, comparisons)


def print_listed(console: Console, comparisons: Sequence[Comparison]) -> None:
    """A table of all comparisons, or, of too many, of those that say something; the remarks."""
    listed = _listed(comparisons)
    if listed:
        console.print(_table(listed))
        console.print(EXPLANATION, style="dim")
    for note in _notes(listed):
        console.print(note, style="dim")


def markdown(suite: Suite, comparisons: Sequence[Comparison]) -> str:
    """The same as Markdown; empty where the suite compares nothing."""
    if not comparisons:
        return ""
    text = [sentence + "\n" for sentence in _sentences(suite, comparisons)]
    return "\n".join([*text, *markdown_lines(_listed(comparisons))])


def markdown_lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The lines of a table of these comparisons; none where there are none."""
    if comparisons:
        yield "| " + " | ".join([*HEADINGS, "Adjusted p", "Remark"]) + " |"
        yield "| --- | --- | ---: | ---: | ---: | --- | ---: | --- |"
    for comparison in comparisons:
        p = "–" if comparison.p_adjusted is None else f"{comparison.p_adjusted:.2g}"
        cells = [comparison.label, *_cells(comparison), p, comparison.reason]
        yield "| " + " | ".join(cells) + " |"


def counted(comparisons: Sequence[Comparison]) -> str:
    """`40 comparisons: 31 equivalent, 6 undecided, 3 worse`."""
    verdicts = Counter(comparison.verdict for comparison in comparisons)
    of_each = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return f"{len(comparisons)} comparison{'s' * (len(comparisons) != 1)}: {of_each}"


def _sentences(suite: Suite, comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What stands above the table."""
    if len(comparisons) > MOST_LINES:
        yield f"{counted(comparisons)} (all in comparisons.csv)."
    if suite.expect == "no difference":
        for of_metric in alarms(comparisons):
            share, low, high = map(
                percent_text,
                (of_metric.alarms / of_metric.comparisons, of_metric.low, of_metric.high),
            )
            yield (
                f"{metric_name(of_metric.metric)}: {of_metric.alarms} false alarms in "
                f"{of_metric.comparisons} comparisons of a server with its twin ({share}, 95 % "
                f"bounds {low} to {high}; 5 % are due)."
            )
    for comparison in comparisons:
        if comparison.planted:
            needed = comparison.planted.rounds_needed
            yield (
                f"{comparison.label}: planted {ratio_text(comparison.planted.ratio)} in "
                f"{metric_name(comparison.metric)}, found {in_words(comparison)}"
                + (f"; to show it in 80 % of runs takes {needed} rounds." if needed else ".")
            )


def _listed(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """All of them, or, of too many, those that say something."""
    if len(comparisons) <= MOST_LINES:
        return list(comparisons)
    return [comparison for comparison in comparisons if comparison.is_alarm][:MOST_LINES]


def _table(comparisons: Iterable[Comparison]) -> Table:
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    for heading in HEADINGS:
        numeric = heading in ("Ratio", "95 %", "Could see")
        built.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    above = ""
    for comparison in comparisons:
        label = "" if comparison.label == above else comparison.label
        above = comparison.label
        built.add_row(label, *_cells(comparison))
    return built


def _cells(comparison: Comparison) -> list[str]:
    """The cells after the label."""
    found = comparison.difference
    low, high = (found.low, found.high) if found else (None, None)
    smallest = found.smallest_detectable_ratio if found else None
    return [
        metric_name(comparison.metric),
        ratio_text(found.ratio) if found else comparison.instead or "–",
        f"{ratio_text(low)}–{ratio_text(high)}" if low is not None and high is not None else "–",
        "–" if smallest is None else percent_text(smallest - 1),
        comparison.verdict,
    ]


def _notes(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Why some have no verdict or a weak one."""
    return each_once(
        f"{comparison.verdict}: {comparison.reason}"
        for comparison in comparisons
        if comparison.reason
    )


def each_once(reasons: Iterable[str]) -> Iterator[str]:
    """Each reason once, with how many comparisons it concerns; its figure only if it is the one."""
    grouped: dict[str, list[str]] = {}
    for reason in reasons:
        grouped.setdefault(re.sub(r": [^:;]* is [0-9.]+", "", reason), []).append(reason)
    for in_general, alike in grouped.items():
        yield alike[0] if len(alike) == 1 else f"{in_general} ({len(alike)} times)"
