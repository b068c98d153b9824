"""The lab's own driver: closed and open loads from one asyncio process."""

import json
import sys
from pathlib import Path

import polars as pl

from loadgen.drivers.driver import PLAN, READY, Driver, LoadPlan, timeout_s
from loadgen.drivers.process import ERRORS
from loadgen.errors import TrialError
from loadgen.generators.arrivals import instants_ns
from loadgen.generators.request_log import LOG
from loadgen.generators.window_to_follow import Followed
from loadgen.records.samples import in_window

#: No answer of a load that has an end is waited for any longer than this, or than a view may take.
TIMEOUT_S = 65.0
#: Arrivals of an open load beyond so many requests in flight are dropped: a server that is so far
#: behind shows nothing new, and each costs a connection.
MOST_OUTSTANDING = 4096


class Own(Driver):
    """Runs `own_load` beside, with due, sent and answered instants of every request."""

    name = "own"
    output = "stdout.txt"
    scratch = (*Driver.scratch, output, ERRORS)

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """The module with the load as JSON."""
        load = {
            "url": plan.target.url,
            "ca": plan.target.ca,
            "expected_text": plan.target.expected_text,
            "users": plan.case.users,
            "spread_s": plan.spread_s,
            "rate_rps": plan.case.rate_rps,
            "arrivals": plan.case.arrivals,
            "arrivals_seed": plan.arrivals_seed,
            "most_outstanding": MOST_OUTSTANDING,
            "seconds": plan.seconds,
            "drain_s": plan.drain_s,
            "timeout_s": timeout_s(plan, TIMEOUT_S),
            "log": str(folder / LOG),
            "ready": str(folder / READY),
        }
        (folder / PLAN).write_text(json.dumps(load))
        return [sys.executable, "-m", "loadgen.generators.own_load", str(folder / PLAN)]

    def samples(
        self, plan: LoadPlan, folder: Path, start_ns: int, followed: Followed | None = None
    ) -> pl.DataFrame:
        """Its log, seconds since the load's start.

        Raises:
            TrialError: there is none, or an open load lacks arrivals that were due.
        """
        samples = super().samples(plan, folder, start_ns, followed)
        if plan.case.load == "open":
            _check_arrivals(plan, samples, start_ns, followed)
        return samples


def _check_arrivals(
    plan: LoadPlan, samples: pl.DataFrame, start_ns: int, followed: Followed | None = None
) -> None:
    """All that were due are there, and no other: of the window, where one was followed."""
    case = plan.case
    assert case.rate_rps is not None
    assert case.arrivals is not None
    if followed:
        seconds = (followed.end_ns - followed.begin_ns) / 1e9
        begin_s = (followed.begin_ns - start_ns) / 1e9
        end_s = (followed.end_ns - start_ns) / 1e9
        count = in_window(samples, begin_s, end_s, "due_s").height
    else:
        assert plan.seconds is not None
        seconds, count = plan.seconds, samples.height
    due = instants_ns(case.rate_rps, seconds, case.arrivals, plan.arrivals_seed)
    planned = sum(1 for _ in due)
    if count != planned:
        raise TrialError(
            "driver-failed", f"the driver own made {count} of the {planned} arrivals that were due"
        )
