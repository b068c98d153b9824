"""Does a rate hold? What a window's row says of the rate that it was offered."""

import math
from collections.abc import Iterator

from loadgen.findings.answers_nobody import SERVERS_OWN_END
from loadgen.records.columns import Row
from loadgen.suites.search import Rules, Window
from loadgen.trials import caveats

#: A server that keeps up falls short by more than this in one window of forty.
ALLOWED_DEVIATIONS = 2.0
TOO_FEW = "too few requests for a p95"


def judge_window(step: int, row: Row, rules: Rules) -> Window:
    """Whether a window's row says that its rate holds.

    A window in which the API or the load generator was late may hold all the same. Where it does
    not, but could without what they can have done at most, the window says nothing.
    """
    if not row.is_measured:
        outcome = row.text("outcome")
        return Window(step, False if outcome in SERVERS_OWN_END else None, (outcome,))
    reasons = tuple(_broken(row, rules))
    if not reasons:
        return Window(step, True)
    if not row.is_ranked:
        return Window(step, None, tuple(caveats.blamed([row])))
    if not any(_broken(_without_instruments(row), rules)):
        return Window(step, None, tuple(caveats.blamed([row], "p95_ms")) or reasons)
    return Window(step, None if reasons == (TOO_FEW,) else False, reasons)


def _without_instruments(row: Row) -> Row:
    """The row as it might be without what the API and the driver can have done at most."""
    rps, p95_ms = row.number("rps"), row.number("p95_ms")
    return row | {
        "rps": None if rps is None else rps * math.exp(row.bound("rps")),
        "p95_ms": None if p95_ms is None else p95_ms * math.exp(-row.bound("p95_ms")),
    }


def _broken(row: Row, rules: Rules) -> Iterator[str]:
    """The criteria that a measured window does not meet: the name of each, and what it was."""
    for column in ("failures", "dropped", "starved"):
        if count := row.number(column):
            yield f"{column}: {count:.0f}"
    p95_ms, service_ms = row.number("p95_ms"), row.number("service_time_ms")
    if p95_ms is None:
        if not (row.number("failures") or row.number("starved")):
            yield TOO_FEW
    elif service_ms is not None and p95_ms > rules.p95_by_service_time * service_ms:
        yield f"p95: {p95_ms:.0f} ms"
    rps, offered_rps = row.number("rps"), row.number("offered_rps")
    if rps is not None and offered_rps and rps < rules.least_answered * offered_rps - _chance(row):
        yield f"answered: {rps / offered_rps:.1%}"
    growth = row.number("inflight_growth")
    if growth is not None and growth > rules.most_growth:
        yield f"piling up: {growth:.1%}"


def _chance(row: Row) -> float:
    """By how much answers may fall short of random arrivals by chance alone, a second.

    A server that keeps up has as many in flight at the window's end as at its start, but for
    chance: both numbers are Poisson's with the mean in flight L, so their difference has a standard
    deviation of √(2·L).
    """
    inflight, window_s = row.number("inflight_mean"), row.number("window_s")
    if row["arrivals"] != "poisson" or inflight is None or not window_s:
        return 0.0
    return ALLOWED_DEVIATIONS * math.sqrt(2 * inflight) / window_s
