"""httpx-shared-context: a new client for each request, with the one TLS context of the process.

A client that is given no context makes one, which loads all CA certificates: that is most of what a
client per request costs, for http:// too.
"""

from functools import cache

import httpx

from consumer.http_clients import _httpx

fetch, fetch_async = _httpx.per_request(httpx, tls=cache(httpx.create_ssl_context))
