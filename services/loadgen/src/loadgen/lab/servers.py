"""The servers that the Compose files declare by their labels."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from loadgen.errors import ConfigurationError
from loadgen.lab.compose import read_labels, with_spare

Interface = Literal["wsgi", "asgi"]
Concurrency = Literal["threads", "gevent", "asyncio"]
View = Literal["sync", "async"]
_INTERFACES: dict[str, Interface] = {value: value for value in get_args(Interface)}
_CONCURRENCIES: dict[str, Concurrency] = {value: value for value in get_args(Concurrency)}

LABELS: dict[str, str] = {
    "lab.title": "the server's name in tables, free text",
    "lab.interface": "wsgi or asgi",
    "lab.concurrency": "threads, gevent or asyncio",
    "lab.processes": "a whole number from 1: worker processes",
    "lab.cpus_per_process": "many, if a process can use more than one CPU at a time, in native "
    "threads outside of Python; else leave it out",
    "lab.slots": "a whole number from 1: requests it can hold in flight; leave it out if unbounded",
    "lab.url": "http://host[:port]/path of the view, for a server that has a page of its own",
    "lab.expect": "text that only a right answer of lab.url contains; leave it out if every answer "
    "is right",
    "lab.service_time_ms": "a number up to 60000: the least milliseconds that lab.url waits for",
    "lab.launcher": "yes, quoted, if the lab's launcher starts the server; else leave it out",
}
REQUIRED = ("lab.title", "lab.interface", "lab.concurrency", "lab.processes")

#: The path with its query, as it goes over the wire: no space, no fragment, ASCII only.
URL = re.compile(r'http://(?P<host>[\w.-]+)(:(?P<port>\d{1,5}))?(?P<path>/[!"$-~]*)', re.ASCII)
#: The drivers wait a little longer for an answer.
LONGEST_SERVICE_TIME_MS = 60_000


@dataclass(frozen=True)
class Page:
    """The view of a server that does not serve the lab's views, but one of its own.

    Attributes:
        host, port: where it listens; the host is the service as a rule.
        path: path and query of the view.
        expected_text: what only a right answer contains; empty: every answer with status 200 is
            right.
        service_time_s: the time that the view waits at least, as declared.
        launcher: the lab's launcher runs the server; without it the server is always on.
    """

    host: str
    port: int
    path: str
    expected_text: str
    service_time_s: float
    launcher: bool = False

    @property
    def url(self) -> str:
        """The whole address of the view."""
        return f"http://{self.host}:{self.port}{self.path}"


@dataclass(frozen=True)
class Server:
    """One server configuration: a Compose service with `lab.` labels.

    Attributes:
        name: the Compose service, its host name too.
        title: its name in tables.
        interface: wsgi or asgi.
        concurrency: what holds a waiting request: a thread, a greenlet or a coroutine.
        processes: worker processes.
        slots: requests it can hold in flight; None = unbounded.
        many_cpus: whether a process of it may use more than one CPU at a time.
        page: its own view; None: it serves the lab's views.
        has_spare: the lab's spare container can run it too, so that it can be under load twice.
    """

    name: str
    title: str
    interface: Interface
    concurrency: Concurrency
    processes: int
    slots: int | None
    many_cpus: bool = False
    page: Page | None = None
    has_spare: bool = False

    @property
    def always_on(self) -> bool:
        """Whether the lab cannot start it anew for each trial."""
        return self.page is not None and not self.page.launcher

    @property
    def default_view(self) -> View:
        """The view that is native to the interface."""
        return native_view(self.interface)


def native_view(interface: object) -> View:
    """The view that needs no bridge between threads and an event loop: `asgi` → `async`."""
    return "async" if interface == "asgi" else "sync"


def read_servers(project: Path) -> dict[str, Server]:
    """All servers that the project's Compose files declare, by name, in their order.

    Raises:
        ConfigurationError: a file or a label is missing or wrong.
    """
    spared = with_spare(project)
    return {
        name: replace(_server(_Labels(name, of_lab)), has_spare=name in spared)
        for name, labels in read_labels(project).items()
        if (of_lab := {key: text for key, text in labels.items() if key.startswith("lab.")})
    }


@dataclass(frozen=True)
class _Labels:
    """The lab's labels of a service; what is wrong with one is raised as ConfigurationError."""

    service: str
    texts: Mapping[str, str]

    def text(self, label: str) -> str:
        """Empty where it is not there."""
        return self.texts.get(label, "")

    def required(self, label: str) -> str:
        text = self.text(label)
        if not text:
            raise self.wrong(label, f"is missing: {LABELS[label]}")
        return text

    def choice[Value: str](self, label: str, values: Mapping[str, Value]) -> Value:
        """One of some values."""
        value = values.get(self.text(label))
        if value is None:
            raise self.refused(label, ", ".join(values))
        return value

    def flag(self, label: str, word: str) -> bool:
        """Whether it is there; it can only be this word."""
        text = self.text(label)
        if text and text != word:
            raise self.refused(label)
        return bool(text)

    def count(self, label: str) -> int:
        """A whole number from 1."""
        text = self.text(label)
        if not text.isdecimal() or int(text) < 1:
            raise self.refused(label)
        return int(text)

    def milliseconds(self, label: str) -> float:
        """A number above 0, and no longer than a driver waits."""
        try:
            value = float(self.required(label))
        except ValueError:
            value = math.nan
        if not 0 < value <= LONGEST_SERVICE_TIME_MS:
            raise self.refused(label)
        return value

    def refused(self, label: str, allowed: str = "") -> ConfigurationError:
        return self.wrong(label, f"is {self.text(label)!r}; allowed: {allowed or LABELS[label]}")

    def wrong(self, label: str, what: str) -> ConfigurationError:
        return ConfigurationError(f"service {self.service}, label {label} {what}")


def _server(labels: _Labels) -> Server:
    for label in labels.texts:
        if label not in LABELS:
            raise labels.wrong(label, f"is unknown; the labels are {', '.join(LABELS)}")
    for label in REQUIRED:
        labels.required(label)
    return Server(
        name=labels.service,
        title=labels.text("lab.title"),
        interface=labels.choice("lab.interface", _INTERFACES),
        concurrency=labels.choice("lab.concurrency", _CONCURRENCIES),
        many_cpus=labels.flag("lab.cpus_per_process", "many"),
        processes=labels.count("lab.processes"),
        slots=labels.count("lab.slots") if labels.text("lab.slots") else None,
        page=_page(labels),
    )


def _page(labels: _Labels) -> Page | None:
    url = labels.text("lab.url")
    if not url:
        for label in ("lab.expect", "lab.service_time_ms", "lab.launcher"):
            if labels.text(label):
                raise labels.wrong(label, "goes with lab.url, which is missing")
        return None
    parts = URL.fullmatch(url)
    port = int(parts["port"] or 80) if parts else 0
    if not parts or not 1 <= port <= 65535:
        raise labels.refused("lab.url")
    labels.required("lab.service_time_ms")
    return Page(
        host=parts["host"],
        port=port,
        path=parts["path"],
        expected_text=labels.text("lab.expect"),
        launcher=labels.flag("lab.launcher", "yes"),
        service_time_s=labels.milliseconds("lab.service_time_ms") / 1000,
    )
