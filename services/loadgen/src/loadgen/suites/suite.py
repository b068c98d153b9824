"""A suite: a TOML file that asks one question and lists cases."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.app_registry import AppRegistry
from loadgen.lab.lab import Lab, SetAxes
from loadgen.lab.servers import Server
from loadgen.records.columns import METRICS
from loadgen.suites.axes import option, replaced
from loadgen.suites.cases import Case, plain
from loadgen.suites.pairs import AXES, Compare, Matcher, Pair
from loadgen.suites.search import Rules
from loadgen.suites.suite_file import (
    OF_A_PAGE,
    Axes,
    Expected,
    SuiteFile,
    combinations,
    first_mistake,
    tuples,
    values_of,
    written,
)
from loadgen.suites.time_limit import Fit, fitted
from loadgen.suites.timing import Timing
from loadgen.suites.waterfall import Builder, Waterfall

#: What an article may have published of a case: columns by name.
FIGURES = {"min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "rps", "max_rps"}
#: A file's name has 255 letters at most; a case's has `.r1000.w16.csv.gz` and the like behind it.
LONGEST_SLUG = 220


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
        left_out: sentences that say which combinations are impossible, or which axes say nothing,
            and why.
        rounds: how often every case is measured by default.
        sort: the column its closing table sorts by; None: the file's order.
        timing: how its trials are timed.
        published: an article's figures.
        compare: the comparisons that it asks for.
        waterfalls: cases of which each is one change away from the one before.
        self_test: it asks about the lab itself, not about servers.
        expect: what its comparisons should say; None: nobody knows.
        shortened: a sentence that says what a time limit cuts of it; empty: nothing.
        pools: HTTP client → connections of its pool per process, of those that have so few that
            they may be a limit.
        many_cpus: HTTP clients by which a process of the server may use more than one CPU.
        narrowed_from: all its cases, where the command line has left some out.
        search: how the capacity of each case's stack is searched; None: it is not.
        native_views: server → the view that its cases have where the file does not say.
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
    waterfalls: tuple[Waterfall, ...] = ()
    self_test: bool = False
    expect: Expected | None = None
    shortened: str = ""
    pools: Mapping[str, int] = field(default_factory=dict)
    many_cpus: frozenset[str] = frozenset()
    narrowed_from: tuple[Case, ...] | None = None
    search: Rules | None = None
    native_views: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> tuple[Case, ...]:
        """All its cases, those included that the command line has left out."""
        return self.cases if self.narrowed_from is None else self.narrowed_from

    @property
    def pairs(self) -> list[Pair]:
        """The cases that are compared, each pair once; those left after narrowing."""
        found = [pair for entry in self.compare for pair in entry.pairs(self.cases)]
        for waterfall in self.waterfalls:
            found += [pair for pair in waterfall.pairs if set(pair) <= set(self.cases)]
        return list(dict.fromkeys(found))


def native_views(suites: Iterable[Suite]) -> dict[str, str]:
    """Server → the view that it has where nobody says, of all these suites."""
    return {server: view for suite in suites for server, view in suite.native_views.items()}


def library(lab: Lab) -> "Library":
    """The suites of a lab, with its servers, clients and settings, and the axes that are set.

    Raises:
        ConfigurationError: what their cases may name cannot be read.
    """
    return Library(lab.suite_files, lab.servers, lab.app, lab.axes)


class Library:
    """The folder of suite files, with what their cases may name.

    Args:
        folder: of the suite files.
        servers: those that there are.
        app: the HTTP clients and settings that there are.
        axes: set from the command line, in the place of what the files say; default: none.
    """

    def __init__(
        self,
        folder: Path,
        servers: Mapping[str, Server],
        app: AppRegistry,
        axes: SetAxes | None = None,
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._app = app
        self._http_clients = app.http_clients
        self._axes: SetAxes = axes or {}

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

    def _read(self, name: str) -> SuiteFile:
        path = self._folder / f"{name}.toml"
        if name not in self.names():
            raise ConfigurationError(
                f"there is no suite {name!r}; the suites are {', '.join(self.names())}"
            )
        try:
            return SuiteFile.model_validate(tomllib.loads(path.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path.name} is not UTF-8: {error}") from error
        except OSError as error:
            raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise self._invalid(name, "", error) from error

    def _suite(self, name: str, file: SuiteFile) -> Suite:
        if not file.cases and not file.waterfall:
            raise self._wrong(name, "cases", "there is none: add [[cases]] with a server")
        cases, left_out = self._cases(name, file, self._axes)
        waterfalls = tuple(self._waterfalls(name, file))
        steps = [case for waterfall in waterfalls for case in waterfall.cases]
        cases = list(dict.fromkeys([*cases, *steps]))
        if not cases:
            raise self._wrong(name, "cases", "no possible case is left; " + "; ".join(left_out))
        if file.sort:
            self._check_metrics(name, "sort", [file.sort])
        published = tuple(self._published(name, file, cases, left_out))
        compare = tuple(self._compare(name, file, cases, left_out))
        if file.search:
            self._check_search(name, cases)
        fit = self._fitted(name, file, cases)
        return Suite(
            name=name,
            question=file.question,
            cases=tuple(cases),
            left_out=tuple(dict.fromkeys(left_out)),
            rounds=fit.rounds,
            sort=file.sort,
            timing=fit.timing,
            published=published,
            compare=compare,
            waterfalls=waterfalls,
            self_test=file.self_test,
            expect=file.expect,
            shortened=fit.words,
            pools=self._http_clients.pools,
            many_cpus=self._http_clients.many_cpus,
            search=file.search,
            native_views={case.server: self._servers[case.server].default_view for case in cases},
        )

    def _fitted(self, name: str, file: SuiteFile, cases: Sequence[Case]) -> Fit:
        """The timing and the rounds, within the time limit if there is one."""
        timing = Timing(file.warm_up_s, file.window_s, file.drain_s, file.accounting)
        if file.at_most_s is None:
            return Fit(timing, file.rounds)
        try:
            return fitted(cases, self._servers, timing, file.rounds, file.at_most_s)
        except ConfigurationError as error:
            raise self._wrong(name, "at_most_s", str(error)) from error

    def _cases(self, name: str, file: SuiteFile, axes: SetAxes) -> tuple[list[Case], list[str]]:
        """The cases of a suite with these axes set, and what of it is left out and why."""
        cases: list[Case] = []
        left_out: list[str] = []
        for index, entry in enumerate(file.cases, start=1):
            for combination in combinations(replaced(file.defaults | entry, axes)):
                case = self._case(name, f"cases[{index}]", combination)
                left_out.extend(self._of_no_use(case.server, combination))
                reason = self._impossible(case)
                if reason:
                    left_out.append(f"{case.server} with {case.http_client}: {reason}")
                elif case not in cases:
                    cases.append(case)
        return cases, left_out

    def _check_search(self, name: str, cases: Iterable[Case]) -> None:
        """A search starts from what a view costs, which its case measures under its users."""
        for case in cases:
            if case.driver != "own" or case.ramp or case.load != "closed":
                what = "measures each case under its users first: needs driver own, and no ramp"
                raise self._wrong(name, "search", f"{what}, unlike {case.slug}")

    def _case(self, name: str, where: str, axes: Mapping[str, Any]) -> Case:
        try:
            checked = Axes.model_validate(axes)
        except ValidationError as error:
            raise self._invalid_case(name, where, error) from error
        known: dict[str, Iterable[str]] = {"server": self._servers}
        if self._app.complete:
            known |= {"http_client": self._http_clients.names, "settings": self._app.settings}
        for axis, names in known.items():
            value = getattr(checked, axis)
            if value not in names:
                what = f"unknown {value!r}; known: {', '.join(names)}"
                raise self._wrong_axis(name, where, axis, what)
        case = checked.case(self._servers[checked.server])
        if len(case.slug) > LONGEST_SLUG:
            what = f"needs a name of {len(case.slug)} letters, and a file's name can hold "
            what += f"{LONGEST_SLUG} of it: name fewer or shorter values"
            raise self._wrong_axis(name, where, "delays_ms", what)
        return case

    def _waterfalls(self, name: str, file: SuiteFile) -> Iterator[Waterfall]:
        def case_of(where: str, axes: Mapping[str, Any]) -> Case:
            case = self._case(name, where, axes)
            if reason := self._impossible(case):
                raise self._wrong(name, where, reason)
            return case

        builder = Builder(case_of, lambda where, what: self._wrong(name, where, what))
        for index, entry in enumerate(file.waterfall, start=1):
            where = f"waterfall[{index}]"
            for axis in self._axes:
                if any(axis in step.change for step in entry.steps):
                    what = f"{entry.title!r} of {name}.toml changes it step by step"
                    raise self._wrong_axis(name, where, axis, what)
            start, *others = combinations(replaced(file.defaults | entry.start, self._axes))
            if others:
                what = "a waterfall has one start, so one value of each axis"
                raise self._wrong(name, f"{where}.start", what)
            yield builder.build(where, entry, start)

    def _impossible(self, case: Case) -> str | None:
        """Why a combination cannot be measured; None where it can."""
        server = self._servers[case.server]
        if server.page:
            return None
        if case.view == "async" and server.concurrency == "gevent":
            return "an async view cannot run under gevent (no event loop inside a greenlet)"
        if case.view == "async" and server.interface == "wsgi":
            return "an async view on WSGI gets an event loop per request: a shared client breaks"
        if server.concurrency == "gevent" and not self._http_clients.gevent(case.http_client):
            return "it knows nothing of gevent: one greenlet's call stops all of them"
        if case.view not in self._http_clients.views(case.http_client):
            return f"{case.http_client} has no {case.view} side"
        return None

    def _of_no_use(self, server: str, axes: Iterable[str]) -> Iterator[str]:
        """Which axes a suite gives a server that has a page of its own, whatever they say."""
        named = [axis for axis in axes if axis in OF_A_PAGE]
        if self._servers[server].page and named:
            yield f"{', '.join(named)} of {server}: its view is that of its label lab.url"

    def _published(
        self, name: str, file: SuiteFile, cases: list[Case], left_out: list[str]
    ) -> Iterator[Published]:
        own = set(cases if not self._axes else self._cases(name, file, {})[0])
        for index, entry in enumerate(file.published, start=1):
            where = f"published[{index}]"
            unknown = set(entry) - FIGURES - set(Axes.model_fields)
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
            described = {case for case in cases if published.describes(case.cells())}
            if not described and not self._axes:
                raise self._wrong(name, where, "its axes describe no case of the suite")
            if described and described <= own:
                yield published
            elif described:
                left_out.append("published figures: they are of other axes")

    def _compare(
        self, name: str, file: SuiteFile, cases: list[Case], left_out: list[str]
    ) -> Iterator[Compare]:
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
                change=entry.change,
                planted=entry.planted,
            )
            what = "no case of a has a like in b that equals it on every axis they do not name"
            if next(compare.pairs(cases), None):
                yield compare
            elif self._axes:
                left_out.append(f"{where}: {what}")
            else:
                raise self._wrong(name, where, what)

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
            matcher[axis] = tuple(tuples(one) for one in values_of(axis, value))
            present = list(dict.fromkeys(getattr(case, axis) for case in cases))
            for one in matcher[axis]:
                if one not in present and not self._axes:
                    what = f"no case has {written(one)}; its cases have "
                    what += ", ".join(map(written, present))
                    raise self._wrong(name, f"{where}.{axis}", what)
        return matcher

    def _check_metrics(self, name: str, key: str, metrics: Iterable[str]) -> None:
        for metric in metrics:
            if metric not in METRICS:
                raise self._wrong(name, key, f"unknown {metric!r}; allowed: {', '.join(METRICS)}")

    def _invalid(self, name: str, where: str, error: ValidationError) -> ConfigurationError:
        return self._wrong(name, *first_mistake(where, error))

    def _invalid_case(self, name: str, where: str, error: ValidationError) -> ConfigurationError:
        key, what = first_mistake(where, error)
        axis = str(next(iter(error.errors()[0]["loc"]), ""))
        if axis in self._axes:
            return self._wrong_axis(name, where, axis, what)
        return self._wrong(name, key, what)

    def _wrong_axis(self, name: str, where: str, axis: str, what: str) -> ConfigurationError:
        """A mistake in an axis, where it was made: on the command line, or in the file."""
        if axis in self._axes:
            return ConfigurationError(f"{option(axis)}: {what}")
        return self._wrong(name, f"{where}.{axis}", what)

    def _wrong(self, name: str, key: str, what: str) -> ConfigurationError:
        return ConfigurationError(f"{name}.toml, {key}: {what}")
