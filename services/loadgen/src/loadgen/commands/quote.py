"""`quote`: the figures of README and docs/, worked out again from committed runs."""

from typing import Annotated

import typer

from loadgen.documents import terminal
from loadgen.lab.lab import read_lab
from loadgen.quotes.book import Book

DONE, FAILED = 0, 1


def quote(
    page: Annotated[
        str, typer.Argument(metavar="[PAGE]", help="Print this page with its figures filled in.")
    ] = "",
) -> int:
    """Check the figures of README.md and docs/ against their runs; or print a page as it should be.

    Exit code 1: a figure or a verdict is not what its run says, or has no mark.
    """
    book = Book(read_lab())
    if page:
        print(book.filled(page).text, end="")
        return DONE
    problems = list(book.problems())
    for problem in problems:
        terminal.console().print(problem, soft_wrap=True, markup=False, highlight=False)
    return FAILED if problems else DONE
