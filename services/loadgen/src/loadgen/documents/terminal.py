"""A document on a terminal; and what is printed there: as it is written, whoever wrote it."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Line

from loadgen.documents.document import (
    Block,
    Cell,
    Document,
    Figure,
    Heading,
    Items,
    Outcome,
    Section,
    Table,
    TableColumn,
    Terms,
    Text,
    cell_words,
)
from loadgen.documents.words import without_tags

#: What is wider is harder to read, and does not fit elsewhere.
WIDEST = 80
#: Characters that a name is left with, at least, before figures are broken.
LEAST_NAME = 8
TONES = {"good": "green", "bad": "red", "open": "yellow"}


def console(**options: Any) -> Console:
    """A console that takes text for text.

    A reader's titles, questions and paths may hold what rich would read as markup (`[/x]`,
    `uvicorn[standard]`), as an emoji (`:smile:`) or as something to colour: styles are given apart.
    It is no wider than 80 columns, unless it is asked to be, here or by COLUMNS.
    """
    made = Console(**options, markup=False, emoji=False, highlight=False)
    asked = "width" in options or "COLUMNS" in os.environ
    if not asked and made.width > WIDEST:
        made.width = WIDEST
    return made


def print_document(target: Console, document: Document) -> None:
    """Print all of a document that fits a terminal."""
    if document.heading:
        target.print(document.heading, style="bold")
    for section in document.sections_in("terminal"):
        _print_section(target, section)


def _print_section(target: Console, section: Section) -> None:
    if section.heading:
        target.print()
        target.print(section.heading, style="bold")
    _print_blocks(target, section.blocks, set())


def _print_blocks(target: Console, blocks: Sequence[Block], explained: set[str]) -> None:
    """Print blocks, one after the other; how to read a table is said once.

    An empty line ends a table with its notes.
    """
    below_a_table = False
    for block in blocks:
        if "terminal" not in block.shown or (isinstance(block, Figure) and not block.table):
            continue
        if below_a_table and not isinstance(block, Heading) and not _is_note(block):
            target.print()
        below_a_table = _is_table(block) or (below_a_table and _is_note(block))
        match block:
            case Heading(words):
                target.print()
                target.print(words, style="bold")
            case Text(paragraphs, kind):
                for paragraph in paragraphs:
                    target.print(without_tags(paragraph), style="dim" if kind == "note" else None)
            case Items():
                _print_items(target, block)
            case Terms(entries):
                for word, whose, explanation in entries:
                    where = f" ({whose})" if whose else ""
                    target.print(Line.assemble((word, "bold"), f"{where}: {explanation}"))
            case Table():
                _print_table(target, block, explained)
            case Figure(table=Table() as table):
                _print_blocks(target, [table], explained)


def _is_table(block: Block) -> bool:
    return isinstance(block, Table | Figure)


def _is_note(block: Block) -> bool:
    return isinstance(block, Text) and block.kind == "note"


def _print_items(target: Console, items: Items) -> None:
    for number, item in enumerate(items.items, start=1):
        line = Line(f"{number}. " if items.numbered else "", "dim" if item.faint else "")
        line.append(item.words)
        if item.outcome:
            line.append(" ")
            line.append(item.outcome.words, TONES[item.outcome.tone])
        line.append(item.remark)
        target.print(Padding(line, (0, 0, 0, 2)))
        for detail in item.details:
            target.print(Padding(Line(detail, "dim"), (0, 0, 0, 4)))


def _print_table(target: Console, table: Table, explained: set[str]) -> None:
    """The table with a line for each of its rows; how to read it below."""
    if not table.rows_in("terminal"):
        return
    target.print(_grid(table, target.width))
    explanation = table.explanation("terminal")
    if explanation and explanation not in explained:
        target.print(explanation, style="dim")
        explained.add(explanation)


def _grid(table: Table, width: int) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    columns, lines = table.columns_in("terminal"), list(table.lines("terminal"))
    if _widest(columns, lines) > width:
        lines = [[line[0], *map(_with_breaks, line[1:])] for line in lines]
    by_column = [[line[place] for line in lines] for place in range(len(columns))]
    figures = [
        _longest_figure(cells) if column.numeric else LEAST_NAME
        for column, cells in zip(columns, by_column, strict=True)
    ]
    words = [
        least if column.numeric else _longest_word([column.heading, *cells])
        for column, cells, least in zip(columns, by_column, figures, strict=True)
    ]
    # Figures and words stay in one piece where there is room for it; a reason among figures wraps.
    gaps = len(columns) - 1
    room = next((least for least in (words, figures) if sum(least) + gaps <= width), None)
    for place, column in enumerate(columns):
        # The unit below, so that names have room.
        heading = column.heading.replace(" (", "\n(") if column.numeric else column.heading
        is_kept = room is words or column.numeric
        grid.add_column(
            heading,
            justify="right" if column.numeric else "left",
            overflow="fold",
            min_width=room[place] if room and is_kept else None,
        )
    for row, line in zip(table.rows_in("terminal"), lines, strict=True):
        grid.add_row(*map(_rendered, line), style="dim" if row.state else None)
    return grid


def _widest(columns: Sequence[TableColumn], lines: Sequence[Sequence[Cell]]) -> int:
    """Characters that a table takes whose cells are all in one line."""
    by_column = zip(*lines, strict=True)
    longest = (max(map(len, map(_words, cells))) for cells in by_column)
    return sum(longest) + len(columns) - 1


def _with_breaks(cell: Cell) -> Cell:
    """`cpu/unexplained` in two lines."""
    return re.sub(r"(?<=[a-z]/)(?=[a-z])", "\n", cell) if isinstance(cell, str) else cell


def _longest_word(cells: Iterable[Cell]) -> int:
    return max((len(word) for cell in cells for word in _words(cell).split()), default=0)


def _longest_figure(cells: Iterable[Cell]) -> int:
    figures = [words for words in map(_words, cells) if not words[:1].isalpha()]
    return max(map(len, figures), default=0)


def _words(cell: Cell) -> str:
    return cell_words(cell, "terminal")


def _rendered(cell: Cell) -> Line:
    style = TONES[cell.tone] if isinstance(cell, Outcome) else ""
    return Line(_words(cell), style)
