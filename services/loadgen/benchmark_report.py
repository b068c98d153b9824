"""Measures the report: how long it takes, its memory, and its size, for a large run.

    python benchmark_report.py [--samples N] [--trials N]

or, in the image of the tests, which needs nothing else:

    docker build --target test -t django-lab/loadgen:test services/loadgen
    docker run --rm django-lab/loadgen:test python benchmark_report.py

It makes a run's folder of its own, of 5 million samples in 260 trials unless told otherwise, and
draws its report in a process of its own, from the start of Python to the last byte. Prints each
figure beside its goal. Exit code: 0 all goals met, 1 not. Run it on a quiet machine.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "src"))

import numpy as np
import polars as pl

from loadgen.documents.run_material import material
from loadgen.findings.earlier_run import run_of
from loadgen.records.columns import Row, row
from loadgen.records.trials_csv import write_table
from loadgen.reports.run_report import PAGE_FILE, write_report
from loadgen.suites.cases import Case
from loadgen.suites.suite import Suite
from loadgen.suites.timing import Timing

type Numbers = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]

ROUNDS = 5
SERVERS, CLIENTS = 8, 7
USERS, SERVICE_MS = 500, 600.0
MOST_S, MOST_MIB, MOST_BYTES = 10.0, 1024.0, 1_000_000


def cases(count: int) -> list[Case]:
    """So many cases, of servers and clients by turns."""
    return [
        Case(
            server=f"server-{number % SERVERS}",
            settings="startproject",
            view="async",
            workload="fanout",
            http_client=f"client-{number // SERVERS % CLIENTS}",
            upstream="http",
            delays_ms=(300.0, SERVICE_MS, 150.0),
            cpu_ms=float(number // SERVERS // CLIENTS),
            driver="own",
            load="closed",
            users=USERS,
        )
        for number in range(count)
    ]


def suite_of(count: int) -> Suite:
    """The suite of a made run."""
    return Suite(
        name="made",
        question="How fast is the report?",
        cases=tuple(cases(count)),
        left_out=(),
        rounds=ROUNDS,
        sort="rps",
        timing=Timing(None, None, 10, "due"),
        published=(),
        compare=(),
    )


def make(folder: Path, samples: int, trials: int) -> None:
    """Fill a run's folder."""
    random = np.random.default_rng(1)
    each = samples // trials
    rows: list[Row] = []
    (folder / "samples").mkdir()
    made = suite_of(trials // ROUNDS).cases
    for round_number in range(1, ROUNDS + 1):
        for number, case in enumerate(made):
            latency_ms = SERVICE_MS + random.gamma(2.0, 3.0 + number, each)
            window_s = each * float(latency_ms.mean()) / 1000 / USERS
            due_s = np.sort(random.uniform(-1, window_s, each))
            write(folder / "samples" / f"{case.slug}.r{round_number}.csv.gz", due_s, latency_ms)
            rows.append(a_row(case, round_number, latency_ms, window_s))
    write_table(folder / "trials.csv", rows)
    services = "".join(
        f"  server-{number}:\n    labels: {{lab.title: 'Server {number}', lab.interface: asgi, "
        "lab.concurrency: asyncio, lab.processes: '1'}\n"
        for number in range(SERVERS)
    )
    (folder / "compose.yaml").write_text(f"services:\n  # As it comes.\n{services}")
    environment = {
        "outcome": "finished",
        "started_at": "2026-01-02T03:04:05+00:00",
        "finished_at": "2026-01-02T04:05:06+00:00",
        "arguments": {"suites": ["made"], "rounds": ROUNDS, "seed": 1},
        "cpu_model": "made",
        "git_commit": None,
        "servers": {f"server-{number}": {"command": ["serve"]} for number in range(SERVERS)},
    }
    (folder / "environment.json").write_text(json.dumps(environment))


def write(file: Path, due_s: Numbers, latency_ms: Numbers) -> None:
    """The samples of a trial, as samples.write_samples leaves them."""
    table = pl.DataFrame({"due_s": due_s, "lag_ms": 0.0, "latency_ms": latency_ms}).select(
        pl.col("due_s").round(6),
        "lag_ms",
        pl.col("latency_ms").round(3),
        status=pl.lit(200),
        failure=pl.lit(None, pl.String),
    )
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(table.write_csv().encode())


def a_row(case: Case, round_number: int, latency_ms: Numbers, window_s: float) -> Row:
    """The row of a trial."""
    found = np.sort(latency_ms)
    p50, p95, p99 = (float(found[int(len(found) * share)]) for share in (0.5, 0.95, 0.99))
    return row(
        case.cells()
        | {
            "round": round_number,
            "outcome": "measured",
            "suite": "made",
            "title": f"{case.server.capitalize()}, 1 process",
            "window_s": window_s,
            "requests": len(found),
            "failures": 0,
            "unanswered": 0,
            "rps": len(found) / window_s,
            "min_ms": float(found[0]),
            "avg_ms": float(found.mean()),
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "max_ms": float(found[-1]),
            "app_cpu_ms_per_view": 2 + round_number / 100,
            "app_cpu_share": 0.5,
            "app_pss_mib": 60.0 + round_number,
            "service_time_ms": SERVICE_MS,
            "users_ceiling_rps": USERS / SERVICE_MS * 1000,
            "bound_by": "users",
            "ceiling_share": 0.97,
            "ranked": "yes",
            "caveats": "at-ceiling",
        }
    )


def draw(folder: Path, trials: int) -> None:
    """In a process of its own: the report, then its peak memory in MiB on stdout."""
    write_report(material(run_of(folder, [suite_of(trials // ROUNDS)])), folder)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> int:
    """Make, draw, and hold the figures against the goals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=5_000_000)
    parser.add_argument("--trials", type=int, default=260)
    parser.add_argument("--draw", type=Path)
    arguments = parser.parse_args()
    if arguments.draw:
        draw(arguments.draw, arguments.trials)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, arguments.samples, arguments.trials)
        command = [sys.executable, __file__, "--draw", name, "--trials", str(arguments.trials)]
        began = time.monotonic()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures = (
            ("time, s", time.monotonic() - began, MOST_S),
            ("peak memory, MiB", float(done.stdout), MOST_MIB),
            ("page, bytes", (folder / PAGE_FILE).stat().st_size, MOST_BYTES),
        )
    print(f"{arguments.samples} samples in {arguments.trials} trials")
    for title, value, goal in figures:
        print(
            f"{title:20}{value:12.1f}   at most {goal:10.0f}   {'yes' if value <= goal else 'NO'}"
        )
    return 0 if all(value <= goal for _, value, goal in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
