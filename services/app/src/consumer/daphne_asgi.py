"""The ASGI application for Daphne, which has no lifespan: here Twisted's reactor gives it one.

It starts with the reactor, whose shutdown waits for its end. Daphne accepts connections from the
beginning on, so a request may come before the rehearsal of startup.py is over, but never before the
shared clients belong to the loop: the reactor takes the first step of the lifespan first.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, cast

from twisted.internet import reactor as installed_reactor
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred

from consumer.asgi import application

__all__ = ["application"]

logger = logging.getLogger(__name__)

# Twisted makes its module of this name into the reactor that Daphne has installed.
reactor = cast(AsyncioSelectorReactor, installed_reactor)


class Lifespan:
    """The server's side of it: https://asgi.readthedocs.io/en/latest/specs/lifespan.html."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._application: asyncio.Task[None]

    def start(self) -> None:
        self._messages.put_nowait({"type": "lifespan.startup"})
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        run = application(scope, self._messages.get, self._send)
        # The reactor's loop, which Daphne has made the thread's; it does not run yet.
        self._application = asyncio.get_event_loop().create_task(run)
        self._application.add_done_callback(self._ended)

    def stop(self) -> Deferred[None]:
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        return Deferred.fromFuture(self._application)

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Nobody waits for what it says: it completes, or it raises."""

    def _ended(self, application: asyncio.Task[None]) -> None:
        if error := application.exception():
            logger.error("the lifespan failed: the server stops", exc_info=error)
            if reactor.running:
                reactor.stop()  # type: ignore[no-untyped-call]


lifespan = Lifespan()
reactor.callWhenRunning(lifespan.start)
reactor.addSystemEventTrigger("before", "shutdown", lifespan.stop)
