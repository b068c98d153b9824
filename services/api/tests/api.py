"""An API of the tests' own, run as a process, and plain ways to talk to it."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 20
STARTED = re.compile(r"http on port (\d+), https on port (\d+)")


@dataclass(frozen=True)
class Answer:
    """An answer as a client sees it; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """A running API."""

    process: subprocess.Popen[str]
    http_port: int
    https_port: int
    ca_file: Path
    my_api: Path

    def get(self, path: str, method: str = "GET") -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_S)
        connection.request(method, path)
        answer = read(connection.getresponse())
        connection.close()
        return answer

    def play(self, document: Any) -> Answer:
        """Let it play a list of answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_S)
        connection.request("POST", "/-/play", json.dumps(document))
        answer = read(connection.getresponse())
        connection.close()
        return answer

    def connect(self) -> socket.socket:
        """A plain socket."""
        return socket.create_connection(("127.0.0.1", self.http_port), PATIENCE_S)

    def connect_tls(self, name: str = "127.0.0.1") -> ssl.SSLSocket:
        """A TLS socket that trusts the lab's CA alone and checks the certificate for `name`."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        plain = socket.create_connection(("127.0.0.1", self.https_port), PATIENCE_S)
        return context.wrap_socket(plain, server_hostname=name)

    def stats(self) -> Any:
        return self.get("/-/stats").json

    def reset(self) -> Any:
        return self.get("/-/reset", "POST").json

    def stats_when(self, condition: Callable[[Any], bool]) -> Any:
        """The statistics as soon as they fulfil a condition; fails where they never do."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(stats := self.stats()):
            assert time.monotonic() < deadline, f"still {stats}"
            time.sleep(0.01)
        return stats


def read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def exchange(connection: socket.socket, request: bytes) -> Answer:
    """Send a request as it is and read its answer."""
    connection.sendall(request)
    return receive(connection)


def receive(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer off a socket."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return read(response)


def is_closed(connection: socket.socket) -> bool:
    """Whether the API closes the connection, in a while."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def running_api(folder: Path) -> Iterator[Api]:
    """An API on free ports that keeps its files in `folder`."""
    ca_file, my_api = folder / "lab-ca.pem", folder / "my-api"
    my_api.mkdir()
    command = [sys.executable, "-m", "upstream", "--http-port", "0", "--https-port", "0"]
    command += ["--ca-file", str(ca_file), "--my-api", str(my_api)]
    source = str(Path(__file__).parents[1] / "src")
    environment = {**os.environ, "PYTHONPATH": source}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            ports = STARTED.search(process.stdout.readline())
            assert ports is not None, "the API did not start"
            yield Api(process, int(ports[1]), int(ports[2]), ca_file, my_api)
        finally:
            process.terminate()
