"""What to change first, for a suite that asks: its changes, the best first."""

from collections.abc import Iterator, Sequence

from loadgen.charts.canvas import RowWords
from loadgen.charts.ratios import ratios_chart
from loadgen.documents.document import (
    PAGE,
    TEXT,
    Block,
    Cell,
    Figure,
    Heading,
    Item,
    Items,
    Picture,
    Table,
    TableColumn,
    TableRow,
    Text,
    of_words,
)
from loadgen.documents.run_material import Group, Material
from loadgen.documents.words import UNKNOWN, times, times_with_bounds
from loadgen.findings.first_change import Effect, effects, line, what_to_change_first
from loadgen.suites.labels import metric_name

HEADING = "What to change first"
EXPLANATION = (
    "× is the figure after the change divided by the one before, with its 95 % interval. Views/s "
    "should rise, all else should fall. “or more”: users, slots or the pool were the limit, so the "
    "change may bring more."
)
BRIEFLY = (
    "× is the figure after the change divided by the one before. “or more”: users or slots were "
    "the limit."
)
#: Of more changes than this a screen has no room.
MOST_LISTED = 6
INTRODUCTION = (
    "Each line is one change, the best first. × is the figure after the change divided by the one "
    "before, with its 95 % interval. A change is judged by views/s. Where these cannot show it, it "
    "is judged by CPU per view: less is better. “Or more”: users, slots or the pool were the "
    "limit, so the change may bring more."
)


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """What to change first, then every change; none where the suite names none."""
    ordered = effects(group.suite, material.comparisons)
    if not ordered:
        return
    yield Text([what_to_change_first(ordered)])
    items = [Item(line(effect), faint=effect.standing != "better") for effect in ordered]
    yield Items(items, numbered=True, shown=TEXT)
    yield Text([EXPLANATION], "note", shown=TEXT)
    canvas = ratios_chart([(_row_words(effect), effect.judged) for effect in ordered])
    picture = Picture(f"What each change does: {group.suite.question}", canvas.chart)
    yield Figure(f"first-change-{group.suite.name}", picture, "", _table(ordered))


def brief_blocks(material: Material, group: Group) -> Iterator[Block]:
    """The changes that a screen has room for, the best first."""
    ordered = effects(group.suite, material.comparisons)
    if not ordered:
        return
    items = [Item(line(effect), faint=effect.standing != "better") for effect in ordered]
    yield Heading(HEADING)
    yield Items(items[:MOST_LISTED], numbered=True)
    left_out = len(items) - MOST_LISTED
    yield Text(
        [BRIEFLY, *([f"{left_out} more are in the report."] if left_out > 0 else [])], "note"
    )


def _row_words(effect: Effect) -> RowWords:
    judged = effect.judged.difference
    ratio = f"{metric_name(effect.judged.metric)} {times(judged.ratio)} " if judged else ""
    faint = effect.standing != "better"
    return RowWords(f"{effect.change}, {effect.where}", f"{ratio}· {effect.standing}", faint)


def _table(ordered: Sequence[Effect]) -> Table:
    columns = (
        *of_words("Change", "From → to", "Judged by"),
        TableColumn("Ratio"),
        *of_words("Standing", "In full"),
    )
    rows = [TableRow(tuple(_cells(effect))) for effect in ordered]
    caption = "Every change, the best first."
    return Table(caption, columns, rows, folded="The same as a table", shown=PAGE)


def _cells(effect: Effect) -> Iterator[Cell]:
    judged = effect.judged
    yield from (effect.change, effect.where, metric_name(judged.metric))
    ratio = times_with_bounds(judged.difference) if judged.difference else judged.instead
    yield ratio.removeprefix("×") or UNKNOWN
    yield from (effect.standing, line(effect))
