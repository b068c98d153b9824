"""The command lines that repeat a run or a row, and that ask a server without the lab's driver."""

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from loadgen.drivers.target import path_of
from loadgen.lab import network
from loadgen.lab.lab import Lab, SetAxes
from loadgen.lab.servers import Server
from loadgen.suites.axes import LIST_AXES, option
from loadgen.suites.cases import Case
from loadgen.suites.lengths import service_time_s
from loadgen.suites.suite import Suite

BENCH = "scripts/bench"
#: For a row to be contested (docs/rules.md).
ROUNDS = 5
HEY_S = 15
#: Those that a server starts with by itself: the first of LAB_SETTINGS.
DEFAULT_SETTINGS = "startproject"
#: Workers per request that is in flight on average, so that hey's rate limit is what limits it.
SPARE_WORKERS = 2


def loadgen_as_called(lab: Lab) -> str:
    """What a reader calls loadgen by."""
    return BENCH if lab.host_facts else "docker compose run --rm loadgen"


def where_all_is(lab: Lab, run: str) -> str:
    """The line below what fits a screen: where the rest is."""
    return f"More: {loadgen_as_called(lab)} report --full {run}"


def repeat_run(arguments: Mapping[str, Any]) -> str:
    """The whole run again, in the order that it had."""
    words = ["run", *arguments["suites"]]
    for glob in ("servers", "only"):
        if arguments.get(glob, "*") != "*":
            words += [f"--{glob}", arguments[glob]]
    for number in ("rounds", "minutes"):
        if arguments.get(number):
            words += [f"--{number}", str(arguments[number])]
    words += _axes(arguments.get("axes") or {})
    words += ["--seed", str(arguments["seed"])]
    return _bench(words)


def repeat_case(case: Case, suite: Suite, axes: SetAxes) -> str:
    """One case of a suite again, by itself, with the axes that were set for the run."""
    return _repeated(suite, axes, case.slug)


def repeat_duet(a: Case, b: Case, suite: Suite, axes: SetAxes) -> str:
    """The same of a duet of two cases."""
    return _repeated(suite, axes, f"{a.slug} against {b.slug}")


def _repeated(suite: Suite, axes: SetAxes, only: str) -> str:
    words = ["run", suite.name, *_axes(axes), "--only", only, "--rounds", str(ROUNDS)]
    return _bench(words)


def by_hand(case: Case, server: Server) -> list[str]:
    """A plain hey against the server of a case, in the lab's network; the lines, in order."""
    up = f"docker compose up -d api {server.name}"
    hey = "docker compose run --rm --no-deps --entrypoint hey loadgen"
    load = ["-z", f"{HEY_S}s", "-t", "60", *_workers(case, server)]
    if page := server.page:
        start = [_start(server, "")] if page.launcher else []
        return [up, *start, f"{hey} {shlex.join([*load, page.url])}"]
    url = f"http://{server.name}:{network.APP_PORT}{path_of(case)}"
    lines = [f"LAB_AUTOSTART=1 {up}"]
    if case.settings != DEFAULT_SETTINGS:
        lines = [up, _start(server, f"?settings={case.settings}")]
    if case.upstream == "django":  # a server itself, with the settings that it is declared with
        lines = ["LAB_AUTOSTART=1 docker compose up -d api-django", *lines]
    return [*lines, f"{hey} {shlex.join([*load, url])}"]


def _start(server: Server, query: str) -> str:
    """Have its launcher start a server."""
    url = f"http://localhost:{network.LAUNCHER_PORT}/start{query}"
    ask = f"from urllib.request import urlopen; urlopen('{url}')"
    return f'docker compose exec {server.name} python -c "{ask}"'


def _workers(case: Case, server: Server) -> Sequence[str]:
    if case.users:
        return ("-c", str(case.users))
    rate_rps = case.rate_rps or 1.0
    workers = max(1, math.ceil(SPARE_WORKERS * rate_rps * service_time_s(case, server)))
    return ("-c", str(workers), "-q", f"{rate_rps / workers:g}")


def _axes(axes: SetAxes) -> list[str]:
    """The options that set these axes, as axis_options.with_axes reads them."""
    words = []
    for axis, values in axes.items():
        depth = LIST_AXES.get(axis, 0)
        texts = [",".join(map(_corner, value)) for value in (values if depth else [values])]
        words += [word for text in texts for word in (option(axis), text)]
    return words


def _corner(value: Any) -> str:
    """A value of a list: of a ramp `10:100`."""
    return ":".join(map(str, value)) if isinstance(value, list) else str(value)


def _bench(words: Sequence[str]) -> str:
    return shlex.join([BENCH, *words])
