"""Small real servers on loopback that stand in for a view, its launcher and the upstream API."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

#: A suite that one server can answer in a second: hey, a few requests; its views call nobody,
#: so that the run begins without a self-check, which has tests of its own.
BRIEF = """
question = "Does it answer?"
accounting = "answered"
[[cases]]
server = ["uvicorn", "uvicorn-4"]
driver = "hey"
users = 4
planned_requests = 20
http_client = "no-http"
delays_ms = [50]
"""

RIGHT_BODY = '<p id="country">Iceland</p>'
LOOPBACK = "127.0.0.1"
SECOND_NS = 10**9
#: Where a second server listens on the same ports.
ANOTHER = "127.0.0.2"


def http_client() -> httpx.Client:
    """Of plain HTTP on this machine: it reads no CA bundle, which takes long, and no proxy."""
    return httpx.Client(verify=False, trust_env=False)


class Behaviour(Enum):
    """What a view does with a request."""

    RIGHT = "answers as it should"
    WRONG_BODY = "answers 200 with a body of something else"
    ERROR = "answers 500"
    HANG_UP = "closes the connection without an answer"
    SILENCE = "never answers"


class Served(ThreadingHTTPServer):
    """An HTTP server in a thread of its own, from its making to `close()`."""

    request_queue_size = 256

    def __init__(
        self,
        answer: Callable[[BaseHTTPRequestHandler], None],
        port: int = 0,
        host: str = LOOPBACK,
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                """Tests need no access log."""

        super().__init__((host, port), Handler)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def handle_error(self, *_: object) -> None:
        """A client that is gone is nobody's fault here."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def send(handler: BaseHTTPRequestHandler, status: int, body: str) -> None:
    content = body.encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


