"""compose.yaml and compose.override.yaml → the servers they declare, by their labels."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from loadgen.errors import ConfigurationError

Interface = Literal["wsgi", "asgi"]
Concurrency = Literal["threads", "gevent", "asyncio"]

LABELS: dict[str, str] = {
    "lab.title": "the server's name in tables, free text",
    "lab.interface": "wsgi or asgi",
    "lab.concurrency": "threads, gevent or asyncio",
    "lab.processes": "a whole number from 1: worker processes",
    "lab.cpus_per_process": "many, where a process computes outside of Python too, in threads of "
    "its own; leave it out where it uses one CPU at a time",
    "lab.slots": "a whole number from 1: requests it can hold in flight; leave it out if unbounded",
    "lab.url": "http://host[:port]/path of the view, for a server without the lab's launcher",
    "lab.expect": "text that only a right answer of lab.url contains; leave it out if any is right",
    "lab.service_time_ms": "a number up to 60000: what the view of lab.url waits for at least",
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
    """

    name: str
    title: str
    interface: Interface
    concurrency: Concurrency
    processes: int
    slots: int | None
    many_cpus: bool = False
    page: Page | None = None

    @property
    def always_on(self) -> bool:
        """Whether the lab cannot start it anew for each trial."""
        return self.page is not None and not self.page.launcher

    @property
    def default_view(self) -> Literal["sync", "async"]:
        """The view that is native to the interface."""
        return native_view(self.interface)


def native_view(interface: object) -> Literal["sync", "async"]:
    """The view that needs no bridge between threads and an event loop: `asgi` → `async`."""
    return "async" if interface == "asgi" else "sync"


type _Services = Mapping[str, Mapping[str, Any]]


class _ComposeLoader(yaml.SafeLoader):
    """YAML as Compose writes it: its own tags (`!reset`, `!override`) say how files merge."""


def _own_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if suffix == "reset":
        return None
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_ComposeLoader.add_multi_constructor("!", _own_tag)


def read_servers(project: Path) -> dict[str, Server]:
    """All servers that the project's Compose files declare, by name, in their order.

    Raises:
        ConfigurationError: a file or a label is missing or wrong.
    """
    base = _services(project / "compose.yaml")
    own_file = project / "compose.override.yaml"
    own = _services(own_file) if own_file.exists() else {}
    labels = {name: _all_labels(name, base, base) for name in base}
    for name in own:
        labels[name] = labels.get(name, {}) | _all_labels(name, own, base)
    return {
        name: _server(name, of_lab)
        for name, all_labels in labels.items()
        if (of_lab := {key: text for key, text in all_labels.items() if key.startswith("lab.")})
    }


def read_services(project: Path) -> dict[str, Mapping[str, Any]]:
    """All services as the project's Compose files declare them, by name; one of the reader's own
    file stands for one of the same name in the lab's.

    Raises:
        ConfigurationError: a file is missing or no YAML.
    """
    own_file = project / "compose.override.yaml"
    own = _services(own_file) if own_file.exists() else {}
    return _services(project / "compose.yaml") | own


def _services(file: Path) -> dict[str, Mapping[str, Any]]:
    """The services of a Compose file as they are written."""
    try:
        document = yaml.load(file.read_text("utf-8"), _ComposeLoader)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{file} is missing: loadgen reads the servers from it. Mount the project's folder."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 ({error}): save it as UTF-8") from error
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise ConfigurationError(f"{file} is not valid YAML: {error}") from error
    if not isinstance(document, dict | None):
        raise ConfigurationError(f"{file}: must be a mapping with services")
    services = (document or {}).get("services") or {}
    if not isinstance(services, dict):
        raise ConfigurationError(f"{file}: services must be a mapping")
    for name, service in services.items():
        if not isinstance(service, dict | None):
            raise ConfigurationError(f"{file}, service {name}: must be a mapping")
    return {str(name): service or {} for name, service in services.items()}


def _labels(service: Mapping[str, Any], name: str) -> dict[str, str]:
    """A service's labels; Compose allows a mapping and a list of `key=value`."""
    labels = service.get("labels") or {}
    if isinstance(labels, list) and all(isinstance(entry, str) for entry in labels):
        labels = dict(entry.partition("=")[::2] for entry in labels)
    if not isinstance(labels, dict):
        raise ConfigurationError(f"service {name}: labels must be a mapping or a list")
    return {str(key): "" if value is None else str(value) for key, value in labels.items()}


