"""Every HTTP client against a real server."""

import asyncio
import multiprocessing
import ssl
import sys
import time
from collections import Counter
from collections.abc import Sequence

import pytest
import trustme
from upstream_stand_in import Upstream, free_port

from consumer import http_clients
from consumer.errors import (
    NotUsableHereError,
    UnknownHttpClientError,
    UpstreamError,
    UpstreamTimeoutError,
)
from consumer.http_clients import HTTP_CLIENTS, Answer, Call, InTurn, lifetime, parallel

ALL = [(view, name) for name, views in HTTP_CLIENTS.items() for view in views]
WITH_HTTP = [(view, name) for view, name in ALL if name != "no-http"]
PER_REQUEST = [
    (view, name) for view, name in ALL if name.endswith(("-per-request", "-shared-context"))
]
SHARED = [(view, name) for view, name in WITH_HTTP if (view, name) not in PER_REQUEST]
# In an async view, and yet it needs no event loop of its own.
BLOCKING = ("async", "requests-blocking-in-async")
WITHOUT_SNIFFIO = "httpx-no-sniffio-per-request"
CROWDED = [client for client in SHARED if client != BLOCKING]


def calls(base: str, *paths: str, timeout_s: float = 30) -> list[Call]:
    return [Call(f"{base}/{path}/", 0, timeout_s, b"{}") for path in paths]


def fetch(view: str, name: str, *rounds: Sequence[Call]) -> list[list[Answer]]:
    """The answers of each round of calls, by one process, inside one lifespan."""
    if view == "sync":
        return [http_clients.sync_fetch(name)(calls) for calls in rounds]

    async def server() -> list[list[Answer]]:
        lifetime.open_loop()
        try:
            return [await http_clients.async_fetch(name)(calls) for calls in rounds]
        finally:
            await lifetime.close_loop()

    return asyncio.run(server())


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_answers_come_in_the_order_of_the_calls(view: str, name: str, upstream: Upstream) -> None:
    (answers,) = fetch(view, name, calls(upstream.url, "80", "status/404", "status/503"))
    assert [answer.status for answer in answers] == [200, 404, 503]
    assert b"Chile" in answers[0].body


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_an_upstream_over_https_is_trusted_by_its_ca(
    view: str, name: str, https_upstream: Upstream
) -> None:
    (answers,) = fetch(view, name, calls(https_upstream.url, "0", "status/404", "0"))
    assert [answer.status for answer in answers] == [200, 404, 200]
    assert b"Chile" in answers[0].body


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_an_upstream_of_another_ca_is_a_failure(view: str, name: str) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(stranger)
    with Upstream(stranger) as upstream, pytest.raises(UpstreamError, match=upstream.url):
        fetch(view, name, calls(upstream.url, "0"))
    assert upstream.peers == []


