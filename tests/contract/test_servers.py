"""Every server, started once: its URLs, its refusals, its connections, its slots."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from answers import is_refusal, is_right
from connections import Answer, connections
from contract.conftest import Running
from engine import Engine
from lab import HTTP_CLIENTS, KEEP_NONE, POLL_S, ROOT, Server

DELAYS_MS = {"fanout": "30,60,15", "serial": "30,60,15", "single": "40"}
SERVICE_TIME_MS = {"fanout": 60, "serial": 105, "single": 40}
# Enough to keep a server busy, and few enough for the client of the tests.
AT_ONCE = 16

BACKLOG = 2048
USERS = 200
# For a server without slots: more than any thread pool's default, and than the articles' slots.
UNBOUNDED = 150
# Nobody waits that long: such a view is in flight until the server is killed.
WITHOUT_END_MS = 60_000
# Views asked for in one burst. A thread that waits for the interpreter's lock wakes up every 5 ms
# to ask for it: beyond a thousand such threads a CPU does nothing else (docs/servers.md).
BURST = 50
IN_FLIGHT_TIMEOUT_S = 60
SETTLED_S = 1

# Processes beside those that run views: Gunicorn's arbiter; uWSGI's master and HTTP router; the
# parent of Uvicorn's, Granian's and Hypercorn's workers, and Python's resource tracker, which
# multiprocessing starts (Granian's workers need none).
HELPERS = {"gunicorn": 1, "uwsgi": 2, "uvicorn": 2, "granian": 1, "hypercorn": 2, "daphne": 0}
ALONE = "uvicorn"  # with one worker it is its own parent


@dataclass(frozen=True)
class Asked:
    """A URL of a view."""

    view: str
    workload: str
    http_client: str
    upstream: str

    @property
    def path(self) -> str:
        query = f"delays_ms={DELAYS_MS[self.workload]}&upstream={self.upstream}"
        return f"/{self.view}/{self.workload}/{self.http_client}/?{query}"

    def check(self, answer: httpx.Response, took_ms: float, server: Server) -> None:
        """Raises AssertionError where the answer is not what the server owes."""
        if server.can(self.view, self.http_client):
            is_right(answer, self.workload)
            assert took_ms >= SERVICE_TIME_MS[self.workload], "early"
        else:
            is_refusal(answer, 400)


EVERY_URL = [
    Asked(*asked)
    for asked in itertools.product(["sync", "async"], DELAYS_MS, HTTP_CLIENTS, ["http", "https"])
]


def crashes(asked: Asked, server: Server) -> bool:
    """pyreqwest in sync views on ASGI: their threads end with the request (adding-a-client.md)."""
    on_asgi = server.interface == "asgi"
    return on_asgi and (asked.view, asked.http_client) == ("sync", "pyreqwest-shared")


def test_every_url_is_answered_rightly_and_never_early_or_refused(running: Running) -> None:
    url = f"http://{running.server.name}:8000"

    async def complaints() -> list[str]:
        turns = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            client.headers["Connection"] = "close"

            async def complaint(asked: Asked) -> str:
                async with turns:
                    began = time.monotonic()
                    answer = await client.get(asked.path)
                    took_ms = (time.monotonic() - began) * 1000
                try:
                    asked.check(answer, took_ms, running.server)
                except AssertionError as error:
                    return f"{asked.path}: {error}"
                return ""

            asked = (url for url in EVERY_URL if not crashes(url, running.server))
            return list(filter(None, await asyncio.gather(*map(complaint, asked))))

    assert asyncio.run(complaints()) == []


@pytest.mark.parametrize("view", ["sync", "async"])
def test_the_routes_of_article_b_are_served(running: Running, view: str) -> None:
    answer = running.client.get(f"/{view}/test", params={"delays_ms": "20"})

    if running.server.can(view, "httpx-per-request"):
        is_right(answer, "single")
    else:
        is_refusal(answer, 400)


def test_no_http_calls_nobody(running: Running, api: httpx.Client) -> None:
    api.post("/-/reset")

    is_right(running.client.get(f"/{running.server.view}/fanout/no-http/?delays_ms=1,2"), "fanout")

    assert api.get("/-/stats").json()["calls"] == 0


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
    burns, cpu_ms = 2, 500
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


def test_its_processes_are_those_that_it_declares_and_their_helpers(running: Running) -> None:
    server = running.server
    program = running.launcher.about()["command"][0]
    helpers = 0 if program == ALONE and server.processes == 1 else HELPERS[program]

    assert running.launcher.stats()["processes"] == server.processes + helpers


def test_its_listener_has_the_labs_backlog(running: Running, engine: Engine) -> None:
    source = (ROOT / "tests/backlog.py").read_text()

    told = engine.execute(engine.container(running.server.name), "python", "-c", source, "8000")

    assert set(told.split()) == {str(BACKLOG)}


def test_no_user_loses_the_connection(running: Running) -> None:
    """Under gevent each connection takes a greenlet, so there are no more users than these."""
    server = running.server
    gevent = server.labels["lab.concurrency"] == "gevent"
    users = min(USERS, server.slots or USERS) if gevent else USERS
    path = f"/{server.view}/single/no-http/?delays_ms=0"

    async def two_answers_each() -> set[tuple[int, bool]]:
        all_have_one = asyncio.Barrier(users)

        async def user() -> list[Answer]:
            # Asks at once: a connection that is silent takes the place of one that asks, on some.
            async with connections(server.name, 1) as (connection,):
                first = await connection.get(path)
                if first.closes:  # and waits 2 s for its client to do the same
                    await all_have_one.abort()
                    return [first]
                await all_have_one.wait()
                return [first, await connection.get(path)]

        answers = itertools.chain(*await asyncio.gather(*(user() for _ in range(users))))
        return {(answer.status, answer.closes) for answer in answers}

    assert asyncio.run(two_answers_each()) == {(200, server.name in KEEP_NONE)}


def views_at_once(server: Server) -> int:
    """More than it can hold."""
    if server.slots is None:
        return UNBOUNDED
    if server.processes > 1:
        return 2 * server.slots
    return server.slots + max(2, server.slots // 20)


async def settled(
    api: httpx.Client, enough: Callable[[int], bool], for_s: float = SETTLED_S
) -> dict[str, Any]:
    """The API's counters when enough calls have been in flight for a while, or never were."""
    deadline = time.monotonic() + IN_FLIGHT_TIMEOUT_S
    since = None
    while True:
        stats: dict[str, Any] = await asyncio.to_thread(lambda: api.get("/-/stats").json())
        now = time.monotonic()
        if not enough(stats["in_flight"]):
            since = None
        elif since is None:
            since = now
        if now >= deadline or (since is not None and now >= since + for_s):
            return stats
        await asyncio.sleep(POLL_S)


