"""What the articles claim, and what the run says of it."""

from collections.abc import Iterator

from markupsafe import Markup

from loadgen.documents.blocks import Column, Section, Table, TableRow, Text, Words
from loadgen.documents.material import Material
from loadgen.documents.words import UNKNOWN
from loadgen.findings.claims import Claim, Part, by_words
from loadgen.findings.wording import in_words, percent_text
from loadgen.suites.labels import metric_name
from loadgen.topics.claim_tables import HEADING, asked_of

WORDS = (
    "A claim holds where every comparison that it makes is better by its own 95 % interval; it is "
    "refuted where one is worse or equivalent after Holm's adjustment; all else cannot be told, "
    "also where both sides are at one ceiling."
)
COLUMNS = (
    Column("Claim", numeric=False),
    Column("Clients", numeric=False),
    Column("Outcome", numeric=False),
    Column("Metric", numeric=False),
    Column("Ratio and 95 %"),
    Column("Could see"),
    Column("Decided by", numeric=False),
    Column("Of this metric", numeric=False),
    Column("Why", numeric=False),
)


def section(material: Material) -> Section | None:
    """A line for each metric of each claim."""
    if not material.claims:
        return None
    rows = [
        TableRow(tuple(_cells(claim, part, asked_of(claim, material.claims))))
        for _, claims in by_words(material.claims)
        for claim in claims
        for part in claim.parts
    ]
    caption = "Second by first; in each metric of a claim the comparison that decides."
    table = Table(caption, COLUMNS, rows)
    return Section("claims", HEADING, [Text([WORDS], kind="note"), table])


def _cells(claim: Claim, part: Part, clients: str) -> Iterator[Words]:
    decided = part.deciding
    found = decided.difference if decided else None
    smallest = found.smallest_detectable_ratio if found else None
    yield claim.words
    yield clients
    yield Markup('<b class="{}">{}</b>').format(claim.outcome.partition(" ")[0], claim.outcome)
    yield metric_name(part.metric)
    yield in_words(decided) if decided and (found or decided.instead) else UNKNOWN
    yield percent_text(smallest - 1) if smallest else UNKNOWN
    yield decided.label if decided else UNKNOWN
    yield part.outcome
    yield part.reason
