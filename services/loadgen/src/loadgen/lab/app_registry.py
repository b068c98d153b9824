"""What the app can do: its HTTP clients and its Django settings, now or when a run began."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadgen.errors import ConfigurationError
from loadgen.lab.http_clients import HttpClients, clients_from, read_http_clients
from loadgen.lab.servers import Server
from loadgen.lab.settings import read_settings
from loadgen.records.trials_csv import read_rows

#: The copy in a run's folder.
COPY = "app.json"


@dataclass(frozen=True)
class AppRegistry:
    """The names that a suite's axes http_client and settings can have.

    Attributes:
        http_clients: the clients, with what each can do.
        settings: the Django settings.
        complete: whether there is no other; False where a run has kept no copy of its own.
    """

    http_clients: HttpClients
    settings: tuple[str, ...]
    complete: bool = True

    def document(self) -> dict[str, Any]:
        """As JSON has it, for a run's folder."""
        return {"http_clients": self.http_clients.document(), "settings": list(self.settings)}


def read_registry(project: Path) -> AppRegistry:
    """That of the app in the project's folder.

    Raises:
        ConfigurationError: its list of clients or its settings are missing or wrong.
    """
    return AppRegistry(read_http_clients(project), read_settings(project))


def registry_of(run: Path, servers: Mapping[str, Server], project: Path) -> AppRegistry:
    """That of the app when a run began.

    A run that was made before runs kept a copy is read with today's, and with whatever its rows
    show besides: what has gone or has been narrowed since then does not end or change it.

    Args:
        run: its folder.
        servers: as they were declared when it began.
        project: the project's folder.

    Raises:
        ConfigurationError: the copy cannot be read; or, where there is none, today's.
    """
    file = run / COPY
    if not file.exists():
        today = read_registry(project)
        return replace(
            today, http_clients=_widened(today.http_clients, run, servers), complete=False
        )
    try:
        document = json.loads(file.read_text("utf-8"))
        return AppRegistry(clients_from(document["http_clients"]), tuple(document["settings"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error


def _widened(today: HttpClients, run: Path, servers: Mapping[str, Server]) -> HttpClients:
    """Today's clients, able to do what a run has done with them."""
    widened = today
    for row in read_rows(run):
        name, view = row.text("http_client"), row.text("view")
        if name and view:
            server = servers.get(row.text("server"))
            gevent = server is not None and server.concurrency == "gevent"
            widened = widened.able(name, view, gevent=gevent)
    return widened
