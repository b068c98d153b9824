"""httpx2-per-request: as httpx-per-request, with httpx2."""

import httpx2

from consumer.http_clients import _httpx

fetch, fetch_async = _httpx.per_request(httpx2)
