"""Combinations of axes → cases, each checked against what the lab has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.lab import Lab, SetAxes
from loadgen.lab.toml_tables import first_mistake
from loadgen.suites.axes import are_set, combinations, option, replaced
from loadgen.suites.cases import Case
from loadgen.suites.mistakes import mistake
from loadgen.suites.suite_file import OF_A_PAGE, Axes, SuiteFile

#: A file's name has 255 letters at most; a case's has `.r1000.w16.csv.gz` and the like behind it.
LONGEST_SLUG = 220


@dataclass(frozen=True)
class CaseMaker:
    """Makes the cases of a suite of that name, of what the lab has."""

    suite: str
    lab: Lab

    def listed(self, file: SuiteFile, axes: SetAxes) -> tuple[list[Case], list[str]]:
        """The cases of a suite's `[[cases]]`, each once, with these axes in the place of its own.

        An entry with `when` counts only where the command line has set these axes so, and keeps
        its own value of them.

        Returns:
            The cases, and sentences that say what is left out and why.

        Raises:
            ConfigurationError: a case is wrong.
        """
        cases: list[Case] = []
        left_out: list[str] = []
        for number, entry in enumerate(file.cases, start=1):
            when = entry.get("when", {})
            if not are_set(when, axes):
                continue
            own = {axis: value for axis, value in entry.items() if axis != "when"}
            others = {axis: values for axis, values in axes.items() if axis not in when}
            for combination in combinations(replaced(file.defaults | own, others)):
                case = self.case(f"cases[{number}]", combination)
                of_no_use = [axis for axis in combination if axis in OF_A_PAGE]
                if self.lab.servers[case.server].page and of_no_use:
                    why = "because its label lab.url names its view"
                    left_out.append(f"{_no_effect(of_no_use)} on {case.server}, {why}")
                if reason := self.why_impossible(case):
                    left_out.append(f"{case.server} with {case.http_client}, because {reason}")
                else:
                    cases.append(case)
        return list(dict.fromkeys(cases)), left_out

    def case(self, where: str, axes: Mapping[str, Any]) -> Case:
        """The case of a combination of axes, which stands at e.g. `cases[1]` in the file.

        Raises:
            ConfigurationError: an axis or a value is unknown, or they do not fit together.
        """
        try:
            checked = Axes.model_validate(axes)
        except ValidationError as error:
            axis = str(next(iter(error.errors()[0]["loc"]), ""))
            raise self.wrong(*first_mistake(where, Axes, error), axis) from error
        for axis, names in self._known().items():
            value = getattr(checked, axis)
            if value not in names:
                what = f"unknown {value!r}; known: {', '.join(names)}"
                raise self.wrong(f"{where}.{axis}", what, axis)
        case = checked.case(self.lab.servers[checked.server])
        if len(case.slug) > LONGEST_SLUG:
            what = f"the case's name has {len(case.slug)} letters, and a file's name can hold "
            what += f"{LONGEST_SLUG} of it: give fewer or shorter values"
            raise self.wrong(f"{where}.delays_ms", what, "delays_ms")
        return case

    def why_impossible(self, case: Case) -> str | None:
        """Why a case cannot be measured; None where it can."""
        server, client = self.lab.servers[case.server], self.lab.app.client(case.http_client)
        if server.page:
            return None
        if case.view == "async" and server.concurrency == "gevent":
            return "an async view cannot run under gevent (no event loop inside a greenlet)"
        if case.view == "async" and server.interface == "wsgi":
            what = "an async view on WSGI gets a new event loop per request"
            return f"{what}, which breaks a shared client"
        if server.concurrency == "gevent" and not client.gevent:
            return "one greenlet's call would stop all of them"
        if case.view not in client.views:
            return f"{case.http_client} has no {case.view} side"
        return None

    def wrong(self, key: str, what: str, axis: str = "") -> ConfigurationError:
        """A mistake: of the command line where that has set the axis, else of the file."""
        if axis in self.lab.axes:
            return ConfigurationError(f"{option(axis)}: {what}")
        return mistake(self.suite, key, what)

    def _known(self) -> dict[str, Iterable[str]]:
        """The names that an axis may have; of an old run's app not all are known."""
        app = self.lab.app
        known: dict[str, Iterable[str]] = {"server": self.lab.servers}
        if app.complete:
            known |= {"http_client": app.http_clients, "settings": app.settings}
        return known


def _no_effect(axes: Sequence[str]) -> str:
    """`settings has no effect`; `settings and view have no effect`."""
    *others, last = axes
    return f"{', '.join(others)} and {last} have no effect" if others else f"{last} has no effect"