def _all_labels(
    name: str, services: _Services, base: _Services, extended_by: tuple[str, ...] = ()
) -> dict[str, str]:
    """A service's labels, and those of the services that it extends: Compose passes them on.

    Args:
        name: the service.
        services: those of its own file.
        base: those of compose.yaml.
        extended_by: the services of that file that extend it, outermost first.
    """
    if name in extended_by:
        by = "".join(f", by {other}" for other in extended_by[1:])
        raise ConfigurationError(f"service {name} extends itself{by}")
    service = services[name]
    extends = service.get("extends")
    if extends is None:
        return _labels(service, name)
    if isinstance(extends, str):
        extends = {"service": extends}
    if not isinstance(extends, dict) or not extends.get("service"):
        raise ConfigurationError(
            f"service {name}: extends must be a service, or a mapping with one and its file"
        )
    parent = str(extends["service"])
    there = base if "file" in extends or parent not in services else services
    if parent not in there:
        raise ConfigurationError(
            f"service {name} extends {parent!r}, which compose.yaml does not declare"
        )
    above = (*extended_by, name) if there is services else ()
    return _all_labels(parent, there, base, above) | _labels(service, name)


def _server(name: str, labels: Mapping[str, str]) -> Server:
    for label in labels:
        if label not in LABELS:
            raise _wrong(name, label, f"is unknown; the labels are {', '.join(LABELS)}")
    for label in REQUIRED:
        if not labels.get(label):
            raise _wrong(name, label, f"is missing: {LABELS[label]}")
    interface, concurrency = labels["lab.interface"], labels["lab.concurrency"]
    if interface not in get_args(Interface):
        raise _wrong(name, "lab.interface", f"is {interface!r}; allowed: wsgi, asgi")
    if concurrency not in get_args(Concurrency):
        raise _wrong(
            name, "lab.concurrency", f"is {concurrency!r}; allowed: threads, gevent, asyncio"
        )
    cpus = labels.get("lab.cpus_per_process")
    if cpus and cpus != "many":
        what = f"is {cpus!r}; allowed: {LABELS['lab.cpus_per_process']}"
        raise _wrong(name, "lab.cpus_per_process", what)
    return Server(
        name=name,
        title=labels["lab.title"],
        interface=interface,  # type: ignore[arg-type]  # checked above
        concurrency=concurrency,  # type: ignore[arg-type]
        processes=_count(name, "lab.processes", labels["lab.processes"]),
        slots=_count(name, "lab.slots", labels["lab.slots"]) if labels.get("lab.slots") else None,
        many_cpus=bool(cpus),
        page=_page(name, labels),
    )


def _page(name: str, labels: Mapping[str, str]) -> Page | None:
    url, service_time = labels.get("lab.url"), labels.get("lab.service_time_ms")
    if not url:
        for label in ("lab.expect", "lab.service_time_ms", "lab.launcher"):
            if labels.get(label):
                raise _wrong(name, label, "goes with lab.url, which is missing")
        return None
    found = URL.fullmatch(url)
    port = int(found["port"] or 80) if found else 0
    if not found or not 1 <= port <= 65535:
        raise _wrong(name, "lab.url", f"is {url!r}; allowed: {LABELS['lab.url']}")
    if not service_time:
        raise _wrong(name, "lab.service_time_ms", f"is missing: {LABELS['lab.service_time_ms']}")
    launcher = labels.get("lab.launcher")
    if launcher and launcher != "yes":
        raise _wrong(name, "lab.launcher", f"is {launcher!r}; allowed: {LABELS['lab.launcher']}")
    return Page(
        host=found["host"],
        port=port,
        path=found["path"],
        expected_text=labels.get("lab.expect", ""),
        service_time_s=_milliseconds(name, "lab.service_time_ms", service_time) / 1000,
        launcher=bool(launcher),
    )


def _milliseconds(name: str, label: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= LONGEST_SERVICE_TIME_MS:
        raise _wrong(name, label, f"is {text!r}; allowed: {LABELS[label]}")
    return value


def _count(name: str, label: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise _wrong(name, label, f"is {text!r}; allowed: {LABELS[label]}")
    return int(text)


def _wrong(name: str, label: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"service {name}, label {label} {what}")


View = Literal["sync", "async"]
