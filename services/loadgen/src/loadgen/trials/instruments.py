"""What the protocol reads besides the driver's samples: launcher, API, and its own CPU."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
from pydantic import BaseModel, ConfigDict

from loadgen.drivers.target import Target
from loadgen.errors import TrialError
from loadgen.lab.cpus import container_cpu_seconds, steal_ticks
from loadgen.theory.bounds import Lateness

#: An answer of the launcher may take 0.4 s beside a saturated server of 100 threads.
CONTROL_TIMEOUT_S = 15.0


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AppStats(_Record):
    """The launcher's `/stats`: the server's process tree, the launcher left out."""

    running: bool
    exit_code: int | None
    monotonic_ns: int
    cpu_seconds: float | None
    launcher_cpu_seconds: float | None = None
    pss_bytes: int | None = None
    peak_bytes: int | None = None
    processes: int | None = None
    threads: int | None = None
    oom_kills: int | None = None
    memory_limit_bytes: int | None = None


class Quantiles(_Record):
    """Milliseconds; None where nothing was counted, or the API tells no such figure."""

    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p98: float | None = None
    p99: float | None
    p99_5: float | None = None
    p99_9: float | None = None
    max: float | None = None

    @property
    def lateness(self) -> Lateness | None:
        """The same, as bounds are worked out with it; None where there is no mean."""
        if self.mean is None:
            return None
        above = (
            *((self.p50, 0.5), (self.p95, 0.05), (self.p98, 0.02), (self.p99, 0.01)),
            *((self.p99_5, 0.005), (self.p99_9, 0.001), (self.max, 0.0)),
        )
        return Lateness(self.mean, {ms: share for ms, share in above if ms is not None})


class ProbeSecond(_Record):
    """A second of the probe: when it began, and what its passes took on average."""

    since_ns: int
    mean_ms: float | None
    count: int


class ProbeReading(_Record):
    """The launcher's `/probe`: CPU time of a fixed loop beside the server, in a stretch of time;
    None where it did not run in it.
    """

    count: int
    mean_ms: float | None
    sd_ms: float | None
    seconds: tuple[ProbeSecond, ...] = ()

    @property
    def means_ms(self) -> list[float]:
        """Those of each second in which it ran."""
        return [second.mean_ms for second in self.seconds if second.mean_ms is not None]


class ApiStats(_Record):
    """The API's `/-/stats`; an API that keeps no record does not know its calls."""

    monotonic_ns: int
    started_ns: int
    cpu_seconds: float
    calls: int | None
    lateness_ms: Quantiles
    loop_lag_ms: Quantiles


class Launcher(Protocol):
    """What is beside one server."""

    def start(self, settings: str, http_client: str) -> None:
        """Start a fresh server process.

        Raises:
            TrialError: the launcher refuses, or does not answer.
        """

    def stop(self) -> None:
        """End the server, if one runs, with whatever it still holds."""

    def stats(self, memory: bool = False) -> AppStats:
        """Counters of the server's process tree; memory costs time, so only when asked."""
        ...

    def about(self) -> dict[str, Any]:
        """Command, settings, Python and package versions."""
        ...

    def calibrate_ms(self) -> float | None:
        """Wall time of a fixed loop on the app's CPU set; None: nobody is there to run it."""

    def probe(self, since_ns: int, until_ns: int) -> ProbeReading | None:
        """How fast the app's CPU was between two instants of the monotonic clock; None: nobody is
        there to tell.
        """

    def log(self) -> tuple[str, ...]:
        """The server's last log lines."""
        ...

    def wait(self) -> tuple[AppStats, tuple[str, ...]] | None:
        """Return once the server has ended, with its counters and its last log lines.

        None, and at once, where nobody watches over it.
        """


class HttpLauncher:
    """The lab's launcher, in the server's container."""

    def __init__(self, origin: str, http: httpx.Client) -> None:
        self._origin = origin
        self._http = http

    def start(self, settings: str, http_client: str) -> None:
        self._ask("/start", settings=settings, preload=http_client)

    def stop(self) -> None:
        # At once: it is not needed any more, and a polite end costs uWSGI a second of every trial.
        self._ask("/stop", now=1)

    def stats(self, memory: bool = False) -> AppStats:
        return AppStats.model_validate(self._ask("/stats", memory=int(memory)))

    def about(self) -> dict[str, Any]:
        return self._ask("/about")

    def calibrate_ms(self) -> float:
        return float(self._ask("/calibrate")["wall_ms"])

    def probe(self, since_ns: int, until_ns: int) -> ProbeReading | None:
        between = {"since_ns": since_ns, "until_ns": until_ns}
        response = _get(self._http, f"{self._origin}/probe", "launcher-lost", between)
        if response.status_code == httpx.codes.NOT_FOUND:  # a launcher of before there was one
            return None
        return ProbeReading.model_validate(_checked(response, "launcher-lost"))

    def log(self) -> tuple[str, ...]:
        return tuple(self._ask("/logs")["log"])

    def wait(self) -> tuple[AppStats, tuple[str, ...]]:
        patient = httpx.Timeout(CONTROL_TIMEOUT_S, read=None)
        ended = _ask(self._http, f"{self._origin}/wait", "launcher-lost", {}, patient)
        return AppStats.model_validate(ended), tuple(ended["log"])

    def _ask(self, path: str, **query: str | int) -> dict[str, Any]:
        return _ask(self._http, self._origin + path, "launcher-lost", query)


