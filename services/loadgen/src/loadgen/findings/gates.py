"""Gates: by how much a candidate may differ from its baseline before a pipeline stops.

A gate fails where the data show, not suggest, that the threshold is passed: where the whole 95 %
interval of the ratio lies beyond it, and still does after S. Holm's adjustment (Scand. J. Stat.
6(2), 1979) over all cases and gates. So a candidate that does not pass a threshold anywhere fails
with a chance of 2.5 % at most, however many cases are looked at. The price is that a small excess
passes where few rounds were measured: each gate says what it would have found.

A gate that cannot be judged, for want of rounds or values, is not passed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from loadgen.errors import ConfigurationError
from loadgen.findings.comparisons import Comparison
from loadgen.records.columns import METRICS
from loadgen.theory.statistics import ALARM, beyond_p, holm

Outcome = Literal["passed", "failed", "not judged"]

GRAMMAR = "METRIC>N% or METRIC<-N%, such as p95_ms>5% or rps<-3%"
_GATE = re.compile(r"\s*(\w+)\s*([<>])\s*([+-]?\d+(?:\.\d+)?)\s*%\s*")


@dataclass(frozen=True)
class Gate:
    """A threshold on the change from baseline to candidate.

    Attributes:
        text: as it was written.
        metric: the column.
        above: whether more than the threshold fails, or less.
        change: the threshold as a share: 0.05 is 5 % more than the baseline, −0.03 3 % less.
    """

    text: str
    metric: str
    above: bool
    change: float


@dataclass(frozen=True)
class Judged:
    """A gate on one comparison.

    Attributes:
        gate: the threshold.
        comparison: of the gate's metric.
        outcome: what came out.
        found_from: the change which fails this gate in 80 % of such runs, as a share (before Holm's
            adjustment); None where it is not judged.
        reason: why it is not judged; may be empty.
    """

    gate: Gate
    comparison: Comparison
    outcome: Outcome
    found_from: float | None
    reason: str = ""


def parse(text: str) -> Gate:
    """A gate, as `--fail-on` takes it.

    Raises:
        ConfigurationError: it is none, its metric is unknown, or no change at all would fail it.
    """
    found = _GATE.fullmatch(text)
    if not found:
        raise ConfigurationError(f"--fail-on {text!r} is no gate: write {GRAMMAR}")
    metric, direction, percent = found[1], found[2], float(found[3])
    if metric not in METRICS:
        raise ConfigurationError(
            f"--fail-on {text!r}: no such metric; those that can be compared are "
            f"{', '.join(METRICS)}"
        )
    above = direction == ">"
    if (above and percent < 0) or (not above and percent > 0) or percent <= -100:
        raise ConfigurationError(
            f"--fail-on {text!r} would fail where nothing changes, or never: write {GRAMMAR}"
        )
    return Gate(text.strip(), metric, above, percent / 100)


def judge(gates: Iterable[Gate], comparisons: Sequence[Comparison]) -> list[Judged]:
    """Every gate on every comparison of its metric.

    Args:
        gates: the thresholds.
        comparisons: b is the candidate, a its baseline.
    """
    asked = [(gate, one) for gate in gates for one in comparisons if one.metric == gate.metric]
    p = {
        index: p_beyond
        for index, (gate, one) in enumerate(asked)
        if one.difference
        and (p_beyond := beyond_p(one.difference, 1 + gate.change, above=gate.above)) is not None
    }
    adjusted = dict(zip(p, holm(list(p.values())), strict=True))
    return [_judged(gate, one, adjusted.get(index)) for index, (gate, one) in enumerate(asked)]


def _judged(gate: Gate, one: Comparison, p_adjusted: float | None) -> Judged:
    found = one.difference
    if one.instead and one.verdict in ("better", "worse"):  # a side answered nobody
        return Judged(gate, one, "failed" if one.verdict == "worse" else "passed", None)
    if p_adjusted is None or not found or found.smallest_detectable_ratio is None:
        return Judged(gate, one, "not judged", None, one.reason or one.verdict)
    smallest = found.smallest_detectable_ratio
    found_from = (1 + gate.change) * (smallest if gate.above else 1 / smallest) - 1
    return Judged(gate, one, "failed" if p_adjusted < ALARM else "passed", found_from)


def all_passed(judged: Iterable[Judged]) -> bool:
    """Whether every gate is judged, and passed, everywhere."""
    return all(one.outcome == "passed" for one in judged)
