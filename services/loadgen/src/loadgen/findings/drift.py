"""Which trials of a run had a faster or slower CPU than usual.

That is known only once the run has ended: its first trials cannot be held against those after them.
It goes by the probe, which runs beside the server; in runs of before there was one, by the loop
that was timed before each trial. A server's own threads and caches slow down the probe beside it,
so a trial is held against the median of its case; under three rounds there is none. The loop before
a trial had no server beside it: that is held against the run.
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
    probed = any(row["probe_ms"] for row in rows)
    column, least = ("probe_ms", LEAST_ROUNDS) if probed else ("calibration_ms", 1)
    alike: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if (loop_ms := row.number(column)) is not None:
            alike.setdefault(_beside(row, probed=probed), []).append(loop_ms)
    if not alike:
        return list(rows)
    usual_ms = {beside: median(ms) for beside, ms in alike.items() if len(ms) >= least}
    return [
        _with(row, drifted=_is_off(row.number(column), usual_ms.get(_beside(row, probed=probed))))
        for row in rows
    ]


def _beside(row: Row, *, probed: bool) -> tuple[str, str]:
    """What was beside the loop: the case, and in a duet its partner; nothing before a trial."""
    return (row.case, row.text("partner")) if probed else ("", "")


def _is_off(loop_ms: float | None, usual_ms: float | None) -> bool:
    """Whether the fixed loop of a trial took another time than the usual one; not if that is not
    known.
    """
    if loop_ms is None or usual_ms is None:
        return False
    return abs(loop_ms - usual_ms) > DRIFT_SHARE * usual_ms


def _with(row: Row, *, drifted: bool) -> Row:
    names = set(row.caveats)
    if drifted == (CPU_DRIFT.name in names):
        return row
    changed = names | {CPU_DRIFT.name} if drifted else names - {CPU_DRIFT.name}
    return row | {"caveats": " ".join(in_order(changed)) or None}
