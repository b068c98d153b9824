"""Real drivers against the stand-in of a view."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from loadgen.drivers.driver import Driver, LoadPlan
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.drivers.target import EXPECTED_TEXT, Target
from tests.make import a_case
from tests.stand_ins import Behaviour, View

DELAY_S = 0.1
ARRIVALS_SEED = 5
#: What a mishandled load waits for the two answers that never come: a busy machine has given all
#: others by then.
MISHANDLED_DRAIN_S = 3.0
#: No driver's options may depend on whole seconds.
FRACTION_S = 1.515625

MISHAPS = {
    12: Behaviour.WRONG_BODY,
    22: Behaviour.WRONG_BODY,
    15: Behaviour.ERROR,
    25: Behaviour.ERROR,
    35: Behaviour.ERROR,
    # Last, since its request is asked again about ten requests later: nothing may happen to that.
    45: Behaviour.HANG_UP,
    20: Behaviour.SILENCE,
    30: Behaviour.SILENCE,
}


def mishaps(number: int) -> Behaviour:
    return MISHAPS.get(number, Behaviour.RIGHT)


@dataclass(frozen=True)
class Driven:
    """A load that has been made: what the driver recorded, and what the server saw.

    Attributes:
        answered: what the driver told while it ran, asked once more at its end.
    """

    samples: pl.DataFrame
    answered: int | None
    view: View
    folder: Path
    plan: LoadPlan

    def failures(self) -> dict[str, int]:
        failed = self.samples.filter(pl.col("failure").is_not_null())
        return dict(failed.group_by("failure").len().iter_rows())


def a_plan(
    view: View, seconds: float | None, drain_s: float, service_s: float = DELAY_S, **axes: Any
) -> LoadPlan:
    target = Target(
        origin=view.origin,
        path="/async/fanout/no-http/?delays_ms=100",
        expected_text=EXPECTED_TEXT["fanout"],
        service_time_s=service_s,
        launcher="http://127.0.0.1:9",
    )
    case = a_case(delays_ms=(service_s * 1000,), **axes)
    seed = ARRIVALS_SEED if case.load == "open" else None
    return LoadPlan(case, target, seconds, drain_s, seed)


def told(plan: LoadPlan, folder: Path) -> dict[str, Any]:
    """What the own driver's process is told."""
    command = Own().command(plan, folder)
    load = json.loads(Path(command[-1]).read_text())
    assert isinstance(load, dict)
    return load


def drive(
    view: View,
    folder: Path,
    seconds: float | None,
    drain_s: float,
    by: Driver | None = None,
    **axes: Any,
) -> Driven:
    """Make a load by the driver that the case names, or by another one."""
    plan = a_plan(view, seconds, drain_s, **axes)
    folder.mkdir()
    with DriverProcess(by or DRIVERS[plan.case.driver], plan, folder) as process:
        process.wait_until_ready()
        start_ns = process.start()
        process.wait_for_end(30)
        return Driven(process.samples(start_ns), process.answered(), view, folder, plan)


def mishandle(folder: Path, **axes: Any) -> Driven:
    """Make a load on a server that errs, hangs up and keeps silent."""
    with View(DELAY_S, mishaps) as view:
        return drive(view, folder, FRACTION_S, MISHANDLED_DRAIN_S, **axes)
