"""What a document is made of: headings, sentences, tables, charts with their data.

It is made once. A terminal, Markdown and a page are renderings of it (terminal.py, markdown.py,
html.py); what one of them has no room for says where it is shown instead.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from markupsafe import Markup

from loadgen.charts.drawing import Chart, Data, draw
from loadgen.documents.words import bounds, decimals, plus_minus
from loadgen.theory.statistics import Interval

type Medium = Literal["terminal", "markdown", "page"]
TERMINAL: frozenset[Medium] = frozenset({"terminal"})
PAGE: frozenset[Medium] = frozenset({"page"})
TEXT: frozenset[Medium] = frozenset({"terminal", "markdown"})
WIDE: frozenset[Medium] = frozenset({"markdown", "page"})
EVERYWHERE: frozenset[Medium] = TEXT | PAGE

#: Words as a reader or the lab wrote them; Markup where they are ours and have tags, which only
#: what is shown in a page alone may have.
type Words = str | Markup

# ---------------------------------------------------------------------------------------- cells


@dataclass(frozen=True)
class Estimate:
    """A mean over rounds, and how far off it may be.

    Attributes:
        mean: with its interval; None: not known.
        digits: after the point.
        published: what an article says of the same; None: nothing.
        spread: whether text says how far off it may be, too; a page always does.
    """

    mean: Interval | None
    digits: int
    published: float | None = None
    spread: bool = False


@dataclass(frozen=True)
class Outcome:
    """How something came out: good, bad, or open. Shown in colour where there is any."""

    words: str
    tone: Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Code:
    """What a machine reads: a command, a version."""

    text: str


@dataclass(frozen=True)
class Link:
    """Words that lead to a file beside the page."""

    words: str
    address: str


@dataclass(frozen=True)
class Trend:
    """Values in the order in which they were measured; a page draws a small line.

    Attributes:
        values: one at least.
        digits: after the point, in words.
    """

    values: Sequence[float]
    digits: int


type Cell = str | Estimate | Outcome | Code | Link | Trend


def cell_words(cell: Cell, medium: Medium) -> str:
    """A cell as plain text."""
    match cell:
        case Estimate():
            return _estimate_words(cell, medium)
        case Outcome(words) | Code(words) | Link(words):
            return words
        case Trend(values, digits):
            ends = dict.fromkeys(decimals(value, digits) for value in (values[0], values[-1]))
            return " → ".join(ends)
    return cell


def _estimate_words(cell: Estimate, medium: Medium) -> str:
    words = decimals(cell.mean.mean if cell.mean else None, cell.digits)
    if cell.mean and medium == "page":
        words += bounds(cell.mean, cell.digits)
    elif cell.spread and not (medium == "terminal" and cell.published is not None):
        words += plus_minus(cell.mean)  # beside an article's figure it is too much for 80 columns
    if cell.published is not None:
        words += f" ({decimals(cell.published, cell.digits).removesuffix('.0')})"
    return words


# ---------------------------------------------------------------------------------------- blocks


@dataclass(frozen=True, kw_only=True)
class Block:
    """Something that a section shows; `shown` says where."""

    shown: frozenset[Medium] = EVERYWHERE

    @property
    def template(self) -> str:
        """Its file in templates/blocks/, for the page; it sees the block as `block`."""
        return f"{type(self).__name__.lower()}.html"


@dataclass(frozen=True)
class Heading(Block):
    """A heading within a section."""

    words: Words


@dataclass(frozen=True)
class Text(Block):
    """Paragraphs.

    Attributes:
        kind: `lead` for the answer, `note` for small print, `untold` for what is not known.
    """

    paragraphs: Sequence[Words]
    kind: Literal["", "lead", "note", "untold"] = ""


@dataclass(frozen=True)
class Item:
    """A point of a list, with points of its own below it.

    Attributes:
        outcome: how that came out, behind the words; None: nothing did.
        remark: what is to be said of the outcome, behind it.
        faint: whether it is to stand back.
    """

    words: str
    outcome: Outcome | None = None
    remark: str = ""
    faint: bool = False
    details: Sequence[str] = ()


@dataclass(frozen=True)
class Items(Block):
    """A list of points; numbered, the first is the most important."""

    items: Sequence[Item]
    numbered: bool = False


@dataclass(frozen=True)
class Terms(Block):
    """Words with what is to be said of each.

    Attributes:
        entries: (word, for whom it is said, explanation).
    """

    entries: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class TableColumn:
    """A table's column.

    Attributes:
        heading: with its unit in parentheses.
        meaning: what it holds, if the heading does not say so; stands beside the table.
        merged: in text, what is the same as in the line above is left out.
    """

    heading: str
    numeric: bool = True
    shown: frozenset[Medium] = EVERYWHERE
    meaning: str = ""
    merged: bool = False


def of_words(*headings: str) -> list[TableColumn]:
    """Columns that hold words."""
    return [TableColumn(heading, numeric=False) for heading in headings]


@dataclass(frozen=True)
class TableRow:
    """A table's row.

    Attributes:
        cells: one per column.
        state: empty, or `unranked` or `failed`: shown so.
        opens: key of the refutation that its first cell opens; None: it opens none.
        telling: whether it says more than most: it stays where there is no room for all.
    """

    cells: Sequence[Cell]
    state: str = ""
    opens: str | None = None
    telling: bool = True


@dataclass(frozen=True)
class Table(Block):
    """A table. In a page it sorts by any column.

    Attributes:
        caption: what it holds, and how to read it.
        filtered: what its rows are called where fields above it narrow them; empty: there are none.
        folded: the words that unfold it in a page; empty: it is open.
        brief: where of more than MOST_LINES rows only the telling ones are shown.
    """

    caption: str
    columns: Sequence[TableColumn]
    rows: Sequence[TableRow]
    filtered: str = ""
    folded: str = ""
    brief: frozenset[Medium] = frozenset()

    def without(self, column: TableColumn) -> "Table":
        """The same table without one of its columns."""
        at = self.columns.index(column)
        rows = [replace(row, cells=(*row.cells[:at], *row.cells[at + 1 :])) for row in self.rows]
        return replace(self, columns=[*self.columns[:at], *self.columns[at + 1 :]], rows=rows)

    def columns_in(self, medium: Medium) -> list[TableColumn]:
        """The columns that a medium shows."""
        return [column for column in self.columns if medium in column.shown]

    def rows_in(self, medium: Medium) -> list[TableRow]:
        """The rows that a medium shows, with the cells of its columns."""
        places = [place for place, column in enumerate(self.columns) if medium in column.shown]
        return [
            TableRow([row.cells[place] for place in places], row.state, row.opens)
            for row in self._listed(medium)
        ]

    def lines(self, medium: Medium) -> Iterator[list[Cell]]:
        """The cells of each row; of merged columns what the row above has is left out."""
        columns = self.columns_in(medium)
        above: Sequence[Cell] = ()
        for row in self.rows_in(medium):
            repeats = True
            line: list[Cell] = []
            for place, (column, cell) in enumerate(zip(columns, row.cells, strict=True)):
                repeats = repeats and column.merged and bool(above) and above[place] == cell
                line.append("" if repeats else cell)
            above = row.cells
            yield line

    def explanation(self, medium: Medium) -> str:
        """The caption, and what the columns mean that a medium shows."""
        columns = self.columns_in(medium)
        meanings = [f"{column.heading}: {column.meaning}" for column in columns if column.meaning]
        return " ".join(filter(None, [self.caption, *(f"{meaning}." for meaning in meanings)]))

    def _listed(self, medium: Medium) -> Sequence[TableRow]:
        if medium not in self.brief or len(self.rows) <= MOST_LINES:
            return self.rows
        return [row for row in self.rows if row.telling][:MOST_LINES]


#: Of more rows than this, only those that say something are listed where a table is brief.
MOST_LINES = 20


@dataclass(frozen=True)
class Picture:
    """A chart, drawn when it is asked for, with its title for those who do not see it.

    Attributes:
        chart: builds it, with the data that it is given to fill.
    """

    title: str
    chart: Callable[[Data], Chart]

    @cached_property
    def svg(self) -> str:
        """The drawing, in colours that are the variables of charts.palette."""
        return draw(self.chart)


@dataclass(frozen=True)
class Figure(Block):
    """A picture with its caption and the same as a table.

    Attributes:
        name: of its file in charts/.
        picture: the drawing; a page shows it, text does not.
        table: its numbers, shown where it says; None: another block has them.
    """

    name: str
    picture: Picture
    caption: str
    table: Table | None


@dataclass(frozen=True)
class Gallery(Block):
    """Small pictures of one kind beside each other.

    Attributes:
        name: their files in charts/ are called so, with a number.
    """

    name: str
    pictures: Sequence[Picture]
    caption: str
    shown: frozenset[Medium] = field(default=PAGE, kw_only=True)


@dataclass(frozen=True)
class Command(Block):
    """A command line to copy, with what it is for."""

    words: Words
    line: str
    shown: frozenset[Medium] = field(default=PAGE, kw_only=True)


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that a reader of the page unfolds.

    Attributes:
        summary: the words to press.
        key: of its anchor; empty: none.
    """

    summary: Words
    blocks: Sequence[Block]
    key: str = ""
    shown: frozenset[Medium] = field(default=PAGE, kw_only=True)


