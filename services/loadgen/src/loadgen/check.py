"""`loadgen check`: what each driver sees, beside the API's own record of the same requests.

The API plays a list of delays and failures that is known beforehand. Each driver loads it by the
code of a trial, and its samples go through the measures of a trial.
"""

import csv
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.cases import Case
from loadgen.distributions import DISTRIBUTIONS, Failures, planned_answers
from loadgen.drivers.base import LoadPlan
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.drivers.told import told
from loadgen.errors import ConfigurationError, TrialError
from loadgen.figures import Figures, figures_of
from loadgen.samples import SCHEMA, frame
from loadgen.target import Target

#: The goal: latency within 1 ms or 1 %, whichever is more; throughput within 1 %; counts exact.
MOST_OFF_MS = 1.0
MOST_OFF = 0.01

RATES_RPS = (50, 500)
#: A load makes so many requests at least: five lie above the p99 of 500.
LEAST_REQUESTS = 510
LEAST_SECONDS = 2.5
#: A timed load may make a few more requests than its rate by its length.
SPARE = 1.2
DRAIN_S = 3.0
#: A driver may need this long beyond load and drain to start, stop and write its files.
FAREWELL_S = 20.0

#: So few failures that the p99 still lands on an answer.
SOME_FAIL = Failures(errors=0.004, cut=0.002)
#: Apart from the rest, since a driver that asks again then makes other requests than it tells.
HANG_UPS = Failures(hung_up=0.02)
HANG_UPS_RPS = 200

FIGURES = tuple(field.name for field in fields(Figures))
EXPECTED_TEXT = "as planned"
YES, NO, ASKS_AGAIN = "yes", "no", "asks again"


@dataclass(frozen=True)
class Load:
    """One load of the check.

    Attributes:
        driver: who makes it.
        distribution: of the delays.
        rate_rps: about how many requests a second: users = rate × mean delay (Little).
        hang_ups: connections close without an answer, instead of the other failures.
    """

    driver: str
    distribution: str
    rate_rps: int
    hang_ups: bool = False

    @property
    def name(self) -> str:
        """The delays, in words."""
        return "hang-ups" if self.hang_ups else self.distribution

    @property
    def mean_s(self) -> float:
        """Mean delay."""
        return DISTRIBUTIONS[self.distribution].mean_ms / 1000

    @property
    def users(self) -> int:
        """Closed users that make the rate."""
        return max(1, round(self.rate_rps * self.mean_s))

    @property
    def seconds(self) -> float:
        """Length of the load."""
        return max(LEAST_SECONDS, LEAST_REQUESTS / self.rate_rps)

    @property
    def case(self) -> Case:
        """The load as a case, for the driver."""
        counted = math.ceil(self.rate_rps * self.seconds / self.users) * self.users
        return Case(
            server="api",
            settings="",
            view="async",
            workload="single",
            http_client="no-http",
            upstream="http",
            delays_ms=(self.mean_s * 1000,),
            cpu_ms=0,
            driver=self.driver,
            load="closed",
            users=self.users,
            planned_requests=counted if self.driver == "hey" else None,
        )

    @property
    def answers(self) -> int:
        """Length of the list: what the load needs at most; exactly that where it is counted."""
        if self.case.planned_requests and not self.hang_ups:
            return self.case.planned_requests
        return math.ceil(SPARE * self.rate_rps * self.seconds) + self.users


def loads(drivers: Iterable[str], distributions: Sequence[str], rates: Sequence[int]) -> list[Load]:
    """All loads of a check: every distribution at every rate, and hang-ups, by every driver."""
    made = []
    for driver in drivers:
        made += [Load(driver, name, rate) for name in distributions for rate in rates]
        made.append(Load(driver, "fixed", HANG_UPS_RPS, hang_ups=True))
    return made


