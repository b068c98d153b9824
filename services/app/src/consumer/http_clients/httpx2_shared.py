"""httpx2-shared: as httpx-shared, with httpx2, whose pool copes better with a crowd."""

import httpx2

from consumer.http_clients import _httpx

fetch, fetch_async = _httpx.shared(httpx2)
