"""Every server, started once: its URLs, its refusals, its connections, its slots."""

import asyncio
import http.client
import time

import httpx
import pytest

from answers import is_refusal, is_right
from contract.conftest import Running
from engine import Engine
from lab import HTTP_CLIENTS, REAL_HTTP_CLIENTS, Server

DELAYS_MS = {"fanout": "30,60,15", "single": "40"}
SLOWEST_MS = {"fanout": 60, "single": 40}
# Long enough for all views to be in flight before the first is answered.
LONG_DELAY_MS = 1500
# For a server without slots: more than the others have.
UNBOUNDED = 150


@pytest.mark.parametrize("upstream", ["http", "https"])
@pytest.mark.parametrize("workload", ["fanout", "single"])
@pytest.mark.parametrize("http_client", HTTP_CLIENTS)
@pytest.mark.parametrize("view", ["sync", "async"])
def test_every_url_is_answered_rightly_and_never_early_or_refused(
    running: Running, view: str, http_client: str, workload: str, upstream: str
) -> None:
    query = {"delays_ms": DELAYS_MS[workload], "upstream": upstream}
    began = time.monotonic()
    answer = running.client.get(f"/{view}/{workload}/{http_client}/", params=query)
    took_ms = (time.monotonic() - began) * 1000

    if running.server.can(view, http_client):
        is_right(answer, workload)
        assert took_ms >= SLOWEST_MS[workload]
    else:
        is_refusal(answer, 400)


@pytest.mark.parametrize("view", ["sync", "async"])
def test_the_routes_of_article_b_are_served(running: Running, view: str) -> None:
    answer = running.client.get(f"/{view}/test", params={"delays_ms": "20"})

    if running.server.can(view, "httpx-per-request"):
        is_right(answer, "single")
    else:
        is_refusal(answer, 400)


@pytest.mark.parametrize("http_client", REAL_HTTP_CLIENTS)
@pytest.mark.parametrize("upstream", ["http", "https"])
def test_the_three_calls_of_a_fanout_are_in_flight_at_once(
    running: Running, api: httpx.Client, http_client: str, upstream: str
) -> None:
    view = running.server.view if running.server.can(running.server.view, http_client) else "sync"
    api.post("/-/reset")

    query = {"delays_ms": "250,250,250", "upstream": upstream}
    is_right(running.client.get(f"/{view}/fanout/{http_client}/", params=query), "fanout")

    stats = api.get("/-/stats").json()
    assert (stats["calls"], stats["failures"], stats["peak_in_flight"]) == (3, 0, 3)


def test_no_http_calls_nobody(running: Running, api: httpx.Client) -> None:
    api.post("/-/reset")

    is_right(running.client.get(f"/{running.server.view}/fanout/no-http/?delays_ms=1,2"), "fanout")

    assert api.get("/-/stats").json()["calls"] == 0


def test_two_requests_fit_on_one_connection(running: Running) -> None:
    connection = http.client.HTTPConnection(running.server.name, 8000, timeout=60)
    try:
        connection.connect()
        own_port = connection.sock.getsockname()[1]
        for _ in range(2):
            connection.request("GET", f"/{running.server.view}/single/no-http/?delays_ms=0")
            answer = connection.getresponse()
            assert answer.status == 200
            assert b"delectus" in answer.read()
            assert not answer.will_close
        # http.client opens another connection without a word where the first was closed.
        assert connection.sock.getsockname()[1] == own_port
    finally:
        connection.close()


def test_an_unknown_http_client_is_answered_with_those_that_the_view_can_use(
    running: Running,
) -> None:
    view = running.server.view

    refusal = is_refusal(running.client.get(f"/{view}/single/curl-per-request/"), 404)

    assert refusal["known"] == [name for name, views in HTTP_CLIENTS.items() if view in views]


@pytest.mark.parametrize(
    "query",
    [
        "delays_ms=",
        "delays_ms=soon",
        "delays_ms=-1",
        "delays_ms=nan",
        "delays_ms=60001",
        "delays_ms=10,,10",
        "upstream=ftp",
        "cpu_ms=-1",
        "cpu_ms=much",
        "delay_ms=10",
    ],
)
def test_a_bad_parameter_is_refused_by_name(running: Running, query: str) -> None:
    path = f"/{running.server.view}/fanout/no-http/?{query}"

    refusal = is_refusal(running.client.get(path), 400)

    assert query.partition("=")[0] in refusal["error"]


def test_single_makes_one_call_and_refuses_two_delays(running: Running) -> None:
    path = f"/{running.server.view}/single/no-http/?delays_ms=10,10"

    assert "one call" in is_refusal(running.client.get(path), 400)["error"]


@pytest.mark.parametrize("path", ["/", "/sync/fanout/", "/sync/double/no-http/", "/admin/"])
def test_an_unknown_path_is_not_found(running: Running, path: str) -> None:
    is_refusal(running.client.get(path), 404)


def test_the_launchers_account_agrees_with_the_kernels_of_a_known_burn(
    running: Running, engine: Engine
) -> None:
    burns, cpu_ms = 4, 500
    container = engine.container(running.server.name)
    path = f"/{running.server.view}/single/no-http/?delays_ms=0&cpu_ms={cpu_ms}"

    kernel_before, before = engine.cpu_seconds(container), running.launcher.stats(memory="0")
    for _ in range(burns):
        is_right(running.client.get(path), "single")
    kernel_after, after = engine.cpu_seconds(container), running.launcher.stats(memory="0")

    used_s = after["cpu_seconds"] - before["cpu_seconds"]
    assert before["cpu_source"] in ("cgroup-v1", "cgroup-v2")
    assert used_s >= burns * cpu_ms / 1000
    # The views burn exactly that; what a request costs beside it is small.
    assert used_s == pytest.approx(burns * cpu_ms / 1000, rel=0.1)
    # The container's account holds the launcher's own time too, which is small.
    assert used_s == pytest.approx(kernel_after - kernel_before, rel=0.1)


def views_at_once(server: Server) -> int:
    """More than it can hold."""
    if server.slots is None:
        return UNBOUNDED
    if server.processes > 1:
        return 2 * server.slots
    return server.slots + max(2, server.slots // 5)


async def statuses(url: str, count: int) -> list[int]:
    """Requests `url` that many times at once, each on a connection of its own."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(count)))
    return [answer.status_code for answer in answers]


def test_it_holds_as_many_views_as_it_has_slots(running: Running, api: httpx.Client) -> None:
    server = running.server
    # The client that needs least CPU, so that all are in flight before the first is answered.
    http_client = "requests-shared" if server.view == "sync" else "httpx-shared"
    path = f"/{server.view}/single/{http_client}/?delays_ms={LONG_DELAY_MS}"
    count = views_at_once(server)
    api.post("/-/reset")

    assert asyncio.run(statuses(f"http://{server.name}:8000{path}", count)) == [200] * count

    stats = api.get("/-/stats").json()
    assert stats["calls"] == count
    if server.slots is None:
        assert stats["peak_in_flight"] > 100
        return
    assert stats["peak_in_flight"] <= server.slots
    if server.processes == 1:
        assert stats["peak_in_flight"] == server.slots
    else:
        # How evenly its processes share the connections is up to the kernel.
        assert stats["peak_in_flight"] > server.slots / server.processes