class NoLauncher:
    """In a launcher's place beside a server that the lab does not start: knows and does nothing."""

    def __init__(self, url: str) -> None:
        self._url = url

    def start(self, settings: str, http_client: str) -> None:
        """The server is on already."""

    def stop(self) -> None:
        """It stays on."""

    def stats(self, memory: bool = False) -> AppStats:  # noqa: ARG002
        """No counter; that it runs is all that can be assumed: its answers tell."""
        return AppStats(
            running=True, exit_code=None, monotonic_ns=time.monotonic_ns(), cpu_seconds=None
        )

    def about(self) -> dict[str, Any]:
        """No command that the lab knows, but the view's address."""
        return {"command": None, "url": self._url, "packages": {}}

    def calibrate_ms(self) -> None:
        """The app's CPU set is not ours to use."""

    def probe(self, since_ns: int, until_ns: int) -> None:
        """Nor is it there to be watched."""

    def log(self) -> tuple[str, ...]:
        return ()

    def wait(self) -> None:
        """Nobody watches over it."""


def launcher_at(target: Target, http: httpx.Client) -> Launcher:
    """What is beside the server that a driver is pointed at."""
    return HttpLauncher(target.launcher, http) if target.launcher else NoLauncher(target.url)


@contextmanager
def fresh_server(launcher: Launcher, settings: str, http_client: str) -> Iterator[None]:
    """A server process of its own for the time of the block; without a launcher the same one."""
    launcher.stop()  # one that a killed run has left
    try:
        launcher.start(settings, http_client)
        yield
    except BaseException:
        with suppress(TrialError):  # the first error says more than a launcher that is gone too
            launcher.stop()
        raise
    launcher.stop()


class Api(Protocol):
    """The record of what the views call."""

    def stats(self) -> ApiStats:
        """Calls, CPU, lateness and loop lag since the last reset.

        Raises:
            TrialError: it does not answer, or does not run.
        """
        ...

    def reset(self) -> None:
        """Begin a new record."""


class HttpApi:
    """The lab's upstream API.

    Attributes:
        origin: where it is; a restarted container may have another address.
    """

    def __init__(self, origin: str, http: httpx.Client) -> None:
        self.origin = origin
        self._http = http

    def stats(self) -> ApiStats:
        return ApiStats.model_validate(_ask(self._http, f"{self.origin}/-/stats", "api-lost", {}))

    def reset(self) -> None:
        _ask(self._http, f"{self.origin}/-/reset", "api-lost", {})


def _ask(
    http: httpx.Client,
    url: str,
    outcome: str,
    query: dict[str, str | int],
    timeout: httpx.Timeout | float = CONTROL_TIMEOUT_S,
) -> dict[str, Any]:
    return _checked(_get(http, url, outcome, query, timeout), outcome)


def _get(
    http: httpx.Client,
    url: str,
    outcome: str,
    query: dict[str, str | int] | dict[str, int],
    timeout: httpx.Timeout | float = CONTROL_TIMEOUT_S,
) -> httpx.Response:
    try:
        return http.get(url, params=query, timeout=timeout)
    except httpx.HTTPError as error:
        raise TrialError(outcome, f"{url} does not answer: {error!r}") from error


def _checked(response: httpx.Response, outcome: str) -> dict[str, Any]:
    """The answer's JSON.

    Raises:
        TrialError: it is none, or says that something is wrong.
    """
    url = response.url.copy_with(query=None)
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as error:
        what = f"{url} answers {response.status_code}, but not in JSON"
        raise TrialError(outcome, what) from error
    if response.status_code != httpx.codes.OK:
        raise TrialError(outcome, f"{url} answers {response.status_code}: {answer.get('error')}")
    return answer


@dataclass(frozen=True)
class Snapshot:
    """All counters at one edge of the window.

    Attributes:
        app: the server's process tree.
        api: the upstream API.
        loadgen_cpu_s: CPU seconds of the load generator's container.
        driver_cpu_s: those of the driver's process, which makes the load.
        loadgen_ns: monotonic instant of these readings.
        steal_ticks, all_ticks: of the app's CPUs, since the host's start.
    """

    app: AppStats
    api: ApiStats
    loadgen_cpu_s: float | None
    driver_cpu_s: float | None
    loadgen_ns: int
    steal_ticks: int
    all_ticks: int


def snapshot(
    launcher: Launcher,
    api: Api,
    app_cpus: frozenset[int],
    driver_cpu_s: Callable[[], float | None],
) -> Snapshot:
    """Read every counter once, the app's first."""
    app = launcher.stats()
    steal, total = steal_ticks(Path("/proc/stat").read_text(), app_cpus)
    return Snapshot(
        app=app,
        loadgen_cpu_s=container_cpu_seconds(),
        driver_cpu_s=driver_cpu_s(),
        loadgen_ns=time.monotonic_ns(),
        api=api.stats(),
        steal_ticks=steal,
        all_ticks=total,
    )
