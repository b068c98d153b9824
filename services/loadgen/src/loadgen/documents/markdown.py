"""A document as Markdown; and a reader's text in it: shown as it is written, whatever it holds."""

import re
from collections.abc import Iterable, Iterator, Sequence

from loadgen.documents.document import (
    Block,
    Cell,
    Code,
    Document,
    Figure,
    Heading,
    Items,
    Link,
    Table,
    Terms,
    Text,
    cell_words,
)

#: An underscore within a word is none: `app_packages`.
_SIGNS = re.compile(r"[\\`*<|~&]|(?<=\])\(|(?<![^\W_])_|_(?![^\W_])")
_AT_THE_START = re.compile(r"(\d*)([#>+.)-]|\[(?=[^\]]*\]:))")


def literal(text: str) -> str:
    """Text of which Markdown reads nothing as a sign of its own, in one line."""
    line = in_cell(text)
    return _AT_THE_START.sub(r"\1\\\2", line, count=1) if _AT_THE_START.match(line) else line


def in_cell(text: str) -> str:
    """The same within a cell of a table, or within a line."""
    return _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))


def code(text: str) -> str:
    """The same as code, e.g. of a command; fit for a cell."""
    line = " ".join(text.split()).replace("|", r"\|")
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence, space = "`" * (longest + 1), " " * (longest > 0)
    return f"{fence}{space}{line}{space}{fence}"


def markdown(document: Document) -> str:
    """A whole document."""
    parts = [f"### {literal(document.heading)}"] if document.heading else []
    for section in document.sections_in("markdown"):
        if section.heading:
            parts.append(f"### {literal(section.heading)}")
        parts += _parts(section.blocks, set())
    return "\n\n".join(parts) + "\n"


def _parts(blocks: Iterable[Block], explained: set[str]) -> Iterator[str]:
    """Blocks, with an empty line between them; how to read a table is said once."""
    for block in blocks:
        if "markdown" not in block.shown:
            continue
        match block:
            case Heading(words):
                yield f"**{in_cell(words)}**"
            case Text(paragraphs):
                yield from (literal(paragraph) for paragraph in paragraphs)
            case Items() if block.items:
                yield "\n".join(_points(block))
            case Terms(entries):
                yield "\n".join(_terms(entries))
            case Table():
                if lines := table_lines(block):
                    yield "\n".join(lines)
                    explanation = block.explanation("markdown")
                    if explanation and explanation not in explained:
                        explained.add(explanation)
                        yield literal(explanation)
            case Figure(table=Table() as table):
                yield from _parts([table], explained)


def _points(items: Items) -> Iterator[str]:
    mark = "1." if items.numbered else "-"
    for item in items.items:
        outcome = f" **{item.outcome.words}**" if item.outcome else ""
        yield f"{mark} {literal(item.words)}{outcome}{in_cell(item.remark)}"
        yield from (f"    - {literal(detail)}" for detail in item.details)


def _terms(entries: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for word, whose, explanation in entries:
        where = f" ({in_cell(whose)})" if whose else ""
        yield f"- **{in_cell(word)}**{where}: {in_cell(explanation)}"


def table_lines(table: Table) -> list[str]:
    """A table's lines; none where it has no row."""
    columns = table.columns_in("markdown")
    lines = [table_line(map(_cell, line)) for line in table.lines("markdown")]
    if not lines:
        return []
    heading = table_line(in_cell(column.heading) for column in columns)
    return [heading, table_line("---:" if column.numeric else "---" for column in columns), *lines]


def _cell(cell: Cell) -> str:
    if isinstance(cell, Code):
        return code(cell.text)
    words = in_cell(cell_words(cell, "markdown"))
    return f"[{words}](<{cell.address}>)" if isinstance(cell, Link) else words


def table_line(cells: Iterable[str]) -> str:
    """A line of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |"
