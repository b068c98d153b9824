"""compose.yaml and compose.override.yaml → the servers they declare, by their labels."""

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
    "lab.slots": "a whole number from 1: requests it can hold in flight; leave it out if unbounded",
}
REQUIRED = ("lab.title", "lab.interface", "lab.concurrency", "lab.processes")


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
    """

    name: str
    title: str
    interface: Interface
    concurrency: Concurrency
    processes: int
    slots: int | None

    @property
    def default_view(self) -> Literal["sync", "async"]:
        """The view that is native to the interface."""
        return "async" if self.interface == "asgi" else "sync"


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


def _services(file: Path) -> dict[str, Mapping[str, Any]]:
    try:
        document = yaml.load(file.read_text(), _ComposeLoader)
    except FileNotFoundError:
        raise ConfigurationError(
            f"{file} is missing: loadgen reads the servers from it. Mount the project's folder."
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file} is not valid YAML: {error}") from error
    services = document.get("services") if isinstance(document, dict) else None
    return {name: service or {} for name, service in (services or {}).items()}


def _labels(service: Mapping[str, Any], name: str) -> dict[str, str]:
    """A service's labels; Compose allows a mapping and a list of `key=value`."""
    labels = service.get("labels") or {}
    if isinstance(labels, list):
        labels = dict(entry.partition("=")[::2] for entry in labels)
    if not isinstance(labels, dict):
        raise ConfigurationError(f"service {name}: labels must be a mapping or a list")
    return {str(key): "" if value is None else str(value) for key, value in labels.items()}


def _all_labels(name: str, services: _Services, base: _Services) -> dict[str, str]:
    """A service's labels, and those of the services that it extends: Compose passes them on.

    Args:
        name: the service.
        services: those of its own file.
        base: those of compose.yaml.
    """
    service = services[name]
    extends = service.get("extends")
    if extends is None:
        return _labels(service, name)
    if isinstance(extends, str):
        extends = {"service": extends}
    parent = str(extends.get("service"))
    there = base if "file" in extends or parent not in services else services
    if parent not in there:
        raise ConfigurationError(
            f"service {name} extends {parent!r}, which compose.yaml does not declare"
        )
    return _all_labels(parent, there, base) | _labels(service, name)


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
    return Server(
        name=name,
        title=labels["lab.title"],
        interface=interface,  # type: ignore[arg-type]  # checked above
        concurrency=concurrency,  # type: ignore[arg-type]
        processes=_count(name, "lab.processes", labels["lab.processes"]),
        slots=_count(name, "lab.slots", labels["lab.slots"]) if labels.get("lab.slots") else None,
    )


def _count(name: str, label: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise _wrong(name, label, f"is {text!r}; allowed: {LABELS[label]}")
    return int(text)


def _wrong(name: str, label: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"service {name}, label {label} {what}")
