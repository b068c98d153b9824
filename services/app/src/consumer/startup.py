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
from consumer.http_clients import Call, lifetime

QUERY = "delays_ms=0"
NOBODY = [Call("http://127.0.0.1:1/", delay_ms=0, example=b"")]

type AsgiApplication = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]


def rehearse_wsgi(application: Callable[..., Any]) -> None:
    """Make one request, in this process, without a server.

    Raises:
        UnknownHttpClientError: LAB_PRELOAD names a client that does not exist.
    """
    name = _preload()
    if "sync" in http_clients.views(name):
        with contextlib.suppress(UpstreamError):
            http_clients.sync_fetch(name)(NOBODY)
    lifetime.close_process()  # each worker that is forked later makes its own
    environ = {"PATH_INFO": "/sync/fanout/no-http/", "QUERY_STRING": QUERY}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = application(environ, lambda status, _headers, _error=None: statuses.append(status))
    response.close()
    _check(statuses[0].startswith("200"))


async def rehearse_asgi(application: AsgiApplication) -> None:
    """As rehearse_wsgi, in the server's event loop."""
    name = _preload()
    with contextlib.suppress(UpstreamError):
        if "async" in http_clients.views(name):
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


def _preload() -> str:
    return os.environ.get("LAB_PRELOAD") or "no-http"


def _check(right: bool) -> None:
    if not right:
        raise RuntimeError("the rehearsal was not answered with 200: the log above says why")
