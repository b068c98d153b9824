"""requests-shared: one session per process, with a pool that holds the lab's loads.

requests does not promise that threads may share a session (docs/adding-a-client.md).
"""

from collections.abc import Sequence

import requests
from requests.adapters import HTTPAdapter

from consumer.http_clients import Answer, Call, _requests, limits, parallel
from consumer.http_clients.lifetime import PerProcess


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        # Its default keeps 10 connections and throws the others away after each call.
        session.mount(scheme, HTTPAdapter(pool_maxsize=limits.CONNECTIONS_MAX))
    return session


_shared = PerProcess(make=_session, close=lambda session: session.close())


def fetch(calls: Sequence[Call]) -> list[Answer]:
    return parallel.in_threads(get, calls)


def get(call: Call) -> Answer:
    """One call with the shared session."""
    return _requests.get(_shared.get(), call)
