"""Does a rate hold? What a window's row says of the rate that it was offered."""

import math
from collections.abc import Iterator

from loadgen.findings.silence import SERVERS_OWN_END
from loadgen.records.columns import Cell, Row
from loadgen.suites.search import Rules, Window
from loadgen.trials import caveats

#: A server that keeps up falls short by more than this in one window of forty.
ALLOWED_DEVIATIONS = 2.0
TOO_FEW = "too few requests for a p95"


def judge(step: int, row: Row, rules: Rules) -> Window:
    """Whether a window's row says that its rate holds.

    A window in which the API or the load generator was late may hold all the same; where it does
    not, that is not the server's doing, and the window says nothing.
    """
    outcome = str(row["outcome"])
    if outcome != "measured":
        return Window(step, False if outcome in SERVERS_OWN_END else None, (outcome,))
    reasons = tuple(_broken(row, rules))
    if not reasons:
        return Window(step, True)
    if row["ranked"] != "yes":
        present = str(row["caveats"] or "").split()
        lab = [each.name for each in caveats.ALL if each.unranks and each.name in present]
        return Window(step, None, tuple(lab))
    if reasons == (TOO_FEW,):
        return Window(step, None, reasons)
    return Window(step, False, reasons)


def _broken(row: Row, rules: Rules) -> Iterator[str]:
    """The criteria that a measured window does not meet: the name of each, and what it was."""
    failures, dropped = number(row["failures"]) or 0, number(row["dropped"]) or 0
    starved = number(row["starved"]) or 0
    if failures:
        yield f"failures: {failures:.0f}"
    if dropped:
        yield f"dropped: {dropped:.0f}"
    if starved:
        yield f"starved: {starved:.0f}"
    p95_ms, service_ms = number(row["p95_ms"]), number(row["service_time_ms"])
    if p95_ms is None:
        if not (failures or starved):
            yield TOO_FEW
    elif service_ms is not None and p95_ms > rules.p95_by_service_time * service_ms:
        yield f"p95: {p95_ms:.0f} ms"
    rps, offered_rps = number(row["rps"]), number(row["offered_rps"])
    if rps is not None and offered_rps and rps < rules.least_answered * offered_rps - _chance(row):
        yield f"answered: {rps / offered_rps:.1%}"
    growth = number(row["inflight_growth"])
    if growth is not None and growth > rules.most_growth:
        yield f"piling up: {growth:.1%}"


def _chance(row: Row) -> float:
    """By how much answers may fall short of random arrivals by chance alone, a second.

    A server that keeps up has as many in flight at the window's end as at its start, but for
    chance: both numbers are Poisson's with the mean in flight L, so their difference has a standard
    deviation of √(2·L).
    """
    inflight, window_s = number(row["inflight_mean"]), number(row["window_s"])
    if row["arrivals"] != "poisson" or inflight is None or not window_s:
        return 0.0
    return ALLOWED_DEVIATIONS * math.sqrt(2 * inflight) / window_s


def number(cell: Cell) -> float | None:
    """A cell as a number; None where it is empty or holds a text."""
    return float(cell) if isinstance(cell, int | float) else None
