"""Whether the services that a run needs are up: waited for together, and what is missing named at
once, with the command that starts it.
"""

import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

import httpx

from loadgen.errors import ConfigurationError
from loadgen.lab import network
from loadgen.lab.servers import Server

API, API_PORT = "api", 9000
#: A container that is there has a name, and loadgen's starts last: of 25 that one
#: `docker compose up` started, all were known after 0.04 s. So a name that is not known by now is
#: that of a service which nobody has started.
NAME_GRACE_S = 3.0
#: How long one may take to answer, from then on.
UP_TIMEOUT_S = 30.0
POLL_S = 0.2


@dataclass(frozen=True)
class Service:
    """A Compose service that has to be up.

    Attributes:
        name: of the service.
        host: where it listens; the service itself as a rule.
        ask: asks it at this address; raises OSError or httpx.HTTPError while it does not answer.
    """

    name: str
    host: str
    ask: Callable[[str], object]

    def __str__(self) -> str:
        return self.name if self.host == self.name else f"{self.name} (at {self.host})"


def api(http: httpx.Client) -> Service:
    """The upstream API."""
    return _answering(API, API_PORT, "/-/stats", http)


def launcher(service: str, http: httpx.Client) -> Service:
    """A service's launcher."""
    return _answering(service, network.LAUNCHER_PORT, "/stats?memory=0", http)


def server(declared: Server, http: httpx.Client) -> Service:
    """A server: its launcher; where it has none, whatever accepts a connection for its page."""
    page = declared.page
    if page is None or not declared.always_on:
        return launcher(declared.name, http)
    port = page.port

    def connect(address: str) -> None:
        socket.create_connection((address, port), timeout=5).close()

    return Service(declared.name, page.host, connect)


def api_origin(addresses: Mapping[str, str]) -> str:
    """Scheme, address and port of the upstream API, of the addresses of services."""
    return f"http://{addresses[API]}:{API_PORT}"


def _answering(service: str, port: int, path: str, http: httpx.Client) -> Service:
    def ask(address: str) -> None:
        http.get(f"http://{address}:{port}{path}", timeout=5).raise_for_status()

    return Service(service, service, ask)


def wait_for(services: Sequence[Service], name_grace_s: float | None = None) -> dict[str, str]:
    """The address of each service, by its name, once all of them answer.

    Args:
        services: those that are needed.
        name_grace_s: how long a name may be unknown; default: NAME_GRACE_S.

    Raises:
        ConfigurationError: some are not up, or do not answer in time; all of them are named.
    """
    grace_s = NAME_GRACE_S if name_grace_s is None else name_grace_s
    known = _addresses({service.host for service in services}, grace_s)
    missing = [service for service in services if service.host not in known]
    if missing:
        are, them = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise ConfigurationError(
            f"{_listed(missing)} {are} not up. Start {them} with: {_command('up -d', missing)}"
        )
    deadline = time.monotonic() + UP_TIMEOUT_S
    silent = {
        service: error
        for service in services
        if (error := _error_of(service, known, deadline)) is not None
    }
    if silent:
        do, them = ("does", "it") if len(silent) == 1 else ("do", "them")
        reasons = "; ".join(dict.fromkeys(map(str, silent.values())))
        raise ConfigurationError(
            f"{_listed(silent)} {do} not answer ({reasons}). See why with: "
            f"{_command('logs', silent)} or start {them} anew with: "
            f"{_command('up -d --force-recreate', silent)}"
        )
    return {service.name: known[service.host] for service in services}


def _addresses(hosts: Iterable[str], within_s: float) -> dict[str, str]:
    """The addresses of those hosts that have one within some seconds.

    Each is looked up by itself, and no longer: where no resolver beyond Docker's can be reached, it
    takes many seconds to learn that a name is unknown.
    """
    deadline = time.monotonic() + within_s
    found: dict[str, str] = {}

    def look_up(host: str) -> None:
        while True:
            with suppress(ConfigurationError):
                found[host] = network.address_of(host)
                return
            if time.monotonic() > deadline:
                return
            time.sleep(POLL_S)

    look_ups = [Thread(target=look_up, args=(host,), daemon=True) for host in hosts]
    for thread in look_ups:
        thread.start()
    for thread in look_ups:
        thread.join(max(0.0, deadline - time.monotonic()) + 2 * POLL_S)
    return dict(found)  # without what is found any later


def _error_of(service: Service, known: dict[str, str], deadline: float) -> Exception | None:
    """None once it answers; else why it does not by then. A restart may give it a new address."""
    while True:
        try:
            with suppress(ConfigurationError):
                known[service.host] = network.address_of(service.host)
            service.ask(known[service.host])
        except (httpx.HTTPError, OSError) as error:
            if time.monotonic() > deadline:
                return error
            time.sleep(POLL_S)
        else:
            return None


def _listed(services: Iterable[Service]) -> str:
    """`a, b and c`."""
    *others, last = map(str, services)
    return f"{', '.join(others)} and {last}" if others else last


def _command(words: str, services: Iterable[Service]) -> str:
    return " ".join(["docker compose", words, *(service.name for service in services)])
