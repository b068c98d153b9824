"""pyreqwest-shared: one client per process (sync) or per event loop (async), in Rust.

Its calls run in threads of Rust, one set for the process, which has two consequences. gevent does
not see them wait, so one call stops every greenlet. And they do not survive a fork: a process that
was forked after the first use hangs. No server of the lab forks that late.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pyreqwest.client import Client, ClientBuilder, SyncClient, SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call, limits, parallel
from consumer.http_clients.lifetime import PerLoop, PerProcess


def _limited[Builder: (ClientBuilder, SyncClientBuilder)](builder: Builder) -> Builder:
    # Its calls never wait for a connection: it opens as many as there are calls.
    return builder.pool_max_idle_per_host(limits.CONNECTIONS_MAX).pool_idle_timeout(
        timedelta(seconds=limits.KEEP_ALIVE_S)
    )


_client = PerProcess(
    make=lambda: _limited(SyncClientBuilder()).build(),
    close=lambda client: client.close(),
)
_async_client = PerLoop(
    make=lambda: _limited(ClientBuilder()).build(),
    close=lambda client: client.close(),
)


def fetch(calls: Sequence[Call]) -> list[Answer]:
    return parallel.in_threads(partial(_get, _client.get()), calls)


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    return await parallel.in_tasks(partial(_get_async, _async_client.get()), calls)


def _get(client: SyncClient, call: Call) -> Answer:
    try:
        response = client.get(call.url).timeout(_patience(call)).build().send()
        return Answer(response.status, response.bytes().to_bytes())
    except PyreqwestError as error:
        raise _translated(error, call) from error


async def _get_async(client: Client, call: Call) -> Answer:
    try:
        response = await client.get(call.url).timeout(_patience(call)).build().send()
        return Answer(response.status, (await response.bytes()).to_bytes())
    except PyreqwestError as error:
        raise _translated(error, call) from error


def _patience(call: Call) -> timedelta:
    """For all of the call: what it waits for one by one only a whole client can be told."""
    return timedelta(seconds=call.timeout_s)


def _translated(error: PyreqwestError, call: Call) -> Exception:
    kind = UpstreamTimeoutError if isinstance(error, RequestTimeoutError) else UpstreamError
    return kind(f"{call.url}: {type(error).__name__}: {error}")
