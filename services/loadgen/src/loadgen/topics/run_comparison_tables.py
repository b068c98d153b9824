"""How a comparison of runs is printed, in a terminal and as Markdown."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from loadgen.documents.markdown_text import code, literal
from loadgen.findings.agreement import Agreement, Disagreement
from loadgen.findings.environment_differences import Differing
from loadgen.findings.gates import GateOutcome, JudgedGate
from loadgen.findings.two_runs import RunComparison
from loadgen.findings.wording import in_words
from loadgen.topics.comparison_tables import (
    EXPLANATION,
    MOST_LINES,
    counted,
    markdown_lines,
    print_listed,
)

#: More than this of a kind are in compare.md.
MOST_LISTED = 12
STYLES: dict[GateOutcome, str] = {"passed": "green", "failed": "red", "not judged": "yellow"}


def print_all(console: Console, found: RunComparison) -> None:
    """Everything that fits a terminal."""
    console.print(heading(found), style="bold")
    for remark in found.remarks:
        console.print(remark)
    for sentence in unmatched(found):
        console.print(sentence)
    if found.differing:
        console.print("\nWhat the environments do not share:")
        _listed(console, [difference_words(one) for one in found.differing])
    console.print()
    more = " (all in compare.csv)" if len(found.comparisons) > MOST_LINES else ""
    console.print(f"{counted(found.comparisons)}{more}.")
    print_listed(console, found.comparisons)
    for agreement in found.agreements:
        console.print()
        console.print(agreement_words(agreement), style="bold")
        lines = [disagreement_words(found, one) for one in disagreements(agreement)]
        _listed(console, lines)
    if found.gates:
        console.print()
        for judged in found.gates:
            if judged.outcome != "passed":
                line = Text(f"{judged.gate.text} ")
                line.append(judged.outcome, STYLES[judged.outcome])
                console.print(line.append(f": {gate_words(judged)}"))
        console.print(gates_words(found.gates))


def markdown(found: RunComparison) -> Iterator[str]:
    """The same, and all that a terminal leaves out; the lines of a page."""
    yield f"### {heading(found)}"
    for sentence in (*found.remarks, *unmatched(found)):
        yield from ("", sentence)
    if found.gates:
        yield from ("", f"**{gates_words(found.gates)}**", "")
        yield "| Gate | Case | Outcome | Ratio and 95 % |"
        yield "| --- | --- | --- | --- |"
        for one in found.gates:
            outcome = f"{one.outcome}: {one.reason}" if one.reason else one.outcome
            yield f"| `{one.gate.text}` | {one.comparison.label} | {outcome} | {_ratio(one)} |"
    yield from ("", f"{counted(found.comparisons)}; {EXPLANATION}.", "")
    yield from markdown_lines(found.comparisons)
    for agreement in found.agreements:
        yield from ("", f"**{agreement_words(agreement)}**", "")
        for line in disagreements(agreement):
            yield f"- {literal(disagreement_words(found, line))}"
    if found.differing:
        yield from ("", f"| What differs | {found.a} | {found.b} |", "| --- | --- | --- |")
        for other in found.differing:
            yield f"| {literal(other.what)} | {code(other.a)} | {code(other.b)} |"


def heading(found: RunComparison) -> str:
    """What is compared with what."""
    where = "" if found.indicative else f", in {found.a_run}"
    return f"{found.b} against {found.a}{where}"


def unmatched(found: RunComparison) -> Iterator[str]:
    """How many cases only one of them has."""
    for side, cases in ((found.a, found.only_a), (found.b, found.only_b)):
        if cases:
            yield f"Only {side} has {len(cases)} of its cases, such as {cases[0]}."


def difference_words(one: Differing) -> str:
    """`kernel: 6.1 → 6.2`."""
    return f"{one.what}: {one.a} → {one.b}"


def agreement_words(one: Agreement) -> str:
    """`7 of 9 claims agree; 1 flips; 1 is told by one run only.`"""
    parts = [f"{one.agreeing} of {one.shared} {one.what}s agree"]
    if flipped := len(one.flipped):
        parts.append(f"{flipped} flip{'s' * (flipped == 1)}")
    if told := len(one.told_by_one):
        parts.append(f"{told} {'is' if told == 1 else 'are'} told by one run only")
    return "; ".join(parts) + "."


def disagreements(one: Agreement) -> Sequence[Disagreement]:
    """What is worth a line: of many comparisons the flipped ones, of claims all."""
    if one.what == "claim" or one.shared <= MOST_LINES:
        return [*one.flipped, *one.told_by_one]
    return one.flipped


def disagreement_words(found: RunComparison, one: Disagreement) -> str:
    """`… holds in A, refuted in B, because …`."""
    because = f", because {'; '.join(one.because)}" if one.because else ""
    return f"{one.what} {one.a} in {found.a}, {one.b} in {found.b}{because}"


def gate_words(one: JudgedGate) -> str:
    """What a gate is about and what it saw."""
    return f"{one.comparison.label}: {one.reason or _ratio(one)}"


def gates_words(judged: Sequence[JudgedGate]) -> str:
    """How many passed, and what the least certain of them would have found."""
    outcomes = [one.outcome for one in judged]
    counts = [f"{outcomes.count(kind)} {kind}" for kind in STYLES if kind in outcomes]
    words = f"Gates: {', '.join(counts)}."
    for text in dict.fromkeys(one.gate.text for one in judged):
        found_from = [
            one.found_from for one in judged if one.gate.text == text and one.found_from is not None
        ]
        if found_from:
            weakest = max(found_from, key=abs)
            words += f" {text} finds {weakest:+.1%} in 80 % of such runs, where it is weakest."
    return words


def _ratio(one: JudgedGate) -> str:
    return in_words(one.comparison)


def _listed(console: Console, lines: Sequence[str]) -> None:
    left_out = len(lines) - MOST_LISTED
    more = [f"and {left_out} more: compare.md"] if left_out > 0 else []
    for line in [*lines[:MOST_LISTED], *more]:
        console.print(Padding(Text(line), (0, 0, 0, 2)))
