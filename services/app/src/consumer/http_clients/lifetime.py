"""Shared objects with a real lifetime: one per process, or one per event loop."""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from consumer.errors import NotUsableHereError


class PerProcess[T]:
    """One T in each process, made when it is first asked for and closed when the process ends.

    What was made before a fork stays with the parent: two processes must not share sockets. The
    process id tells, because uWSGI forks without telling Python: there, what
    os.register_at_fork registers never runs.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], object]) -> None:
        self._make = make
        self._close = close
        self._owned: tuple[int, T] | None = None
        self._making = threading.Lock()
        _per_process.append(self)

    def get(self) -> T:
        owned = self._owned
        if owned is None or owned[0] != os.getpid():
            owned = self._make_once()
        return owned[1]

    def _make_once(self) -> tuple[int, T]:
        with self._making:
            if self._owned is None or self._owned[0] != os.getpid():
                self._owned = (os.getpid(), self._make())
            return self._owned

    def close(self) -> None:
        owned, self._owned = self._owned, None
        if owned is not None and owned[0] == os.getpid():
            self._close(owned[1])


class PerLoop[T]:
    """One T for the server's event loop, from the startup to the shutdown of the ASGI application.

    Under WSGI each request of an async view has a loop of its own: nothing can be shared there.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._shared: T | None = None
        _per_loop.append(self)

    def get(self) -> T:
        """Raises NotUsableHereError outside of the server's loop."""
        if asyncio.get_running_loop() is not _server_loop:
            raise NotUsableHereError(
                "a shared async client needs an event loop that outlives the request: use ASGI"
            )
        if self._shared is None:
            self._shared = self._make()
        return self._shared

    async def close(self) -> None:
        shared, self._shared = self._shared, None
        if shared is not None:
            await self._close(shared)


_per_process: list[PerProcess[Any]] = []
_per_loop: list[PerLoop[Any]] = []
_server_loop: asyncio.AbstractEventLoop | None = None


def loop_is_open() -> bool:
    """Whether this process has a server's loop, from open_loop to close_loop."""
    return _server_loop is not None


def open_loop() -> None:
    """At the startup, in the server's loop: make what the modules imported so far share."""
    global _server_loop
    _server_loop = asyncio.get_running_loop()
    for shared in _per_loop:
        shared.get()


async def close_loop() -> None:
    """At the shutdown, in the server's loop: close what is shared."""
    global _server_loop
    _server_loop = None
    for shared in _per_loop:
        await shared.close()


def close_process() -> None:
    """At the end of the process: close what is shared by its threads.

    And what a server without a lifespan has left open, in its loop, which has stopped by then.
    """
    loop = _server_loop
    if loop is not None and not loop.is_closed() and not loop.is_running():
        loop.run_until_complete(close_loop())
    for shared in _per_process:
        shared.close()


atexit.register(close_process)
