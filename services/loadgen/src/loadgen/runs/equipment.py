"""What trials are measured with: the services that they need, once all of them are up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from loadgen.duets.duet import Duet, Measurement
from loadgen.errors import ConfigurationError, RunStoppedError
from loadgen.lab import network
from loadgen.lab.compose import SPARE
from loadgen.lab.servers import Server
from loadgen.runs import services
from loadgen.runs.services import Service
from loadgen.trials import upstreams
from loadgen.trials.instruments import HttpApi, HttpLauncher, Launcher, NoLauncher
from loadgen.trials.trial import Trial


@dataclass(frozen=True)
class Equipment:
    """What is up for the trials of a run.

    Attributes:
        api: the upstream API; nowhere if there is no trial.
        launchers: of each server, by its name; of the spare container too, where it is needed.
        abouts: what each launcher says of itself, by the service's name.
    """

    api: HttpApi
    launchers: Mapping[str, Launcher]
    abouts: Mapping[str, Mapping[str, Any]]


def equipment_for(measurements: Sequence[Measurement], http: httpx.Client) -> Equipment:
    """Wait until all that these trials need is up; end servers that a killed run has left.

    Raises:
        ConfigurationError: some of it is not up.
    """
    trials = [side for each in measurements for side in each.sides]
    if not trials:
        return Equipment(HttpApi("", http), {}, {})
    addresses = services.wait_for(services_for(measurements, http))
    launchers = {
        name: _launcher_of(server, addresses, http) for name, server in _servers_of(trials).items()
    }
    abouts = {name: launcher.about() for name, launcher in launchers.items()}
    if SPARE in addresses:
        launchers[SPARE] = _launcher(addresses[SPARE], http)
    if upstreams.SERVICE in addresses:
        abouts[upstreams.SERVICE] = _launcher(addresses[upstreams.SERVICE], http).about()
    return Equipment(HttpApi(services.api_origin(addresses), http), launchers, abouts)


def services_for(measurements: Sequence[Measurement], http: httpx.Client) -> list[Service]:
    """The services that these need: the API, their servers, what else their views call, and the
    spare container for a duet of one server with itself; none where there is nothing to measure.
    """
    trials = [side for each in measurements for side in each.sides]
    if not trials:
        return []
    needed = [
        services.api(http),
        *(services.server(server, http) for server in _servers_of(trials).values()),
    ]
    if any(trial.case.upstream == upstreams.DJANGO for trial in trials):
        needed.append(services.launcher(upstreams.SERVICE, http))
    if any(isinstance(each, Duet) and SPARE in each.hosts for each in measurements):
        needed.append(services.launcher(SPARE, http))
    return needed


def find_api_again(api: HttpApi, http: httpx.Client) -> None:
    """The API is elsewhere, perhaps, if it was restarted since the trial before.

    Raises:
        RunStoppedError: it is gone; without it every trial to come would fail.
    """
    try:
        api.origin = services.api_origin(
            services.wait_for([services.api(http)], services.UP_TIMEOUT_S)
        )
    except ConfigurationError as error:
        raise RunStoppedError(str(error)) from error


def _servers_of(trials: Sequence[Trial]) -> dict[str, Server]:
    """Each server of these trials, by its name."""
    return {trial.server.name: trial.server for trial in trials}


def _launcher_of(server: Server, addresses: Mapping[str, str], http: httpx.Client) -> Launcher:
    """What is beside a server."""
    if server.page and server.always_on:
        return NoLauncher(server.page.url)
    return _launcher(addresses[server.name], http)


def _launcher(address: str, http: httpx.Client) -> Launcher:
    """The launcher at an address; a server that a killed run has left is ended."""
    launcher = HttpLauncher(f"http://{address}:{network.LAUNCHER_PORT}", http)
    launcher.stop()
    return launcher
