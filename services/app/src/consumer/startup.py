"""What a process does before its first request, so that no import falls into a measurement.

Django and the HTTP clients import some of themselves at their first use (context processors,
backends): so each is used once here. Django answers a view that calls nobody, and the client that
LAB_PRELOAD names calls a port where nobody listens.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from wsgiref.util import setup_testing_defaults

from consumer import http_clients
from consumer.errors import UpstreamError
from consumer.http_clients import Call, View, limits

QUERY = "delays_ms=0"
NOBODY = [Call("http://127.0.0.1:1/", 0, limits.timeout_s(0), b"")]

type AsgiApplication = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]


def preload() -> tuple[str, tuple[View, ...]]:
    """The client that LAB_PRELOAD names (no-http if empty), and the views that can use it.

    Raises:
        UnknownHttpClientError: There is none of that name; the server does not start.
    """
    name = os.environ.get("LAB_PRELOAD") or "no-http"
    return name, http_clients.views(name)


def rehearse_wsgi(application: Callable[..., Any]) -> None:
    """Use Django and the client once in this process, which must not fork any more."""
    name, views = preload()
    if "sync" in views:
        with contextlib.suppress(UpstreamError):
            http_clients.sync_fetch(name)(NOBODY)
    environ = {"PATH_INFO": "/sync/fanout/no-http/", "QUERY_STRING": QUERY}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = application(environ, lambda status, _headers, _error=None: statuses.append(status))
    response.close()
    _check(statuses[0].startswith("200"))


async def rehearse_asgi(application: AsgiApplication) -> None:
    """As rehearse_wsgi, in the server's event loop."""
    name, views = preload()
    with contextlib.suppress(UpstreamError):
        if "async" in views:
            await http_clients.async_fetch(name)(NOBODY)
        else:
            http_clients.sync_fetch(name)(NOBODY)
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
        raise RuntimeError(
            "the server's first request to itself was not answered with 200: the log above says why"
        )
