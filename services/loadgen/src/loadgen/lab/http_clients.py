"""The app's list of HTTP clients, and what each can do."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

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


_TABLES = TypeAdapter(dict[str, HttpClient])
ANYTHING = HttpClient(views=get_args(View))


@dataclass(frozen=True)
class HttpClients:
    """The registry: client name → its table."""

    by_name: Mapping[str, HttpClient]

    @property
    def names(self) -> tuple[str, ...]:
        """All clients, in the registry's order."""
        return tuple(self.by_name)

    def views(self, name: str) -> tuple[View, ...]:
        """The views that this client can serve."""
        return self._of(name).views

    def connections(self, name: str) -> int | None:
        """Connections of the client's pool per process; None: so many that it never limits."""
        return self._of(name).connections

    @property
    def pools(self) -> dict[str, int]:
        """The clients whose pool may be a limit, with its connections per process."""
        limited = {name: client.connections for name, client in self.by_name.items()}
        return {name: count for name, count in limited.items() if count is not None}

    @property
    def many_cpus(self) -> frozenset[str]:
        """The clients by which a process of the server may use more than one CPU at a time."""
        return frozenset(name for name, client in self.by_name.items() if client.many_cpus)

    def gevent(self, name: str) -> bool:
        """Whether the client works where greenlets stand for threads."""
        return self._of(name).gevent

    def _of(self, name: str) -> HttpClient:
        """Of one that is not known any more, nobody knows what it could not do."""
        return self.by_name.get(name, ANYTHING)

    def able(self, name: str, view: str, *, gevent: bool) -> "HttpClients":
        """The same clients, of which this one can serve that view, under gevent too if so said."""
        known = self.by_name.get(name)
        views = {view, *(known.views if known else ())}
        if known and views == {*known.views} and (known.gevent or not gevent):
            return self
        table = known.model_dump() if known else {}
        able = table | {"views": sorted(views), "gevent": gevent or not known or known.gevent}
        return HttpClients({**self.by_name, name: HttpClient.model_validate(able)})

    def document(self) -> dict[str, Any]:
        """As JSON has it: the registry's own tables."""
        document: dict[str, Any] = _TABLES.dump_python(
            dict(self.by_name), mode="json", exclude_defaults=True
        )
        return document


def clients_from(document: Mapping[str, Any]) -> HttpClients:
    """The clients of a document.

    Raises:
        ValueError: it is none.
    """
    return HttpClients(_TABLES.validate_python(document))


def read_http_clients(project: Path) -> HttpClients:
    """The clients that the app in the project's folder knows.

    Raises:
        ConfigurationError: the registry is missing, is not valid TOML, or a table of it is wrong.
    """
    file = project / REGISTRY
    try:
        return clients_from(tomllib.loads(file.read_text("utf-8")))
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
