"""Fixtures of all tests of the lab."""

import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from chromium import chromium
from lab import POLL_S, START_TIMEOUT_S, Launcher, Server, declared_servers
from lab import compose as docker_compose


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `server` runs once for every server that compose.yaml declares.

    All tests of a module for one server come in a row, so that they can share a start of it.
    """
    if "server" in metafunc.fixturenames:
        servers = declared_servers()
        names = [server.name for server in servers]
        metafunc.parametrize("server", servers, ids=names, scope="module")


@pytest.fixture(scope="session")
def servers() -> list[Server]:
    """Every server that compose.yaml declares."""
    return declared_servers()


@pytest.fixture(scope="session")
def api() -> Iterator[httpx.Client]:
    """A client for the upstream API, which answers."""
    with httpx.Client(base_url="http://api:9000", timeout=70) as client:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                client.get("/-/stats").raise_for_status()
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)
            else:
                break
        yield client


@pytest.fixture
def launcher(api: httpx.Client) -> Iterator[Callable[[Server], Launcher]]:
    """Makes launchers: `with launcher(server).running() as client: …`; stops what they started.

    The API is up by then, since a launcher takes its address and its CA at each start.
    """
    del api
    made: list[Launcher] = []

    def make(server: Server) -> Launcher:
        made.append(Launcher(server))
        return made[-1]

    yield make
    for each in made:
        each.stop()
        each.http.close()


@pytest.fixture(scope="session")
def compose() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`compose("run", "--rm", "-T", "loadgen", "list")`: docker compose for the lab under test."""
    return docker_compose


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser, for reports and comparisons."""
    with chromium() as started:
        yield started
