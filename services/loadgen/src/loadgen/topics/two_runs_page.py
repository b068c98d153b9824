"""The page of a comparison: compare.html, self-contained as a report is."""

from collections.abc import Sequence

from markupsafe import Markup

from loadgen.documents.blocks import Block, Column, Section, Table, TableRow, Text
from loadgen.documents.html import fill
from loadgen.findings.agreement import Agreement
from loadgen.findings.two_runs import RunComparison
from loadgen.findings.wording import in_words
from loadgen.topics.comparison_tables import counted
from loadgen.topics.comparisons import HOW_TO_READ, figure
from loadgen.topics.run_comparison_tables import agreement_words, gates_words, heading, unmatched

PAGE = "compare.html"


def html(found: RunComparison) -> str:
    """The whole page."""
    sections = [
        _verdicts(found),
        *([_gates(found)] if found.gates else []),
        *([_agreements(found)] if found.agreements else []),
        *([_environments(found)] if found.differing else []),
    ]
    trust = "two runs: indicative" if found.indicative else "servers of one run, paired by round"
    return fill("comparison.html", sections, heading=heading(found), remarks=[trust])


def _verdicts(found: RunComparison) -> Section:
    words = [f"{counted(found.comparisons)}.", *found.remarks, *unmatched(found)]
    blocks: list[Block] = [Text(words, kind="lead")]
    if found.comparisons:
        blocks.append(figure("compare", heading(found), found.comparisons, HOW_TO_READ))
    return Section("verdicts", "What came out", blocks)


def _gates(found: RunComparison) -> Section:
    rows = [
        TableRow(
            (
                one.gate.text,
                one.comparison.label,
                _outcome(one.outcome),
                in_words(one.comparison),
                "–" if one.found_from is None else f"{one.found_from:+.1%}",
                one.reason,
            )
        )
        for one in found.gates
    ]
    columns = (
        *(Column("Gate", False), Column("Case", False), Column("Outcome", False)),
        *(Column("Ratio and 95 %"), Column("Finds"), Column("Why", False)),
    )
    caption = "Finds: the change which fails the gate in 80 % of such runs."
    table = Table(caption, columns, rows)
    return Section("gates", "Gates", [Text([gates_words(found.gates)]), table])


def _outcome(outcome: str) -> Markup:
    """In the colours of a claim's outcome."""
    colour = {"passed": "holds", "failed": "refuted"}.get(outcome, "cannot")
    return Markup('<b class="{}">{}</b>').format(colour, outcome)


def _agreements(found: RunComparison) -> Section:
    blocks: list[Block] = []
    for agreement in found.agreements:
        blocks.append(Text([agreement_words(agreement)]))
        if rows := _rows(agreement):
            columns = tuple(
                Column(name, numeric=False) for name in ("What", found.a, found.b, "Because")
            )
            caption = f"The {agreement.what}s of which the two do not say the same."
            blocks.append(Table(caption, columns, rows))
    return Section("agreement", "What both were asked, and whether they agree", blocks)


def _rows(agreement: Agreement) -> Sequence[TableRow]:
    return [
        TableRow((one.what, one.a, one.b, "; ".join(one.because)))
        for one in (*agreement.flipped, *agreement.told_by_one)
    ]


def _environments(found: RunComparison) -> Section:
    columns = (Column("What", False), Column(found.a, False), Column(found.b, False))
    rows = [TableRow((one.what, one.a, one.b)) for one in found.differing]
    table = Table("Versions, machine, settings, commands.", columns, rows)
    return Section("environments", "What the environments do not share", [table])
