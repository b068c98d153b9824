"""Fixtures of the contract tests."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from subprocess import CompletedProcess

import httpx
import pytest

from engine import Engine
from lab import Launcher, Server


@dataclass(frozen=True)
class Running:
    """A server that runs, its launcher, and a client for it."""

    server: Server
    launcher: Launcher
    client: httpx.Client


@pytest.fixture(scope="module")
def running(server: Server, api: httpx.Client) -> Iterator[Running]:
    """A fresh server, shared by all tests of a module: starting one costs seconds.

    Each request has a connection of its own: a kept one would hold a greenlet of a gevent worker.
    """
    del api  # it is up before the server, which takes its address and its CA at the start
    launcher = Launcher(server)
    with launcher.http, launcher.running() as client:
        client.headers["Connection"] = "close"
        yield Running(server, launcher, client)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine."""
    docker = Engine()
    with docker.http:
        yield docker


type OneOff = Callable[..., Launcher]


@pytest.fixture(scope="module")
def one_off(
    engine: Engine, api: httpx.Client, compose: Callable[..., CompletedProcess[str]]
) -> Iterator[OneOff]:
    """`one_off(server, command=[…], environment={…})`: the launcher of another container of it.

    It differs from the server's own container in these two, and is gone after the module's tests.
    """
    del api
    made: list[Launcher] = []

    def run(
        server: Server, command: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> Launcher:
        name = f"{os.environ['COMPOSE_PROJECT_NAME']}-one-off-{len(made)}"
        options = [f"--env={key}={text}" for key, text in (environment or {}).items()]
        done = compose(
            *("run", "--detach", "--no-deps", "--name", name, *options), server.name, *command
        )
        made.append(Launcher(server, host=name))
        assert done.returncode == 0, done.stderr
        made[-1].wait_until_up()
        return made[-1]

    yield run
    for launcher in made:
        launcher.http.close()
        engine.remove(launcher.host)
