"""What is printed to a person: as it is written, whoever wrote it."""

from typing import Any

from rich.console import Console


def console(**options: Any) -> Console:
    """A console that takes text for text.

    A reader's titles, questions and paths may hold what rich would read as markup (`[/x]`,
    `uvicorn[standard]`), as an emoji (`:smile:`) or as something to colour: styles are given apart.

    Args:
        options: as rich's Console takes them.
    """
    return Console(**options, markup=False, emoji=False, highlight=False)
