"""summary.csv: a line per case, over its rounds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from loadgen.findings.silence import always_silent, is_silent, silence
from loadgen.records.columns import METRICS, Cell, Row, cell_text
from loadgen.records.files import write_csv
from loadgen.theory.statistics import Interval, interval
from loadgen.trials import caveats

AXES = (
    *("case", "suite", "server", "title", "settings", "view", "workload", "http_client"),
    *("upstream", "delays_ms", "cpu_ms", "driver", "load", "users", "rate_rps"),
    "planned_requests",
)
#: Of these a server that answers nobody makes none.
THROUGHPUT = frozenset({"rps", "max_rps"})
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
    """A metric's mean over the rounds that count; None where one of them could not state it.

    A server that died under the load made no view in that round.
    """
    listed = list(rows)
    counted = that_count(listed)
    if counted and metric in THROUGHPUT:
        died = [row for row in listed if row["outcome"] != "measured" and is_silent(row)]
        counted += [row | {metric: 0.0} for row in died]
    return mean(counted, metric)


def bound_by(rows: Iterable[Row]) -> str:
    """What held a case back, in every row where they differ; empty where nothing is known."""
    return " / ".join(dict.fromkeys(str(row["bound_by"]) for row in rows if row["bound_by"]))


def mean(rows: Iterable[Row], metric: str) -> Interval | None:
    """A metric's mean over these rows; None where one of them could not state it.

    Of values that are zero in some row there is no geometric mean: then it is the arithmetic one,
    without an interval.
    """
    values = [row[metric] for row in rows]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(values):
        return None
    if min(numbers) <= 0:
        return Interval(sum(numbers) / len(numbers), None, None)
    return interval(numbers)


def case_caveats(rows: Sequence[Row]) -> list[str]:
    """The names of what any round of a case, or all together, warn of; in the order of `ALL`."""
    found = set(" ".join(str(row["caveats"] or "") for row in rows).split())
    rps = over_rounds(rows, "rps")
    if silence(rows) and not always_silent(rows):
        found.add(caveats.UNSTABLE.name)
    if rps and rps.high and rps.high / rps.mean - 1 > UNSTABLE_SHARE:
        found.add(caveats.UNSTABLE.name)
    return caveats.in_order(found)


def starved_users(rows: Iterable[Row]) -> str:
    """`up to 1173 of 2000 users`, of a case in which some were starved; empty where none was."""
    most = max(rows, key=lambda row: float(row["starved"] or 0))
    if not most["starved"]:
        return ""
    of = f" of {most['users']} users" if most["users"] else " requests"
    return f"up to {most['starved']}{of}"


def _line(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row["outcome"] == "measured"]
    ranked = [row for row in measured if row["ranked"] == "yes"]
    line = [cell_text(rows[0][axis]) for axis in AXES]
    line += [str(len(counted)) for counted in (rows, measured, ranked)]
    for metric in METRICS:
        found = over_rounds(rows, metric)
        cells = (found.mean, found.low, found.high) if found else (None, None, None)
        line += [cell_text(cell) for cell in cells]
    return [*line, " ".join(case_caveats(rows))]
