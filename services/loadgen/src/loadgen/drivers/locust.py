"""Locust: a closed load of users, as article A made it."""

import json
import math
import sys
from pathlib import Path

from loadgen import generators
from loadgen.drivers.driver import PLAN, READY, Driver, LoadPlan, timeout_s
from loadgen.generators.request_log import LOG

LOCUSTFILE = Path(generators.__file__).with_name("locustfile.py")
#: Locust's own time-out, of a load that has an end.
TIMEOUT_S = 60.0


class Locust(Driver):
    """Runs Locust headless; our locustfile logs every request, Locust its own files beside.

    Its own percentiles are rounded to two digits, so it is our log that counts.
    """

    name = "locust"
    output = "summary.txt"

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
