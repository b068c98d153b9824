"""urllib3-shared: one pool manager per process, which requests builds upon."""

import ssl
from collections.abc import Sequence

import urllib3

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call, limits, parallel
from consumer.http_clients.lifetime import PerProcess


def _manager() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        # More than these connections are thrown away after their call; none ever waits.
        maxsize=limits.CONNECTIONS_MAX,
        # Without a context each connection makes one of its own, which loads all CA certificates.
        ssl_context=ssl.create_default_context(),
        retries=False,
    )


_shared = PerProcess(make=_manager, close=lambda manager: manager.clear())


def fetch(calls: Sequence[Call]) -> list[Answer]:
    return parallel.in_threads(_get, calls)


def _get(call: Call) -> Answer:
    try:
        response = _shared.get().request("GET", call.url, timeout=call.timeout_s)
    except urllib3.exceptions.HTTPError as error:
        raise _translated(error, call) from error
    return Answer(response.status, response.data)


def _translated(error: urllib3.exceptions.HTTPError, call: Call) -> Exception:
    # A refused connection is a timeout too in urllib3's family tree, for old times' sake.
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    timeout = isinstance(error, urllib3.exceptions.TimeoutError) and not refused
    kind = UpstreamTimeoutError if timeout else UpstreamError
    return kind(f"{call.url}: {type(error).__name__}: {error}")
