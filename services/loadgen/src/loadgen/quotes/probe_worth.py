"""How well a loop that is timed beside a server tells what its CPU did to CPU per view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loadgen.records.columns import Row

CPU, REFERENCE = "app_cpu_ms_per_view", "app_cpu_reference_ms_per_view"
PROBE, LOOP_BEFORE = "probe_ms", "calibration_ms"


@dataclass(frozen=True)
class ProbeWorth:
    """Of rows that were measured; logarithms, each less the mean of its case.

    Attributes:
        rows: how many there are.
        probe_r: correlation of CPU per view with the probe.
        loop_r: with the loop that is timed before a trial.
        cpu_sd, reference_sd: standard deviation of CPU per view as measured, and in reference
            milliseconds.
    """

    rows: int
    probe_r: float
    loop_r: float
    cpu_sd: float
    reference_sd: float


def probe_worth(rows: Sequence[Row]) -> ProbeWorth | None:
    """What the probe is worth by these rows; None where fewer than three know all that it takes."""
    columns = (CPU, REFERENCE, PROBE, LOOP_BEFORE)
    whole = [row for row in rows if row.is_measured and all(row.number(each) for each in columns)]
    if len(whole) < 3:
        return None
    cpu, reference, probe, loop = (_less_the_mean_of_its_case(whole, each) for each in columns)
    return ProbeWorth(
        rows=len(whole),
        probe_r=float(np.corrcoef(cpu, probe)[0, 1]),
        loop_r=float(np.corrcoef(cpu, loop)[0, 1]),
        cpu_sd=float(np.std(cpu)),
        reference_sd=float(np.std(reference)),
    )


def _less_the_mean_of_its_case(rows: Sequence[Row], column: str) -> np.ndarray:
    logs = np.log([row.number(column) or 1.0 for row in rows])
    cases = np.array([row.case for row in rows])
    return np.array(
        [log - logs[cases == case].mean() for log, case in zip(logs, cases, strict=True)]
    )
