"""For benchmark-action/github-action-benchmark, which draws figures over a repository's commits.

It reads an array of `{name, unit, value, range, extra}` (src/extract.ts of that project), in which
either all figures are better bigger (its tool `customBiggerIsBetter`) or all smaller
(`customSmallerIsBetter`): so there is a file for each. Its alarm is a threshold on two values of
two days, without an interval; `loadgen compare --fail-on` is the gate that has one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loadgen.findings.comparisons import HIGHER_IS_BETTER
from loadgen.findings.earlier_run import Run
from loadgen.findings.summary import case_caveats, mean
from loadgen.findings.two_runs import METRICS
from loadgen.records.columns import TRIALS, cell_text

BIGGER, SMALLER = "github-action-benchmark-bigger.json", "github-action-benchmark-smaller.json"
UNITS = {column.name: column.unit for column in TRIALS}


def files(run: Run) -> Mapping[str, str]:
    """Both files; a case that no round ranks, or a value that is not known, is left out."""
    entries = list(_entries(run))
    return {
        BIGGER: _json(entry for metric, entry in entries if metric in HIGHER_IS_BETTER),
        SMALLER: _json(entry for metric, entry in entries if metric not in HIGHER_IS_BETTER),
    }


def _entries(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    for case, rows in run.by_case.items():
        for metric in METRICS:
            ranked = [row for row in rows if row.is_measured and row.is_ranked_for(metric)]
            estimate = mean(ranked, metric)
            if not estimate:
                continue
            # The slug, since the action knows a figure of another commit by its name.
            entry: dict[str, Any] = {"name": f"{case} {metric}", "unit": UNITS[metric]}
            entry |= {"value": float(cell_text(estimate.mean))}
            if estimate.low is not None and estimate.high is not None:
                entry |= {"range": f"{cell_text(estimate.low)}–{cell_text(estimate.high)}"}
            caveats = ", ".join(case_caveats(rows)) or "none"
            extra = f"rounds: {len(ranked)}\ncaveats: {caveats}\nrun: {run.name}"
            yield metric, entry | {"extra": extra}


def _json(entries: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(list(entries), indent=2, ensure_ascii=False) + "\n"