class View:
    """A slow view: waits, then behaves as it is told for its first, second, … request.

    Attributes:
        seen: how often it behaved in which way.
        peak: the most requests that it had in flight.
    """

    def __init__(
        self,
        delay_s: float,
        behaviour: Callable[[int], Behaviour] = lambda _: Behaviour.RIGHT,
        port: int = 0,
        on_request: Callable[[BaseHTTPRequestHandler], None] = lambda _: None,
        host: str = LOOPBACK,
    ) -> None:
        self.seen: Counter[Behaviour] = Counter()
        self.peak = 0
        self._delay_s = delay_s
        self._behaviour = behaviour
        self._on_request = on_request
        self._in_flight = 0
        self._lock = Lock()
        self._closing = Event()
        self._served = Served(self._answer, port, host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        return self._served.port

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def received(self) -> int:
        return self.seen.total()

    def close(self) -> None:
        self._closing.set()
        self._served.close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self._on_request(handler)
        with self._lock:
            behaviour = self._behaviour(self.received + 1)
            self.seen[behaviour] += 1
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
        try:
            self._behave(handler, behaviour)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _behave(self, handler: BaseHTTPRequestHandler, behaviour: Behaviour) -> None:
        if behaviour is Behaviour.SILENCE:
            self._closing.wait()
            handler.close_connection = True
            return
        time.sleep(self._delay_s)
        if behaviour is Behaviour.HANG_UP:
            handler.close_connection = True
        elif behaviour is Behaviour.ERROR:
            send(handler, 500, "something broke")
        elif behaviour is Behaviour.WRONG_BODY:
            send(handler, 200, "<p>The database is on holiday</p>")
        else:
            send(handler, 200, RIGHT_BODY)


#: CPU time that the stand-in's server claims for each view.
CPU_SECONDS_PER_VIEW = 0.004
CALLS_PER_VIEW = 3
#: The last lines of the stand-in's server.
LOG = ["Traceback (most recent call last):", "no such module"]


def _probe(since_ns: int, until_ns: int) -> dict[str, Any]:
    """A CPU of one speed: a pass of 0.4 ms every 50 ms."""
    begins_ns = range(since_ns, until_ns, SECOND_NS)
    seconds = [{"since_ns": begin, "mean_ms": 0.4, "count": 20} for begin in begins_ns]
    return {"count": 20 * len(seconds), "mean_ms": 0.4, "sd_ms": 0.0, "seconds": seconds}


def a_port_that_stays_free() -> int:
    """A port that no other test is given between two servers of a lab: the kernel hands out higher
    ones.
    """
    while True:
        with closing(socket()) as probe, suppress(OSError):
            probe.bind((LOOPBACK, random.randrange(15_000, 32_000)))
            port: int = probe.getsockname()[1]
            return port


class StandInLab:
    """Launcher, server and API of a small lab, speaking the contracts of the real ones.

    Args:
        beside: another one, on whose ports its server and its launcher listen at another address.

    Attributes:
        events: what happened, in order: calibrate, start, probe, load (its first request only),
            reset, app-stats, api-stats, stop.
        behaviour: of the view's answers, from the start of a server on.
        starts: False: the server ends by itself with exit code 3 instead of listening.
        fails_first: True: so it does at its first start only.
        on_start: called when a server is asked for.
        pretends: True: the launcher says that the server runs, whether it does or not.
        oom_kills: processes that the kernel has killed for want of memory, as the launcher tells.
        api_started_ns: when the API was started, as it tells.
        cpu_seconds_per_view: CPU time that the server claims for each view.
    """

    def __init__(self, beside: "StandInLab | None" = None) -> None:
        self.events: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.behaviour: Callable[[int], Behaviour] = lambda _: Behaviour.RIGHT
        self.delay_s = 0.05
        self.starts = True
        self.fails_first = False
        self.on_start: Callable[[], object] = lambda: None
        self.pretends = False
        self.oom_kills = 0
        self.api_started_ns = 1
        self.cpu_seconds_per_view = CPU_SECONDS_PER_VIEW
        self._ended = Event()
        self.probe_headers: dict[str, str] = {}
        self.unknown_names: set[str] = set()
        self._views_before_reset = 0
        self._view: View | None = None
        self._host = ANOTHER if beside else LOOPBACK
        self.app_port: int = beside.app_port if beside else a_port_that_stays_free()
        launcher_port = beside.launcher_port if beside else 0
        self._launcher = Served(self._launch, launcher_port, self._host)
        self._api = Served(self._record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._ended.set()
        self._launcher.close()
        self._api.close()

    @property
    def launcher_port(self) -> int:
        return self._launcher.port

    @property
    def api_port(self) -> int:
        return self._api.port

    @property
    def runs(self) -> bool:
        """Whether a server is up now."""
        return self._view is not None

    def first(self, event: str) -> int:
        """The place of an event's first occurrence."""
        return self.events.index(event)

    def resolve(self, name: str) -> str:
        """As the resolver of a Compose network does."""
        if name in self.unknown_names:
            raise OSError("Name or service not known")
        return ANOTHER if name in ("api-django", "spare") else LOOPBACK

    def crash(self) -> None:
        """The server ends by itself, in the midst of its work."""
        self._stop()
        self.starts = False

    def _views(self) -> int:
        return self._view.received if self._view else 0

    def _launch(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "/calibrate": lambda: {"wall_ms": 50.5, "cpu_ms": 50.0},
            "/start": lambda: self._start(query),
            "/stop": self._stop,
            "/stats": lambda: self._app_stats(memory=query.get("memory") != "0"),
            "/wait": self._wait,
            "/about": lambda: {
                "command": ["serve", "--fast"],
                "python": "3.13.5",
                "packages": {"Django": "6.1"},
                "cpus": [0],
                "log": [],
            },
            "/logs": lambda: {"log": LOG},
            "/probe": lambda: _probe(int(query["since_ns"]), int(query["until_ns"])),
        }
        if url.path not in ("/wait", "/probe"):
            self.events.append(
                {"/stats": "app-stats"}.get(url.path, url.path.removeprefix("/")),
            )
        send(handler, 200, json.dumps(answers[url.path]()))

    def _start(self, query: dict[str, str]) -> dict[str, Any]:
        self.queries.append(query)
        self.on_start()
        if self.starts and not (self.fails_first and len(self.queries) == 1):
            self._ended.clear()
            self._view = View(self.delay_s, self.behaviour, self.app_port, self._note, self._host)
        elif not self.pretends:
            self._ended.set()
        return {"pid": 7, "generation": len(self.queries), **query, "monotonic_ns": 1}

    def _stop(self) -> dict[str, Any]:
        if self._view is not None:
            self._view.close()
            self._view = None
            self._ended.set()
        return {"exit_code": 0, "log": []}

    def _wait(self) -> dict[str, Any]:
        self._ended.wait()
        return self._app_stats(memory=False) | {"log": LOG}

    def _note(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("User-Agent", "").startswith("python-httpx"):
            self.events.append("probe")
            self.probe_headers = dict(handler.headers)
        elif self.events[-1] != "load" and "load" not in self.events[self._last_start() :]:
            self.events.append("load")

    def _last_start(self) -> int:
        return len(self.events) - 1 - self.events[::-1].index("start")

    def _app_stats(self, memory: bool) -> dict[str, Any]:
        return {
            "running": self.runs or self.pretends,
            "generation": len(self.queries),
            "exit_code": None if self.runs else 3,
            "monotonic_ns": time.monotonic_ns(),
            "cpu_seconds": 1 + self.cpu_seconds_per_view * self._views(),
            "cpu_source": "proc",
            "rss_bytes": None,
            "pss_bytes": 32 * 2**20 if memory else None,
            "peak_bytes": 40 * 2**20 if memory else None,
            "processes": 1,
            "threads": 2,
            "oom_kills": self.oom_kills,
            "memory_limit_bytes": 64 * 2**20,
        }

    def _record(self, handler: BaseHTTPRequestHandler) -> None:
        name = "reset" if handler.path == "/-/reset" else "api-stats"
        self.events.append(name)
        calls = CALLS_PER_VIEW * (self._views() - self._views_before_reset)
        nothing = {"count": 0, "min": None, "p50": None, "p95": None, "p99": None, "max": None}
        stats = {
            "monotonic_ns": time.monotonic_ns(),
            "started_ns": self.api_started_ns,
            "cpu_seconds": 0.5,
            "calls": calls,
            "failures": 0,
            "in_flight": 0,
            "peak_in_flight": 3,
            "lateness_ms": nothing,
            "loop_lag_ms": nothing,
        }
        if name == "reset":
            self._views_before_reset = self._views()
        send(handler, 200, json.dumps(stats))
