"""What the suites compare: ratios with their intervals."""

from collections.abc import Sequence

from loadgen.charts.canvas import RowWords
from loadgen.charts.ratios import ratios_svg
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow
from loadgen.documents.material import Group, Material
from loadgen.documents.words import UNKNOWN, number
from loadgen.findings.comparisons import Comparison
from loadgen.suites.labels import metric_name
from loadgen.theory.statistics import MARGIN

#: More than this are not drawn: first those that say something.
MOST_DRAWN = 30
HOW_TO_READ = (
    "Each line is the second by the first: the ratio with its 95 % interval over rounds; a "
    f"triangle lies beyond the chart. The band is ± {MARGIN:.0%}, within which a difference does "
    "not matter. Where the interval excludes 1 the second is better or worse; else equivalent "
    "where its 90 % core lies within the band, and undecided where it does not."
)


def section(material: Material) -> Section | None:
    """A chart of ratios per suite that compares."""
    groups = [group for group in material.groups if group.comparisons]
    if not groups:
        return None
    blocks: list[Block] = []
    for group in groups:
        if len(groups) > 1:
            blocks.append(Heading(group.suite.question))
        blocks.append(_figure(group, HOW_TO_READ if group is groups[0] else ""))
    return Section("comparisons", "What was compared", blocks)


def _figure(group: Group, caption: str) -> Figure | Table:
    name, question = f"comparisons-{group.suite.name}", group.suite.question
    return figure(name, f"Ratios of what was compared: {question}", group.comparisons, caption)


def figure(
    name: str, title: str, comparisons: Sequence[Comparison], caption: str
) -> Figure | Table:
    """A chart of the ratios of these comparisons, with all of them as a table.

    The table alone where nothing can be compared: each line has its reason.
    """
    drawn = [one for one in comparisons if one.difference]
    if not drawn:
        return _table(comparisons)
    left_out = len(drawn) - MOST_DRAWN
    if left_out > 0:
        drawn = sorted(drawn, key=lambda one: not one.is_alarm)[:MOST_DRAWN]
    if left_out > 0:
        caption += f" {left_out} more are in the table."
    return Figure(
        name=name,
        title=title,
        svg=ratios_svg(
            [
                (RowWords(f"{one.label}: {metric_name(one.metric)}", one.verdict), one)
                for one in drawn
            ]
        ),
        caption=caption,
        table=_table(comparisons),
    )


def _table(comparisons: Sequence[Comparison]) -> Table:
    columns = (
        Column("Comparison", numeric=False),
        Column("Metric", numeric=False),
        Column("Ratio"),
        Column("95 % interval"),
        Column("Could see"),
        Column("Adjusted p"),
        Column("Apart"),
        Column("Verdict", numeric=False),
        Column("Remark", numeric=False),
    )
    rows = [
        TableRow((one.label, metric_name(one.metric), *_cells(one), one.verdict, one.reason))
        for one in comparisons
    ]
    caption = (
        "Second by first. Could see: a true difference of this size shows in 80 % of such runs. "
        "Adjusted p: Benjamini and Hochberg over the whole run. Apart: how many trials from one to "
        "the other, mean over rounds; 1: one right after the other."
    )
    folded = f"All {len(rows)} comparisons as a table" if len(rows) > 1 else "The same as a table"
    return Table(caption, columns, rows, folded=folded)


def _cells(one: Comparison) -> tuple[str, ...]:
    apart = number(one.distance.trials if one.distance else None, 1)
    found = one.difference
    if not found:
        return one.instead or UNKNOWN, *(UNKNOWN,) * 3, apart
    known = found.low is not None and found.high is not None
    smallest = found.smallest_detectable_ratio
    return (
        f"{found.ratio:.3f}",
        f"{found.low:.3f}–{found.high:.3f}" if known else UNKNOWN,
        f"{100 * (smallest - 1):.1f} %" if smallest else UNKNOWN,
        f"{one.p_adjusted:.2g}" if one.p_adjusted is not None else UNKNOWN,
        apart,
    )
