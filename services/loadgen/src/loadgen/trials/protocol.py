"""One trial, step by step: design of the measurement, in the order in which it happens."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.drivers.target import target_of
from loadgen.errors import TrialError
from loadgen.generators.window_to_follow import Followed
from loadgen.lab.cpus import Roles
from loadgen.suites.lengths import RESPONSE_TIMES, bound_s
from loadgen.trials.instruments import Api, Launcher, fresh_server, launcher_at, snapshot
from loadgen.trials.recording import Recording
from loadgen.trials.settling import Settling
from loadgen.trials.trial import Trial
from loadgen.trials.upstreams import upstream_of
from loadgen.trials.watch import Watch, death, wait_until_right

#: A counted load that is not through after this many times its least duration is given up.
COUNTED_PATIENCE = 20.0
#: A driver may need this long after its drain to write its files.
FAREWELL_S = 15.0
#: How often a load is looked at that may become steady.
LOOK_EVERY_S = 0.5
#: The driver's log is as old as this at most, so only what is older is known whole.
LOG_LAG_S = 0.6

#: Told the phase, the seconds that it will still take (None: not known), and answers so far.
type Observer = Callable[[str, float | None, int | None], None]


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
        launcher = launcher_at(target, self._http)
        driver = DRIVERS[trial.case.driver]
        plan = LoadPlan(trial.case, target, None, trial.drain_s, trial.arrivals_seed)
        folder.mkdir(parents=True)
        calibration_ms = launcher.calibrate_ms()
        self._observe("starting the server" if target.launcher else "asking", None, None)
        with (
            upstream_of(trial.case, self._api, self._http) as api,
            fresh_server(launcher, trial.case.settings, trial.case.http_client),
            Watch(launcher) as watch,
            DriverProcess(driver, plan, folder) as process,
        ):
            wait_until_right(self._http, target, launcher, watch)
            watch.server_answers()
            return self._measure(trial, process, launcher, api, watch, calibration_ms)

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
        followed, settled = self._choose_window(trial, process, watch, start_ns)
        begin_ns = followed.begin_ns if followed else start_ns
        phase = "warm-up" if begin_ns > start_ns else "start"
        self._pause_until(begin_ns, phase, process, watch)
        api.reset()
        before = snapshot(launcher, api, self._roles.app, process.cpu_seconds)
        if followed:
            self._pause_until(followed.end_ns, "window", process, watch)
        else:
            self._wait_for_end(process, trial, watch)
        after = snapshot(launcher, api, self._roles.app, process.cpu_seconds)
        if not after.app.running or after.app.oom_kills:
            raise death("server-died", after.app, launcher.log())
        memory = launcher.stats(memory=True)
        probe = launcher.probe(before.app.monotonic_ns, after.app.monotonic_ns)
        self._observe("drain", None, None)
        process.wait_for_end(trial.drain_s + FAREWELL_S)
        if api.stats().started_ns != before.api.started_ns:
            raise TrialError("api-restarted", "the API was restarted under the load")
        samples = process.samples(start_ns)
        if followed:
            window = (followed.begin_ns - start_ns) / 1e9, (followed.end_ns - start_ns) / 1e9
        else:
            window = _extent(samples["sent_s"].min(), samples["answered_s"].max())
        return Recording(
            samples=samples,
            start_ns=start_ns,
            started_at=started_at,
            window=window,
            settled=settled,
            before=before,
            after=after,
            memory=memory,
            calibration_ms=calibration_ms,
            roles=self._roles,
            smt_shared=self._roles.smt_shared,
            probe=probe,
        )

    def _choose_window(
        self, trial: Trial, process: DriverProcess, watch: Watch, start_ns: int
    ) -> tuple[Followed | None, bool]:
        """Choose the window, and let the load stay on until what is due in it has ended.

        Returns:
            The window, None where the load is counted; False where the load had its time and did
            not become steady.
        """
        if trial.window_s is None:
            return None, True
        begin_ns, window_s, settled = start_ns + int(trial.warm_up_s * 1e9), trial.window_s, True
        if trial.settles:
            response_time_s, settled = self._settle(trial, process, watch, start_ns)
            begin_ns = process.soon()
            if not trial.timing.is_limited:
                window_s = max(window_s, RESPONSE_TIMES * (response_time_s or 0))
        # Whole milliseconds, which the six digits of a row hold: who recomputes a row from its
        # samples cuts the same window.
        end_ns = begin_ns + round(window_s * 1000) * 1_000_000
        window = Followed(begin_ns, end_ns, end_ns + int(trial.drain_s * 1e9))
        process.follow(window)
        return window, settled

    def _settle(
        self, trial: Trial, process: DriverProcess, watch: Watch, start_ns: int
    ) -> tuple[float | None, bool]:
        """Until the load is steady, or for as long as it may take.

        Returns:
            The response time as it is then; whether nothing says that the load is not steady. A
            time limit ends a warm-up where the plan did, which says nothing.
        """
        settling = Settling(start_ns, trial.case.users)
        limited = trial.timing.is_limited
        while True:
            watch.check()
            process.check_alive()
            settling.add(process.news())
            elapsed_s = (time.monotonic_ns() - start_ns) / 1e9
            known_s = elapsed_s - LOG_LAG_S
            response_time_s = settling.response_time_s(known_s)
            if settling.is_steady(known_s):
                return response_time_s, True
            most_s = bound_s(response_time_s, trial.service_time_s)
            left_s = (trial.warm_up_s if limited else most_s) - elapsed_s
            if left_s <= 0:
                return response_time_s, limited
            self._observe("warm-up", None, process.answered())
            time.sleep(min(LOOK_EVERY_S, left_s))

    def _pause_until(
        self, instant_ns: int, phase: str, process: DriverProcess, watch: Watch
    ) -> None:
        """Sleep until an instant of the monotonic clock, and look about each second."""
        while (left_s := _seconds_until(instant_ns)) > 0:
            if left_s > 1.0:
                watch.check()
                process.check_alive()
                self._observe(phase, left_s, process.answered())
            time.sleep(min(1.0, max(0.0, _seconds_until(instant_ns))))

    def _wait_for_end(self, process: DriverProcess, trial: Trial, watch: Watch) -> None:
        deadline = time.monotonic() + COUNTED_PATIENCE * trial.expected_s
        while not process.ended(within_s=0.5):
            watch.check()
            self._observe("window", None, process.answered())
            if time.monotonic() > deadline:
                raise TrialError(
                    "driver-failed",
                    f"the driver {trial.case.driver} has not finished after "
                    f"{COUNTED_PATIENCE:g} times the least time that its requests need",
                )


def _extent(first: object, last: object) -> tuple[float, float]:
    """First request to last answer of a counted load, which is still in it."""
    if not isinstance(first, float) or not isinstance(last, float):
        raise TrialError("no-answer", "the driver recorded no answer at all")
    return first, math.nextafter(last, math.inf)


def _seconds_until(instant_ns: int) -> float:
    return (instant_ns - time.monotonic_ns()) / 1e9
