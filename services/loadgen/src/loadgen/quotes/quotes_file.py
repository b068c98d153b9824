"""docs/quotes.toml: where each figure of README and docs/ comes from; and which are settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.toml_tables import TomlTable, first_mistake, read_toml
from loadgen.suites.waterfall import Order

QUOTES = "docs/quotes.toml"
SETTINGS = "docs/settings.toml"


class Quote(TomlTable):
    """Where a figure comes from. It has the keys of one kind (KINDS), and `run`.

    Attributes:
        run: the suites of a committed run, joined with +: the newest of that name; or the whole
            name of its folder.
        a, b: what is compared: words of two cases' names, enough to tell them apart.
        metric: a column of trials.csv.
        duet: of a comparison: it is one by duets.
        verdict: what the prose takes the comparison to say.
        digits: after the point, where the usual ones are too few or too many.
        waterfall, step: the words of a step, in the place of a and b.
        order: of the waterfall.
        case: words of a case's name: its mean over rounds.
        stack: words of a case that was searched for its capacity.
        claim: the beginning of a claim's words; suite: the one that makes it.
        alarms: a metric in which a run compares servers with their twins.
        probe: what the probe is worth by the run's rows.
        change: of a run that asks what to change first: 1 is the best change, as its report has it.
        driver: of a `check`: the driver that is held to the API's record.
    """

    run: str
    a: str = ""
    b: str = ""
    metric: str = ""
    duet: bool = False
    verdict: str = ""
    digits: int | None = None
    waterfall: str = ""
    step: str = ""
    order: Order = "forward"
    case: str = ""
    stack: str = ""
    claim: str = ""
    suite: str = ""
    alarms: str = ""
    probe: bool = False
    change: int = 0
    driver: str = ""

    @property
    def kind(self) -> str:
        """What it quotes: the first of KINDS of which it has the key; else the run itself."""
        return next((kind for kind, needed in KINDS.items() if getattr(self, needed[0])), "run")


#: What can be quoted, and the keys that it needs.
KINDS: Mapping[str, Sequence[str]] = {
    "comparison": ("a", "b", "metric", "verdict"),
    "step": ("waterfall", "step", "metric", "verdict"),
    "case": ("case", "metric"),
    "stack": ("stack",),
    "claim": ("claim", "suite", "verdict"),
    "alarms": ("alarms",),
    "probe": ("probe",),
    "change": ("change",),
    "driver": ("driver",),
    "run": ("run",),
}


def read_quotes(project: Path) -> dict[str, Quote]:
    """Every quote, by name.

    Raises:
        ConfigurationError: the file cannot be read, or a quote lacks a key or has a wrong one.
    """
    return {
        name: _quote(name, table) for name, table in read_toml(project / QUOTES, QUOTES).items()
    }


def _quote(name: str, table: Any) -> Quote:
    try:
        quote = Quote.model_validate(table)
    except ValidationError as error:
        key, what = first_mistake(name, Quote, error)
        raise ConfigurationError(f"{QUOTES}: {key} {what}") from error
    if lacking := [key for key in KINDS[quote.kind] if not getattr(quote, key)]:
        raise ConfigurationError(f"{QUOTES}: {name} lacks {', '.join(lacking)}")
    return quote


def read_settings(project: Path) -> dict[str, tuple[str, ...]]:
    """By page, the phrases with numbers that nobody measured.

    Raises:
        ConfigurationError: the file cannot be read, or says something else.
    """
    read = read_toml(project / SETTINGS, SETTINGS)
    for page, phrases in read.items():
        if not isinstance(phrases, list) or not all(isinstance(each, str) for each in phrases):
            raise ConfigurationError(f'{SETTINGS}: "{page}" must be a list of phrases')
    return {page: tuple(phrases) for page, phrases in read.items()}
