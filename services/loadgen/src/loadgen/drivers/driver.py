"""What the protocol asks of a driver."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadgen.drivers.logged import read_log
from loadgen.drivers.target import Target
from loadgen.generators.request_log import LOG
from loadgen.generators.window_to_follow import Followed
from loadgen.suites.cases import Case
from loadgen.suites.timing import PATIENCE_S

#: The file by which a waiting driver says that it could begin.
READY = "ready"
#: The file that tells its process what to do, as JSON.
PLAN = "plan.json"
#: The drivers' own time-out in a load that is followed: none. A user who gave up and asked again
#: would have waited through no window, and would not be starved.
NEVER_S = 86_400.0


def timeout_s(plan: "LoadPlan", usual_s: float) -> float:
    """How long a driver waits for an answer: for ever, where the protocol says when the load ends;
    else as usual, or for as long as the view may take.
    """
    if plan.seconds is None and not plan.case.planned_requests:
        return NEVER_S
    return max(usual_s, plan.target.service_time_s + PATIENCE_S)


@dataclass(frozen=True)
class LoadPlan:
    """The load of one trial.

    Attributes:
        case: users, ramp, planned requests or arrivals.
        target: where to, and what a right answer contains.
        seconds: no request is due from then on, and those in flight are waited for. None: the load
            is counted, or stays on until the protocol has what it follows (drivers.followed).
        drain_s: the most that unanswered requests are waited for afterwards.
        arrivals_seed: what an open load's arrivals are drawn with; None: the load is closed.
    """

    case: Case
    target: Target
    seconds: float | None
    drain_s: float
    arrivals_seed: int | None = None

    @property
    def spread_s(self) -> float:
        """The users' starts are spread over the ramp's climb, or over one service time."""
        ramp = self.case.ramp
        return ramp[1][0] if ramp else self.target.service_time_s


class Driver(ABC):
    """A program that makes a load. It runs in a process of its own.

    What it has by default suits one whose requests our own code logs.

    Attributes:
        name: the value of the `driver` axis, and of its folder of raw files.
        waits: True: it makes the file READY in its folder once it could begin, then reads the
            start instant (monotonic ns) from its standard input, and where its plan has no end what
            it is to follow. False: it begins at once.
        output: the file in its folder that its standard output goes to.
        log: the file in its folder with a header and a line per request, which grows while it runs;
            None where it tells nothing before its end.
        scratch: files in its folder that are ours, not the tool's: removed once read.
    """

    name: str
    output: str
    waits = True
    log: str | None = LOG
    scratch: tuple[str, ...] = (READY, LOG, PLAN)

    @abstractmethod
    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """The command that makes the load and leaves its files in the folder."""

    def samples(
        self, plan: LoadPlan, folder: Path, start_ns: int, followed: Followed | None = None
    ) -> pl.DataFrame:
        """What it recorded, in the schema of `samples`, seconds since `start_ns`.

        Args:
            plan, folder, start_ns: of the load.
            followed: what it was told to follow; None: nothing.

        Raises:
            TrialError: its files are missing or say that the load was not made.
        """
        return read_log(folder, start_ns)
