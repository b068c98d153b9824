"""What a page of docs/ tells the reader to write and to do."""

import re
from dataclasses import dataclass

from lab import ROOT

_HEADING_OR_BLOCK = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)
#: A file that the text names, such as `compose.override.yaml`.
_FILE = re.compile(r"`([\w./-]+\.\w+)`")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        section: the heading above it.
        language: as the page says.
        file: the file that the paragraph before it names last; empty where it names none.
        code: its lines.
    """

    section: str
    language: str
    file: str
    code: str

    @property
    def commands(self) -> list[str]:
        """Its lines, each without the end of the line."""
        return self.code.splitlines()


def all_blocks(page: str) -> list[Block]:
    """All blocks of docs/`page`, in its order."""
    return blocks_in((ROOT / "docs" / page).read_text())


def blocks_in(text: str) -> list[Block]:
    """All blocks of a page's text, in its order."""
    found, section = [], ""
    for match in _HEADING_OR_BLOCK.finditer(text):
        if match["heading"]:
            section = match["heading"]
            continue
        paragraph = text[: match.start()].rstrip().rpartition("\n\n")[2]
        files = _FILE.findall(paragraph)
        found.append(Block(section, match["language"], files[-1] if files else "", match["code"]))
    return found


def blocks(page: str, language: str) -> list[str]:
    """The code of that language on docs/`page`, in its order."""
    return [block.code for block in all_blocks(page) if block.language == language]
