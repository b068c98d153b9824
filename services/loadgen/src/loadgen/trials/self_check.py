"""Before a run: can the API keep its delays at the rate that the run's views may ask of it?

The API is driven from the load generator's side, without any server between, by the lab's own
driver. A lab that fails here would measure its own API, so the run does not begin.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.target import Target, calls_per_view
from loadgen.errors import TrialError
from loadgen.lab.network import address_of
from loadgen.records.samples import in_window
from loadgen.suites.cases import Case, plain
from loadgen.theory.laws import slots_ceiling_rps, users_ceiling_rps
from loadgen.trials import accounting
from loadgen.trials.instruments import Api, ApiStats
from loadgen.trials.trial import Trial

PORTS: dict[str, int] = {"http": 9000, "https": 9443}
CA_FILE = Path("/ca/lab-ca.pem")
#: What only a right answer contains: every country has a two-letter code.
EXPECTED_TEXT = '"alpha_2"'

#: So much more than the views can ask for.
RESERVE = 1.2
#: No server of the lab answers more views a second with one CPU.
VIEWS_PER_S_AND_CPU = 1000.0
#: Longer delays hold more calls at once, which costs neither side; so the check need not wait.
LONGEST_DELAY_MS = 1000.0
#: Each user is late by this much at most, on average: so many more are needed to reach the rate.
ALLOWANCE_S = 0.002
CONNECT_S = 0.5
WINDOW_S = 2.5
DRAIN_S = 2.0
FAREWELL_S = 15.0

#: The mean of (answered − sent − delay): more than this, and than this share of the delay, is too
#: late. A pause of a shared machine moves the worst hundredth far, and the mean hardly; what it
#: does to a row is in the row's bounds.
LATE_MS = 5.0
LATE_SHARE = 0.03
#: The least share of the demanded rate.
RATE_SHARE = 0.95
#: A pause of a shared machine spoils one attempt or two; an API that is too slow spoils all.
ATTEMPTS = 3


@dataclass(frozen=True)
class Demand:
    """What a run's views may ask of the API, at most.

    Attributes:
        case: the one that asks for most over this upstream.
        delay_ms: of each call.
        calls_per_s: calls a second, with the reserve.
    """

    case: Case
    delay_ms: float
    calls_per_s: float

    @property
    def users(self) -> int:
        """Users without think time who ask for that much."""
        return math.ceil(self.calls_per_s * (self.delay_ms / 1000 + ALLOWANCE_S))

    @property
    def begin_s(self) -> float:
        """When all users have begun, and have their connections."""
        return self.delay_ms / 1000 + CONNECT_S

    @property
    def late_ms(self) -> float:
        """How late the calls may be on average."""
        return max(LATE_MS, LATE_SHARE * self.delay_ms)


@dataclass(frozen=True)
class ApiCheck:
    """What came of a demand; milliseconds, calls per second.

    Attributes:
        upstream: over http or https.
        delay_ms, demanded_per_s, users: what was asked.
        attempts: how often it was tried.
        faults: why the lab cannot go on; empty where it can.
        calls_per_s: right answers in the window by its length; None: the driver did not tell.
        failures: calls in the window without a right answer.
        late_mean_ms, late_p99_ms: seen by the client: (answered − sent − delay); None: no answer.
        api_late_mean_ms, api_lag_mean_ms: by the API's own record.
    """

    upstream: str
    delay_ms: float
    demanded_per_s: float
    users: int
    attempts: int
    faults: tuple[str, ...] = ()
    calls_per_s: float | None = None
    failures: int | None = None
    late_mean_ms: float | None = None
    late_p99_ms: float | None = None
    api_late_mean_ms: float | None = None
    api_lag_mean_ms: float | None = None

    @property
    def rate(self) -> str:
        """The demand in words."""
        return f"{self.demanded_per_s:.0f} calls/s over {self.upstream}"

    def __str__(self) -> str:
        if not self.faults:
            late = "" if self.late_mean_ms is None else f" ({self.late_mean_ms:.1f} ms late)"
            return f"self-check: the API kept its delays at {self.rate}{late}"
        return (
            "The run does not start: the API cannot keep up with it. "
            f"At {self.rate}, {'; '.join(self.faults)}. "
            "Its rows would measure the API, not the servers. "
            f"({self.demanded_per_s:.0f} calls/s is the most that this run can ask for, and "
            f"{100 * (RESERVE - 1):.0f} % more.) "
            "Give the API and the load generator more CPU (API_CPUS and LOADGEN_CPUS in .env), end "
            "what else runs on this machine, or ask for fewer users."
        )


def demands(trials: Iterable[Trial], app_cpus: int) -> list[Demand]:
    """The largest demand over each upstream; none where no view calls the API.

    What a server's own page asks of it is not known, so that is not checked beforehand; nor is
    article A's own API, whose limit is part of what its trials ask.
    """
    largest: dict[str, Demand] = {}
    for trial in trials:
        upstream = trial.case.upstream
        if trial.server.page or upstream not in PORTS:
            continue
        demand = _demand(trial, app_cpus)
        if demand.calls_per_s and (
            upstream not in largest or demand.calls_per_s > largest[upstream].calls_per_s
        ):
            largest[upstream] = demand
    return list(largest.values())


def _demand(trial: Trial, app_cpus: int) -> Demand:
    """1.2 × min(users ceiling, slots ceiling, 1 000 views/s × app CPUs) × calls per view."""
    case, service_s = trial.case, trial.service_time_s
    ceilings = (
        case.rate_rps,
        users_ceiling_rps(case.users, service_s),
        slots_ceiling_rps(trial.server.slots, service_s),
    )
    views_per_s = min([VIEWS_PER_S_AND_CPU * app_cpus, *filter(None, ceilings)])
    delay_ms = min(_delay_ms(case), LONGEST_DELAY_MS)
    return Demand(case, delay_ms, RESERVE * views_per_s * calls_per_view(case))


def _delay_ms(case: Case) -> float:
    """The delay that stands for all of a view: the longest of those at once, which holds the most
    calls; of those one after the other their mean, since each view has one call in flight.
    """
    if case.workload == "serial":
        return round(sum(case.delays_ms) / len(case.delays_ms), 3)
    return max(case.delays_ms)


def check_api(demand: Demand, api: Api) -> ApiCheck:
    """Drive the API with a demand, again where that fails.

    Raises:
        ConfigurationError: the API is not up.
    """
    for attempt in range(1, ATTEMPTS + 1):
        asked = ApiCheck(
            upstream=demand.case.upstream,
            delay_ms=demand.delay_ms,
            demanded_per_s=demand.calls_per_s,
            users=demand.users,
            attempts=attempt,
        )
        try:
            result = judge_attempt(demand, asked, *_drive(demand, api))
        except TrialError as error:
            result = replace(asked, faults=(str(error),))
        if not result.faults:
            break
    return result


def as_document(checks: Sequence[ApiCheck]) -> list[dict[str, object]]:
    """The checks as environment.json has them."""
    return [asdict(check) for check in checks]


def _drive(demand: Demand, api: Api) -> tuple[pl.DataFrame, ApiStats]:
    """The samples of one attempt, and the API's record of it."""
    seconds = demand.begin_s + WINDOW_S
    closed: dict[str, Any] = {"load": "closed", "ramp": None, "rate_rps": None, "arrivals": None}
    load = replace(demand.case, users=demand.users, **closed)
    plan = LoadPlan(load, _target(demand), seconds, demand.delay_ms / 1000 + DRAIN_S)
    with TemporaryDirectory() as name, DriverProcess(Own(), plan, Path(name)) as process:
        process.wait_until_ready()
        api.reset()
        start_ns = process.start()
        process.wait_for_end(seconds + plan.drain_s + FAREWELL_S)
        return process.samples(start_ns), api.stats()