# -------------------------------------------------------------------------------------- document


@dataclass(frozen=True)
class Section:
    """A part of a document.

    Attributes:
        key: of its anchor.
        heading: as in the contents; empty: the document's own says it.
    """

    key: str
    heading: str
    blocks: Sequence[Block]

    def blocks_in(self, medium: Medium) -> list[Block]:
        """What a medium shows of it."""
        return [block for block in self.blocks if medium in block.shown]


@dataclass(frozen=True)
class Document:
    """A whole document.

    Attributes:
        facts: when, where, of what: a few words each.
        progress: how far a run has come that goes on, whose page is loaded anew now and then;
            empty: it has ended.
    """

    heading: str
    facts: Sequence[str]
    sections: Sequence[Section]
    progress: str = ""

    def sections_in(self, medium: Medium) -> list[Section]:
        """The sections of which a medium shows something."""
        return [section for section in self.sections if section.blocks_in(medium)]


def pictures(blocks: Iterable[Block]) -> Iterator[tuple[str, Picture]]:
    """Every picture in these blocks, by its file's name."""
    for block in blocks:
        if isinstance(block, Figure):
            yield block.name, block.picture
        elif isinstance(block, Gallery):
            for number, picture in enumerate(block.pictures, start=1):
                yield f"{block.name}-{number:02d}", picture
        elif isinstance(block, Folded):
            yield from pictures(block.blocks)
