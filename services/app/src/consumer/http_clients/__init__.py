"""How a view calls the upstream: one module per HTTP client, all with the same interface.

A module offers `fetch(calls)` for sync views, `async fetch_async(calls)` for async ones, or both.
Each takes all calls of a view, makes them by the module parallel and returns their answers in the
same order; it raises UpstreamTimeoutError or UpstreamError (the first call's that failed, when all
that were begun have ended).

To add a client: a module here, and a table in registry.toml. Modules are imported when they are
asked for, since a library that is not measured must not add to a server's memory.
"""

import importlib
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from consumer.concurrency import gevent_is_active
from consumer.errors import NotUsableHereError, UnknownHttpClientError


@dataclass(frozen=True)
class Call:
    """One call of the upstream.

    Attributes:
        url: What to GET.
        delay_ms: How long the upstream takes, in milliseconds.
        timeout_s: How long each wait of the call may take, in seconds (limits.timeout_s).
        example: Body of a right answer, for a client that makes no call.
    """

    url: str
    delay_ms: float
    timeout_s: float
    example: bytes


class InTurn(tuple[Call, ...]):
    """Calls to make one after the other; those of any other sequence are made in parallel."""


@dataclass(frozen=True)
class Answer:
    """The upstream's answer: HTTP status and body, whatever they are."""

    status: int
    body: bytes


type Fetch = Callable[[Sequence[Call]], list[Answer]]
type FetchAsync = Callable[[Sequence[Call]], Awaitable[list[Answer]]]
type View = Literal["sync", "async"]

# What each client says of itself. loadgen reads the same file.
REGISTRY: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("registry.toml").read_text()
)

# Name → the views that can use it.
HTTP_CLIENTS: dict[str, tuple[View, ...]] = {
    name: tuple(client["views"]) for name, client in REGISTRY.items()
}
# Those that know nothing of gevent: there, one call of theirs would stop every view.
NOT_UNDER_GEVENT = {name for name, client in REGISTRY.items() if not client.get("gevent", True)}


def sync_fetch(name: str) -> Fetch:
    """The client's function for sync views.

    Raises:
        UnknownHttpClientError: There is no client of that name.
        NotUsableHereError: It has no such function, or cannot work on this server.
    """
    return cast(Fetch, _function(name, "sync", "fetch"))


def async_fetch(name: str) -> FetchAsync:
    """The client's function for async views; raises as sync_fetch does."""
    return cast(FetchAsync, _function(name, "async", "fetch_async"))


def views(name: str) -> tuple[View, ...]:
    """The views that can use the client. Raises UnknownHttpClientError."""
    if name not in HTTP_CLIENTS:
        raise UnknownHttpClientError(f"unknown http_client {name!r}", known=list(HTTP_CLIENTS))
    return HTTP_CLIENTS[name]


@cache
def _function(name: str, view: View, function: str) -> object:
    if name not in HTTP_CLIENTS:
        known = [client for client, views in HTTP_CLIENTS.items() if view in views]
        raise UnknownHttpClientError(f"unknown http_client {name!r}", known=known)
    if view not in HTTP_CLIENTS[name]:
        raise NotUsableHereError(f"{name} cannot be used in {view} views")
    if name in NOT_UNDER_GEVENT and gevent_is_active():
        raise NotUsableHereError(f"{name} cannot be used under gevent: it would stop every view")
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return getattr(module, function)
