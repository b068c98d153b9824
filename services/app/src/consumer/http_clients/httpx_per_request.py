"""httpx-per-request: as both articles use httpx, a new client for each request of the view."""

from collections.abc import Sequence
from functools import partial

import httpx

from consumer.http_clients import Answer, Call, limits, parallel
from consumer.http_clients._httpx import get, get_async


def fetch(calls: Sequence[Call]) -> list[Answer]:
    with httpx.Client(timeout=limits.TIMEOUT_S) as client:
        return parallel.in_threads(partial(get, client), calls)


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    async with httpx.AsyncClient(timeout=limits.TIMEOUT_S) as client:
        return await parallel.in_tasks(partial(get_async, client), calls)
