"""summary.csv: a line per case, over its rounds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from loadgen import caveats
from loadgen.columns import METRICS, Cell, Row, text
from loadgen.files import write_csv
from loadgen.statistics import Interval, interval

AXES = (
    *("case", "suite", "server", "title", "settings", "view", "workload", "http_client"),
    *("upstream", "delays_ms", "cpu_ms", "driver", "load", "users", "rate_rps"),
    "planned_requests",
)
#: Rounds whose mean rate is known no better than this, either way, have not settled.
UNSTABLE_SHARE = 0.05


def write_summary(rows: Iterable[Row], file: Path) -> None:
    """A line per case: each metric's mean over rounds, with _low and _high from three rounds on.

    Windows of a search are no rounds of a case: capacity.csv speaks of them.
    """
    by_case: dict[Cell, list[Row]] = {}
    for row in rows:
        if row["repeat"] is None:
            by_case.setdefault(row["case"], []).append(row)
    header = [*AXES, "rounds", "measured", "ranked"]
    for metric in METRICS:
        header += [metric, f"{metric}_low", f"{metric}_high"]
    write_csv(file, [*header, "caveats"], (_line(of_case) for of_case in by_case.values()))


def that_count(rows: Iterable[Row]) -> list[Row]:
    """The rounds that speak of the server: the ranked ones; if none is, all that were measured."""
    measured = [row for row in rows if row["outcome"] == "measured"]
    return [row for row in measured if row["ranked"] == "yes"] or measured


def over_rounds(rows: Iterable[Row], metric: str) -> Interval | None:
    """A metric's mean over the rounds that count; None where one of them could not state it."""
    return mean(that_count(rows), metric)


def bound_by(rows: Iterable[Row]) -> str:
    """What held a case back, in every row where they differ; empty where nothing is known."""
    return " / ".join(dict.fromkeys(str(row["bound_by"]) for row in rows if row["bound_by"]))


def mean(rows: Iterable[Row], metric: str) -> Interval | None:
    """A metric's mean over these rows; None where one of them could not state it."""
    values = [row[metric] for row in rows]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return interval(numbers) if len(numbers) == len(values) else None


def case_caveats(rows: Sequence[Row]) -> list[str]:
    """The names of what any round of a case, or all together, warn of; in the order of `ALL`."""
    found = set(" ".join(str(row["caveats"] or "") for row in rows).split())
    rps = over_rounds(rows, "rps")
    if rps and rps.high and rps.high / rps.mean - 1 > UNSTABLE_SHARE:
        found.add(caveats.UNSTABLE.name)
    known = [caveat.name for caveat in caveats.ALL]
    return [name for name in known if name in found] + sorted(found.difference(known))


def _line(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row["outcome"] == "measured"]
    ranked = [row for row in measured if row["ranked"] == "yes"]
    line = [text(rows[0][axis]) for axis in AXES]
    line += [str(len(counted)) for counted in (rows, measured, ranked)]
    for metric in METRICS:
        found = over_rounds(rows, metric)
        cells = (found.mean, found.low, found.high) if found else (None, None, None)
        line += [text(cell) for cell in cells]
    return [*line, " ".join(case_caveats(rows))]
