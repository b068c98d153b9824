"""The lab's own driver: a closed load from one asyncio process."""

import json
import sys
from pathlib import Path

import polars as pl

from loadgen.drivers.base import READY, LoadPlan
from loadgen.drivers.logged import read_log
from loadgen.drivers.process import ERRORS
from loadgen.drivers.request_log import LOG

PLAN = "plan.json"
#: A view waits at most 60 s for the API; we wait a little longer.
TIMEOUT_S = 65.0


class Own:
    """Runs `own_load` beside, with due, sent and answered instants of every request."""

    name = "own"
    waits = True
    output = "stdout.txt"
    log: str | None = LOG
    scratch: tuple[str, ...] = (READY, LOG, PLAN, output, ERRORS)

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """The module with the load as JSON."""
        load = {
            "url": plan.target.url,
            "ca": plan.target.ca,
            "expected_text": plan.target.expected_text,
            "users": plan.case.users,
            "spread_s": plan.spread_s,
            "seconds": plan.seconds,
            "drain_s": plan.drain_s,
            "timeout_s": TIMEOUT_S,
            "log": str(folder / LOG),
            "ready": str(folder / READY),
        }
        (folder / PLAN).write_text(json.dumps(load))
        return [sys.executable, "-m", "loadgen.drivers.own_load", str(folder / PLAN)]

    def samples(self, plan: LoadPlan, folder: Path, start_ns: int) -> pl.DataFrame:
        """Its log, seconds since the load's start."""
        return read_log(folder, start_ns)