@dataclass(frozen=True)
class Finding:
    """What came out of one load.

    Attributes:
        load: the load.
        ours: the driver's figures by our accounting, as a trial would have them.
        api: the API's record of the same requests.
        tool: what the tool itself says; None where it says nothing.
    """

    load: Load
    ours: Figures
    api: Figures
    tool: Figures | None

    @property
    def asked_again(self) -> int:
        """Requests that the API got beyond those that the driver tells of."""
        return self.api.requests - self.ours.requests

    @property
    def agrees(self) -> str:
        """`yes`, `asks again`, or `no` with the figures that differ."""
        if self.load.hang_ups:
            return self._agrees_on_hang_ups()
        off = [name for name in ("requests", "failures") if self._differs(name, 0, 0)]
        off += [name for name in ("rps",) if self._differs(name, 0, MOST_OFF)]
        percentiles = ("p50_ms", "p95_ms", "p99_ms")
        off += [name for name in percentiles if self._differs(name, MOST_OFF_MS, MOST_OFF)]
        return f"{NO}: {' '.join(name.removesuffix('_ms') for name in off)}" if off else YES

    def _agrees_on_hang_ups(self) -> str:
        """Each connection that closed is a failure, or was asked again: none may be missing."""
        if self.ours.failures + self.asked_again != self.api.failures:
            return f"{NO}: failures"
        return ASKS_AGAIN if self.asked_again else YES

    def _differs(self, name: str, absolute: float, relative: float) -> bool:
        ours, api = getattr(self.ours, name), getattr(self.api, name)
        if ours is None or api is None:
            return ours is not api
        return bool(abs(ours - api) > max(absolute, relative * api))

    def cells(self) -> dict[str, object]:
        """The finding as a line of check.csv."""
        return {
            "driver": self.load.driver,
            "delays": self.load.name,
            "rate_rps": self.load.rate_rps,
            "users": self.load.users,
            **{name: getattr(self.ours, name) for name in FIGURES},
            **{f"api_{name}": getattr(self.api, name) for name in FIGURES},
            **{f"tool_{name}": getattr(self.tool, name, None) for name in FIGURES},
            "asked_again": self.asked_again,
            "agrees": self.agrees,
        }


class Check:
    """Drives the API by one load after the other.

    Args:
        origin: of the API.
        http: the client for control calls.
        seed: of the lists' order.
    """

    def __init__(self, origin: str, http: httpx.Client, seed: int) -> None:
        self._origin = origin
        self._http = http
        self._random = random.Random(seed)

    def run(self, load: Load) -> Finding:
        """Make one load.

        Raises:
            TrialError: the driver or the API failed.
        """
        failures = HANG_UPS if load.hang_ups else SOME_FAIL
        answers = planned_answers(
            DISTRIBUTIONS[load.distribution], load.answers, failures, self._random
        )
        self._ask("POST", "/-/play", json={"answers": answers})
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            samples, start_ns = self._drive(load, folder)
            tool = told(load.driver, folder)
        record = api_samples(self._ask("GET", "/-/played"), start_ns)
        return Finding(load, figures_of(samples), figures_of(record), tool)

    def _drive(self, load: Load, folder: Path) -> tuple[pl.DataFrame, int]:
        target = Target(
            origin=self._origin,
            path="/play/",
            expected_text=EXPECTED_TEXT,
            service_time_s=load.mean_s,
            calls_per_view=0,
            launcher="",
        )
        seconds = None if load.case.planned_requests else load.seconds
        plan = LoadPlan(load.case, target, seconds, DRAIN_S)
        with DriverProcess(DRIVERS[load.driver], plan, folder) as process:
            process.wait_until_ready()
            start_ns = process.start()
            process.wait_for_end(load.seconds + DRAIN_S + FAREWELL_S)
            return process.samples(start_ns), start_ns

    def _ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        url = self._origin + path
        try:
            response = self._http.request(method, url, timeout=15, **body).raise_for_status()
        except httpx.HTTPError as error:
            raise TrialError("api-lost", f"{url} does not answer as it should: {error}") from error
        document: dict[str, Any] = response.json()
        return document


def api_samples(played: dict[str, Any], start_ns: int) -> pl.DataFrame:
    """The API's record as samples: from a request's arrival to the writing of its answer."""

    def seconds(instant_ns: int | None) -> float | None:
        return None if instant_ns is None else (instant_ns - start_ns) / 1e9

    columns: dict[str, list[object]] = {name: [] for name in SCHEMA}
    for answer in played["answers"]:
        whole = answer["bytes"] is None and answer["written_ns"] is not None
        right = whole and answer["status"] == httpx.codes.OK
        arrived_s = seconds(answer["arrived_ns"])
        columns["due_s"].append(arrived_s)
        columns["sent_s"].append(arrived_s)
        columns["answered_s"].append(seconds(answer["written_ns"]) if whole else None)
        columns["status"].append(answer["status"] if whole else None)
        columns["failure"].append(None if right else "as planned")
    for _ in range(played["beyond"]):
        for name in SCHEMA:
            columns[name].append("beyond the list" if name == "failure" else None)
    return frame(columns)


