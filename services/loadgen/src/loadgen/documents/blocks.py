"""What a section is made of; each block has a template of its own in templates/blocks/."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from markupsafe import Markup

#: Text, escaped when it is shown; Markup where it is ours and has tags.
type Words = str | Markup


class Block(Protocol):
    """Something that a section shows."""

    @property
    def template(self) -> str:
        """Its file in templates/blocks/; it sees the block as `block`."""
        ...


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        key: of its anchor.
        heading: as in the contents.
        blocks: what it shows, in order.
    """

    key: str
    heading: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    words: Words
    template: ClassVar[str] = "heading.html"


@dataclass(frozen=True)
class Text:
    """Paragraphs.

    Attributes:
        paragraphs: in order.
        kind: a CSS class: `lead` for the answer, `note` for small print.
    """

    paragraphs: Sequence[Words]
    kind: str = ""
    template: ClassVar[str] = "text.html"


@dataclass(frozen=True)
class Terms:
    """Words with what is to be said of each.

    Attributes:
        entries: (word, for whom it is said, explanation).
    """

    entries: Sequence[tuple[Words, Words, Words]]
    template: ClassVar[str] = "terms.html"


@dataclass(frozen=True)
class Column:
    """A table's column: its heading, and whether it holds numbers."""

    heading: Words
    numeric: bool = True


@dataclass(frozen=True)
class TableRow:
    """A table's row.

    Attributes:
        cells: one per column.
        state: empty, or `unranked` or `failed`: shown so.
        opens: key of the refutation that its first cell opens; None: it opens none.
    """

    cells: Sequence[Words]
    state: str = ""
    opens: str | None = None


@dataclass(frozen=True)
class Table:
    """A table that sorts by any column.

    Attributes:
        caption: what it holds.
        columns, rows: in order.
        filtered: whether fields above it narrow its rows.
        folded: the words that unfold it; empty: it is open.
    """

    caption: Words
    columns: Sequence[Column]
    rows: Sequence[TableRow]
    filtered: bool = False
    folded: str = ""
    template: ClassVar[str] = "table.html"


@dataclass(frozen=True)
class Figure:
    """A picture with its caption and the same as a table.

    Attributes:
        name: of its file in charts/.
        title: what it shows, for those who do not see it.
        svg: the drawing in fixed colours.
        caption: how to read it.
        table: its numbers; None: another block has them.
    """

    name: str
    title: str
    svg: str
    caption: Words
    table: Table | None
    template: ClassVar[str] = "figure.html"


@dataclass(frozen=True)
class Gallery:
    """Small pictures of one kind beside each other.

    Attributes:
        name: their files in charts/ are called so, with a number.
        pictures: title and drawing of each.
        caption: how to read them.
    """

    name: str
    pictures: Sequence[tuple[str, str]]
    caption: Words
    template: ClassVar[str] = "gallery.html"


@dataclass(frozen=True)
class Command:
    """A command line to copy, with what it is for."""

    words: Words
    line: str
    template: ClassVar[str] = "command.html"


@dataclass(frozen=True)
class Folded:
    """Blocks that a reader unfolds.

    Attributes:
        summary: the words to press.
        blocks: what appears.
        key: of its anchor; empty: none.
    """

    summary: Words
    blocks: Sequence[Block]
    key: str = ""
    template: ClassVar[str] = "folded.html"


def charts(blocks: Sequence[Block]) -> list[tuple[str, str, str]]:
    """File name, title and drawing of every picture in these blocks."""
    found: list[tuple[str, str, str]] = []
    for block in blocks:
        if isinstance(block, Figure):
            found.append((block.name, block.title, block.svg))
        elif isinstance(block, Gallery):
            for number, (title, svg) in enumerate(block.pictures, start=1):
                found.append((f"{block.name}-{number:02d}", title, svg))
        elif isinstance(block, Folded):
            found.extend(charts(block.blocks))
    return found
