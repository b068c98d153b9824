"""Locust: a closed load of users, as article A made it."""

import json
import math
import sys
from pathlib import Path

import polars as pl

from loadgen import generators
from loadgen.drivers.driver import READY, LoadPlan, timeout_s
from loadgen.drivers.logged import read_log
from loadgen.generators.request_log import LOG
from loadgen.generators.window_to_follow import Followed

LOCUSTFILE = Path(generators.__file__).with_name("locustfile.py")
PLAN = "plan.json"
#: Locust's own time-out, of a load that has an end.
TIMEOUT_S = 60.0


class Locust:
    """Runs Locust headless; our locustfile logs every request, Locust its own files beside."""

    name = "locust"
    waits = True
    output = "summary.txt"
    log: str | None = LOG
    scratch: tuple[str, ...] = (READY, LOG, PLAN)

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """Locust with the case's users, all at once or some more each second."""
        case = plan.case
        if plan.seconds is None:
            end: tuple[str, ...] = ()  # the locustfile ends it, as the protocol says
        else:
            # Locust takes whole seconds; what it adds lies outside the window.
            end = ("--run-time", f"{math.ceil(plan.seconds)}s")
            end += ("--stop-timeout", f"{math.ceil(plan.drain_s)}")
        lab = {
            "path": plan.target.path,
            "expected_text": plan.target.expected_text,
            "log": str(folder / LOG),
            "ready": str(folder / READY),
            "follows": plan.seconds is None,
            "timeout_s": timeout_s(plan, TIMEOUT_S),
        }
        (folder / PLAN).write_text(json.dumps(lab))
        return [
            *(sys.executable, "-m", "locust"),
            *("--locustfile", str(LOCUSTFILE)),
            *("--lab-plan", str(folder / PLAN)),
            *("--host", plan.target.origin),
            *("--headless", "--only-summary"),
            *("--users", str(case.users)),
            *("--spawn-rate", f"{(case.users or 0) / (plan.spread_s or 1):g}"),
            *end,
            *("--csv", str(folder / "locust"), "--csv-full-history"),
            *("--exit-code-on-error", "0"),
        ]

    def samples(
        self, plan: LoadPlan, folder: Path, start_ns: int, followed: Followed | None = None
    ) -> pl.DataFrame:
        """Our own log: Locust's percentiles are rounded to two digits."""
        return read_log(folder, start_ns)
