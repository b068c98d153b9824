"""The own driver's connections, against real sockets that answer byte for byte what a test says."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic_ns, sleep
from typing import Self

import pytest
import trustme
import uvloop

from loadgen.generators.connection import Caller, Endpoint

#: Of tests of the time-out; the others wait as long as a busy machine takes.
TIMEOUT_S = 1
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#: Closing with this set sends a reset instead of an orderly end.
LINGER_NOT = b"\x01\0\0\0\0\0\0\0"

#: What became of a request: status and body, or the reason why there is no answer.
type Outcome = tuple[int, bytes] | str


class Scripted:
    """A server that does with its first, second, … request what a list says.

    Attributes:
        requests: what it was sent.
        connections: how many were opened.
        port: where it listens.
    """

    def __init__(self, *script: "Step", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._steps = iter(script)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.settimeout(10)
                with suppress(OSError), connection:
                    self._converse(connection)

    def _converse(self, plain: socket.socket) -> None:
        connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        with connection:
            while request := connection.recv(65_536):
                self.requests.append(request)
                if not next(self._steps).on(connection):
                    return


@dataclass(frozen=True)
class Step:
    """Send some parts, a moment apart, then keep the connection or end it.

    Attributes:
        parts: of the answer.
        then: keep, close or reset.
        wait_s: before the first part.
    """

    parts: Sequence[bytes] = ()
    then: str = "keep"
    wait_s: float = 0

    def on(self, connection: socket.socket) -> bool:
        """Do it; returns whether the connection is kept."""
        sleep(self.wait_s)
        for number, part in enumerate(self.parts):
            sleep(0.01 if number else 0)
            connection.sendall(part)
        if self.then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        return self.then == "keep"


@dataclass
class Calls:
    """Requests one after the other by one caller, and what became of them."""

    endpoint: Endpoint
    timeout_s: float = 20
    asked_ns: list[int] = field(default_factory=list)
    answered_ns: list[int] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    async def make(self, number: int, between_s: float = 0) -> list[Outcome]:
        caller = Caller(self.endpoint, self.timeout_s, self._answered, self._failed)
        for _ in range(number):
            self._ended = asyncio.Event()
            self.asked_ns.append(monotonic_ns())
            caller.ask()
            await asyncio.wait_for(self._ended.wait(), 30)
            await asyncio.sleep(between_s)
        caller.close()
        return self.outcomes

    def _answered(self, answered_ns: int, status: int, body: bytes) -> None:
        self.answered_ns.append(answered_ns)
        self.outcomes.append((status, body))
        self._ended.set()

    def _failed(self, reason: str) -> None:
        self.outcomes.append(reason)
        self._ended.set()


def calls_to(server: Scripted, timeout_s: float = 20) -> Calls:
    return Calls(Endpoint.of(f"http://127.0.0.1:{server.port}/slow/?ms=5", None), timeout_s)


def outcomes(*script: Step, between_s: float = 0, timeout_s: float = 20) -> list[Outcome]:
    """What becomes of as many requests as there are steps."""
    with Scripted(*script) as server:
        made = uvloop.run(calls_to(server, timeout_s).make(len(script), between_s))
    assert len(server.requests) == len(script)
    return made


@pytest.mark.parametrize(
    "parts",
    [
        [RIGHT],
        [bytes([byte]) for byte in RIGHT],
        [RIGHT[:-1], RIGHT[-1:]],
        [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        ],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", RIGHT],
        [b"HTTP/1.1 100 Continue\r\n\r\n" + RIGHT],
    ],
    ids=["whole", "byte by byte", "last byte late", "chunked", "interim before", "interim with"],
)
def test_an_answer_is_whole_however_it_comes_and_the_connection_kept(parts: list[bytes]) -> None:
    with Scripted(Step(parts), Step([RIGHT])) as server:
        made = uvloop.run(calls_to(server).make(2))
    assert made == [(200, b"ok")] * 2
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_an_answer_that_ends_its_connection_is_followed_by_a_new_one(answer: bytes) -> None:
    with Scripted(Step([answer], then="close"), Step([RIGHT])) as server:
        made = uvloop.run(calls_to(server).make(2))
    assert made == [(200, b"ok")] * 2
    assert server.connections == 2


def test_an_answer_without_a_body_is_an_answer() -> None:
    assert outcomes(Step([b"HTTP/1.1 204 No Content\r\n\r\n"]), Step([RIGHT])) == [
        (204, b""),
        (200, b"ok"),
    ]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step(then="close"), "ConnectionLost"),
        (Step(then="reset"), "ConnectionLost"),
        (Step([b"HT"], then="close"), "IncompleteAnswer"),
        (Step([RIGHT[:-1]], then="close"), "IncompleteAnswer"),
        (Step([RIGHT[:20]], then="close"), "IncompleteAnswer"),
        (Step([b"HTTP/1.1 200 OK\r\n\r\nok"], then="reset"), "IncompleteAnswer"),
        (
            Step([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n"], "close"),
            "IncompleteAnswer",
        ),
        (Step([b"220 smtp.example\r\n"]), "MalformedAnswer"),
        (Step([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"]), "MalformedAnswer"),
        (Step(wait_s=1.5 * TIMEOUT_S, then="close"), "TimeoutError"),
        (Step([RIGHT[:-1]]), "TimeoutError"),
    ],
)
def test_what_is_no_whole_answer_has_its_reason_and_is_not_asked_again(
    step: Step, reason: str
) -> None:
    ended = outcomes(Step([RIGHT]), step, Step([RIGHT]), timeout_s=TIMEOUT_S)
    assert ended == [(200, b"ok"), reason, (200, b"ok")]


def test_a_connection_that_the_server_closes_between_requests_is_opened_anew() -> None:
    script = [Step([RIGHT], then="close"), Step([RIGHT])]
    assert outcomes(*script, between_s=0.05) == [(200, b"ok")] * 2


def test_bytes_that_nobody_asked_for_end_the_connection_not_a_request() -> None:
    with Scripted(Step([RIGHT, b"and more"]), Step([RIGHT])) as server:
        made = uvloop.run(calls_to(server).make(2, between_s=0.05))
    assert made == [(200, b"ok")] * 2
    assert server.connections == 2


def test_an_answer_in_time_outlives_the_watch_over_the_requests_before() -> None:
    steps = [Step([RIGHT], wait_s=0.7)] * 4
    assert outcomes(*steps, timeout_s=2) == [(200, b"ok")] * 4


def test_the_answers_instant_is_that_of_its_last_byte() -> None:
    first, last = RIGHT[:-1], RIGHT[-1:]
    late_s = 0.1

    class Dawdling(Step):
        def on(self, connection: socket.socket) -> bool:
            connection.sendall(first)
            sleep(late_s)
            connection.sendall(last)
            return True

    with Scripted(Dawdling()) as server:
        calls = calls_to(server)
        uvloop.run(calls.make(1))
    assert calls.answered_ns[0] - calls.asked_ns[0] >= late_s * 1e9


def test_a_refused_connection_is_named_as_the_system_does() -> None:
    with Scripted() as server:
        gone = calls_to(server)
    assert uvloop.run(gone.make(2)) == ["ConnectionRefusedError"] * 2


def test_a_request_says_what_a_server_needs_to_know() -> None:
    with Scripted(Step([RIGHT])) as server:
        uvloop.run(calls_to(server).make(1))
    assert server.requests == [
        b"GET /slow/?ms=5 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"User-Agent: django-lab\r\n"
        b"Accept: */*\r\n"
        b"Connection: keep-alive\r\n\r\n" % server.port
    ]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[Scripted]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ends = Step([b"HTTP/1.1 200 OK\r\n\r\nok"], then="close")
    with Scripted(Step([RIGHT]), ends, Step([RIGHT]), Step(then="close"), tls=context) as server:
        yield server


def test_https_is_spoken_with_a_server_whose_ca_is_given(
    secured: Scripted, authority: trustme.CA, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    calls = Calls(Endpoint.of(f"https://127.0.0.1:{secured.port}/", str(ca_file)))
    made = uvloop.run(calls.make(4))
    assert made == [(200, b"ok")] * 3 + ["ConnectionLost"]
    assert secured.connections == 2


def test_a_server_of_another_ca_is_not_trusted(secured: Scripted, tmp_path: Path) -> None:
    ca_file = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    calls = Calls(Endpoint.of(f"https://127.0.0.1:{secured.port}/", str(ca_file)))
    assert uvloop.run(calls.make(1)) == ["SSLCertVerificationError"]
    assert secured.requests == []


@pytest.mark.parametrize("url", ["ftp://server/", "/path/only", "http:///path"])
def test_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no URL of http or https"):
        Endpoint.of(url, None)


def test_a_url_without_port_and_path_has_the_usual_ones() -> None:
    endpoint = Endpoint.of("http://server", None)
    assert (endpoint.host, endpoint.port) == ("server", 80)
    assert endpoint.request.startswith(b"GET / HTTP/1.1\r\nHost: server\r\n")
