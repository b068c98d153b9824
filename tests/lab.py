"""What the tests know of the running lab: its servers, their launchers, and docker compose.

Nothing here imports the lab's own packages: the tests check the contracts from outside.
"""

import os
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

# The host's path of the project, so that docker compose in here names the same folders as outside.
ROOT = Path(os.environ.get("LAB_ROOT", Path(__file__).parent.parent))
START_TIMEOUT_S = 30
POLL_S = 0.1

Compose = Callable[..., subprocess.CompletedProcess[str]]
"""`docker compose` for a lab, by its arguments."""

# A worker of these has no place for a connection that is idle: it closes each after its answer.
KEEP_NONE = {"gunicorn-sync-4"}

# What the app says of each HTTP client, by its name.
REGISTRY: dict[str, dict[str, Any]] = tomllib.loads(
    (ROOT / "services/app/src/consumer/http_clients/registry.toml").read_text()
)
# Name of each HTTP client = the views that can use it.
HTTP_CLIENTS: dict[str, list[str]] = {name: client["views"] for name, client in REGISTRY.items()}
# Those that call the upstream.
REAL_HTTP_CLIENTS = [name for name in HTTP_CLIENTS if name != "no-http"]


@dataclass(frozen=True)
class Server:
    """A server as compose.yaml declares it.

    Attributes:
        name: The Compose service, and its host name in the lab's network.
        interface: `wsgi` or `asgi`.
        processes: How many processes it runs views in.
        slots: Requests it can hold in flight; None = unbounded.
        labels: All its labels that begin with `lab.`.
        command: What its launcher starts.
    """

    name: str
    interface: str
    processes: int
    slots: int | None
    # Hashable, so that pytest can see which tests are for the same server.
    labels: dict[str, str] = field(hash=False)
    command: list[str] = field(hash=False, default_factory=list)

    @property
    def view(self) -> str:
        """The view that is native to it: `sync` on WSGI, `async` on ASGI."""
        return "sync" if self.interface == "wsgi" else "async"

    def can(self, view: str, http_client: str) -> bool:
        """Whether it can answer that view with that HTTP client.

        An async view needs a client with an async side, and an event loop, which there is none of
        under gevent. WSGI gives it one per request: too short a life for a shared client. Some
        clients know nothing of gevent.
        """
        gevent = self.labels["lab.concurrency"] == "gevent"
        if view not in HTTP_CLIENTS[http_client]:
            return False
        if gevent and not REGISTRY[http_client].get("gevent", True):
            return False
        if view == "sync" or self.interface == "asgi":
            return True
        return not gevent and not http_client.endswith(("-shared", "-small-pool"))

    def views_by_client(self, http_clients: Iterable[str]) -> dict[str, str]:
        """Each client that it can use, and the view to use it in: its own one where that can."""
        usable = {
            http_client: [view for view in ("sync", "async") if self.can(view, http_client)]
            for http_client in http_clients
        }
        return {
            http_client: self.view if self.view in views else views[0]
            for http_client, views in usable.items()
            if views
        }


def declared_servers(compose_yaml: Path = ROOT / "compose.yaml") -> list[Server]:
    """Every service with a label `lab.interface`, in the order of the file.

    Without those of a profile, which `docker compose up` does not start.
    """
    services: dict[str, dict[str, Any]] = yaml.safe_load(compose_yaml.read_text())["services"]
    servers = []
    for name, service in services.items():
        labels: dict[str, str] = service.get("labels", {})
        if "lab.interface" in labels and "profiles" not in service:
            slots = labels.get("lab.slots")
            servers.append(
                Server(
                    name=name,
                    interface=labels["lab.interface"],
                    processes=int(labels["lab.processes"]),
                    slots=int(slots) if slots else None,
                    labels=labels,
                    command=service["command"],
                )
            )
    return servers


def server_named(name: str) -> Server:
    """That server. Raises ValueError where compose.yaml does not declare it."""
    (server,) = [server for server in declared_servers() if server.name == name]
    return server


class Launcher:
    """A server's launcher, by its HTTP contract on port 9100.

    `host` is where it is, if not in the server's own container.
    """

    def __init__(self, server: Server, host: str | None = None) -> None:
        self.server = server
        self.host = host or server.name
        self.http = httpx.Client(base_url=f"http://{self.host}:9100", timeout=30)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The JSON answer of `path`; raises httpx.HTTPStatusError for any status but 200."""
        answer = self.http.get(path, params=query).raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def start(self, **query: str) -> dict[str, Any]:
        """Starts the server (`settings=…`, `preload=…`); returns at once."""
        return self.get("/start", **query)

    def stop(self, **query: str) -> dict[str, Any]:
        """Stops the server (`now="1"`: kills it); returns when nothing of it is left."""
        return self.get("/stop", **query)

    def stats(self, **query: str) -> dict[str, Any]:
        """Counters of the server's processes (`memory="0"`: without those that take time)."""
        return self.get("/stats", **query)

    def wait_until_up(self) -> None:
        """Until the launcher itself answers. Raises httpx.TransportError if it does not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.stats(memory="0")
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)
            else:
                return

    def about(self) -> dict[str, Any]:
        return self.get("/about")

    @contextmanager
    def running(self, **query: str) -> Iterator[httpx.Client]:
        """A fresh server and a client for it, from when it answers until the end of the block.

        Raises AssertionError with the server's last log lines when it does not come up.
        """
        self.wait_until_up()
        self.stop(now="1")
        self.start(**query)
        try:
            with httpx.Client(base_url=f"http://{self.host}:8000", timeout=60) as client:
                self._wait_for_an_answer(client)
                yield client
        finally:
            self.stop(now="1")

    def _wait_for_an_answer(self, client: httpx.Client) -> None:
        path = f"/{self.server.view}/single/no-http/?delays_ms=0"
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.stats(memory="0")["running"]:
            try:
                # A connection kept open would hold a greenlet of a gevent worker.
                client.get(path, headers={"Connection": "close"})
            except httpx.TransportError:
                time.sleep(POLL_S)
            else:
                return
        log = "\n".join(self.get("/logs")["log"])
        raise AssertionError(f"{self.server.name} did not come up; its last lines:\n{log}")


def output_of(process: subprocess.Popen[str], when: str, then: Callable[[], None]) -> str:
    """All that a process prints; something happens at the first line that contains `when`."""
    assert process.stdout is not None
    output, happened = "", False
    for line in process.stdout:
        output += line
        if not happened and when in line:
            happened = True
            then()
    return output


def compose(*arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Runs `docker compose …` for the lab under test.

    Never raises for an exit code: what that means is the test's business. Captures the output.
    """
    return subprocess.run(
        ["docker", "compose", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
