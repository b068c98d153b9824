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
from loadgen.theory.statistics import ALARM, Difference, beyond_p, holm, where_known

GateOutcome = Literal["passed", "failed", "not judged"]

GRAMMAR = "METRIC>N% or METRIC<-N%, such as p95_ms>5% or rps<-3%"
_GATE = re.compile(r"\s*(\w+)\s*([<>])\s*([+-]?\d+(?:\.\d+)?)\s*%\s*")


@dataclass(frozen=True)
class Gate:
    """A threshold on the change from baseline to candidate.

    Attributes:
        text: as it was written.
        above: whether more than the threshold fails, or less.
        change: the threshold as a share: 0.05 is 5 % more than the baseline, −0.03 3 % less.
    """

    text: str
    metric: str
    above: bool
    change: float


@dataclass(frozen=True)
class JudgedGate:
    """A gate on one comparison.

    Attributes:
        found_from: the change which fails this gate in 80 % of such runs, as a share (before Holm's
            adjustment); None where it is not judged.
        reason: why it is not judged; may be empty.
    """

    gate: Gate
    comparison: Comparison
    outcome: GateOutcome
    found_from: float | None
    reason: str = ""


def parse_gate(text: str) -> Gate:
    """A gate, as `--fail-on` takes it.

    Raises:
        ConfigurationError: it is none, its metric is unknown, or no change at all would fail it.
    """
    parts = _GATE.fullmatch(text)
    if not parts:
        raise ConfigurationError(f"--fail-on {text!r} is not a gate: write {GRAMMAR}")
    metric, direction, percent = parts[1], parts[2], float(parts[3])
    if metric not in METRICS:
        raise ConfigurationError(
            f"--fail-on {text!r}: no such metric; those that can be compared are "
            f"{', '.join(METRICS)}"
        )
    above = direction == ">"
    if (above and percent < 0) or (not above and percent > 0):
        raise ConfigurationError(f"--fail-on {text!r} fails even without a change. Write {GRAMMAR}")
    if percent <= -100:
        raise ConfigurationError(f"--fail-on {text!r} can never fail. Write {GRAMMAR}")
    return Gate(text.strip(), metric, above, percent / 100)


def judge_gates(gates: Iterable[Gate], comparisons: Sequence[Comparison]) -> list[JudgedGate]:
    """Every gate on every comparison of its metric, where b is the candidate and a its baseline."""
    asked = [
        (gate, comparison)
        for gate in gates
        for comparison in comparisons
        if comparison.metric == gate.metric
    ]
    p = [_p_beyond(gate, comparison.difference) for gate, comparison in asked]
    return [
        _judged(gate, comparison, p_adjusted)
        for (gate, comparison), p_adjusted in zip(asked, where_known(holm, p), strict=True)
    ]


def _p_beyond(gate: Gate, ratio: Difference | None) -> float | None:
    return beyond_p(ratio, 1 + gate.change, above=gate.above) if ratio else None


def _judged(gate: Gate, comparison: Comparison, p_adjusted: float | None) -> JudgedGate:
    ratio, verdict = comparison.difference, comparison.verdict
    if comparison.instead and verdict in ("better", "worse"):  # a side answered nobody
        return JudgedGate(gate, comparison, "failed" if verdict == "worse" else "passed", None)
    if p_adjusted is None or not ratio or ratio.smallest_detectable_ratio is None:
        reason = comparison.reason or verdict
        return JudgedGate(gate, comparison, "not judged", None, reason)
    smallest = ratio.smallest_detectable_ratio
    found_from = (1 + gate.change) * (smallest if gate.above else 1 / smallest) - 1
    outcome: GateOutcome = "failed" if p_adjusted < ALARM else "passed"
    return JudgedGate(gate, comparison, outcome, found_from)


def all_passed(judged: Iterable[JudgedGate]) -> bool:
    """Whether every gate is judged, and passed, everywhere."""
    return all(gate.outcome == "passed" for gate in judged)
