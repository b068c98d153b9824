"""The own driver's HTTP: connections that are kept, one request at a time on each, none repeated.

Lean comes first, as in the API: what the driver costs beside a server is what the server may be
blamed for. So there is no request object and no task per request; an answer goes from the event
loop through a parser in C to its user in a handful of calls.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns
from typing import Self, cast
from urllib.parse import urlsplit

import httptools

#: The headers by which an answer says where its body ends; without one it ends with the connection.
DELIMITING = (b"content-length", b"transfer-encoding")
PORTS = {"http": 80, "https": 443}

#: Told the instant of an answer's last byte (monotonic ns), its status and its body.
type Answered = Callable[[int, int, bytes], None]
#: Told why no answer will come.
type Failed = Callable[[str], None]


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and the bytes of each.

    Attributes:
        host, port: of the server.
        tls: trusts the server's CA; None for http.
        request: a whole GET request.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    request: bytes

    @classmethod
    def of(cls, url: str, ca_file: str | None) -> Self:
        """The endpoint of a URL; https trusts the CAs of a file, or else the system's.

        Raises:
            ValueError: the URL is neither http nor https.
            OSError: the file cannot be read.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or parts.hostname is None:
            raise ValueError(f"{url!r} is no URL of http or https")
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        headers = {
            "Host": parts.netloc,
            "User-Agent": "django-lab",
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            tls=ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None,
            request="\r\n".join([*lines, "", ""]).encode(),
        )


class Connection(asyncio.Protocol):
    """One connection to the server, from its opening to its end.

    Args:
        answered: told of each answer. It may ask again at once.
        failed: told where the request in flight gets no answer; the connection is then of no use.
    """

    __slots__ = (
        "_answered",
        "_begun",
        "_body",
        "_complete_ns",
        "_delimited",
        "_failed",
        "_headed",
        "_keep",
        "_parser",
        "_status",
        "_transport",
        "_waits",
    )

    _transport: asyncio.Transport

    def __init__(self, answered: Answered, failed: Failed) -> None:
        self._answered = answered
        self._failed = failed
        self._parser = httptools.HttpResponseParser(self)
        self._waits = False
        self._expect_answer()

    def _expect_answer(self) -> None:
        self._begun = False
        self._delimited = False
        self._headed = False
        self._status = 0
        self._body = b""
        self._complete_ns = 0
        self._keep = False

    @property
    def usable(self) -> bool:
        """Whether it can be asked (again)."""
        return not self._transport.is_closing()

    def ask(self, request: bytes) -> None:
        """Send a request; there must be none in flight."""
        self._waits = True
        self._transport.write(request)

    def abort(self) -> None:
        """Close at once, unasked; nobody is told anything any more."""
        self._waits = False
        self._transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server. (uvloop sets TCP_NODELAY on every TCP connection.)"""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; an answer that is complete with this goes to its user."""
        if not self._waits:
            self._transport.abort()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._give_up("MalformedAnswer")
            return
        if self._complete_ns:
            self._hand_over()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell why no answer will come, or that the answer's body has ended with the connection."""
        if self._waits:
            if error is None and self._headed and not self._delimited:
                self._complete_ns = monotonic_ns()
                self._hand_over()
            else:
                self._give_up("IncompleteAnswer" if self._begun else "ConnectionLost")
        del self._parser  # a cycle: it holds methods of this object

    # Called by the parser. They only take notes: an error in them would look like a bad answer.

    def on_message_begin(self) -> None:
        """Note that an answer begins."""
        self._begun = True

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Note whether the answer says where its body ends."""
        if name.lower() in DELIMITING:
            self._delimited = True

    def on_headers_complete(self) -> None:
        """Note the status."""
        self._headed = True
        self._status = self._parser.get_status_code()

    def on_body(self, part: bytes) -> None:
        """Note a part of the body."""
        self._body += part

    def on_message_complete(self) -> None:
        """Note the instant, and what the parser forgets when the answer is over."""
        if self._status < 200:
            self._expect_answer()  # an interim answer; the true one follows
            return
        self._complete_ns = monotonic_ns()
        self._keep = self._parser.should_keep_alive()

    def _hand_over(self) -> None:
        status, body, complete_ns = self._status, self._body, self._complete_ns
        if not self._keep:
            self._transport.close()
        self._waits = False
        self._expect_answer()
        self._answered(complete_ns, status, body)

    def _give_up(self, reason: str) -> None:
        self.abort()
        self._failed(reason)


class Caller:
    """Asks the endpoint one request at a time, over a connection that it keeps.

    A connection that closes is opened anew with the next request. A request is sent once: one on
    a kept connection that turns out closed has failed, since the server may have begun it.

    Args:
        endpoint: where to, and what.
        timeout_s: the most that an answer is waited for, opening included.
        answered: told of each answer. It may ask again at once.
        failed: told why a request gets no answer: the name of an error of the system's,
            TimeoutError, ConnectionLost (before any byte of an answer), IncompleteAnswer or
            MalformedAnswer.
    """

    def __init__(
        self, endpoint: Endpoint, timeout_s: float, answered: Answered, failed: Failed
    ) -> None:
        self._endpoint = endpoint
        self._timeout_ns = int(timeout_s * 1e9)
        self._answered = answered
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._opening: asyncio.Task[tuple[asyncio.BaseTransport, Connection]] | None = None
        self._asked_ns: int | None = None
        self._watch: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """Send the request; there must be none in flight."""
        self._asked_ns = monotonic_ns()
        if self._watch is None:
            self._watch_from(self._asked_ns)
        if self._connection is not None and self._connection.usable:
            self._connection.ask(self._endpoint.request)
        else:
            self._open()

    def close(self) -> None:
        """Let go of everything; nobody is told anything any more."""
        self._asked_ns = None
        self._hang_up()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _open(self) -> None:
        endpoint = self._endpoint
        opening = self._loop.create_connection(
            lambda: Connection(self._on_answer, self._on_failure),
            endpoint.host,
            endpoint.port,
            ssl=endpoint.tls,
        )
        self._opening = self._loop.create_task(opening)
        self._opening.add_done_callback(self._on_opened)

    def _on_opened(self, opening: asyncio.Task[tuple[asyncio.BaseTransport, Connection]]) -> None:
        if opening is not self._opening:
            if not opening.cancelled() and opening.exception() is None:
                opening.result()[1].abort()  # too late: this caller has hung up
            return
        self._opening = None
        try:
            _, self._connection = opening.result()
        except OSError as error:
            self._on_failure(type(error).__name__)
            return
        if self._connection.usable:
            self._connection.ask(self._endpoint.request)
        else:
            self._on_failure("ConnectionLost")

    def _on_answer(self, answered_ns: int, status: int, body: bytes) -> None:
        self._asked_ns = None
        self._answered(answered_ns, status, body)

    def _on_failure(self, reason: str) -> None:
        self._asked_ns = None
        self._connection = None
        self._failed(reason)

    def _watch_from(self, instant_ns: int) -> None:
        """Look once more when a request of that instant would be out of time.

        Not a timer for each request: that would cost more than all else that is done for it.
        """
        left_s = (instant_ns + self._timeout_ns - monotonic_ns()) / 1e9
        self._watch = self._loop.call_later(left_s, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._asked_ns is None:
            return  # the next request begins a new watch
        if monotonic_ns() - self._asked_ns < self._timeout_ns:
            self._watch_from(self._asked_ns)
            return
        self._hang_up()
        self._on_failure("TimeoutError")

    def _hang_up(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
