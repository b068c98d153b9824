"""What to change first, for a suite that asks: its changes, the best first."""

from collections.abc import Iterator, Sequence

from loadgen.charts.canvas import RowWords
from loadgen.charts.ratios import ratios_svg
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow, Text
from loadgen.documents.material import Material
from loadgen.documents.words import UNKNOWN, times, with_bounds
from loadgen.findings.first_change import Effect, effects, line, what_to_change_first
from loadgen.suites.labels import metric_name
from loadgen.suites.suite import Suite
from loadgen.topics.first_change_tables import HEADING

CAPTION = (
    "Each line is what one change does: after by before, with the 95 % interval; the best first. "
    "Views/s judge a change where they can; where both sides make all that the users ask for, CPU "
    "per view does, and less of it is better. Or more: after the change, all is made that users, "
    "slots or pool allow."
)


def section(material: Material) -> Section | None:
    """A sentence and a chart per suite that names changes."""
    found = [
        (group.suite, its_effects)
        for group in material.groups
        if (its_effects := effects(group.suite, material.comparisons))
    ]
    blocks: list[Block] = []
    for suite, its_effects in found:
        if len(found) > 1:
            blocks.append(Heading(suite.question))
        blocks.append(Text([what_to_change_first(its_effects)]))
        blocks.append(_figure(suite, its_effects))
    return Section("first-change", HEADING, blocks) if blocks else None


def _figure(suite: Suite, found: Sequence[Effect]) -> Figure:
    return Figure(
        name=f"first-change-{suite.name}",
        title=f"What each change does: {suite.question}",
        svg=ratios_svg([(_words(effect), effect.judged) for effect in found]),
        caption=CAPTION,
        table=_table(found),
    )


def _words(effect: Effect) -> RowWords:
    judged = effect.judged.difference
    ratio = f"{metric_name(effect.judged.metric)} {times(judged.ratio)} " if judged else ""
    faint = effect.standing != "better"
    return RowWords(f"{effect.change}, {effect.where}", f"{ratio}· {effect.standing}", faint)


def _table(found: Sequence[Effect]) -> Table:
    columns = (
        Column("Change", False),
        Column("From → to", False),
        Column("Judged by", False),
        Column("Ratio"),
        Column("Standing", False),
        Column("In full", False),
    )
    rows = [TableRow(tuple(_cells(effect))) for effect in found]
    return Table("Every change, the best first.", columns, rows, folded="The same as a table")


def _cells(effect: Effect) -> Iterator[str]:
    found = effect.judged.difference
    yield from (effect.change, effect.where, metric_name(effect.judged.metric))
    yield with_bounds(found).removeprefix("×") if found else effect.judged.instead or UNKNOWN
    yield from (effect.standing, line(effect))
