"""The document of a comparison: two runs, or two servers of one."""

from collections.abc import Iterator, Sequence
from typing import Literal

from loadgen.documents.document import (
    MOST_LINES,
    PAGE,
    TERMINAL,
    WIDE,
    Block,
    Code,
    Document,
    Item,
    Items,
    Outcome,
    Section,
    Table,
    TableColumn,
    TableRow,
    Text,
    of_words,
)
from loadgen.documents.words import count_of
from loadgen.findings.agreement import Agreement, Disagreement
from loadgen.findings.comparisons import in_words
from loadgen.findings.gates import JudgedGate
from loadgen.findings.two_runs import RunComparison
from loadgen.topics.comparisons import INTRODUCTION, ratios, verdicts_in_words

#: More than this of a kind are in the files, not on a terminal.
MOST_LISTED = 12
TONES: dict[str, Literal["good", "bad", "open"]] = {
    "passed": "good",
    "failed": "bad",
    "not judged": "open",
}


def comparison_document(comparison: RunComparison, *, gates_last: bool = False) -> Document:
    """What came out, and why the two may not say the same.

    Gates are last where the end is what is read first, as on a terminal.
    """
    trust = "servers of one run, paired by round"
    gates = Section("gates", "Gates", list(_gates(comparison)))
    sections = [
        Section("verdicts", "What came out", list(_verdicts(comparison))),
        Section(
            "agreement",
            "What both were asked, and whether they agree",
            list(_agreements(comparison)),
        ),
        Section("environments", "What differs between the environments", list(_others(comparison))),
    ]
    return Document(
        heading=heading(comparison),
        facts=["two runs: indicative" if comparison.indicative else trust],
        sections=[*sections, gates] if gates_last else [sections[0], gates, *sections[1:]],
    )


def heading(comparison: RunComparison) -> str:
    """What is compared with what."""
    where = "" if comparison.indicative else f", in {comparison.a_run}"
    return f"{comparison.b} against {comparison.a}{where}"


def _verdicts(comparison: RunComparison) -> Iterator[Block]:
    everything = " (all in compare.csv)" if len(comparison.comparisons) > MOST_LINES else ""
    words = f"{verdicts_in_words(comparison.comparisons)}{everything}."
    yield Text([*comparison.remarks, *_unmatched(comparison), words], "lead")
    if comparison.comparisons:
        yield Text([INTRODUCTION], "note", shown=PAGE)
        yield from ratios("compare", heading(comparison), comparison.comparisons, TERMINAL)


def _unmatched(comparison: RunComparison) -> Iterator[str]:
    """How many cases only one of them has."""
    sides = ((comparison.a, comparison.only_a), (comparison.b, comparison.only_b))
    for side, cases in sides:
        if cases:
            yield f"Only in {side}: {count_of(len(cases), 'case')}, such as {cases[0]}."


def _gates(comparison: RunComparison) -> Iterator[Block]:
    """Each gate; where there is no room for a table, those that were not passed."""
    if not comparison.gates:
        return
    yield Items(
        [
            Item(gate.gate.text, Outcome(gate.outcome, TONES[gate.outcome]), f": {_saw(gate)}")
            for gate in comparison.gates
            if gate.outcome != "passed"
        ],
        shown=TERMINAL,
    )
    yield Text([_gates_in_words(comparison.gates)])
    columns = (
        *of_words("Gate", "Case", "Outcome"),
        TableColumn("Ratio and 95 %"),
        TableColumn("Finds", meaning="the change that fails this gate in 80 % of such runs"),
        *of_words("Why"),
    )
    yield Table("", columns, [_gate_row(gate) for gate in comparison.gates], shown=WIDE)


def _gate_row(gate: JudgedGate) -> TableRow:
    return TableRow(
        (
            Code(gate.gate.text),
            gate.comparison.label,
            Outcome(gate.outcome, TONES[gate.outcome]),
            in_words(gate.comparison),
            "–" if gate.found_from is None else f"{gate.found_from:+.1%}",
            gate.reason,
        )
    )


def _saw(gate: JudgedGate) -> str:
    """What a gate is about and what it saw."""
    return f"{gate.comparison.label}: {gate.reason or in_words(gate.comparison)}"


def _gates_in_words(gates: Sequence[JudgedGate]) -> str:
    """How many passed, and what the least certain of them would have found."""
    outcomes = [gate.outcome for gate in gates]
    counts = [f"{outcomes.count(kind)} {kind}" for kind in TONES if kind in outcomes]
    words = f"Gates: {', '.join(counts)}."
    for text in dict.fromkeys(gate.gate.text for gate in gates):
        changes = [
            gate.found_from
            for gate in gates
            if gate.gate.text == text and gate.found_from is not None
        ]
        if changes:
            weakest = max(changes, key=abs)
            words += f" {text} finds a change of {weakest:+.1%} in 4 of 5 such runs,"
            words += " in the case where it finds least."
    return words


def _agreements(comparison: RunComparison) -> Iterator[Block]:
    """Of claims and comparisons: how many agree, and those that do not with the reason."""
    for agreement in comparison.agreements:
        yield Text([_agreement_in_words(agreement)])
        apart = _apart(agreement)
        columns = of_words("What", comparison.a, comparison.b, "Because")
        rows = [
            TableRow(
                (disagreement.what, disagreement.a, disagreement.b, "; ".join(disagreement.because))
            )
            for disagreement in apart
        ]
        caption = f"The {agreement.what}s on which the two disagree."
        if rows:
            yield Table(caption, columns, rows, shown=WIDE)
            yield _few([_apart_as_item(comparison, claimed) for claimed in apart])


def _agreement_in_words(agreement: Agreement) -> str:
    """`7 of 9 claims agree; 1 flips; 1 is decided in one run only.`"""
    agreeing = agreement.shared - len(agreement.apart)
    parts = [f"{agreeing} of {agreement.shared} {agreement.what}s agree"]
    if flipped := sum(disagreement.flips for disagreement in agreement.apart):
        parts.append(f"{flipped} flip{'s' * (flipped == 1)}")
    if by_one := len(agreement.apart) - flipped:
        parts.append(f"{by_one} {'is' if by_one == 1 else 'are'} decided in one run only")
    return "; ".join(parts) + "."


def _apart(agreement: Agreement) -> Sequence[Disagreement]:
    """What is worth a line: of many comparisons the flipped ones, of claims all."""
    if agreement.what == "claim" or agreement.shared <= MOST_LINES:
        return agreement.apart
    return [disagreement for disagreement in agreement.apart if disagreement.flips]


def _apart_as_item(comparison: RunComparison, disagreement: Disagreement) -> Item:
    """`…: holds in A, refuted in B.`, with a line for each reason."""
    says = f"{disagreement.a} in {comparison.a}, {disagreement.b} in {comparison.b}"
    return Item(f"{disagreement.what}: {says}.", details=disagreement.because)


def _others(comparison: RunComparison) -> Iterator[Block]:
    """Versions, machine, settings, commands."""
    if not comparison.differing:
        return
    columns = of_words("What", comparison.a, comparison.b)
    others = comparison.differing
    rows = [TableRow((other.what, Code(other.a), Code(other.b))) for other in others]
    yield Table("Versions, machine, settings, commands.", columns, rows, shown=WIDE)
    yield _few([Item(f"{other.what}: {other.a} → {other.b}") for other in others])


def _few(items: Sequence[Item]) -> Items:
    """What a terminal has room for."""
    left_out = len(items) - MOST_LISTED
    more = [Item(f"and {left_out} more: compare.md")] if left_out > 0 else []
    return Items([*items[:MOST_LISTED], *more], shown=TERMINAL)
