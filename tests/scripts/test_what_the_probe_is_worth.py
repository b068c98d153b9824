"""What docs/formulas.md says of the probe follows from the committed run that it names."""

import csv
import math
import re
from collections.abc import Sequence

from lab import ROOT

RUN = "20261127T135901Z-duets"
METRIC = "app_cpu_ms_per_view"
REFERENCE = "app_cpu_reference_ms_per_view"


def rows() -> list[dict[str, str]]:
    """The measured rows of the run."""
    with (ROOT / "results/reference" / RUN / "trials.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["outcome"] == "measured"]


def less_the_mean_of_each_case(measured: Sequence[dict[str, str]], column: str) -> list[float]:
    """Logarithms of a column."""
    of_case: dict[str, list[float]] = {}
    for row in measured:
        of_case.setdefault(row["case"], []).append(math.log(float(row[column])))
    means = {case: sum(logs) / len(logs) for case, logs in of_case.items()}
    return [math.log(float(row[column])) - means[row["case"]] for row in measured]


def sd(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    products = sum(x * y for x, y in zip(a, b, strict=True))
    return products / (len(a) * sd(a) * sd(b))


def test_the_correlation_and_the_scatter_are_those_of_the_run() -> None:
    text = " ".join((ROOT / "docs/formulas.md").read_text().split())
    (said,) = re.findall(r"What the correction is worth.*?With the loop.*?r = [0-9.]+\.", text)
    measured = rows()
    columns = (METRIC, REFERENCE, "probe_ms", "calibration_ms")
    cpu, reference, probe, loop = (
        less_the_mean_of_each_case(measured, column) for column in columns
    )

    assert RUN in said
    assert f"({len(measured)} rows" in said
    assert f"go together with r = {correlation(cpu, probe):.2f}" in said
    assert f"by {sd(reference):.1%} in reference" in said.replace(" %", "%")
    assert f"by {sd(cpu):.1%} as measured" in said.replace(" %", "%")
    assert f"it is r = {correlation(cpu, loop):.2f}." in said
