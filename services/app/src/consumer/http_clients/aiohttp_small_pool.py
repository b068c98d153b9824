"""aiohttp-small-pool: aiohttp-shared with aiohttp's default pool, a trap.

The 101st call waits until one of the 100 connections is free. That looks like a slow server.
"""

from consumer.http_clients import _aiohttp

fetch_async = _aiohttp.shared(connections=100)
