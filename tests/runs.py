"""Reads the folder of a run: by the names of its files and columns alone, without loadgen."""

import csv
import gzip
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import recompute

HEADER = (
    "case round repeat attempt partner position session outcome suite"
    " server title interface processes slots settings view workload http_client upstream delays_ms"
    " cpu_ms"
    " driver load arrivals users rate_rps planned_requests arrivals_seed"
    " started_at warm_up_s window_s slices"
    " requests failures unanswered starved dropped offered_rps rps parts_rps ended_rps max_rps"
    " inflight_mean inflight_growth"
    " min_ms avg_ms p50_ms p95_ms p99_ms max_ms sent_p95_ms lag_p99_ms"
    " app_cpu_seconds app_cpu_ms_per_view app_cpu_reference_ms_per_view app_cpu_share app_pss_mib"
    " app_peak_mib app_processes app_threads"
    " api_calls api_cpu_share api_full_share api_late_mean_ms api_late_p99_ms api_lag_p99_ms"
    " loadgen_cpu_share driver_full_share steal_share calibration_ms probe_ms probe_sd_ms"
    " rps_bound avg_ms_bound p50_ms_bound p95_ms_bound p99_ms_bound app_cpu_ms_per_view_bound"
    " app_cpu_reference_ms_per_view_bound"
    " service_time_ms users_ceiling_rps slots_ceiling_rps pool_ceiling_rps cpu_ceiling_rps"
    " cpu_ceiling_kind bound_by ceiling_share ranked caveats"
)
"""The header of trials.csv, in its order."""

type Row = dict[str, str]


@dataclass(frozen=True)
class Sample:
    """A request: seconds after the window's start, milliseconds; None where there is no value."""

    due_s: float | None
    latency_ms: float | None
    failure: str

    @property
    def rank_ms(self) -> float:
        """Its latency; a request without a right answer ranks as infinitely slow."""
        good = self.latency_ms is not None and not self.failure
        return self.latency_ms if good and self.latency_ms is not None else math.inf


@dataclass(frozen=True)
class Run:
    """The folder of one run."""

    folder: Path

    @property
    def rows(self) -> list[Row]:
        """Of trials.csv, cells as they are written; of a trial that was measured again, since an
        instrument was late or time was stolen, the last.
        """
        last: dict[tuple[str, ...], Row] = {}
        for row in _table(self.folder / "trials.csv"):
            last[tuple(row.get(axis, "") for axis in ("case", "round", "repeat", "partner"))] = row
        return list(last.values())

    @property
    def summary(self) -> list[Row]:
        """Of summary.csv."""
        return _table(self.folder / "summary.csv")

    @property
    def comparisons(self) -> list[Row]:
        """Of comparisons.csv."""
        return _table(self.folder / "comparisons.csv")

    @property
    def environment(self) -> dict[str, Any]:
        """environment.json."""
        document: dict[str, Any] = json.loads((self.folder / "environment.json").read_text())
        return document

    def name(self, row: Row) -> str:
        """The key of a trial's files."""
        attempt = row.get("attempt", "1")
        again = "" if attempt in ("", "1") else f".a{attempt}"
        return f"{row['case']}.r{row['round']}{again}"

    def samples(self, row: Row) -> list[Sample]:
        """Every request of a trial, warm-up included."""
        file = self.folder / "samples" / f"{self.name(row)}.csv.gz"
        with gzip.open(file, "rt", newline="") as stream:
            return [
                Sample(_number(line["due_s"]), _number(line["latency_ms"]), line["failure"])
                for line in csv.DictReader(stream)
            ]


@dataclass(frozen=True)
class Finished:
    """A run that has ended, with what it printed."""

    done: CompletedProcess[str]
    run: Run


def disagreeing(run: Run) -> list[str]:
    """The lines of rows that do not agree with their samples."""
    findings = recompute.audit(run.folder)
    assert not all(finding.skipped for finding in findings)
    return [line for finding in findings if finding.differences for line in finding.lines]


def folder_in(output: str) -> str:
    """The name of the folder that a run's closing words name."""
    found = re.search(r"results/([^/\s]+)/", output)
    assert found, f"nothing in it says where the results are:\n{output}"
    return found[1]


def nearest_rank(ordered: list[float], share: float) -> float:
    """The value of rank ⌈share · n⌉, counted from 1."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _table(file: Path) -> list[Row]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def _number(text: str) -> float | None:
    return float(text) if text else None
