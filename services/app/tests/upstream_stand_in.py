"""A small upstream for tests: real sockets, in threads, and a memory of what it has seen."""

import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

COUNTRY = {"name": "Chile", "alpha_2": "CL", "alpha_3": "CHL", "flag": "🇨🇱"}
TODO = {"userId": 1, "id": 1, "title": "delectus aut autem", "completed": False}


class Upstream(ThreadingHTTPServer):
    """Answers /{ms}/ and /todos/1?ms= as the lab's API; /status/{n}/ and /garbage/ go wrong.

    What is asked for below /late/ takes 3 s longer.

    With a TLS context it speaks https.

    Attributes:
        paths: What was asked for, in the order of the calls.
        peers: The client's address of each call: one per connection.
        peak_in_flight: Most calls that were in flight at once.
        open_connections: Connections that nobody has closed yet.
    """

    # Every socket that is accepted must be answered at once, however many come together.
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http"
        if tls is not None:
            self.scheme = "https"
            # The handshake belongs into the connection's own thread, with its first read.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.lock = threading.Lock()
        self.paths: list[str] = []
        self.peers: list[tuple[str, int]] = []
        self.in_flight = 0
        self.peak_in_flight = 0
        self.open_connections = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate is no error of ours."""
        if not isinstance(sys.exception(), ssl.SSLError):
            super().handle_error(request, client_address)

    def wait_until_closed(self) -> bool:
        """Whether all connections are closed, now or within 5 s."""
        end = time.monotonic() + 5
        while self.open_connections and time.monotonic() < end:
            time.sleep(0.01)
        return self.open_connections == 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Upstream

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.open_connections += 1

    def finish(self) -> None:
        super().finish()
        with self.server.lock:
            self.server.open_connections -= 1

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.paths.append(self.path)
            self.server.peers.append(self.client_address)
            self.server.in_flight += 1
            self.server.peak_in_flight = max(self.server.peak_in_flight, self.server.in_flight)
        status, body = self._answer()
        with self.server.lock:
            self.server.in_flight -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> tuple[int, bytes]:
        url = urlsplit(self.path)
        path = url.path.strip("/").split("/")
        if path[0] == "late":
            del path[0]
            time.sleep(3)
        match path:
            case ["todos", "1"]:
                time.sleep(float(parse_qs(url.query)["ms"][0]) / 1000)
                return 200, json.dumps(TODO).encode()
            case ["status", number]:
                return int(number), b"{}"
            case ["garbage"]:
                return 200, b"<html>"
            case [ms]:
                time.sleep(float(ms) / 1000)
                return 200, json.dumps(COUNTRY).encode()
        raise AssertionError(self.path)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
