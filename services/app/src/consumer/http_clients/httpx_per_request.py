"""httpx-per-request: as both articles use httpx, a new client for each request of the view."""

import httpx

from consumer.http_clients import _httpx

fetch, fetch_async = _httpx.per_request(httpx)
