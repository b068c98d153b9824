"""What trials are measured with: the services that they need, once all of them are up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from loadgen.duets.duet import Duet, Measurement
from loadgen.errors import ConfigurationError, RunStoppedError
from loadgen.lab import network
from loadgen.lab.compose import SPARE
from loadgen.lab.servers import Server
from loadgen.runs import services
from loadgen.trials import upstreams
from loadgen.trials.instruments import HttpApi, HttpLauncher, Launcher, NoLauncher


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
    servers = {trial.server.name: trial.server for trial in trials}
    needed = [
        services.api(http),
        *(services.server(server, http) for server in servers.values()),
    ]
    calls_django = any(trial.case.upstream == upstreams.DJANGO for trial in trials)
    if calls_django:
        needed.append(services.launcher(upstreams.SERVICE, http))
    if needs_spare(measurements):
        needed.append(services.launcher(SPARE, http))
    addresses = services.wait_for(needed)
    launchers = {name: _launcher_of(server, addresses, http) for name, server in servers.items()}
    abouts = {name: launcher.about() for name, launcher in launchers.items()}
    if SPARE in addresses:
        launchers[SPARE] = _launcher(addresses[SPARE], http)
    if calls_django:
        abouts[upstreams.SERVICE] = _launcher(addresses[upstreams.SERVICE], http).about()
    return Equipment(HttpApi(services.api_origin(addresses), http), launchers, abouts)


def needs_spare(measurements: Iterable[Measurement]) -> bool:
    """Whether a duet of one server with itself is among them."""
    return any(isinstance(each, Duet) and SPARE in each.hosts for each in measurements)


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