def _target(demand: Demand) -> Target:
    upstream = demand.case.upstream
    return Target(
        origin=f"{upstream}://{address_of('api')}:{PORTS[upstream]}",
        path=f"/{plain(demand.delay_ms)}/",
        expected_text=EXPECTED_TEXT,
        service_time_s=demand.delay_ms / 1000,
        launcher=None,
        ca=str(CA_FILE) if upstream == "https" else None,
    )


def judge_attempt(
    demand: Demand, asked: ApiCheck, samples: pl.DataFrame, stats: ApiStats
) -> ApiCheck:
    """What an attempt's samples say, and the API's record of it."""
    begin_s, end_s = demand.begin_s, demand.begin_s + WINDOW_S
    due = in_window(samples, begin_s, end_s, "due_s")
    good = accounting.good(due)
    late_ms = (good["answered_s"] - good["sent_s"]) * 1000 - demand.delay_ms
    late_mean_ms = float(late_ms.to_numpy().mean()) if good.height else None
    calls_per_s = accounting.answers(samples, begin_s, end_s).parts / WINDOW_S
    failures = due.height - good.height
    faults = []
    if calls_per_s < RATE_SHARE * demand.calls_per_s:
        faults.append(f"only {calls_per_s:.0f} calls/s were answered")
    if failures:
        faults.append(f"{failures} of {due.height} calls failed")
    for where, value in (
        ("at the client", late_mean_ms),
        ("by its own record", stats.lateness_ms.mean),
        ("in its event loop", stats.loop_lag_ms.mean),
    ):
        if value is not None and value > demand.late_ms:
            allowed = f"{demand.late_ms:g} ms are allowed"
            faults.append(f"it was {value:.1f} ms late {where} on average ({allowed})")
    return replace(
        asked,
        faults=tuple(faults),
        calls_per_s=calls_per_s,
        failures=failures,
        late_mean_ms=late_mean_ms,
        late_p99_ms=late_ms.quantile(0.99, interpolation="higher"),
        api_late_mean_ms=stats.lateness_ms.mean,
        api_lag_mean_ms=stats.loop_lag_ms.mean,
    )
