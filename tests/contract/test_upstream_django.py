"""The upstream `django`: article A's API view, which runs only where a trial needs it."""

from collections.abc import Iterator

import httpx
import pytest

from answers import is_refusal, is_right
from contract.conftest import Running
from lab import REAL_HTTP_CLIENTS, Launcher, Server

# What the calls of a view run in: threads, greenlets, an event loop.
SERVERS = ["gunicorn-100-threads", "uwsgi-gevent", "uvicorn"]
# It serves the API, not the lab's views.
API = Server("api-django", interface="asgi", processes=1, slots=None, labels={})


@pytest.fixture(scope="module")
def upstream(api: httpx.Client) -> Iterator[Launcher]:
    """The launcher of the upstream, which has not started it."""
    del api
    launcher = Launcher(API)
    with launcher.http:
        launcher.wait_until_up()
        launcher.stop()
        yield launcher


@pytest.fixture(scope="module", params=SERVERS)
def running(
    request: pytest.FixtureRequest, upstream: Launcher, servers: list[Server]
) -> Iterator[Running]:
    """A server that was started while the upstream did not run."""
    del upstream
    (server,) = (server for server in servers if server.name == request.param)
    launcher = Launcher(server)
    with launcher.http, launcher.running() as client:
        client.headers["Connection"] = "close"
        yield Running(server, launcher, client)


def test_where_it_does_not_run_it_is_a_bad_gateway_and_others_are_not(running: Running) -> None:
    path = f"/{running.server.view}/fanout/httpx-per-request/?delays_ms=1&upstream="

    refusal = is_refusal(running.client.get(f"{path}django"), 502)

    assert ":8000/1/" in refusal["error"]
    is_right(running.client.get(f"{path}http"), "fanout")


def test_every_client_reaches_it(running: Running, upstream: Launcher) -> None:
    view = running.server.view
    names = [name for name in REAL_HTTP_CLIENTS if running.server.can(view, name)]
    with upstream.running():
        for name in names:
            for workload in ("fanout", "serial", "single"):
                query = {"delays_ms": "20", "upstream": "django"}
                answer = running.client.get(f"/{view}/{workload}/{name}/", params=query)
                is_right(answer, workload)
