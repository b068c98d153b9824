"""Asks the application, in this process, for paths: a JSON line for each answer.

Arguments: wsgi, asgi, asgi-without-lifespan or api, then the paths. TEST_PATIENCE_S in the
environment takes the place of the clients' patience.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any
from wsgiref.util import setup_testing_defaults

from consumer.http_clients import limits


def ask_wsgi(paths: list[str]) -> None:
    from consumer.wsgi import application

    for target in paths:
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": query}
        setup_testing_defaults(environ)
        head: list[Any] = []
        before = Before()
        response = application(environ, lambda *arguments, head=head: head.extend(arguments))
        tell(int(head[0].split()[0]), dict(head[1]), b"".join(response), before)


async def ask_asgi(paths: list[str]) -> None:
    """As a server with a lifespan does."""
    from consumer.asgi import application

    signals: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    events: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.create_task(application({"type": "lifespan"}, signals.get, events.put))
    signals.put_nowait({"type": "lifespan.startup"})
    assert (await events.get())["type"] == "lifespan.startup.complete"
    await ask(application, paths)
    signals.put_nowait({"type": "lifespan.shutdown"})
    await lifespan


async def ask_without_lifespan(paths: list[str]) -> None:
    """As daphne does."""
    from consumer.asgi import application

    await ask(application, paths)


async def ask_api(paths: list[str]) -> None:
    """The application that is an upstream."""
    from consumer.api_asgi import application

    await ask(application, paths)


async def ask(application: Any, paths: list[str]) -> None:
    for target in paths:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
        }
        requests: asyncio.Queue[Any] = asyncio.Queue()
        requests.put_nowait({"type": "http.request", "body": b""})
        answers: asyncio.Queue[Any] = asyncio.Queue()
        before = Before()
        await application(scope, requests.get, answers.put)
        head, body = answers.get_nowait(), answers.get_nowait()
        headers = {name.decode().title(): value.decode() for name, value in head["headers"]}
        tell(head["status"], headers, body["body"], before)


class Before:
    """What there was before a request."""

    def __init__(self) -> None:
        self.modules = set(sys.modules)
        self.instant, self.cpu_s = time.perf_counter(), time.process_time()


def tell(status: int, headers: dict[str, str], body: bytes, before: Before) -> None:
    page = {
        "status": status,
        "headers": headers,
        "body": body.decode(),
        "imported": sorted(set(sys.modules) - before.modules),
        "wall_ms": (time.perf_counter() - before.instant) * 1000,
        "cpu_ms": (time.process_time() - before.cpu_s) * 1000,
    }
    print(json.dumps(page))


if __name__ == "__main__":
    if patience_s := os.environ.get("TEST_PATIENCE_S"):
        limits.PATIENCE_S = float(patience_s)
    interface, *paths = sys.argv[1:]
    match interface:
        case "wsgi":
            ask_wsgi(paths)
        case "asgi":
            asyncio.run(ask_asgi(paths))
        case "asgi-without-lifespan":
            asyncio.run(ask_without_lifespan(paths))
        case "api":
            asyncio.run(ask_api(paths))
