"""The app's list of HTTP clients, and what each can do."""

import tomllib
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.servers import View

#: The app's own registry, inside the project's folder.
REGISTRY = Path("services/app/src/consumer/http_clients/registry.toml")


class HttpClient(BaseModel):
    """A client's table in the registry.

    Attributes:
        views: the views that it can serve.
        connections: connections that its pool holds, per process; None: never a limit.
        gevent: whether it works under gevent.
        many_cpus: whether it computes outside of Python, so that a process of the server may use
            more than one CPU at a time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    views: Annotated[tuple[View, ...], Field(min_length=1, strict=False)]
    connections: Annotated[int, Field(ge=1)] | None = None
    gevent: bool = True
    many_cpus: bool = False


#: A client that can do all there is.
ANYTHING = HttpClient(views=get_args(View))
_TABLES = TypeAdapter(dict[str, HttpClient])


def read_http_clients(project: Path) -> dict[str, HttpClient]:
    """The clients that the app in the project's folder knows, by name.

    Raises:
        ConfigurationError: the registry is missing, is not valid TOML, or a table of it is wrong.
    """
    file = project / REGISTRY
    try:
        return _TABLES.validate_python(tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(f"{file} is missing: it lists the HTTP clients") from None
    except ValidationError as error:
        raise ConfigurationError(f"{file}, {_first_mistake(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _first_mistake(error: ValidationError) -> str:
    """Where the first mistake is, and what to write there."""
    first = error.errors()[0]
    name, *key = first["loc"]
    where = f"[{name}]" + "".join(f" {step}" for step in key[:1])
    match first["type"], first["input"]:
        case "extra_forbidden", _:
            return f"{where}: unknown key; allowed: {', '.join(HttpClient.model_fields)}"
        case "missing", _:
            return f'{where}: is missing; write {where.split()[-1]} = ["sync", "async"], or one'
        case "model_type", value:
            return f"{name}: must be a table, [{name}], not {value!r}"
        case _, value:
            return f"{where}: {first['msg'].replace('Input should', 'must')}, not {value!r}"
