"""What a page says without saying from where: figures and verdicts outside of any mark.

Nobody can tell by its looks whether a number was measured or set. So every number with a unit,
every ratio, interval and share has a mark; or its phrase stands in docs/settings.toml, which lists
what nobody measured.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.quotes.pages import FIGURE, TABLE

_NUMBER = r"\d[\d\u202f ]*(?:[.,]\d+)*"
_FEW = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_UNITS = (
    r"(?:%|ms|s|seconds?|minutes?|min|hours?|h|µs|MiB|GiB|kB|MB|milliseconds?"
    r"|(?:views|calls|requests|answers)(?: a second|/s)|/s)(?![\w/])"
)
#: What may have been measured.
MEASURED = re.compile(
    "|".join(
        (
            rf"×{_NUMBER}",
            r"\[\d[\d.]*–\d[\d.]*\]",
            rf"(?<![\w.]){_NUMBER}(?:\s?(?:–|to|and|or)\s{_NUMBER})*\s?{_UNITS}",
            r"(?<![\w.])\d+\.\d+(?![\w.])",
            rf"\b(?:\d+|{_FEW}) of (?:the |its )?(?:\d+|{_FEW})\b",
            rf"\b(?:\d+|{_FEW}) (?:rounds|trials|runs)\b",
            rf"\b(?:twice|half|{_FEW} times|(?:a|one|two|three) (?:third|quarter|fifth|tenth)s?)\b",
        )
    )
)
#: What says how a comparison came out.
VERDICTS = re.compile(
    r"\b(?:can(?:not)? be told|may be chance|equivalent|undecided|do(?:es)? not matter"
    r"|refuted|beats?|outperforms?)\b"
)
#: Of what is not prose of the page itself: code, tables of a run, comments, where links lead.
_ELSEWHERE = (
    TABLE,
    FIGURE,
    re.compile(r"<!-- predict \S+ -->\n.*?\n<!-- end -->", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE),
    re.compile(r"^(?: {4}|\t)(?! *[-*\d]).*$", re.MULTILINE),
    re.compile(r"`[^`]*`"),
    re.compile(r"(?<=\])\([^)]*\)"),
)


@dataclass(frozen=True)
class Unquoted:
    """A figure or a verdict of which nobody knows where it is from.

    Attributes:
        line: of the page, from 1.
        text: the figure.
        around: the words around it.
    """

    line: int
    text: str
    around: str

    def __str__(self) -> str:
        return f'line {self.line}: "{self.text}" has no mark: …{self.around}…'


def unquoted(
    page: str, settings: Sequence[str], *, verdicts: bool
) -> tuple[list[Unquoted], list[str]]:
    """What of a page has no mark, and the settings that it does not mention.

    Args:
        page: its text.
        settings: phrases with numbers that nobody measured.
        verdicts: whether words that judge need a mark too.
    """
    prose = page
    for pattern in _ELSEWHERE:
        prose = pattern.sub(_blank, prose)
    allowed, unused = _places(prose, settings)
    patterns = (MEASURED, VERDICTS) if verdicts else (MEASURED,)
    found = sorted(
        (mark for pattern in patterns for mark in pattern.finditer(prose)),
        key=lambda mark: mark.start(),
    )
    return [
        Unquoted(
            line=prose.count("\n", 0, mark.start()) + 1,
            text=" ".join(mark[0].split()),
            around=" ".join(prose[max(0, mark.start() - 40) : mark.end() + 40].split()),
        )
        for mark in found
        if not any(begin <= mark.start() and mark.end() <= end for begin, end in allowed)
    ], unused


def _blank(mark: re.Match[str]) -> str:
    """As long, and without a word, so that lines and places stay."""
    return re.sub(r"[^\n]", " ", mark[0])


def _places(prose: str, settings: Sequence[str]) -> tuple[list[tuple[int, int]], list[str]]:
    """Where the phrases stand, whatever the lines' ends; and those that stand nowhere."""
    places, unused = [], []
    for phrase in settings:
        pattern = r"\s+".join(map(re.escape, phrase.split()))
        found = [mark.span() for mark in re.finditer(pattern, prose)]
        places += found
        if not found:
            unused.append(phrase)
    return places, unused
