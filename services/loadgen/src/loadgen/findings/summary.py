"""summary.csv: a line per case, over its rounds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from loadgen.findings.answers_nobody import always_silent, is_silent, silence
from loadgen.records.columns import METRICS, Cell, Row, rows_by_case
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
    header = [*AXES, "rounds", "measured", "ranked"]
    for metric in METRICS:
        header += [metric, f"{metric}_low", f"{metric}_high"]
    write_csv(file, [*header, "caveats"], map(_line, rows_by_case(rows).values()))


def that_count(rows: Iterable[Row], metric: str = "rps") -> list[Row]:
    """The rounds that speak of the server in a metric: the ranked ones; if none is, all that were
    measured.
    """
    measured = [row for row in rows if row.is_measured]
    return [row for row in measured if row.is_ranked_for(metric)] or measured


def over_rounds(rows: Iterable[Row], metric: str) -> Interval | None:
    """A metric's mean over the rounds that count; None where one of them could not state it.

    A server that died under the load made no view in that round.
    """
    listed = list(rows)
    counted = that_count(listed, metric)
    if counted and metric in THROUGHPUT:
        died = [row for row in listed if not row.is_measured and is_silent(row)]
        counted += [row | {metric: 0.0} for row in died]
    return mean(counted, metric)


def what_bound(rows: Iterable[Row]) -> str:
    """What held a case back, in every row where they differ; empty where nothing is known."""
    return " / ".join(dict.fromkeys(filter(None, (row.text("bound_by") for row in rows))))


def mean(rows: Iterable[Row], metric: str) -> Interval | None:
    """A metric's mean over these rows; None where one of them could not state it.

    Of values that are zero in some row there is no geometric mean: then it is the arithmetic one,
    without an interval.
    """
    values = [row.number(metric) for row in rows]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return interval(known) or Interval(sum(known) / len(known), None, None)


def case_caveats(rows: Sequence[Row]) -> list[str]:
    """The names of what any round of a case, or all together, warn of; in the order of `ALL`."""
    names = {name for row in rows for name in row.caveats}
    rps = over_rounds(rows, "rps")
    at_times_silent = silence(rows) and not always_silent(rows)
    if at_times_silent or (rps and rps.high and rps.high / rps.mean - 1 > UNSTABLE_SHARE):
        names.add(caveats.UNSTABLE.name)
    return caveats.in_order(names)


def starved_users(rows: Iterable[Row]) -> str:
    """`up to 1173 of 2000 users`, of a case in which some were starved; empty where none was."""
    most = max(rows, key=lambda row: row.number("starved") or 0)
    if not most["starved"]:
        return ""
    of = f" of {most['users']} users" if most["users"] else " requests"
    return f"up to {most['starved']}{of}"


def _line(rows: Sequence[Row]) -> list[Cell]:
    measured = [row for row in rows if row.is_measured]
    ranked = [row for row in measured if row.is_ranked]
    line = [rows[0][axis] for axis in AXES]
    line += [len(counted) for counted in (rows, measured, ranked)]
    for metric in METRICS:
        mean = over_rounds(rows, metric)
        line += (mean.mean, mean.low, mean.high) if mean else (None, None, None)
    return [*line, " ".join(case_caveats(rows))]
