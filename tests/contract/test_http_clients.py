"""The HTTP clients: a view's calls are in flight at once, whatever makes them."""

from collections.abc import Iterator

import httpx
import pytest

from answers import is_right
from contract.conftest import Running
from lab import REAL_HTTP_CLIENTS, Launcher, server_named, with_each_client

# What the calls of a view run in: threads, greenlets, an event loop.
SERVERS = ["gunicorn-100-threads", "uwsgi-gevent", "uvicorn"]
# It makes them one after the other: that is the trap.
BLOCKING = "requests-blocking-in-async"


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, api: httpx.Client) -> Iterator[Running]:
    """The server of that name, shared by its tests."""
    del api
    server = server_named(request.param)
    launcher = Launcher(server)
    with launcher.http, launcher.running() as client:
        client.headers["Connection"] = "close"
        yield Running(server, launcher, client)


@pytest.mark.parametrize(
    ("running", "view", "http_client"),
    with_each_client(SERVERS, REAL_HTTP_CLIENTS),
    indirect=["running"],
)
@pytest.mark.parametrize("upstream", ["http", "https"])
def test_the_three_calls_of_a_fanout_are_in_flight_at_once(
    running: Running, api: httpx.Client, view: str, http_client: str, upstream: str
) -> None:
    api.post("/-/reset")

    query = {"delays_ms": "250,250,250", "upstream": upstream}
    is_right(running.client.get(f"/{view}/fanout/{http_client}/", params=query), "fanout")

    stats = api.get("/-/stats").json()
    assert (stats["calls"], stats["failures"]) == (3, 0)
    assert stats["peak_in_flight"] == (1 if http_client == BLOCKING else 3)
