"""What the app can do: its HTTP clients and its Django settings, now or when a run began."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.http_clients import ANYTHING, HttpClient, read_http_clients
from loadgen.lab.servers import Server
from loadgen.records.trials_csv import read_rows

#: The copy in a run's folder.
COPY = "app.json"
#: The app's settings, a module each, inside the project's folder.
SETTINGS = Path("services/app/src/consumer/settings")
#: What all of them build on is none that a server runs with.
SHARED = ("__init__", "base")


class AppRegistry(BaseModel):
    """The names that a suite's axes http_client and settings can have.

    Attributes:
        http_clients: the clients by name, in the registry's order.
        settings: the Django settings.
        complete: whether there is no other; False where a run has kept no copy of its own.
    """

    model_config = ConfigDict(frozen=True)

    http_clients: dict[str, HttpClient]
    settings: tuple[str, ...]
    complete: bool = True

    def client(self, name: str) -> HttpClient:
        """Of one that is not known any more, nobody knows what it could not do."""
        return self.http_clients.get(name, ANYTHING)


def read_registry(project: Path) -> AppRegistry:
    """That of the app in the project's folder.

    Raises:
        ConfigurationError: its list of clients or its settings are missing or wrong.
    """
    folder = project / SETTINGS
    settings = sorted(file.stem for file in folder.glob("*.py") if file.stem not in SHARED)
    if not settings:
        raise ConfigurationError(f"{folder} is missing or empty: it must hold the Django settings")
    return AppRegistry(http_clients=read_http_clients(project), settings=tuple(settings))


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
        widened = _widened(today.http_clients, run, servers)
        return today.model_copy(update={"http_clients": widened, "complete": False})
    try:
        return AppRegistry.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        what = ": ".join(map(str, (*first["loc"], first["msg"])))
        raise ConfigurationError(f"{file} cannot be read: {what}") from error


def _widened(
    today: Mapping[str, HttpClient], run: Path, servers: Mapping[str, Server]
) -> dict[str, HttpClient]:
    """Today's clients, able to do what a run has done with them."""
    widened = dict(today)
    for row in read_rows(run):
        name, view = row.text("http_client"), row.text("view")
        if name and view:
            known = widened.get(name) or HttpClient.model_validate({"views": [view]})
            server = servers.get(row.text("server"))
            under_gevent = server is not None and server.concurrency == "gevent"
            able = {
                "views": tuple(dict.fromkeys([*known.views, view])),
                "gevent": known.gevent or under_gevent,
            }
            widened[name] = known.model_copy(update=able)
    return widened
