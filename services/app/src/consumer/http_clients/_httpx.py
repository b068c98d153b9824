"""httpx and its fork httpx2, which has the same interface: so here the library is a parameter."""

import ssl
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call, Fetch, FetchAsync, limits, parallel
from consumer.http_clients.lifetime import PerLoop, PerProcess


def per_request(
    httpx: ModuleType, tls: Callable[[], ssl.SSLContext | bool] = lambda: True
) -> tuple[Fetch, FetchAsync]:
    """`fetch` and `fetch_async` with a new client for each request of the view.

    Args:
        httpx: httpx or httpx2.
        tls: the TLS context that a client is given; True: it makes one of its own.
    """

    def fetch(calls: Sequence[Call]) -> list[Answer]:
        with httpx.Client(verify=tls()) as client:
            return parallel.in_threads(partial(_get, httpx, client), calls)

    async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
        async with httpx.AsyncClient(verify=tls()) as client:
            return await parallel.in_tasks(partial(_get_async, httpx, client), calls)

    return fetch, fetch_async


def shared(httpx: ModuleType) -> tuple[Fetch, FetchAsync]:
    """`fetch` with one client per process, `fetch_async` with one per event loop."""

    def options() -> dict[str, Any]:
        connections = httpx.Limits(
            max_connections=limits.CONNECTIONS_MAX,
            max_keepalive_connections=limits.CONNECTIONS_MAX,
            keepalive_expiry=limits.KEEP_ALIVE_S,
        )
        return {"limits": connections}

    client = PerProcess(
        make=lambda: httpx.Client(**options()),
        close=lambda client: client.close(),
    )
    async_client = PerLoop(
        make=lambda: httpx.AsyncClient(**options()),
        close=lambda client: client.aclose(),
    )

    def fetch(calls: Sequence[Call]) -> list[Answer]:
        return parallel.in_threads(partial(_get, httpx, client.get()), calls)

    async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
        return await parallel.in_tasks(partial(_get_async, httpx, async_client.get()), calls)

    return fetch, fetch_async


def _get(httpx: ModuleType, client: Any, call: Call) -> Answer:
    try:
        response = client.get(call.url, timeout=call.timeout_s)
    except httpx.HTTPError as error:
        raise _translated(httpx, error, call) from error
    return Answer(response.status_code, response.content)


async def _get_async(httpx: ModuleType, client: Any, call: Call) -> Answer:
    try:
        response = await client.get(call.url, timeout=call.timeout_s)
    except httpx.HTTPError as error:
        raise _translated(httpx, error, call) from error
    return Answer(response.status_code, response.content)


def _translated(httpx: ModuleType, error: Exception, call: Call) -> Exception:
    kind = UpstreamTimeoutError if isinstance(error, httpx.TimeoutException) else UpstreamError
    return kind(f"{call.url}: {type(error).__name__}: {error}")
