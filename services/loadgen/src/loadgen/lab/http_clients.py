"""The app's list of HTTP clients, and what each can do."""

from pathlib import Path
from typing import Annotated, get_args

from pydantic import Field, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.servers import View
from loadgen.lab.toml_tables import TomlTable, first_mistake, read_toml

#: The app's own registry, inside the project's folder.
REGISTRY = Path("services/app/src/consumer/http_clients/registry.toml")


class HttpClient(TomlTable, strict=True):
    """A client's table in the registry.

    Attributes:
        views: the views that it can serve.
        connections: connections that its pool holds, per process; None: never a limit.
        gevent: whether it works under gevent.
        many_cpus: whether it computes outside of Python, so that a process of the server may use
            more than one CPU at a time.
    """

    views: Annotated[tuple[View, ...], Field(min_length=1, strict=False)]
    connections: Annotated[int, Field(ge=1)] | None = None
    gevent: bool = True
    many_cpus: bool = False


#: A client that can do all there is.
ANYTHING = HttpClient(views=get_args(View))


def read_http_clients(project: Path) -> dict[str, HttpClient]:
    """The clients that the app in the project's folder knows, by name.

    Raises:
        ConfigurationError: the registry is missing, is not valid TOML, or a table of it is wrong.
    """
    file = project / REGISTRY
    if not file.exists():
        raise ConfigurationError(f"{file} is missing: it must list the HTTP clients")
    return {name: _client(file, name, table) for name, table in read_toml(file, str(file)).items()}


def _client(file: Path, name: str, table: object) -> HttpClient:
    try:
        return HttpClient.model_validate(table)
    except ValidationError as error:
        key, what = first_mistake(name, HttpClient, error)
        raise ConfigurationError(f"{file}, {key}: {what}") from error