def at_least(count: int) -> Callable[[int], bool]:
    return lambda calls: calls >= count


def test_it_holds_as_many_views_as_it_has_slots_and_no_more(
    running: Running, api: httpx.Client
) -> None:
    """The last test of a server: it is killed with all its views in flight."""
    server = running.server
    http_client = "requests-shared" if server.view == "sync" else "aiohttp-shared"
    path = f"/{server.view}/single/{http_client}/?delays_ms={WITHOUT_END_MS}"
    count = views_at_once(server)
    expected = count if server.slots is None else server.slots
    # How evenly several processes share the connections is up to the kernel.
    least = expected if server.processes == 1 else expected // server.processes + 1

    async def in_flight() -> tuple[int, int]:
        await settled(api, lambda calls: calls == 0, for_s=0)
        await asyncio.to_thread(api.post, "/-/reset")
        async with connections(server.name, count) as asking:
            for sent, connection in enumerate(asking, start=1):
                connection.send(path)
                if sent % BURST == 0:
                    await settled(api, at_least(min(sent, least)), for_s=0)
            stats = await settled(api, at_least(least))
            threads = running.launcher.stats(memory="0")["threads"]
            running.launcher.get("/stop", now="1")
        return stats["peak_in_flight"], threads

    peak, threads = asyncio.run(in_flight())

    assert least <= peak <= expected
    if server.labels["lab.concurrency"] == "threads":
        assert threads >= peak
    if server.labels["lab.concurrency"] == "gevent":
        assert threads < peak
