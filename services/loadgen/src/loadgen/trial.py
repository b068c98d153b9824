"""A trial: a case measured once, with its lengths resolved."""

import math
from dataclasses import dataclass
from hashlib import sha256

from loadgen.cases import Case
from loadgen.laws import pool_ceiling_rps, slots_ceiling_rps, users_ceiling_rps
from loadgen.servers import Server
from loadgen.timing import Timing

#: What a trial takes besides warm-up, window and drain: most of it the server's start.
OVERHEAD_S = 2.4


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
        warm_up_s, window_s: resolved lengths; window_s is None where the load is counted.
        timing: the suite's rules.
        seed: of the run.
        connections: of the HTTP client's pool, per process; None: never a limit.
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
    repeat: int | None = None
    ahead: Ahead | None = None

    @property
    def name(self) -> str:
        """Key of the trial's files."""
        return trial_name(self.case.slug, self.round, self.repeat)

    @property
    def arrivals_seed(self) -> int | None:
        """What the arrivals of its open load are drawn with: other ones in each trial of a run, the
        same ones where the run is repeated. None for a closed load.
        """
        if self.case.load == "closed":
            return None
        return int.from_bytes(sha256(f"{self.seed} {self.name}".encode()).digest()[:4])

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
    drain_s = min(timing.drain_s, response_time_s(case, server))
    return OVERHEAD_S + warm_up_s + window_s + max(drain_s, service_time_s(case, server))


def lengths_s(case: Case, server: Server, timing: Timing) -> tuple[float, float | None]:
    """Warm-up and window of a case, seconds.

    A suite's own lengths go first. Else: warm-up ≥ 2 s and ≥ 3 R; window ≥ 8 s and ≥ 10 × service
    time. A time limit leaves a share of both, at least R of the one and a service time of the
    other. A ramp is its window; a counted load has none.
    """
    if case.planned_requests:
        return 0.0, None
    if case.ramp:
        return 0.0, case.ramp[-1][0]
    response_s, service_s = response_time_s(case, server), service_time_s(case, server)
    warm_up_s = timing.warm_up_s
    if warm_up_s is None:
        warm_up_s = max(2.0, 3 * response_s)
    window_s = timing.window_s or max(8.0, 10 * service_s)
    if timing.share < 1:
        return max(timing.share * warm_up_s, response_s), max(timing.share * window_s, service_s)
    return warm_up_s, window_s
