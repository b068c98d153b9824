"""What a run says while it has fewer than three rounds: no interval, so no comparison and no claim.

What is far apart is told all the same. Two threads make a twentieth of what a hundred make, and
rounds of one case do not differ by that much.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from loadgen.findings.comparisons import Comparison
from loadgen.findings.waterfalls import MeasuredWaterfall, Stage
from loadgen.records.columns import Row
from loadgen.theory.statistics import LEAST_ROUNDS, mean_of_known

#: Told after one round: a ratio beyond this, or its inverse.
FAR_RATIO = 2.0
#: And beyond so many times what such ratios have scattered by from round to round.
FAR_IN_SD = 4.0

#: The rows of each case.
type RowsByCase = Mapping[str, Sequence[Row]]


class KnownScatter(Protocol):
    """How much the differences of pairs have scattered over rounds on this machine."""

    def sd_log(self, metric: str, busy_share: float | None, by: str = "trials") -> float | None:
        """Standard deviation of ln(b / a) over rounds; None where nothing is kept."""


def is_early(comparison: Comparison, by_case: RowsByCase) -> bool:
    """Whether a comparison has fewer than three rounds so far, and so no interval yet.

    One that has them, of which some are not ranked, is not early: it has a reason.
    """
    if comparison.difference:
        return comparison.difference.low is None
    both = [by_case[case] for case in (comparison.a, comparison.b) if case in by_case]
    rounds = [len({row["round"] for row in rows}) for rows in both]
    return bool(rounds) and min(rounds) < LEAST_ROUNDS


def is_far(comparison: Comparison, by_case: RowsByCase, scatter: KnownScatter | None) -> bool:
    """Whether its two cases are so far apart that one round tells."""
    if not comparison.difference:
        return False
    apart = abs(math.log(comparison.difference.ratio))
    by = "duet" if comparison.duet else "trials"
    busy_share = _busy_share(comparison, by_case)
    sd_log = scatter.sd_log(comparison.metric, busy_share, by) if scatter else None
    return apart > max(math.log(FAR_RATIO), FAR_IN_SD * (sd_log or 0.0))


def told_of(
    fall: MeasuredWaterfall, by_case: RowsByCase, scatter: KnownScatter | None
) -> MeasuredWaterfall:
    """A waterfall without the changes that cannot be told yet."""

    def told(changes: Mapping[str, Comparison]) -> dict[str, Comparison]:
        return {
            metric: change
            for metric, change in changes.items()
            if not is_early(change, by_case) or is_far(change, by_case, scatter)
        }

    def stages(order: Sequence[Stage]) -> tuple[Stage, ...]:
        return tuple(replace(stage, changes=told(stage.changes)) for stage in order)

    orders = {order: stages(listed) for order, listed in fall.orders.items()}
    return replace(fall, orders=orders, whole=told(fall.whole))


def _busy_share(comparison: Comparison, by_case: RowsByCase) -> float | None:
    """How busy the app's CPU was, of both cases on average; None of a duet."""
    rows = [row for case in (comparison.a, comparison.b) for row in by_case.get(case, ())]
    return mean_of_known([row.number("app_cpu_share") for row in rows if row.is_measured])
