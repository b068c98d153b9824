"""httpx-no-sniffio-per-request: httpx-per-request where sniffio is not installed, a trap.

httpcore 1.0.9 asks sniffio which event loop it runs on, and imports it each time that it asks: for
every lock, event and shield that it makes for an async client, 20 in a view of three calls. Python
does not remember that an import failed. So where sniffio is missing, as it is beside anyio 4.12 and
later, each of them searches all of sys.path (https://github.com/encode/httpcore/pull/1103).

The app has sniffio, for its other clients. So here each question is a search for another module,
which is as absent as sniffio would be: it costs the same, and the other clients of the process
still get their answer from sniffio.
"""

from collections.abc import Sequence
from contextvars import ContextVar

import httpx
from httpcore import _synchronization
from httpcore._backends import auto

from consumer.http_clients import Answer, Call, _httpx

_without_sniffio: ContextVar[bool] = ContextVar("_without_sniffio", default=False)
_with_sniffio = _synchronization.current_async_library
_, _fetch_async = _httpx.per_request(httpx)


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    token = _without_sniffio.set(True)
    try:
        return await _fetch_async(calls)
    finally:
        _without_sniffio.reset(token)


def _current_async_library() -> str:
    if not _without_sniffio.get():
        return _with_sniffio()
    try:
        import sniffio_is_not_installed  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        return "asyncio"  # as httpcore does
    raise AssertionError("there is a module of that name")


_synchronization.current_async_library = _current_async_library
auto.current_async_library = _current_async_library  # type: ignore[attr-defined]
