"""httpx-shared: one client for all requests of a process (sync) or of an event loop (async)."""

import httpx

from consumer.http_clients import _httpx

fetch, fetch_async = _httpx.shared(httpx)
