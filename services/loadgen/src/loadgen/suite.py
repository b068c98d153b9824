"""A suite: a TOML file that asks one question and lists cases."""

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from loadgen.cases import Case, Corner, Upstream, View, Workload, plain
from loadgen.columns import TRIALS
from loadgen.errors import ConfigurationError
from loadgen.http_clients import HttpClients
from loadgen.pairs import AXES, Compare, Matcher, Pair
from loadgen.servers import Server

Accounting = Literal["due", "answered"]
Milliseconds = Annotated[float, Field(ge=0, le=60_000)]
Ramp = Annotated[tuple[Corner, ...], Field(min_length=2)]
#: What a suite knows beforehand of its comparisons' outcome.
Expected = Literal["no difference"]

#: Which axis values are lists by themselves: a list of these is several values of the axis.
LIST_AXES = {"delays_ms": 1, "ramp": 2}

#: What an article may have published of a case: columns by name.
FIGURES = {"min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "rps", "max_rps"}

#: What can be compared and sorted by: the columns that have a mean over rounds.
METRICS = tuple(column.name for column in TRIALS if column.summarised)

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
        compare: the comparisons that it asks for.
        self_test: it asks about the lab itself, not about servers.
        expect: what its comparisons should say; None: nobody knows.
    """

    name: str
    question: str
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]
    rounds: int
    sort: str | None
    timing: Timing
    published: tuple[Published, ...]
    compare: tuple[Compare, ...]
    self_test: bool = False
    expect: Expected | None = None

    @property
    def pairs(self) -> list[Pair]:
        """The cases that are compared, each pair once; those left after narrowing."""
        found = (pair for entry in self.compare for pair in entry.pairs(self.cases))
        return list(dict.fromkeys(found))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


class _Compare(_Strict):
    """A `[[compare]]` entry as written."""

    a: dict[str, Any]
    b: dict[str, Any]
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("rps",)
    words: str | None = None
    planted: dict[str, float] = {}


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
    self_test: bool = False
    expect: Expected | None = None
    cases: tuple[dict[str, Any], ...] = ()
    compare: tuple[_Compare, ...] = ()
    published: tuple[dict[str, Any], ...] = ()


class Library:
    """The folder of suite files, with what their cases may name."""

    def __init__(
        self,
        folder: Path,
        servers: Mapping[str, Server],
        http_clients: HttpClients,
        settings: Sequence[str],
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._http_clients = http_clients
        self._settings = settings

    def names(self) -> list[str]:
        """All suites, by name."""
        return sorted(file.stem for file in self._folder.glob("*.toml"))

    def question(self, name: str) -> str:
        """What a suite asks."""
        return self._read(name).question

    def is_self_test(self, name: str) -> bool:
        """Whether a suite asks about the lab itself."""
        return self._read(name).self_test

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
        if name in within:
            raise self._wrong(name, "include", f"{name} includes itself")
        if own := file.model_fields_set - {"question", "include"}:
            raise self._wrong(
                name,
                "include",
                f"a suite that includes others has no {', '.join(sorted(own))} of its own",
            )
        for included in file.include:
            if included not in self.names():
                raise self._wrong(
                    name, "include", f"unknown {included!r}; suites: {', '.join(self.names())}"
                )
        inside = (*within, name)
        return [suite for included in file.include for suite in self.load(included, inside)]

    def _read(self, name: str) -> _File:
        path = self._folder / f"{name}.toml"
        if not path.exists():
            raise ConfigurationError(
                f"there is no suite {name!r}; the suites are {', '.join(self.names())}"
            )
        try:
            return _File.model_validate(tomllib.loads(path.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path.name} is not UTF-8: {error}") from error
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
        if not file.cases:
            raise self._wrong(name, "cases", "there is none: add [[cases]] with a server")
        if not cases:
            raise self._wrong(name, "cases", "no possible case is left; " + "; ".join(left_out))
        if file.sort:
            self._check_metrics(name, "sort", [file.sort])
        return Suite(
            name=name,
            question=file.question,
            cases=tuple(cases),
            left_out=tuple(left_out),
            rounds=file.rounds,
            sort=file.sort,
            timing=Timing(file.warm_up_s, file.window_s, file.drain_s, file.accounting),
            published=tuple(self._published(name, file, cases)),
            compare=tuple(self._compare(name, file, cases)),
            self_test=file.self_test,
            expect=file.expect,
        )

    def _case(self, name: str, where: str, axes: Mapping[str, Any]) -> Case:
        try:
            checked = _Axes.model_validate(axes)
        except ValidationError as error:
            raise self._invalid(name, where, error) from error
        known: dict[str, Iterable[str]] = {
            "server": self._servers,
            "http_client": self._http_clients.names,
            "settings": self._settings,
        }
        for axis, names in known.items():
            value = getattr(checked, axis)
            if value not in names:
                raise self._wrong(
                    name, f"{where}.{axis}", f"unknown {value!r}; known: {', '.join(names)}"
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

    def _compare(self, name: str, file: _File, cases: list[Case]) -> Iterator[Compare]:
        for index, entry in enumerate(file.compare, start=1):
            where = f"compare[{index}]"
            self._check_metrics(name, f"{where}.metrics", entry.metrics)
            if unknown := set(entry.planted) - set(entry.metrics):
                what = f"unknown {', '.join(sorted(unknown))}; its metrics are "
                raise self._wrong(name, f"{where}.planted", what + ", ".join(entry.metrics))
            compare = Compare(
                a=self._matcher(name, f"{where}.a", entry.a, cases),
                b=self._matcher(name, f"{where}.b", entry.b, cases),
                metrics=entry.metrics,
                words=entry.words,
                planted=entry.planted,
            )
            if next(compare.pairs(cases), None) is None:
                what = "no case of a has a like in b that equals it on every axis they do not name"
                raise self._wrong(name, where, what)
            yield compare

    def _matcher(
        self, name: str, where: str, entry: Mapping[str, Any], cases: list[Case]
    ) -> Matcher:
        if not entry:
            raise self._wrong(name, where, f"names no axis; axes: {', '.join(AXES)}")
        matcher = {}
        for axis, value in entry.items():
            if axis not in AXES:
                what = f"unknown axis; allowed: {', '.join(AXES)}"
                raise self._wrong(name, f"{where}.{axis}", what)
            matcher[axis] = tuple(_tuples(one) for one in _values(axis, value))
            present = list(dict.fromkeys(getattr(case, axis) for case in cases))
            for one in matcher[axis]:
                if one not in present:
                    what = f"no case has {_written(one)}; its cases have "
                    what += ", ".join(map(_written, present))
                    raise self._wrong(name, f"{where}.{axis}", what)
        return matcher

    def _check_metrics(self, name: str, key: str, metrics: Iterable[str]) -> None:
        for metric in metrics:
            if metric not in METRICS:
                raise self._wrong(name, key, f"unknown {metric!r}; allowed: {', '.join(METRICS)}")

    def _invalid(self, name: str, where: str, error: ValidationError) -> ConfigurationError:
        first = error.errors()[0]
        key = (where + "".join(map(_key, first["loc"]))).removeprefix(".")
        match first["type"], first["input"]:
            case "extra_forbidden", _:
                of_compare = not where and first["loc"][0] == "compare"
                model = _Axes if where else _Compare if of_compare else _File
                what = f"unknown key; allowed: {', '.join(model.model_fields)}"
            case "missing", _:
                what = "is missing"
            case "tuple_type", dict():
                what = f"must be a list of tables: write [[{key}]]"
            case kind, value:
                what = _in_our_words(kind, first["msg"])
                if not isinstance(value, dict | list):
                    what += f", not {_written(value)}"
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


def _in_our_words(kind: str, message: str) -> str:
    """What pydantic found wrong, for a reader of TOML."""
    if kind == "tuple_type":
        return "must be a list"
    message = message.removeprefix("Value error, ").replace("Input should", "must")
    return message.replace("a valid ", "a ").replace("a dictionary", "a table")


def _key(step: int | str) -> str:
    """A step into the file, lists counted from one as in all messages."""
    return f"[{step + 1}]" if isinstance(step, int) else f".{step}"


def _tuples(value: object) -> object:
    """Lists as a case holds them."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _written(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, float) else repr(value)
