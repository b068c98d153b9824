"""What the articles claim, and what the run says of it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from loadgen.documents.document import (
    TERMINAL,
    WIDE,
    Block,
    Cell,
    Item,
    Items,
    Outcome,
    Table,
    TableColumn,
    TableRow,
    Text,
    of_words,
)
from loadgen.documents.words import UNKNOWN
from loadgen.findings.claims import Claim, Part
from loadgen.findings.comparisons import in_words
from loadgen.suites.labels import metric_name
from loadgen.topics.comparisons import COULD_SEE, could_see

HEADING = "What is claimed, and what this run says of it"
INTRODUCTION = (
    "A claim holds if each of its comparisons is better, by its own 95 % interval. It is refuted "
    "if one is worse or equivalent, after Holm's adjustment for their number. Otherwise it cannot "
    "be told, for example where both sides reached the same limit."
)


def blocks(claims: Sequence[Claim]) -> Iterator[Block]:
    """Each claim with its outcome: as a list where there is no room for a table."""
    for words, alike in groupby(claims, key=lambda claim: claim.words):
        items = [
            Item(f"{asked_of(claim, claims)}:", _outcome(claim.outcome), details=_sentences(claim))
            for claim in alike
        ]
        yield Text([words], shown=TERMINAL)
        yield Items(items, shown=TERMINAL)
    columns = (
        TableColumn("Claim", numeric=False, merged=True),
        TableColumn("Clients", numeric=False, merged=True),
        TableColumn("Outcome", numeric=False, merged=True),
        *of_words("Metric", "Of this metric"),
        TableColumn("Ratio and 95 %", meaning="second / first, of the comparison that decides"),
        TableColumn("Could see", meaning=COULD_SEE),
        *of_words("Decided by", "Why"),
    )
    rows = [
        TableRow((claim.words, asked_of(claim, claims), _outcome(claim.outcome), *_cells(part)))
        for claim in claims
        for part in claim.parts
    ]
    if rows:
        yield Table("", columns, rows, shown=WIDE)


def asked_of(claim: Claim, claims: Iterable[Claim]) -> str:
    """A claim's clients; and its suite, where another one asks the same words of the same ones."""
    clients = ", ".join(claim.http_clients)
    alike = [other for other in claims if other.words == claim.words]
    if sum(other.http_clients == claim.http_clients for other in alike) < 2:
        return clients
    return f"{clients} ({claim.suite})"


def _outcome(words: str) -> Outcome:
    return Outcome(words, {"holds": "good", "refuted": "bad"}.get(words, "open"))  # type: ignore[arg-type]


def _cells(part: Part) -> Iterator[Cell]:
    yield metric_name(part.metric)
    yield part.outcome
    yield _ratio(part)
    yield could_see(part.deciding)
    yield part.deciding.label if part.deciding else UNKNOWN
    yield part.reason


def _ratio(part: Part) -> str:
    deciding = part.deciding
    known = deciding and (deciding.difference or deciding.instead)
    return in_words(deciding) if deciding and known else UNKNOWN


def _sentences(claim: Claim) -> list[str]:
    """`p95 refuted. Decided by uwsgi-gevent → uvicorn: 1.240 [1.118–1.375], worse (1 of 4). …`"""
    return [_sentence(part) for part in claim.parts]


def _sentence(part: Part) -> str:
    what = f"{metric_name(part.metric)} {part.outcome}"
    if not part.deciding:
        return f"{what}: {part.reason}."
    ratio, smallest = _ratio(part), could_see(part.deciding)
    why = ", ".join(filter(None, ["" if ratio == UNKNOWN else ratio, part.reason]))
    words = f"{what}. Decided by {part.deciding.label}{f': {why}' if why else ''}."
    finds = f" Such a run finds differences of {smallest} or more."
    return words if smallest == UNKNOWN else words + finds