def execute(
    check: Check, asked: Sequence[Load], results: Path, console: Console, markdown: bool
) -> bool:
    """Make all loads, write check.csv, print the tables; returns whether all is as it should be.

    Raises:
        ConfigurationError: results/ cannot be written.
        TrialError: a driver or the API failed.
    """
    folder = results / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-check"
    try:
        folder.mkdir()
    except OSError as error:
        raise ConfigurationError(
            f"results/ cannot be written ({error.strerror}): make it a folder that you own"
        ) from error
    progress = Console(stderr=True)
    findings: list[Finding] = []
    with (folder / "check.csv").open("w", newline="") as stream:
        for number, load in enumerate(asked, start=1):
            finding = check.run(load)
            findings.append(finding)
            writer = csv.DictWriter(stream, list(finding.cells()), lineterminator="\n")
            if number == 1:
                writer.writeheader()
            writer.writerow({name: _text(cell) for name, cell in finding.cells().items()})
            stream.flush()
            line = f"[{number}/{len(asked)}] {load.driver} {load.name} {load.rate_rps}/s"
            progress.print(f"{line}  {finding.agrees}", highlight=False)
    if markdown:
        print("\n".join(_markdown(findings)))
    else:
        _print_tables(console, findings)
    if any(finding.agrees == ASKS_AGAIN for finding in findings):
        console.print(NOTE_ON_ASKING_AGAIN, highlight=False)
    return not any(finding.agrees.startswith(NO) for finding in findings)


NOTE_ON_ASKING_AGAIN = (
    "asks again: the driver repeats a request whose kept connection closes before the answer "
    "begins, unseen by its own files. A server that drops connections gets more requests from it "
    "than it tells of, and a failure then looks like a slow answer."
)

HEADINGS = ("Driver", "Delays", "/s")


def _print_tables(console: Console, findings: Sequence[Finding]) -> None:
    """The driver's figures with their distance from the API's, then the tool's own."""
    columns = ("p50 ms", "p95 ms", "p99 ms", "Count", "Failed", "Agrees")
    console.print("\nOur accounting, and its distance from the API's record", style="bold")
    console.print(_table(columns, ((finding, _ours(finding)) for finding in findings)))
    of_tools = [(finding, _tools(finding.tool)) for finding in findings if finding.tool]
    if of_tools:
        console.print("\nThe tools' own figures of the same loads", style="bold")
        console.print(_table(("p50 ms", "p95 ms", "p99 ms", "Count", "Failed"), of_tools))


def _table(columns: Sequence[str], lines: Iterable[tuple[Finding, Iterable[str]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    for heading in (*HEADINGS, *columns):
        left = heading in ("Driver", "Delays", "Agrees")
        # Only the last column may need a second line, where much differs.
        table.add_column(heading, justify="left" if left else "right", no_wrap=heading != "Agrees")
    for finding, cells in lines:
        load = finding.load
        table.add_row(load.driver, load.name, str(load.rate_rps), *cells)
    return table


def _ours(finding: Finding) -> Iterator[str]:
    ours, api = finding.ours, finding.api
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        yield _with_distance(getattr(ours, name), getattr(api, name), 1)
    yield _with_distance(ours.requests, api.requests, 0).removesuffix(" +0")
    yield _with_distance(ours.failures, api.failures, 0).removesuffix(" +0")
    yield finding.agrees


def _tools(tool: Figures) -> Iterator[str]:
    for value in (tool.p50_ms, tool.p95_ms, tool.p99_ms):
        yield "–" if value is None else f"{value:.1f}"
    yield str(tool.requests)
    yield str(tool.failures)


def _with_distance(ours: float | None, api: float | None, digits: int) -> str:
    if ours is None or api is None:
        return "–" if ours is api else f"{ours} ({api})"
    return f"{ours:.{digits}f} {ours - api:+.{digits}f}"


def _markdown(findings: Sequence[Finding]) -> Iterator[str]:
    """Everything in one table: ours (the API's), and the tool's own."""
    yield (
        "| Driver | Delays | Rate/s | p50 (ms) | p95 (ms) | p99 (ms) | RPS | Requests | Failures "
        "| Agrees | The tool says: p50 / p95 / p99, requests, failures |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |"
    for finding in findings:
        ours, api, load = finding.ours, finding.api, finding.load
        cells = [load.driver, load.name, str(load.rate_rps)]
        for name, digits in (("p50_ms", 1), ("p95_ms", 1), ("p99_ms", 1), ("rps", 1)):
            pair = (getattr(ours, name), getattr(api, name))
            cells.append("{} ({})".format(*("–" if v is None else f"{v:.{digits}f}" for v in pair)))
        cells.append(f"{ours.requests} ({api.requests})")
        cells.append(f"{ours.failures} ({api.failures})")
        cells += [finding.agrees, ""]
        if finding.tool:
            p50, p95, p99, requests, failures = _tools(finding.tool)
            cells[-1] = f"{p50} / {p95} / {p99}, {requests}, {failures}"
        yield f"| {' | '.join(cells)} |"


def _text(cell: object) -> object:
    return round(cell, 3) if isinstance(cell, float) else cell
