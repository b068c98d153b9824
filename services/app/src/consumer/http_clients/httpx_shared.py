"""httpx-shared: one client for all requests of a process (sync) or of an event loop (async)."""

from collections.abc import Sequence
from functools import partial

import httpx

from consumer.http_clients import Answer, Call, limits, parallel
from consumer.http_clients._httpx import get, get_async
from consumer.http_clients.lifetime import PerLoop, PerProcess


def _limits() -> httpx.Limits:
    return httpx.Limits(
        max_connections=limits.CONNECTIONS_MAX,
        max_keepalive_connections=limits.CONNECTIONS_MAX,
        keepalive_expiry=limits.KEEP_ALIVE_S,
    )


_client = PerProcess(
    make=lambda: httpx.Client(timeout=limits.TIMEOUT_S, limits=_limits()),
    close=lambda client: client.close(),
)
_async_client = PerLoop(
    make=lambda: httpx.AsyncClient(timeout=limits.TIMEOUT_S, limits=_limits()),
    close=lambda client: client.aclose(),
)


def fetch(calls: Sequence[Call]) -> list[Answer]:
    return parallel.in_threads(partial(get, _client.get()), calls)


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    return await parallel.in_tasks(partial(get_async, _async_client.get()), calls)
