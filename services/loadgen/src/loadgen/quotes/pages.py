"""The marks of a page: what stands between them is what a committed run says.

`<!-- q NAME -->×2.09 [1.77–2.48]<!-- / -->` is a figure, as docs/quotes.toml names it. A second
word picks another form of it; `words` is a verdict in the writer's own words. Between
`<!-- results/reference/RUN -->` and `<!-- end -->` stands a table as the report prints it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadgen.quotes.quoted import Quoted

FIGURE = re.compile(r"<!-- q ([\w-]+)(?: (\w+))? -->(.*?)<!-- / -->", re.DOTALL)
TABLE = re.compile(r"<!-- results/reference/(\S+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
_ROUNDS = re.compile(r" \(\d+ of \d+ rounds\)")

#: The name of a quote → what it says; a name that is not known raises KeyError.
type QuotedByName = Mapping[str, Quoted]
#: The folder's name of a run → the newest run of the same suites, and its report as Markdown.
type NewestReport = Callable[[str], tuple[str, str]]


@dataclass(frozen=True)
class Filled:
    """A page whose figures and tables are those of the runs.

    Attributes:
        text: the whole page.
        problems: what no filling can mend: a mark that leads nowhere, a verdict that is none.
    """

    text: str
    problems: tuple[str, ...]


def filled(text: str, quotes: QuotedByName, report: NewestReport) -> Filled:
    """A page with what its marks should hold; what they held is forgotten."""
    problems: list[str] = []

    def figure(mark: re.Match[str]) -> str:
        name, form, shown = mark.groups()
        try:
            said = _said(name, form, shown, quotes)
        except LookupError as error:
            problems.append(str(error.args[0]))
            return mark[0]
        return f"<!-- q {name}{f' {form}' if form else ''} -->{said}<!-- / -->"

    def table(mark: re.Match[str]) -> str:
        folder, printed = report(mark[1])
        alike = _alike(list(_tables(printed)), mark[2])
        if len(alike) != 1:
            problems.append(f"{folder} prints {len(alike)} tables with these rows: {mark[2][:80]}")
            return mark[0]
        return f"<!-- results/reference/{folder} -->\n{alike[0]}\n<!-- end -->"

    return Filled(TABLE.sub(table, FIGURE.sub(figure, text)), tuple(problems))


def _said(name: str, form: str | None, shown: str, quotes: QuotedByName) -> str:
    """What stands in a mark.

    Raises:
        LookupError: there is no such quote or form, or the words are not those of its verdict.
    """
    if name not in quotes:
        raise LookupError(f"{name}: there is no such quote")
    quote = quotes[name]
    if form == "words":
        if " ".join(shown.split()) not in quote.words:
            raise LookupError(
                f'{name}: "{shown}" does not say "{quote.verdict}"; write one of: '
                + ", ".join(sorted(quote.words))
            )
        return shown
    usual = next(iter(quote.texts), "")
    if (form or usual) not in quote.texts:
        raise LookupError(f"{name}: has no {form}, but: {', '.join(quote.texts)}")
    return quote.texts[form or usual]


def _tables(report: str) -> Iterator[str]:
    """The tables of a report in Markdown."""
    return (part for part in report.split("\n\n") if part.startswith("|"))


def _alike(tables: Sequence[str], old: str) -> list[str]:
    """The tables, each once, that have the lines of another one: in its order if one has it, since
    a run may show the same lines in two orders; else in any.
    """
    same = [each for each in tables if _rows(each) == _rows(old)]
    return list(
        dict.fromkeys(
            same or [each for each in tables if sorted(_rows(each)) == sorted(_rows(old))]
        )
    )


def _rows(table: str) -> tuple[str, ...]:
    """What tells a table from others: its heading, and what its lines are called."""
    heading, _, *lines = table.splitlines() or ["", ""]
    return heading, *(_ROUNDS.sub("", line.split("|")[1]) for line in lines)
