"""The services that compose.yaml and compose.override.yaml declare, and the labels of each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from loadgen.errors import ConfigurationError

#: The service of the spare container: the app, whose launcher is told the command of any server.
SPARE = "spare"
#: In what else a server may differ from the spare container.
OWN_KEYS = frozenset({"command", "labels", "profiles"})
#: What makes a container the spare one.
SPARE_VARIABLE = "LAB_SPARE"

type _Services = Mapping[str, Mapping[str, Any]]


class _Loader(yaml.CSafeLoader):
    """YAML as Compose writes it: its own tags (`!reset`, `!override`) say how files merge."""


class _TellingLoader(yaml.SafeLoader):
    """The same, ten times as slow: its errors show the line that is wrong."""


def _own_tag(loader: SafeConstructor, suffix: str, node: yaml.Node) -> object:
    if suffix == "reset":
        return None
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _own_tag)
_TellingLoader.add_multi_constructor("!", _own_tag)


def read_labels(project: Path) -> dict[str, dict[str, str]]:
    """The labels of every service that the project's Compose files declare, in their order; those
    that it inherits from the service that it extends are among them.

    Raises:
        ConfigurationError: a file or a service in it is missing or wrong.
    """
    base, own = _both(project)
    labels = {name: _all_labels(name, base, base) for name in base}
    for name in own:
        labels[name] = labels.get(name, {}) | _all_labels(name, own, base)
    return labels


def read_services(project: Path) -> dict[str, Mapping[str, Any]]:
    """All services as the project's Compose files declare them, by name; one of the reader's own
    file stands for one of the same name in the lab's.

    Raises:
        ConfigurationError: a file is missing or no YAML.
    """
    base, own = _both(project)
    return base | own


def with_spare(project: Path) -> set[str]:
    """The servers of compose.yaml that the spare container can run too: those that differ from it
    by their command and labels alone, also where a reader's own file changes them; and so not those
    with an environment or an image of their own. A reader's own are none.

    Raises:
        ConfigurationError: a file is missing or no YAML.
    """
    base, own = _both(project)
    if SPARE not in base:
        return set()
    container = _container(base[SPARE])
    return {
        name
        for name in base
        if own.get(name, {}).keys() <= OWN_KEYS and _container(base[name]) == container
    }


def _container(service: Mapping[str, Any]) -> dict[str, Any]:
    """What a service is but for its command."""
    kept = {key: value for key, value in service.items() if key not in OWN_KEYS}
    environment = kept.get("environment")
    if isinstance(environment, dict):
        kept["environment"] = {
            key: value for key, value in environment.items() if key != SPARE_VARIABLE
        }
    return kept


def _both(project: Path) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """The services of the lab's file, and of the reader's own where there is one."""
    own_file = project / "compose.override.yaml"
    base = _services(project / "compose.yaml")
    return base, _services(own_file) if own_file.exists() else {}


def _services(file: Path) -> dict[str, Mapping[str, Any]]:
    """The services of a Compose file as they are written."""
    try:
        document = _document(file.read_text("utf-8"))
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


def _document(text: str) -> object:
    """What YAML says."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        return yaml.load(text, _TellingLoader)


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
        by = "".join(f", through {other}" for other in extended_by[1:])
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
