"""Article A's own upstream: a view of its Django project, where the lab's lean API would be.

Like a server it has a launcher, and a fresh process for each trial. It keeps no record of its
calls, so all that is known of it is what its launcher tells: its CPU time.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import httpx

from loadgen.errors import TrialError
from loadgen.lab import network
from loadgen.suites.cases import NO_HTTP, Case
from loadgen.trials.instruments import (
    Api,
    ApiStats,
    HttpLauncher,
    Launcher,
    Quantiles,
    fresh_server,
)
from loadgen.trials.watch import Watch, first_answer

#: The value of the axis `upstream` that means it, its Compose service, and its Django settings.
DJANGO, SERVICE, SETTINGS = "django", "api-django", "article"
#: What it is asked until it answers: an answer after a millisecond.
PATH = "/1/"
READY_TIMEOUT_S = 30.0


class DjangoApi:
    """In the API's place where views call article A's own: its launcher's counters."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def stats(self) -> ApiStats:
        """Its CPU time; of its calls nothing is known.

        Raises:
            TrialError: it does not run.
        """
        stats = self._launcher.stats()
        if stats.cpu_seconds is None or not stats.running:
            raise TrialError("api-lost", f"{SERVICE} does not run", self._launcher.log())
        return ApiStats(
            monotonic_ns=stats.monotonic_ns,
            started_ns=0,  # whether it is still the same process is its watch's business
            cpu_seconds=stats.cpu_seconds,
            calls=None,
            lateness_ms=Quantiles(p99=None),
            loop_lag_ms=Quantiles(p99=None),
        )

    def reset(self) -> None:
        """There is no record to begin anew."""


def upstream_of(case: Case, api: Api, http: httpx.Client) -> AbstractContextManager[Api]:
    """What the case's views call: the lab's API, which is always on, or article A's own."""
    return django_api(http) if case.upstream == DJANGO else nullcontext(api)


@contextmanager
def django_api(http: httpx.Client) -> Iterator[DjangoApi]:
    """Article A's API with a process of its own for the time of the block.

    Raises:
        ConfigurationError: its container is not up.
        TrialError: it does not start, or ends within the block.
    """
    address = network.address_of(SERVICE)
    launcher = HttpLauncher(f"http://{address}:{network.LAUNCHER_PORT}", http)
    with (
        fresh_server(launcher, SETTINGS, http_client=NO_HTTP),
        Watch(launcher, "api-did-not-start", "api-lost") as watch,
    ):
        _wait_until_it_answers(f"http://{address}:{network.APP_PORT}{PATH}", launcher, http, watch)
        watch.server_answers()
        yield DjangoApi(launcher)


def _wait_until_it_answers(url: str, launcher: Launcher, http: httpx.Client, watch: Watch) -> None:
    try:
        response = first_answer(http, url, READY_TIMEOUT_S, watch)
    except httpx.TransportError as error:
        reason = f"{SERVICE}: no answer within {READY_TIMEOUT_S:g} s"
        raise TrialError("api-did-not-start", reason, launcher.log()) from error
    if response.status_code != httpx.codes.OK:
        reason = f"{SERVICE} answers {response.status_code}: {response.text[:200]}"
        raise TrialError("api-did-not-start", reason, launcher.log())
