"""The ASGI application. Django has no lifespan of its own, so this adds one, for shared clients.

gunicorn, uvicorn, granian and hypercorn speak it. For daphne, which does not, the loop of the first
request is the server's, until the process ends.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application

from consumer import startup
from consumer.http_clients import lifetime

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[Mapping[str, Any]]]
type Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_django = get_asgi_application()
startup.preload()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if not lifetime.loop_is_open():  # daphne has no lifespan: its first request is the startup
        await _open()
    await _django(scope, receive, send)


async def _open() -> None:
    lifetime.open_loop()
    await startup.rehearse_asgi(_django)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await _open()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await lifetime.close_loop()
    lifetime.close_process()  # uvicorn's process ends by a signal, and runs no exit handlers
    await send({"type": "lifespan.shutdown.complete"})
