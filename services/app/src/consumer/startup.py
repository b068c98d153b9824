"""What a process does before its first request, so that no import falls into a measurement.

Django imports some of itself at the first request (the context processors, for one): so a first
request is made here, to a view that calls nobody.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from wsgiref.util import setup_testing_defaults

from consumer import http_clients

QUERY = "delays_ms=0"

type AsgiApplication = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]


def preload() -> None:
    """Import the HTTP client that LAB_PRELOAD names, if any.

    Raises:
        UnknownHttpClientError: There is none of that name; the server does not start.
    """
    if name := os.environ.get("LAB_PRELOAD"):
        http_clients.preload(name)


def rehearse_wsgi(application: Callable[..., Any]) -> None:
    """Make one request, in this process, without a server."""
    environ = {"PATH_INFO": "/sync/fanout/no-http/", "QUERY_STRING": QUERY}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = application(environ, lambda status, _headers, _error=None: statuses.append(status))
    response.close()
    _check(statuses[0].startswith("200"))


async def rehearse_asgi(application: AsgiApplication) -> None:
    """As rehearse_wsgi, in the server's event loop."""
    path = "/async/fanout/no-http/"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": QUERY.encode(),
        "headers": [(b"host", b"localhost")],
    }
    received = iter([{"type": "http.request", "body": b"", "more_body": False}])
    statuses: list[int] = []

    async def receive() -> Mapping[str, Any]:
        for message in received:
            return message
        await asyncio.Event().wait()  # the client stays until it is answered
        raise AssertionError

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(scope, receive, send)
    _check(statuses == [200])


def _check(right: bool) -> None:
    if not right:
        raise RuntimeError("the rehearsal was not answered with 200: the log above says why")
