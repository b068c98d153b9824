"""One session of aiohttp per event loop, with the errors of the lab."""

from collections.abc import Sequence
from functools import partial

import aiohttp

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call, FetchAsync, limits, parallel
from consumer.http_clients.lifetime import PerLoop


def shared(connections: int) -> FetchAsync:
    """`fetch_async` with one session per event loop, whose pool holds that many connections."""

    def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, keepalive_timeout=limits.KEEP_ALIVE_S
            ),
        )

    session = PerLoop(make, close=lambda session: session.close())

    async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
        return await parallel.in_tasks(partial(_get, session.get()), calls)

    return fetch_async


async def _get(session: aiohttp.ClientSession, call: Call) -> Answer:
    timeout = aiohttp.ClientTimeout(
        total=None,  # its default is 5 minutes for all of a call
        connect=call.timeout_s,  # with the wait for a place in the pool
        sock_connect=call.timeout_s,
        sock_read=call.timeout_s,
    )
    try:
        async with session.get(call.url, timeout=timeout) as response:
            return Answer(response.status, await response.read())
    except TimeoutError as error:  # aiohttp's own are among these
        raise UpstreamTimeoutError(f"{call.url}: {type(error).__name__}: {error}") from error
    except aiohttp.ClientError as error:
        raise UpstreamError(f"{call.url}: {type(error).__name__}: {error}") from error
