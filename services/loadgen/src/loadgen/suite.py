"""A suite: a TOML file that asks one question and lists cases."""

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from loadgen.cases import Case, Corner, Upstream, View, Workload, plain
from loadgen.errors import ConfigurationError
from loadgen.http_clients import HttpClients
from loadgen.servers import Server

Accounting = Literal["due", "answered"]
Milliseconds = Annotated[float, Field(ge=0, le=60_000)]
Ramp = Annotated[tuple[Corner, ...], Field(min_length=2)]

#: Which axis values are lists by themselves: a list of these is several values of the axis.
LIST_AXES = {"delays_ms": 1, "ramp": 2}

#: What an article may have published of a case: columns by name.
FIGURES = {"min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "rps", "max_rps"}

DEFAULT_DELAYS_MS: dict[str, tuple[float, ...]] = {"fanout": (300, 600, 150), "single": (400,)}


@dataclass(frozen=True)
class Timing:
    """How a suite's trials are timed and counted.

    Attributes:
        warm_up_s: load before the window; None: the protocol's own rule.
        window_s: length of the window; None: the protocol's own rule. A ramp or a counted load
            brings its own.
        drain_s: the most that unanswered requests are followed after the window.
        accounting: `due` counts the requests due in the window and follows them through the
            drain; `answered` counts those answered in it, as Locust and hey do.
    """

    warm_up_s: float | None
    window_s: float | None
    drain_s: float
    accounting: Accounting


@dataclass(frozen=True)
class Published:
    """A row of an article's table: which case it was, and its figures by column name."""

    axes: Mapping[str, object]
    figures: Mapping[str, float]

    def describes(self, case: Mapping[str, object]) -> bool:
        """Whether the case (as cells) has all the axes of this row."""
        return all(case.get(axis) == value for axis, value in self.axes.items())


@dataclass(frozen=True)
class Suite:
    """A question and the cases that answer it.

    Attributes:
        name: the file's name without its ending.
        question: what the suite asks, one sentence.
        cases: in the file's order, without the impossible ones.
        left_out: sentences that say which combinations are impossible, and why.
        rounds: how often every case is measured by default.
        sort: the column its closing table sorts by; None: the file's order.
        timing: how its trials are timed.
        published: an article's figures.
        compare: the comparisons that it asks for, as written.
    """

    name: str
    question: str
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]
    rounds: int
    sort: str | None
    timing: Timing
    published: tuple[Published, ...]
    compare: tuple[Mapping[str, object], ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Axes(_Strict):
    """One combination of axis values, as a suite file writes it."""

    server: str
    settings: str = "startproject"
    view: View | None = None
    workload: Workload = "fanout"
    http_client: str = "httpx-per-request"
    upstream: Upstream = "http"
    delays_ms: Annotated[tuple[Milliseconds, ...], Field(min_length=1)] | None = None
    cpu_ms: Milliseconds = 0
    driver: Literal["own", "locust", "hey"] = "own"
    users: Annotated[int, Field(ge=1)] | None = None
    ramp: Ramp | None = None
    planned_requests: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def fits_together(self) -> "_Axes":
        if self.ramp is None and self.users is None:
            raise ValueError("needs users (a number) or a ramp ([[seconds, users], …])")
        if self.ramp is not None:
            self._check_ramp(self.ramp)
        if (self.planned_requests is None) != (self.driver != "hey"):
            raise ValueError("planned_requests goes with driver hey, and hey needs it")
        if self.driver == "hey" and self.ramp is not None:
            raise ValueError("driver hey has no ramp")
        if self.planned_requests and self.users and self.planned_requests % self.users:
            raise ValueError("hey sends a multiple of users: planned_requests must be one")
        if self.workload == "single" and self.delays_ms and len(self.delays_ms) != 1:
            raise ValueError("workload single makes one call: delays_ms must hold one number")
        return self

    def _check_ramp(self, ramp: tuple[Corner, ...]) -> None:
        if self.users is not None:
            raise ValueError("users and ramp exclude each other")
        flat = len(ramp) == 3 and ramp[1][1] == ramp[2][1]
        if not flat or ramp[0] != (0, 0) or not 0 < ramp[1][0] < ramp[2][0] or ramp[1][1] < 1:
            raise ValueError("ramp must read [[0, 0], [seconds, users], [end, users]]")

    def case(self, server: Server) -> Case:
        values = self.model_dump()
        view = self.view or server.default_view
        delays_ms = self.delays_ms or DEFAULT_DELAYS_MS[self.workload]
        users = self.ramp[-1][1] if self.ramp else self.users
        return Case(
            **values | {"view": view, "delays_ms": delays_ms, "users": users, "load": "closed"}
        )


class _File(_Strict):
    """A suite file as written."""

    question: str
    rounds: Annotated[int, Field(ge=1)] = 1
    sort: str | None = None
    include: tuple[str, ...] = ()
    warm_up_s: Annotated[float, Field(ge=0)] | None = None
    window_s: Annotated[float, Field(gt=0)] | None = None
    drain_s: Annotated[float, Field(ge=0)] = 10
    accounting: Accounting = "due"
    defaults: dict[str, Any] = {}
    cases: tuple[dict[str, Any], ...] = ()
    compare: tuple[dict[str, Any], ...] = ()
    published: tuple[dict[str, Any], ...] = ()


class Library:
    """The folder of suite files, with what their cases may name."""

    def __init__(
        self, folder: Path, servers: Mapping[str, Server], http_clients: HttpClients
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._http_clients = http_clients

    def names(self) -> list[str]:
        """All suites, by name."""
        return sorted(file.stem for file in self._folder.glob("*.toml"))

    def question(self, name: str) -> str:
        """What a suite asks."""
        return self._read(name).question

    def load(self, name: str, within: tuple[str, ...] = ()) -> list[Suite]:
        """The suite of that name, or those that it includes.

        Args:
            name: the suite.
            within: the suites that include it, outermost first.

        Raises:
            ConfigurationError: naming file, key and the allowed values.
        """
        file = self._read(name)
        if not file.include:
            return [self._suite(name, file)]
        if file.cases:
            raise self._wrong(name, "include", "a suite includes others or has cases, not both")
        if name in within:
            raise self._wrong(name, "include", f"{name} includes itself")
        inside = (*within, name)
        return [suite for included in file.include for suite in self.load(included, inside)]

    def _read(self, name: str) -> _File:
        path = self._folder / f"{name}.toml"
        if not path.exists():
            raise ConfigurationError(
                f"there is no suite {name!r}; the suites are {', '.join(self.names())}"
            )
        try:
            return _File.model_validate(tomllib.loads(path.read_text()))
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path.name}: {error}") from error
        except ValidationError as error:
            raise self._invalid(name, "", error) from error

    def _suite(self, name: str, file: _File) -> Suite:
        cases: list[Case] = []
        left_out: list[str] = []
        for index, entry in enumerate(file.cases, start=1):
            for axes in _combinations(file.defaults | entry):
                case = self._case(name, f"cases[{index}]", axes)
                reason = self._impossible(case)
                if reason:
                    left_out.append(f"{case.server} with {case.http_client}: {reason}")
                elif case not in cases:
                    cases.append(case)
        if not cases:
            raise self._wrong(name, "cases", "no possible case is left; " + "; ".join(left_out))
        return Suite(
            name=name,
            question=file.question,
            cases=tuple(cases),
            left_out=tuple(left_out),
            rounds=file.rounds,
            sort=file.sort,
            timing=Timing(file.warm_up_s, file.window_s, file.drain_s, file.accounting),
            published=tuple(self._published(name, file, cases)),
            compare=file.compare,
        )

    def _case(self, name: str, where: str, axes: Mapping[str, Any]) -> Case:
        try:
            checked = _Axes.model_validate(axes)
        except ValidationError as error:
            raise self._invalid(name, where, error) from error
        if checked.server not in self._servers:
            known = ", ".join(self._servers)
            raise self._wrong(
                name, f"{where}.server", f"{checked.server!r} is not declared; servers: {known}"
            )
        if checked.http_client not in self._http_clients.names:
            known = ", ".join(self._http_clients.names)
            raise self._wrong(
                name, f"{where}.http_client", f"unknown {checked.http_client!r}; known: {known}"
            )
        return checked.case(self._servers[checked.server])

    def _impossible(self, case: Case) -> str | None:
        """Why a combination cannot be measured; None where it can."""
        server = self._servers[case.server]
        if case.view == "async" and server.concurrency == "gevent":
            return "an async view cannot run under gevent (no event loop inside a greenlet)"
        if case.view == "async" and server.interface == "wsgi":
            return "an async view on WSGI gets an event loop per request: a shared client breaks"
        if case.view not in self._http_clients.views(case.http_client):
            return f"{case.http_client} has no {case.view} side"
        return None

    def _published(self, name: str, file: _File, cases: list[Case]) -> Iterator[Published]:
        for index, entry in enumerate(file.published, start=1):
            where = f"published[{index}]"
            unknown = set(entry) - FIGURES - set(_Axes.model_fields)
            if unknown:
                allowed = f"axes or {', '.join(sorted(FIGURES))}"
                raise self._wrong(name, where, f"unknown {', '.join(sorted(unknown))}; {allowed}")
            figures = {key: value for key, value in entry.items() if key in FIGURES}
            for key, value in figures.items():
                if not isinstance(value, int | float):
                    raise self._wrong(name, f"{where}.{key}", f"{value!r} is not a number")
            axes = {key: value for key, value in entry.items() if key not in FIGURES}
            if isinstance(delays_ms := axes.get("delays_ms"), list):
                axes["delays_ms"] = "+".join(map(plain, delays_ms))
            published = Published(axes, figures)
            if not any(published.describes(case.cells()) for case in cases):
                raise self._wrong(name, where, "its axes describe no case of the suite")
            yield published

    def _invalid(self, name: str, where: str, error: ValidationError) -> ConfigurationError:
        first = error.errors()[0]
        key = ".".join([where, *map(str, first["loc"])]).strip(".")
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            allowed = _Axes.model_fields if where else _File.model_fields
            what = f"unknown key; allowed: {', '.join(allowed)}"
        return self._wrong(name, key, what)

    def _wrong(self, name: str, key: str, what: str) -> ConfigurationError:
        return ConfigurationError(f"{name}.toml, {key}: {what}")


def _combinations(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Lists multiply: every combination of the values of every axis."""
    values = [_values(axis, value) for axis, value in entry.items()]
    for combination in itertools.product(*values):
        yield dict(zip(entry, combination, strict=True))


def _values(axis: str, value: object) -> list[Any]:
    depth, inner = 0, value
    while isinstance(inner, list) and inner:
        depth, inner = depth + 1, inner[0]
    several = isinstance(value, list) and depth > LIST_AXES.get(axis, 0)
    return list(value) if several else [value]  # type: ignore[call-overload]
