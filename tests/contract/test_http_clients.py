"""The HTTP clients: a view's calls are in flight at once, whatever makes them."""

from collections.abc import Iterator

import httpx
import pytest

from answers import is_right
from contract.conftest import Running
from lab import REAL_HTTP_CLIENTS, Launcher, server_named

# What the calls of a view run in: threads, greenlets, an event loop.
SERVERS = ["gunicorn-100-threads", "uwsgi-gevent", "uvicorn"]
# It makes them one after the other: that is the trap.
BLOCKING = "requests-blocking-in-async"


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest, api: httpx.Client) -> Iterator[Running]:
    """The server of that name, shared by its tests."""
    del api
    server = server_named(request.param)
    launcher = Launcher(server)
    with launcher.http, launcher.running() as client:
        client.headers["Connection"] = "close"
        yield Running(server, launcher, client)


@pytest.mark.parametrize("upstream", ["http", "https"])
@pytest.mark.parametrize(("workload", "at_once"), [("fanout", 3), ("serial", 1)])
def test_the_three_calls_are_in_flight_at_once_in_a_fanout_and_one_by_one_in_serial(
    running: Running,
    api: httpx.Client,
    workload: str,
    at_once: int,
    upstream: str,
    subtests: pytest.Subtests,
) -> None:
    query = {"delays_ms": "250,250,250", "upstream": upstream}
    for http_client, view in running.server.views_by_client(REAL_HTTP_CLIENTS).items():
        with subtests.test(http_client=http_client):
            api.post("/-/reset")

            answer = running.client.get(f"/{view}/{workload}/{http_client}/", params=query)

            is_right(answer, workload)
            stats = api.get("/-/stats").json()
            assert (stats["calls"], stats["failures"]) == (3, 0)
            assert stats["peak_in_flight"] == (1 if http_client == BLOCKING else at_once)
