"""One client connection: reads requests, and writes each answer when it is due."""

import asyncio
from functools import partial
from random import random
from time import monotonic_ns
from typing import cast

import httptools

from upstream.answers import Answer, make_error
from upstream.clock import Clock
from upstream.deadlines import Deadline
from upstream.playlist import Turn
from upstream.routes import Call, Reply, Routes
from upstream.statistics import Statistics

MAX_REQUEST_BYTES = 1_048_576  # a list for /-/play may be long
LINGER_NS = 1_000_000_000

MALFORMED = make_error(400, "this is not an HTTP/1.1 request")
PIPELINED = make_error(
    400, "a request came before the last one on this connection was answered: do not pipeline"
)
TOO_LARGE = make_error(431, f"a request may have at most {MAX_REQUEST_BYTES} bytes, body included")


class Connection(asyncio.Protocol):
    """One client connection, with at most one request at a time on it.

    The bottom of the API, so lean comes first: no request object, no task, one write per answer.
    A client that shuts down its side of the connection counts as gone, since a closed socket
    looks the same. A request that breaks the protocol is answered 4xx, and the connection
    is closed; a call in flight on it fails.
    """

    __slots__ = (
        "_answer",
        "_begun",
        "_body",
        "_bytes",
        "_clock",
        "_complete",
        "_connection",
        "_deadline",
        "_due_ns",
        "_method",
        "_parser",
        "_refused",
        "_routes",
        "_statistics",
        "_target",
        "_transport",
    )

    _transport: asyncio.Transport
    _answer: Answer

    def __init__(self, clock: Clock, routes: Routes, statistics: Statistics) -> None:
        self._clock = clock
        self._routes = routes
        self._statistics = statistics
        self._parser = httptools.HttpRequestParser(self)
        self._deadline: Deadline | None = None
        self._due_ns = 0
        self._refused = False
        self._expect_request()

    def _expect_request(self) -> None:
        self._begun = 0
        self._body = b""
        self._bytes = 0
        self._complete = False
        self._target = b""
        self._connection = b""  # what the answer's Connection header has to say

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back to the client."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a request that is complete with this is handled."""
        read_ns = monotonic_ns()
        if self._refused:
            return
        if not self._bytes and (call := self._routes.remembered(data)):
            self._bytes = len(data)
            self._begun = 1
            self._begin_call(call, read_ns)
            return
        self._bytes += len(data)
        if self._bytes > MAX_REQUEST_BYTES:
            self._refuse(TOO_LARGE)
            return
        objection: Answer | None = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._connection = b"close"  # answered as if it had not asked for another protocol
        except httptools.HttpParserError:
            objection = MALFORMED
        if self._begun > 1:
            objection = PIPELINED
        if self._complete and self._deadline is None:
            reply = self._routes.reply(self._method, self._target, self._body)
            if isinstance(reply, Call):
                # Clients send the same few requests over and over, byte for byte: one that came
                # alone and whole is not parsed again, a good part of what a call costs.
                if objection is None and self._bytes == len(data) and not self._connection:
                    self._routes.remember(data, reply)
                self._begin_call(reply, read_ns)
            elif isinstance(reply, Turn):
                self._begin_turn(reply, read_ns)
            else:
                self._reply_at_once(reply)
        if objection is not None:
            self._refuse(objection)

    def eof_received(self) -> None:
        """Take a client that says no more for one that is gone; the transport then closes."""
        self._abandon()

    def pause_writing(self) -> None:
        """Ask a client that does not read its answers nothing more."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        self._transport.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        """Let go of everything, so that no cycle waits for the garbage collector."""
        self._abandon()
        del self._parser, self._transport

    # Called by the parser. They only take notes: an error in them would look like a bad request.

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        self._begun += 1

    def on_url(self, part: bytes) -> None:
        """Note a part of the request target."""
        if self._begun == 1:
            self._target += part

    def on_body(self, part: bytes) -> None:
        """Note a part of the body."""
        if self._begun == 1:
            self._body += part

    def on_message_complete(self) -> None:
        """Note what the parser forgets when the request is over."""
        if self._begun == 1:
            self._complete = True
            self._method = self._parser.get_method()
            if not self._parser.should_keep_alive():
                self._connection = b"close"
            elif self._parser.get_http_version() == "1.0":
                self._connection = b"keep-alive"

    def _begin_call(self, call: Call, read_ns: int) -> None:
        self._statistics.call_received()
        answers = call.answers
        self._answer = answers[int(random() * len(answers))]  # random.choice costs three times that
        self._due_ns = read_ns + call.delay_ns
        self._deadline = self._clock.at(self._due_ns, self._answer_call)

    def _begin_turn(self, turn: Turn, read_ns: int) -> None:
        self._statistics.call_received()
        turn.arrived_ns = read_ns
        self._due_ns = read_ns + turn.entry.delay_ns
        self._deadline = self._clock.at(self._due_ns, partial(self._play, turn))

    def _reply_at_once(self, reply: Reply) -> None:
        if reply.is_refusal:
            self._statistics.call_refused()
        self._write(reply.answer.without_body() if self._method == b"HEAD" else reply.answer)

    def _answer_call(self) -> None:
        self._deadline = None
        # Taken before the write: a lateness below zero would mean that the answer was early.
        self._statistics.call_answered(monotonic_ns() - self._due_ns)
        self._write(self._answer)

    def _play(self, turn: Turn) -> None:
        """Answer as the list says: wholly, in part or not at all."""
        self._deadline = None
        turn.written_ns = monotonic_ns()
        self._statistics.call_answered(turn.written_ns - self._due_ns)
        length, answer = turn.entry.length, turn.entry.answer
        if length is None:
            self._write(answer)
            return
        self._transport.write(answer.wire[:length])
        self._transport.close()

    def _write(self, answer: Answer) -> None:
        if not self._connection:
            self._transport.write(answer.wire)
        else:
            self._transport.write(answer.with_connection(self._connection))
            if self._connection == b"close":
                self._transport.close()
        self._expect_request()

    def _refuse(self, answer: Answer) -> None:
        """Answer what cannot be understood, then close.

        Not at once: closing while the client still sends would reset the connection, and the
        answer would be lost with it. So what comes is dropped until the client closes, for a
        second at most.
        """
        self._abandon()
        self._refused = True
        if self._transport.is_closing():
            return
        self._transport.write(answer.with_connection(b"close"))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._deadline = self._clock.at(monotonic_ns() + LINGER_NS, self._transport.close)

    def _abandon(self) -> None:
        """Drop what was to happen on this connection; a call in flight fails."""
        if self._deadline is None:
            return
        self._clock.cancel(self._deadline)
        self._deadline = None
        if not self._refused:
            self._statistics.call_abandoned()
