"""A trial: a case measured once, with its lengths resolved."""

import math
from dataclasses import dataclass
from hashlib import sha256

from loadgen.cases import Case
from loadgen.laws import pool_ceiling_rps, slots_ceiling_rps, users_ceiling_rps
from loadgen.servers import Server
from loadgen.settling import LEAST_STRETCH_S, bound_s
from loadgen.timing import Timing

#: What a trial takes besides warm-up, window and drain: most of it the server's start.
OVERHEAD_S = 2.4
#: A window is at least so long,
LEAST_WINDOW_S = 8.0
#: and holds so many response times as they are seen, where the load has settled.
RESPONSE_TIMES = 3
#: A service time from which on a window holds fewer of them.
LONG_SERVICE_S = 10.0


@dataclass(frozen=True)
class Ahead:
    """What is to come of a search after one of its trials.

    Attributes:
        usual, most: windows.
        window_s: about what each takes, with its server's start.
    """

    usual: int
    most: int
    window_s: float


@dataclass(frozen=True)
class Trial:
    """A case to be measured once.

    Attributes:
        case, server: what is measured.
        suites: the suites that ask for it, joined with `+`.
        round: 1, 2, …
        position: its place in the run, from 1; the trials of a search have one place together.
        warm_up_s, window_s: lengths as planned. The warm-up of a trial that settles ends when it is
            steady, and its window may become longer. window_s is None where the load is counted.
        timing: the suite's rules.
        seed: of the run.
        connections: of the HTTP client's pool, per process; None: never a limit.
        many_cpus: whether a process of the server may use more than one CPU at a time.
        repeat: 1, 2, … of a search's windows at one rate; None outside of a search.
        ahead: of a search, what is to come of it; None outside of one.
    """

    case: Case
    server: Server
    suites: str
    round: int
    position: int
    warm_up_s: float
    window_s: float | None
    timing: Timing
    seed: int
    connections: int | None = None
    many_cpus: bool = False
    repeat: int | None = None
    ahead: Ahead | None = None

    @property
    def name(self) -> str:
        """Key of the trial's files."""
        return trial_name(self.case.slug, self.round, self.repeat)

    @property
    def arrivals_seed(self) -> int | None:
        """What the arrivals of its open load are drawn with: the same ones for each server that is
        offered this rate in this round, other ones in each round and window, and the same ones
        where the run is repeated. None for a closed load.
        """
        if self.case.load == "closed":
            return None
        key = f"{self.seed} {self.case.arrivals} {self.case.rate_rps} {self.round} {self.repeat}"
        return int.from_bytes(sha256(key.encode()).digest()[:4])

    @property
    def settles(self) -> bool:
        """Whether its window begins when the load is steady, and not after a fixed time."""
        fixed = self.timing.warm_up_s is not None or self.repeat is not None
        return not (fixed or self.case.ramp or self.case.planned_requests)

    @property
    def drain_s(self) -> float:
        """The most that requests are followed after the window."""
        return self.service_time_s + self.timing.drain_s

    @property
    def expected_s(self) -> float:
        """About how long the trial takes, for the reader's patience."""
        return expected_s(self.case, self.server, self.timing)

    @property
    def pool_ceiling_rps(self) -> float | None:
        """The most that the pool of the HTTP client allows; None where it is no limit."""
        delays_s = [ms / 1000 for ms in self.case.delays_ms]
        return pool_ceiling_rps(self.server.processes, self.connections, delays_s)

    @property
    def service_time_s(self) -> float:
        """The time that a view waits at least, seconds."""
        return service_time_s(self.case, self.server)


def trial_name(case: object, round_number: object, repeat: object) -> str:
    """`<case>.r1`, or `<case>.r1.w2` of a search: the key of a trial's files and of its row."""
    window = "" if repeat is None else f".w{repeat}"
    return f"{case}.r{round_number}{window}"


def service_time_s(case: Case, server: Server) -> float:
    """The longest upstream delay; of a server's own page what its label says."""
    return server.page.service_time_s if server.page else max(case.delays_ms) / 1000


def response_time_s(case: Case, server: Server) -> float:
    """R at the slots ceiling: max(service time, users / slots ceiling), seconds."""
    service_s = service_time_s(case, server)
    slots = slots_ceiling_rps(server.slots, service_s)
    return service_s if not slots or not case.users else max(service_s, case.users / slots)


def counted_window_s(case: Case, server: Server) -> float:
    """The least time that a counted load needs, seconds."""
    service_s = service_time_s(case, server)
    ceilings = [
        rate
        for rate in (
            users_ceiling_rps(case.users, service_s),
            slots_ceiling_rps(server.slots, service_s),
        )
        if rate
    ]
    return (case.planned_requests or 0) / min(ceilings, default=math.inf)


def expected_s(case: Case, server: Server, timing: Timing) -> float:
    """About how long a trial of the case takes, seconds."""
    warm_up_s, window_s = lengths_s(case, server, timing)
    if window_s is None:
        window_s = counted_window_s(case, server)
    drain_s = min(service_time_s(case, server) + timing.drain_s, response_time_s(case, server))
    return OVERHEAD_S + warm_up_s + window_s + drain_s


def lengths_s(case: Case, server: Server, timing: Timing) -> tuple[float, float | None]:
    """Warm-up and window of a case as planned, seconds.

    A suite's own lengths go first. Else: a warm-up of three response times, the first in which
    every user is answered once, and two that are as good as equal. A window ≥ 8 s, ≥ 10 service
    times (3 of those of 10 s and more) and ≥ 3 response times. A time limit leaves a share of both,
    at least R of the one and a service time of the other. A ramp is its window; a counted load has
    none.
    """
    if case.planned_requests:
        return 0.0, None
    if case.ramp:
        return 0.0, case.ramp[-1][0]
    response_s, service_s = response_time_s(case, server), service_time_s(case, server)
    warm_up_s = timing.warm_up_s
    if warm_up_s is None:
        settled_s = response_s + 2 * max(response_s, LEAST_STRETCH_S)
        warm_up_s = min(settled_s, bound_s(response_s, service_s))
    window_s = timing.window_s
    if window_s is None:
        window_s = max(LEAST_WINDOW_S, service_times(service_s) * service_s)
    if timing.warm_up_s is None:
        window_s = max(window_s, RESPONSE_TIMES * response_s)
    if timing.share < 1:
        return max(timing.share * warm_up_s, response_s), max(timing.share * window_s, service_s)
    return warm_up_s, window_s


def service_times(service_s: float) -> int:
    """How many service times a window holds at least: long ones wait for their users anyway."""
    return 10 if service_s < LONG_SERVICE_S else 3
