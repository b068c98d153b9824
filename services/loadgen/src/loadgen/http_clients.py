"""The app's list of HTTP clients, and which views each can serve."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import ConfigurationError

#: The app's own registry, inside the project's folder.
REGISTRY = Path("services/app/src/consumer/http_clients/registry.toml")


@dataclass(frozen=True)
class HttpClients:
    """The registry: client name → the views (`sync`, `async`) that it can serve."""

    views_by_name: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """All clients, in the registry's order."""
        return tuple(self.views_by_name)

    def views(self, name: str) -> tuple[str, ...]:
        """The views that this client can serve."""
        return self.views_by_name[name]


def read_http_clients(project: Path) -> HttpClients:
    """The clients that the app in the project's folder knows.

    Raises:
        ConfigurationError: the registry is missing or is not valid TOML.
    """
    file = project / REGISTRY
    try:
        entries = tomllib.loads(file.read_text())
    except FileNotFoundError:
        raise ConfigurationError(f"{file} is missing: it lists the HTTP clients") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    return HttpClients({name: tuple(views) for name, views in entries.items()})
