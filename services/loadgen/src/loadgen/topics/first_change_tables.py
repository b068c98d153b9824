"""How the changes of a suite are printed, in a terminal and as Markdown."""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from loadgen.documents.markdown_text import literal
from loadgen.findings.first_change import Effect, line, what_to_change_first

HEADING = "What to change first"
EXPLANATION = (
    "×: after by before the change, with its 95 % interval; views/s more is better; or more: after "
    "it, all is made that the users, slots or pool allow"
)


def print_effects(console: Console, found: Sequence[Effect]) -> None:
    """The answer, then every change, the best first; nothing where there is none."""
    if not found:
        return
    console.print()
    console.print(HEADING, style="bold")
    console.print(what_to_change_first(found))
    for number, effect in enumerate(found, start=1):
        style = "" if effect.standing == "better" else "dim"
        console.print(Padding(Text(f"{number}. {line(effect)}", style), (0, 0, 0, 2)))
    console.print(EXPLANATION, style="dim")


def markdown(found: Sequence[Effect]) -> str:
    """The same as Markdown; empty where there is none."""
    if not found:
        return ""
    shown = [replace(effect, change=literal(effect.change)) for effect in found]
    return "\n".join([what_to_change_first(shown), "", *(f"1. {line(effect)}" for effect in shown)])