@pytest.mark.parametrize(("view", "name"), [*PER_REQUEST, *CROWDED])
def test_the_calls_of_a_view_are_made_in_parallel(view: str, name: str, upstream: Upstream) -> None:
    fetch(view, name, calls(upstream.url, "500", "500", "500"))
    assert upstream.peak_in_flight == 3


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_calls_in_turn_are_made_one_after_the_other_by_one_client(
    view: str, name: str, upstream: Upstream
) -> None:
    in_turn = InTurn(calls(upstream.url, "30", "status/404", "10", "0"))
    (answers,) = fetch(view, name, in_turn)
    assert [answer.status for answer in answers] == [200, 404, 200, 200]
    assert upstream.paths == ["/30/", "/status/404/", "/10/", "/0/"]
    assert upstream.peak_in_flight == 1
    assert len(set(upstream.peers)) == 1


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_after_a_call_in_turn_that_failed_none_is_made(
    view: str, name: str, upstream: Upstream
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    first, *others = calls(upstream.url, "0", "0")
    with pytest.raises(UpstreamError, match=nowhere):
        fetch(view, name, InTurn([first, *calls(nowhere, "0"), *others]))
    assert upstream.paths == ["/0/"]


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_calls_in_turn_have_the_time_of_one_in_all(
    view: str, name: str, upstream: Upstream
) -> None:
    # Each would be in time by itself; the second has what the first has left, less than a second.
    hasty = InTurn(calls(upstream.url, "700", "1200", "0", timeout_s=1.5))
    with pytest.raises(UpstreamTimeoutError, match="/1200/"):
        fetch(view, name, hasty)
    assert "/0/" not in upstream.paths


def test_a_call_whose_turn_comes_too_late_is_not_made(upstream: Upstream) -> None:
    def slow(call: Call) -> Answer:
        time.sleep(0.2)
        return Answer(200, call.example)

    late = InTurn(calls(upstream.url, "1", "2", timeout_s=0.1))
    with pytest.raises(UpstreamTimeoutError, match=r"/2/: not called.* took 0.1 s"):
        parallel.in_threads(slow, late)


def test_a_blocked_loop_makes_one_call_at_a_time(upstream: Upstream) -> None:
    fetch(*BLOCKING, calls(upstream.url, "20", "20", "20"))
    assert (len(upstream.peers), upstream.peak_in_flight) == (3, 1)


class Searches:
    """Stands before the search of sys.path and counts the modules that are searched for."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self.missing: set[str] = set()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        del path, target
        self.names[name] += 1
        if name in self.missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Searches:
    counted = Searches()
    monkeypatch.setattr(sys, "meta_path", [counted, *sys.meta_path])
    return counted


def fetch_at_once(calls: Sequence[Call], *names: str) -> None:
    """With several clients per request, and without a lifespan, which opens shared ones too."""

    async def fetch() -> None:
        await asyncio.gather(*(http_clients.async_fetch(name)(calls) for name in names))

    asyncio.run(fetch())


def test_without_sniffio_as_many_searches_fail_as_where_it_is_not_installed(
    upstream: Upstream, searches: Searches, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = calls(upstream.url, "20")
    fetch_at_once(one, WITHOUT_SNIFFIO, "httpx-per-request")  # what is imported once is imported
    searches.names.clear()

    fetch_at_once(one, WITHOUT_SNIFFIO)
    (here,) = searches.names.values()
    searches.names.clear()
    monkeypatch.delitem(sys.modules, "sniffio")
    searches.missing.add("sniffio")
    fetch_at_once(one, "httpx-per-request")

    assert searches.names == {"sniffio": here}
    assert here > 3


def test_the_client_without_sniffio_leaves_the_others_of_its_process_alone(
    upstream: Upstream, searches: Searches
) -> None:
    one = calls(upstream.url, "20")
    fetch_at_once(one, WITHOUT_SNIFFIO, "httpx-per-request")
    searches.names.clear()

    fetch_at_once(one, WITHOUT_SNIFFIO)
    alone = searches.names.copy()
    searches.names.clear()
    fetch_at_once(one, "httpx-per-request")
    assert searches.names == {}
    fetch_at_once(one, WITHOUT_SNIFFIO, "httpx-per-request")
    assert searches.names == alone


def test_a_small_pool_holds_as_many_calls_as_the_registry_says(upstream: Upstream) -> None:
    limit = http_clients.REGISTRY["aiohttp-small-pool"]["connections"]
    fetch("async", "aiohttp-small-pool", calls(upstream.url, *["1000"] * (limit + 5)))
    assert (len(upstream.peers), upstream.peak_in_flight) == (limit + 5, limit)


def test_the_wait_for_a_place_in_a_small_pool_can_time_out(upstream: Upstream) -> None:
    with pytest.raises(UpstreamTimeoutError):
        fetch("async", "aiohttp-small-pool", calls(upstream.url, *["400"] * 201, timeout_s=0.5))


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_an_upstream_that_is_not_there_is_a_failure(view: str, name: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UpstreamError, match=nowhere):
        fetch(view, name, calls(nowhere, "0", "0", "0"))


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_an_upstream_that_is_too_slow_for_this_call_is_a_timeout(
    view: str, name: str, upstream: Upstream
) -> None:
    patient = calls(upstream.url, "0")  # a shared client is made by a call with another time-out
    hasty = calls(upstream.url, "0", "3000", "0", timeout_s=0.4)
    with pytest.raises(UpstreamTimeoutError, match="/3000/"):
        fetch(view, name, patient, hasty)


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_a_connection_that_is_never_made_is_a_timeout(view: str, name: str, full: str) -> None:
    with pytest.raises(UpstreamTimeoutError, match=full):
        fetch(view, name, calls(full, "0", timeout_s=0.4))


@pytest.mark.parametrize(("view", "name"), WITH_HTTP)
def test_all_calls_have_ended_when_one_fails(view: str, name: str, upstream: Upstream) -> None:
    wrong = calls(f"http://127.0.0.1:{free_port()}", "0")
    with pytest.raises(UpstreamError):
        fetch(view, name, [*wrong, *calls(upstream.url, "200", "200")])
    assert (len(upstream.peers), upstream.in_flight) == (2, 0)


@pytest.mark.parametrize(("view", "name"), PER_REQUEST)
def test_a_client_per_request_leaves_no_connection_behind(
    view: str, name: str, upstream: Upstream
) -> None:
    # So long that a busy machine has all three in flight at once.
    fetch(view, name, calls(upstream.url, "400", "400", "400"), calls(upstream.url, "0"))
    assert len(set(upstream.peers)) == 4
    assert upstream.wait_until_closed()


@pytest.mark.parametrize(("view", "name"), SHARED)
def test_a_shared_client_uses_its_connections_again(
    view: str, name: str, upstream: Upstream
) -> None:
    one = calls(upstream.url, "0")
    fetch(view, name, one, one, one)
    assert len(upstream.peers) == 3
    assert len(set(upstream.peers)) == 1


@pytest.mark.parametrize(("view", "name"), CROWDED)
def test_a_shared_client_keeps_every_connection_of_a_crowd(
    view: str, name: str, upstream: Upstream
) -> None:
    crowd = calls(upstream.url, *["1000"] * 30)  # so long that a busy machine sends all of them
    fetch(view, name, crowd, crowd)
    assert upstream.peak_in_flight == 30
    assert len(set(upstream.peers)) <= 40  # 60 if none were kept; a few may be opened anew


@pytest.mark.parametrize(("view", "name"), SHARED)
def test_a_shared_client_is_closed_when_the_server_ends(
    view: str, name: str, upstream: Upstream
) -> None:
    fetch(view, name, calls(upstream.url, "0"))
    if view == "sync" or (view, name) == BLOCKING:
        assert upstream.open_connections == 1
        lifetime.close_process()  # as atexit does
    assert upstream.wait_until_closed()


@pytest.mark.parametrize("name", [name for view, name in CROWDED if view == "async"])
def test_a_shared_async_client_is_refused_where_no_loop_outlives_the_request(
    name: str, upstream: Upstream
) -> None:
    async def request() -> None:
        await http_clients.async_fetch(name)(calls(upstream.url, "0"))

    with pytest.raises(NotUsableHereError, match="ASGI"):
        asyncio.run(request())


def test_without_a_lifespan_a_shared_async_client_is_closed_with_the_process(
    upstream: Upstream,
) -> None:
    loop = asyncio.new_event_loop()

    async def first_request() -> None:
        lifetime.open_loop()
        await http_clients.async_fetch("aiohttp-shared")(calls(upstream.url, "0"))

    loop.run_until_complete(first_request())
    assert upstream.open_connections == 1
    lifetime.close_process()  # as atexit does
    assert upstream.wait_until_closed()
    assert not lifetime.loop_is_open()
    loop.close()


# The threads of pyreqwest do not survive a fork; all servers fork before they use it.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the fork is the point
@pytest.mark.parametrize(
    "name", [name for view, name in SHARED if view == "sync" and name != "pyreqwest-shared"]
)
def test_a_forked_process_has_a_client_of_its_own(name: str, upstream: Upstream) -> None:
    one = calls(upstream.url, "0")
    fetch("sync", name, one)
    child = multiprocessing.get_context("fork").Process(target=fetch, args=("sync", name, one))
    child.start()
    child.join(timeout=20)
    fetch("sync", name, one)
    first, forked, again = upstream.peers
    assert child.exitcode == 0
    assert forked != first
    assert again == first


@pytest.mark.parametrize("view", ["sync", "async"])
def test_no_http_is_never_early_and_makes_no_call(view: str) -> None:
    asked = [Call("http://nowhere/", ms, 30, b"{}") for ms in (3, 10, 0.5)]
    for _ in range(20):
        for calls, service_time_s in ((asked, 0.010), (InTurn(asked), 0.0135)):
            start = time.monotonic()
            (answers,) = fetch(view, "no-http", calls)
            assert time.monotonic() - start >= service_time_s
            assert answers == [Answer(200, b"{}")] * 3


def test_an_unknown_client_is_refused_with_those_that_the_view_can_use() -> None:
    with pytest.raises(UnknownHttpClientError) as refused:
        http_clients.async_fetch("curl")
    known = refused.value.details["known"]
    assert isinstance(known, list)
    assert "httpx-shared" in known
    assert "requests-shared" not in known


def test_a_sync_client_is_refused_in_an_async_view() -> None:
    with pytest.raises(NotUsableHereError, match="async"):
        http_clients.async_fetch("requests-shared")
