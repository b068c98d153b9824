"""A trial: a case measured once, with its lengths resolved."""

from dataclasses import dataclass
from hashlib import sha256

from loadgen.lab.servers import Server
from loadgen.records.trials_csv import trial_name
from loadgen.suites.cases import Case
from loadgen.suites.lengths import expected_s, service_time_s
from loadgen.suites.timing import Timing
from loadgen.theory.laws import pool_ceiling_rps


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
        attempt: 1; 2 or 3 where it is measured again.
        partner: of a side of a duet: the other side's case; None: it is measured alone.
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
    attempt: int = 1
    partner: str | None = None
    ahead: Ahead | None = None

    @property
    def name(self) -> str:
        """Key of the trial's files."""
        return trial_name(self.case.slug, self.round, self.repeat, self.attempt, self.partner)

    @property
    def sides(self) -> tuple["Trial", ...]:
        """Itself alone; a duet has two."""
        return (self,)

    @property
    def called(self) -> str:
        """What a list of trials calls it."""
        return self.name

    @property
    def arrivals_seed(self) -> int | None:
        """What the arrivals of its open load are drawn with: the same ones for each server that is
        offered this rate in this round, other ones in each round and window, and the same ones
        where the run is repeated. The sides of a duet have arrivals of their own, for else they
        would compete for the CPU at the same instants. None for a closed load.
        """
        if self.case.load == "closed":
            return None
        key = f"{self.seed} {self.case.arrivals} {self.case.rate_rps} {self.round} {self.repeat}"
        key += f" {self.case.slug}" if self.partner else ""
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
