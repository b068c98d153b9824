"""What a page of docs/ tells the reader to write."""

import re

from lab import ROOT

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    """The code of that language on docs/`page`, in its order."""
    text = (ROOT / "docs" / page).read_text()
    return [code for of, code in _BLOCK.findall(text) if of == language]
