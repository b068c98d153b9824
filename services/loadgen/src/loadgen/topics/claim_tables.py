"""How claims are printed, in a terminal and as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from loadgen.documents.markdown_text import literal
from loadgen.findings.claims import Claim, ClaimOutcome, Part, by_words
from loadgen.findings.wording import in_words, percent_text
from loadgen.suites.labels import metric_name

HEADING = "What is claimed, and what this run says of it"
STYLES: dict[ClaimOutcome, str] = {"holds": "green", "refuted": "red", "cannot be told": "yellow"}
COLUMNS = (
    *("Claim", "Clients", "Outcome", "Metric", "Of this metric", "Ratio and 95 %", "Could see"),
    *("Decided by", "Why"),
)


def print_claims(console: Console, claims: Sequence[Claim]) -> None:
    """Each claim with its outcome; nothing where the run has none."""
    if not claims:
        return
    console.print()
    console.print(HEADING, style="bold")
    for words, group in by_words(claims):
        console.print(words)
        for claim in group:
            line = Text(f"{asked_of(claim, claims)}: ")
            line.append(claim.outcome, STYLES[claim.outcome])
            console.print(Padding(line, (0, 0, 0, 2)))
            for part in claim.parts:
                console.print(Padding(Text(_sentence(part), "dim"), (0, 0, 0, 4)))


def markdown(claims: Sequence[Claim]) -> str:
    """A table of the same: a line for each metric of each claim; empty where there is none."""
    if not claims:
        return ""
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    for claim in claims:
        first = [literal(claim.words), asked_of(claim, claims), claim.outcome]
        for part in claim.parts:
            lines.append(_line([*first, *_cells(part)]))
            first = ["", "", ""]
    return "\n".join(lines)


def asked_of(claim: Claim, claims: Iterable[Claim]) -> str:
    """A claim's clients; and its suite, where another one asks the same words of the same ones."""
    clients = ", ".join(claim.http_clients)
    alike = [one for one in claims if one.words == claim.words]
    if sum(one.http_clients == claim.http_clients for one in alike) < 2:
        return clients
    return f"{clients} ({claim.suite})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(part: Part) -> Iterator[str]:
    decided = part.deciding
    found = decided.difference if decided else None
    smallest = found.smallest_detectable_ratio if found else None
    yield metric_name(part.metric)
    yield part.outcome
    yield in_words(decided) if decided and (found or decided.instead) else "–"
    yield percent_text(smallest - 1) if smallest else "–"
    yield decided.label if decided else "–"
    yield part.reason


def _sentence(part: Part) -> str:
    """`p95 refuted: 1.240 [1.118–1.375], could see 9 %, uwsgi-gevent → uvicorn; worse (1 of 4)`."""
    metric, outcome, ratio, seen, decided_by, reason = _cells(part)
    figures = [] if ratio == "–" else [ratio]
    if seen != "–":
        figures.append(f"could see {seen}")
    what = ", ".join([*figures, decided_by])
    return f"{metric} {outcome}: {what}" + (f"; {reason}" if reason else "")
