"""Which trials of a run had a faster or slower CPU than its median one.

That is known only once the run has ended: its first trials cannot be held against those after them.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from loadgen.records.columns import Row
from loadgen.trials.caveats import CPU_DRIFT, in_order

#: How far from the median the fixed loop may be, as a share of it.
DRIFT_SHARE = 0.1


def judged(rows: Sequence[Row]) -> list[Row]:
    """The rows, with the caveat `cpu-drift` where it is due, and nowhere else.

    Args:
        rows: all of a run; an earlier session may have judged some by what it knew.
    """
    known = [value for row in rows if (value := _loop_ms(row)) is not None]
    if not known:
        return list(rows)
    middle_ms = median(known)
    return [_with(row, drifted=_is_off(_loop_ms(row), middle_ms)) for row in rows]


def _loop_ms(row: Row) -> float | None:
    """The fixed loop before the trial; None where it was not run."""
    value = row["calibration_ms"]
    return float(value) if isinstance(value, int | float) else None


def _is_off(value_ms: float | None, middle_ms: float) -> bool:
    return value_ms is not None and abs(value_ms - middle_ms) > DRIFT_SHARE * middle_ms


def _with(row: Row, *, drifted: bool) -> Row:
    names = str(row["caveats"] or "").split()
    if drifted == (CPU_DRIFT.name in names):
        return row
    return row | {"caveats": " ".join(_changed(names, drifted=drifted)) or None}


def _changed(names: Iterable[str], *, drifted: bool) -> list[str]:
    others = {name for name in names if name != CPU_DRIFT.name}
    return in_order({*others, CPU_DRIFT.name} if drifted else others)
