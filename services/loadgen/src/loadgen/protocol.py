"""One trial, step by step: design of the measurement, in the order in which it happens."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from loadgen.cases import Case
from loadgen.drivers.base import LoadPlan
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.errors import TrialError
from loadgen.instruments import (
    Api,
    Launcher,
    NoLauncher,
    core_siblings,
    fresh_server,
    snapshot,
)
from loadgen.rows import Recording
from loadgen.target import Target, target_of
from loadgen.trial import Trial
from loadgen.upstreams import DJANGO, django_api
from loadgen.watch import Watch, death

READY_TIMEOUT_S = 30.0
#: How often a starting server is asked.
POLL_S = 0.02
#: A counted load that is not through after this many times its least duration is given up.
COUNTED_PATIENCE = 20.0
#: A driver may need this long after its drain to write its files.
FAREWELL_S = 15.0

#: Told the phase, the seconds that it will still take (None: not known), and answers so far.
type Observer = Callable[[str, float | None, int | None], None]


@dataclass(frozen=True)
class Roles:
    """The CPUs of each role.

    Attributes:
        app, api, loadgen: CPU numbers.
    """

    app: frozenset[int]
    api: frozenset[int]
    loadgen: frozenset[int]

    @property
    def smt_shared(self) -> bool:
        """Whether a core has one thread in the app's set and another in the load's or the API's."""
        siblings = frozenset().union(*(core_siblings(cpu) for cpu in self.app))
        return bool((siblings - self.app) & (self.api | self.loadgen))


