"""Whole HTTP answers, serialised once and written as they are."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: HTTP status code.
        head: status line and header lines, each with its line end, without the empty line.
        body: the body, as long as the head says.
        wire: all of it, as written to a client that keeps its connection.

    """

    status: int
    head: bytes
    body: bytes
    wire: bytes

    def with_connection(self, option: bytes) -> bytes:
        """The whole answer with a Connection header: `close` or `keep-alive`."""
        return b"%sConnection: %s\r\n\r\n%s" % (self.head, option, self.body)

    def without_body(self) -> "Answer":
        """The answer to a HEAD request: the same head, and nothing after it."""
        return Answer(self.status, self.head, b"", self.head + b"\r\n")


def make(body: bytes, content_type: str, status: int = 200, headers: str = "") -> Answer:
    """Serialise an answer; `headers` are further header lines, each ending in CRLF."""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}"
    ).encode("latin-1")
    return Answer(status, head, body, head + b"\r\n" + body)


def make_json(document: Any, status: int = 200, headers: str = "") -> Answer:
    """Serialise a JSON answer."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return make(body, "application/json", status, headers)


def make_error(status: int, message: str, headers: str = "") -> Answer:
    """Serialise the answer that says what is wrong and what to do."""
    return make_json({"error": message}, status, headers)
