"""How far apart the two trials of a pair were measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from loadgen.records.columns import NUMBER, Cell, Column, Row

#: Of the files that compare.
COLUMNS = (
    Column(
        "apart",
        NUMBER,
        "",
        "mean distance of the two trials over the rounds that count, in trials: 1 is one right "
        "after the other; a search counts as one",
    ),
    Column("apart_s", NUMBER, "s", "the same in time, from the start of one's load to the other's"),
)


@dataclass(frozen=True)
class Distance:
    """How far apart the trials of a pair were, on average over rounds.

    Attributes:
        trials: 1 is one right after the other. A search has one place, however long it takes.
        seconds: from start to start, which sees searches, and sittings of a run that was resumed.
    """

    trials: float | None
    seconds: float | None


def mean_distance(pairs: Iterable[tuple[Row, Row]]) -> Distance:
    """Means over these pairs of trials; None where one of them does not know, or there is none."""
    listed = list(pairs)
    return Distance(_mean(map(_trials, listed)), _mean(map(_seconds, listed)))


def are_neighbours(pair: tuple[Row, Row]) -> bool:
    """Whether one trial was measured right after the other."""
    return _trials(pair) == 1


def cells(found: Distance | None) -> tuple[Cell, Cell]:
    """As cells of COLUMNS."""
    return (found.trials, found.seconds) if found else (None, None)


def _trials(pair: tuple[Row, Row]) -> float | None:
    a, b = (row["position"] for row in pair)
    return abs(a - b) if isinstance(a, int) and isinstance(b, int) else None


def _seconds(pair: tuple[Row, Row]) -> float | None:
    a, b = (row["started_at"] for row in pair)
    if not isinstance(a, str) or not isinstance(b, str):
        return None
    return abs((datetime.fromisoformat(a) - datetime.fromisoformat(b)).total_seconds())


def _mean(values: Iterable[float | None]) -> float | None:
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known) / len(known) if known and len(known) == len(listed) else None
