"""aiohttp-shared: one session per event loop, with a pool that holds the lab's loads."""

from consumer.http_clients import _aiohttp, limits

fetch_async = _aiohttp.shared(limits.CONNECTIONS_MAX)
