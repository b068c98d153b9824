"""Which trials of a run had a faster or slower CPU than usual.

That is known only once the run has ended: its first trials cannot be held against those after them.
It goes by the probe, which runs beside the server; in runs of before there was one, by the loop
that was timed before each trial. A server's own threads and caches slow down the probe beside it,
so a trial is held against the median of its case, where that has three rounds.
"""

from collections.abc import Sequence
from statistics import median

from loadgen.records.columns import Row
from loadgen.theory.statistics import LEAST_ROUNDS
from loadgen.trials.caveats import CPU_DRIFT, in_order

#: How far from the median the fixed loop may be, as a share of it.
DRIFT_SHARE = 0.1


def judged(rows: Sequence[Row]) -> list[Row]:
    """All rows of a run, with the caveat `cpu-drift` where it is due, and nowhere else.

    An earlier session may have judged some by what it knew.
    """
    column = "probe_ms" if any(row["probe_ms"] for row in rows) else "calibration_ms"
    known = [loop_ms for row in rows if (loop_ms := row.number(column)) is not None]
    if not known:
        return list(rows)
    of_run_ms = median(known)
    by_case: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if (loop_ms := row.number(column)) is not None:
            by_case.setdefault(_case(row), []).append(loop_ms)
    usual_ms = {
        case: median(values) if len(values) >= LEAST_ROUNDS else of_run_ms
        for case, values in by_case.items()
    }
    return [
        _with(row, drifted=_is_off(row.number(column), usual_ms.get(_case(row), of_run_ms)))
        for row in rows
    ]


def _case(row: Row) -> tuple[str, str]:
    """What was beside the loop: the case, and in a duet its partner."""
    return row.case, row.text("partner")


def _is_off(loop_ms: float | None, middle_ms: float) -> bool:
    """Whether the fixed loop of a trial took another time than the usual one."""
    return loop_ms is not None and abs(loop_ms - middle_ms) > DRIFT_SHARE * middle_ms


def _with(row: Row, *, drifted: bool) -> Row:
    names = set(row.caveats)
    if drifted == (CPU_DRIFT.name in names):
        return row
    changed = names | {CPU_DRIFT.name} if drifted else names - {CPU_DRIFT.name}
    return row | {"caveats": " ".join(in_order(changed)) or None}
