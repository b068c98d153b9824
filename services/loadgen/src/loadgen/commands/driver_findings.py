"""A load of `loadgen check`, and what came out of it."""

import math
from dataclasses import dataclass, fields, replace

from loadgen.commands.figures import Figures
from loadgen.suites.cases import NO_HTTP, Case
from loadgen.theory.distributions import DISTRIBUTIONS

#: The goal: latency within 1 ms or 1 %, whichever is more; throughput within 1 %; counts exact.
MOST_OFF_MS = 1.0
MOST_OFF = 0.01

#: A load makes so many requests at least: five lie above the p99 of 500.
LEAST_REQUESTS = 510
LEAST_SECONDS = 2.0
#: A timed load may make a few more requests than its rate by its length.
SPARE = 1.2

YES, NO, ASKS_AGAIN = "yes", "no", "asks again"

FIGURES = tuple(field.name for field in fields(Figures))
#: The columns of check.csv: ours, the API's, and the tool's own.
COLUMNS = (
    *("driver", "delays", "rate_rps", "users"),
    *(who + name for who in ("", "api_", "tool_") for name in FIGURES),
    *("asked_again", "agrees"),
)


@dataclass(frozen=True)
class CheckLoad:
    """One load of the check.

    Attributes:
        distribution: of the delays.
        rate_rps: about how many requests a second: users = rate × mean delay (Little).
        hang_ups: connections close without an answer, instead of the other failures.
        is_open: requests arrive at the rate, as a Poisson process, instead.
    """

    driver: str
    distribution: str
    rate_rps: int
    hang_ups: bool = False
    is_open: bool = False

    @property
    def name(self) -> str:
        """The delays, in words."""
        name = "hang-ups" if self.hang_ups else self.distribution
        return f"{name}, open" if self.is_open else name

    @property
    def mean_s(self) -> float:
        """Mean delay."""
        return DISTRIBUTIONS[self.distribution].mean_ms / 1000

    @property
    def users(self) -> int:
        """Closed users that make the rate."""
        return max(1, round(self.rate_rps * self.mean_s))

    @property
    def seconds(self) -> float:
        """Length of the load."""
        return max(LEAST_SECONDS, LEAST_REQUESTS / self.rate_rps)

    @property
    def case(self) -> Case:
        """The load as a case, for the driver."""
        counted = math.ceil(self.rate_rps * self.seconds / self.users) * self.users
        case = Case(
            server="api",
            settings="",
            view="async",
            workload="single",
            http_client=NO_HTTP,
            upstream="http",
            delays_ms=(self.mean_s * 1000,),
            cpu_ms=0,
            driver=self.driver,
            load="closed",
            users=self.users,
            planned_requests=counted if self.driver == "hey" else None,
        )
        if not self.is_open:
            return case
        rate_rps = float(self.rate_rps)
        return replace(case, load="open", users=None, rate_rps=rate_rps, arrivals="poisson")

    @property
    def answers(self) -> int:
        """Length of the list: what the load needs at most; exactly that where it is counted."""
        if self.case.planned_requests and not self.hang_ups:
            return self.case.planned_requests
        return math.ceil(SPARE * self.rate_rps * self.seconds) + self.users


@dataclass(frozen=True)
class Finding:
    """What came out of one load.

    Attributes:
        ours: the driver's figures by our accounting, as a trial would have them.
        api: the API's record of the same requests.
        tool: what the tool itself says; None where it says nothing.
    """

    load: CheckLoad
    ours: Figures
    api: Figures
    tool: Figures | None

    @property
    def asked_again(self) -> int:
        """Requests that the API got beyond those that the driver tells of."""
        return self.api.requests - self.ours.requests

    @property
    def agrees(self) -> str:
        """`yes`, `asks again`, or `no` with the figures that differ."""
        if self.load.hang_ups:
            return self._agrees_on_hang_ups()
        off = [name for name in ("requests", "failures") if self._differs(name, 0, 0)]
        off += [name for name in ("rps",) if self._differs(name, 0, MOST_OFF)]
        percentiles = ("p50_ms", "p95_ms", "p99_ms")
        off += [name for name in percentiles if self._differs(name, MOST_OFF_MS, MOST_OFF)]
        return f"{NO}: {' '.join(name.removesuffix('_ms') for name in off)}" if off else YES

    def _agrees_on_hang_ups(self) -> str:
        """Each connection that closed is a failure, or was asked again: none may be missing."""
        if self.ours.failures + self.asked_again != self.api.failures:
            return f"{NO}: failures"
        return ASKS_AGAIN if self.asked_again else YES

    def _differs(self, name: str, absolute: float, relative: float) -> bool:
        ours, api = getattr(self.ours, name), getattr(self.api, name)
        if ours is None or api is None:
            return ours is not api
        return bool(abs(ours - api) > max(absolute, relative * api))

    def cells(self) -> dict[str, object]:
        """The finding as a line of check.csv, in the order of COLUMNS."""
        return {
            "driver": self.load.driver,
            "delays": self.load.name,
            "rate_rps": self.load.rate_rps,
            "users": self.load.case.users,
            **{name: getattr(self.ours, name) for name in FIGURES},
            **{f"api_{name}": getattr(self.api, name) for name in FIGURES},
            **{f"tool_{name}": getattr(self.tool, name, None) for name in FIGURES},
            "asked_again": self.asked_again,
            "agrees": self.agrees,
        }
