"""A reader's text in Markdown: shown as it is written, whatever signs it has."""

import re

#: An underscore within a word is none: `app_packages`.
_SIGNS = re.compile(r"[\\`*<|~&]|(?<=\])\(|(?<![^\W_])_|_(?![^\W_])")
_AT_THE_START = re.compile(r"(\d*)([#>+.)-])")


def literal(text: str) -> str:
    """Text of which Markdown reads nothing as a sign of its own: in one line, fit for a cell."""
    line = _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
    return _AT_THE_START.sub(r"\1\\\2", line, count=1) if _AT_THE_START.match(line) else line


def code(text: str) -> str:
    """The same as code, e.g. of a command; fit for a cell."""
    line = " ".join(text.split()).replace("|", r"\|")
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence, space = "`" * (longest + 1), " " * (longest > 0)
    return f"{fence}{space}{line}{space}{fence}"
