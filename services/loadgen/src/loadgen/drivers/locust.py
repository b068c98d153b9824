"""Locust: a closed load of users, as article A made it."""

import json
import math
import sys
from pathlib import Path

import polars as pl

from loadgen.drivers.base import READY, LoadPlan
from loadgen.errors import TrialError
from loadgen.samples import SCHEMA

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOG = "requests.csv"
PLAN = "plan.json"


class Locust:
    """Runs Locust headless; our locustfile logs every request, Locust its own files beside."""

    name = "locust"
    waits = True
    output = "summary.txt"
    scratch: tuple[str, ...] = (READY, LOG, PLAN)

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """Locust with the case's users, all at once or some more each second."""
        case = plan.case
        lab = {
            "path": plan.target.path,
            "expected_text": plan.target.expected_text,
            "log": str(folder / LOG),
            "ready": str(folder / READY),
        }
        (folder / PLAN).write_text(json.dumps(lab))
        return [
            *(sys.executable, "-m", "locust"),
            *("--locustfile", str(LOCUSTFILE)),
            *("--lab-plan", str(folder / PLAN)),
            *("--host", plan.target.origin),
            *("--headless", "--only-summary"),
            *("--users", str(case.users)),
            *("--spawn-rate", f"{self._users_per_second(plan):g}"),
            # Locust takes whole seconds; what it adds lies outside the window.
            *("--run-time", f"{math.ceil(plan.seconds or 0)}s"),
            *("--stop-timeout", f"{math.ceil(plan.drain_s)}"),
            *("--csv", str(folder / "locust"), "--csv-full-history"),
            *("--exit-code-on-error", "0"),
        ]

    def _users_per_second(self, plan: LoadPlan) -> float:
        """As the ramp climbs; without one the users come spread over one service time."""
        case = plan.case
        users = case.users or 0
        if case.ramp:
            return users / case.ramp[1][0]
        return users / (plan.target.service_time_s or 1)

    def samples(self, plan: LoadPlan, folder: Path, start_ns: int) -> pl.DataFrame:
        """Our own log: Locust's percentiles are rounded to two digits."""
        log = folder / LOG
        if not log.exists():
            raise TrialError("driver-failed", "Locust logged no request")
        since_start = {
            f"{instant}_s": (pl.col(f"{instant}_ns") - start_ns) / 1e9
            for instant in ("sent", "answered")
        }
        table = pl.read_csv(
            log,
            schema={
                "sent_ns": pl.Int64,
                "answered_ns": pl.Int64,
                "status": pl.Int64,
                "failure": pl.String,
            },
        ).with_columns(**since_start)
        return table.select(
            due_s="sent_s",
            sent_s="sent_s",
            answered_s="answered_s",
            status="status",
            failure="failure",
        ).cast(SCHEMA)  # type: ignore[arg-type]

    def answered(self, folder: Path) -> int | None:
        """Lines of the log so far, without its header."""
        log = folder / LOG
        return max(0, log.read_bytes().count(b"\n") - 1) if log.exists() else 0