class Protocol:
    """Measures trials one after the other.

    Args:
        api: the upstream's record.
        http: the client for control calls.
        roles: CPU sets, for shares.
        observer: is told what happens, about once a second.
    """

    def __init__(self, api: Api, http: httpx.Client, roles: Roles, observer: Observer) -> None:
        self._api = api
        self._http = http
        self._roles = roles
        self._observe = observer

    def run(self, trial: Trial, folder: Path) -> Recording:
        """Measure one trial; the driver's raw files stay in the folder.

        Raises:
            TrialError: it could not be measured; the server is stopped all the same.
            ConfigurationError: the server is not up.
        """
        target = target_of(trial.case, trial.server)
        launcher = _launcher_of(target, self._http)
        driver = DRIVERS[trial.case.driver]
        seconds = None if trial.window_s is None else trial.warm_up_s + trial.window_s
        plan = LoadPlan(trial.case, target, seconds, trial.timing.drain_s, trial.arrivals_seed)
        folder.mkdir(parents=True)
        calibration_ms = launcher.calibrate_ms()
        self._observe("starting the server" if target.launcher else "asking", None, None)
        with (
            self._upstream_of(trial.case) as api,
            fresh_server(launcher, trial.case.settings, trial.case.http_client),
            Watch(launcher) as watch,
            DriverProcess(driver, plan, folder) as process,
        ):
            self._wait_until_right(target, launcher, watch)
            watch.server_answers()
            return self._measure(trial, process, launcher, api, watch, calibration_ms)

    def _upstream_of(self, case: Case) -> AbstractContextManager[Api]:
        """What the case's views call: the lab's API, which is always on, or article A's own."""
        return django_api(self._http) if case.upstream == DJANGO else nullcontext(self._api)

    def _wait_until_right(self, target: Target, launcher: Launcher, watch: Watch) -> None:
        """Poll until the view answers, then look at that one answer."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                # A connection kept open would hold a greenlet of a gevent worker during the load.
                response = self._http.get(
                    target.url, headers={"Connection": "close"}, timeout=READY_TIMEOUT_S
                )
                break
            except httpx.TransportError as error:
                watch.check()
                if time.monotonic() > deadline:
                    reason = f"no answer within {READY_TIMEOUT_S:g} s"
                    outcome = "server-did-not-start" if target.launcher else "server-not-up"
                    raise TrialError(outcome, reason, launcher.log()) from error
                time.sleep(POLL_S)
        if response.status_code != httpx.codes.OK:
            raise TrialError(
                "wrong-answer",
                f"{target.path} answers {response.status_code}: {response.text[:200]}",
                launcher.log(),
            )
        if target.expected_text not in response.text:
            raise TrialError("wrong-answer", f"{target.path} lacks {target.expected_text!r}")

    def _measure(
        self,
        trial: Trial,
        process: DriverProcess,
        launcher: Launcher,
        api: Api,
        watch: Watch,
        calibration_ms: float | None,
    ) -> Recording:
        """Warm-up, window between two snapshots, drain."""
        process.wait_until_ready()
        start_ns = process.start()
        started_at = datetime.now(UTC)
        if trial.warm_up_s:
            self._pause_until(start_ns + int(trial.warm_up_s * 1e9), "warm-up", process, watch)
        else:
            self._pause_until(start_ns, "start", process, watch)
        api.reset()
        before = snapshot(launcher, api, self._roles.app)
        if trial.window_s is None:
            self._wait_for_end(process, trial, watch)
        else:
            end_ns = start_ns + int((trial.warm_up_s + trial.window_s) * 1e9)
            self._pause_until(end_ns, "window", process, watch)
        after = snapshot(launcher, api, self._roles.app)
        if not after.app.running or after.app.oom_kills:
            raise death("server-died", after.app, launcher.log())
        memory = launcher.stats(memory=True)
        self._observe("drain", None, None)
        process.wait_for_end(trial.timing.drain_s + FAREWELL_S)
        if api.stats().started_ns != before.api.started_ns:
            raise TrialError("api-restarted", "the API was restarted under the load")
        samples = process.samples(start_ns)
        begin_s, end_s = trial.warm_up_s, trial.warm_up_s + (trial.window_s or 0)
        if trial.window_s is None:
            begin_s, end_s = _extent(samples["sent_s"].min(), samples["answered_s"].max())
        return Recording(
            samples=samples,
            start_ns=start_ns,
            started_at=started_at,
            window=(begin_s, end_s),
            before=before,
            after=after,
            memory=memory,
            calibration_ms=calibration_ms,
            smt_shared=self._roles.smt_shared,
            app_cpu_count=len(self._roles.app),
            api_cpu_count=len(self._roles.api),
            api_shared_cpu_count=len(self._roles.api & self._roles.loadgen),
            loadgen_cpu_count=len(self._roles.loadgen),
        )

    def _pause_until(
        self, instant_ns: int, phase: str, process: DriverProcess, watch: Watch
    ) -> None:
        for left_s in _seconds_until(instant_ns):
            watch.check()
            process.check_alive()
            self._observe(phase, left_s, process.answered())

    def _wait_for_end(self, process: DriverProcess, trial: Trial, watch: Watch) -> None:
        deadline = time.monotonic() + COUNTED_PATIENCE * trial.expected_s
        while not process.ended(within_s=0.5):
            watch.check()
            self._observe("window", None, process.answered())
            if time.monotonic() > deadline:
                raise TrialError(
                    "driver-failed",
                    f"{trial.case.driver} is not through after {COUNTED_PATIENCE:g} times the "
                    "least time that its requests need",
                )


def _launcher_of(target: Target, http: httpx.Client) -> Launcher:
    return Launcher(target.launcher, http) if target.launcher else NoLauncher(target.url)


def _extent(first: object, last: object) -> tuple[float, float]:
    """First request to last answer of a counted load."""
    if not isinstance(first, float) or not isinstance(last, float):
        raise TrialError("no-answer", "the driver recorded no answer at all")
    return first, last


def _seconds_until(instant_ns: int) -> Iterator[float]:
    """Sleep until an instant of the monotonic clock; yield the seconds left about each second."""
    while (left_s := (instant_ns - time.monotonic_ns()) / 1e9) > 0:
        if left_s > 1.0:
            yield left_s
        time.sleep(min(1.0, max(0.0, (instant_ns - time.monotonic_ns()) / 1e9)))
