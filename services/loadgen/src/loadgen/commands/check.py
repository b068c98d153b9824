"""`loadgen check`: what each driver sees, beside the API's own record of the same requests.

The API plays a list of delays and failures that is known beforehand. Each driver loads it by the
code of a trial, and its samples go through the accounting of a trial.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import polars as pl
import typer
from rich.console import Console

from loadgen.commands.check_tables import check_document
from loadgen.commands.driver_findings import COLUMNS, NO, CheckLoad, Finding
from loadgen.commands.figures import figures_of, told
from loadgen.commands.needs import only_noted
from loadgen.documents import terminal
from loadgen.documents.markdown import markdown
from loadgen.documents.terminal import print_document
from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.registry import DRIVERS
from loadgen.drivers.target import Target
from loadgen.errors import ConfigurationError, TrialError, unwritable
from loadgen.lab.lab import read_lab
from loadgen.records.files import new_folder, write_csv
from loadgen.records.samples import SCHEMA, frame
from loadgen.runs import services
from loadgen.runs.lock import RunLock
from loadgen.runs.run import DONE, FAILED
from loadgen.theory.distributions import DISTRIBUTIONS, Failures, planned_answers

#: The fastest load that may be asked for.
MOST_RPS = 2000
DRAIN_S = 3.0
#: A driver may need this long beyond load and drain to start, stop and write its files.
FAREWELL_S = 20.0

#: So few failures that the p99 still lands on an answer.
SOME_FAIL = Failures(errors=0.004, cut=0.002)
#: Apart from the rest, since a driver that asks again then makes other requests than it tells.
HANG_UPS = Failures(hung_up=0.02)
HANG_UPS_RPS = 200

EXPECTED_TEXT = "as planned"


def loads(drivers: list[str] | None, delays: list[str] | None, rates: str) -> list[CheckLoad]:
    """All loads of a check: every distribution at every rate, then hang-ups, by every driver; of
    the one that can, an open load at every rate besides.

    Args:
        drivers, delays: names; None or empty: all.
        rates: requests a second, separated by commas.

    Raises:
        ConfigurationError: a name or a rate is none.
    """
    named = _known("--delays", delays, list(DISTRIBUTIONS))
    asked_rates = _rates(rates)
    asked = []
    for driver in _known("--driver", drivers, list(DRIVERS)):
        asked += [CheckLoad(driver, name, rate) for name in named for rate in asked_rates]
        if driver == Own.name:
            asked += [CheckLoad(driver, named[-1], rate, is_open=True) for rate in asked_rates]
        asked.append(CheckLoad(driver, "fixed", HANG_UPS_RPS, hang_ups=True))
    return asked


def _known(option: str, asked: list[str] | None, allowed: list[str]) -> list[str]:
    for name in asked or ():
        if name not in allowed:
            raise ConfigurationError(f"{option} {name!r}: allowed are {', '.join(allowed)}")
    return asked or allowed


def _rates(text: str) -> list[int]:
    rates = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(rates) != len(text.split(",")) or not all(0 < rate <= MOST_RPS for rate in rates):
        raise ConfigurationError(
            f"--rates {text!r} must be whole numbers from 1 to {MOST_RPS}, separated by commas"
        )
    return rates


class Check:
    """Drives the API by one load after the other; the seed is that of the lists' order, and of the
    arrivals of open loads.
    """

    def __init__(self, origin: str, http: httpx.Client, seed: int) -> None:
        self._origin = origin
        self._http = http
        self._random = random.Random(seed)

    def run(self, load: CheckLoad) -> Finding:
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

    def _drive(self, load: CheckLoad, folder: Path) -> tuple[pl.DataFrame, int]:
        target = Target(
            origin=self._origin,
            path="/play/",
            expected_text=EXPECTED_TEXT,
            service_time_s=load.mean_s,
            launcher=None,
        )
        seconds = None if load.case.planned_requests else load.seconds
        seed = self._random.getrandbits(32) if load.is_open else None
        plan = LoadPlan(load.case, target, seconds, DRAIN_S, seed)
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
        columns["ended_s"].append(seconds(answer["written_ns"]))
        columns["status"].append(answer["status"] if whole else None)
        columns["failure"].append(None if right else "as planned")
    for _ in range(played["beyond"]):
        for name in SCHEMA:
            columns[name].append("beyond the list" if name == "failure" else None)
    return frame(columns)


def check(
    driver: Annotated[
        list[str] | None,
        typer.Option("--driver", help="Check only this driver. May be given several times."),
    ] = None,
    delays: Annotated[
        list[str] | None,
        typer.Option(
            "--delays",
            help="Use only these delays: fixed, uniform or lognormal. May be given several times.",
        ),
    ] = None,
    rates: Annotated[
        str, typer.Option("--rates", help="Rates in requests a second, separated by commas.")
    ] = "50,500",
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides the random order of the delays.")
    ] = 1,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Compare what each driver sees with the API's own record of the same requests."""
    asked = loads(driver, delays, rates)
    if only_noted(lambda http: [services.api(http)]):
        return
    lab = read_lab()
    with RunLock(lab.results) as lock, httpx.Client(trust_env=False) as http:
        origin = services.api_origin(services.wait_for([services.api(http)]))
        try:
            folder = new_folder(lab.results, "check")
        except OSError as error:
            raise unwritable(error) from error
        lock.name(folder)
        try:
            fine = make(Check(origin, http, seed), asked, folder, terminal.console(), as_markdown)
        except TrialError as error:
            lines = "\n".join((f"{error.outcome}: {error}", *error.details))
            terminal.console(stderr=True).print(lines, soft_wrap=True)
            raise typer.Exit(FAILED) from error
    raise typer.Exit(DONE if fine else FAILED)


def make(
    check: Check, asked: Sequence[CheckLoad], folder: Path, console: Console, as_markdown: bool
) -> bool:
    """Make all loads, write check.csv, print the tables; returns whether all agree.

    Raises:
        TrialError: a driver or the API failed; what was found before is in check.csv.
    """
    progress = terminal.console(stderr=True)
    findings: list[Finding] = []
    _write(findings, folder)
    for number, load in enumerate(asked, start=1):
        finding = check.run(load)
        findings.append(finding)
        _write(findings, folder)
        line = f"[{number}/{len(asked)}] {load.driver} {load.name} {load.rate_rps}/s"
        progress.print(f"{line}  {finding.agrees}")
    if as_markdown:
        print(markdown(check_document(findings)), end="")
    else:
        print_document(console, check_document(findings))
        console.print(f"\nResults: results/{folder.name}/check.csv")
    return not any(finding.agrees.startswith(NO) for finding in findings)


def _write(findings: Sequence[Finding], folder: Path) -> None:
    lines = ([_text(finding.cells()[name]) for name in COLUMNS] for finding in findings)
    try:
        write_csv(folder / "check.csv", COLUMNS, lines)
    except OSError as error:
        raise unwritable(error) from error


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return str(round(cell, 3) if isinstance(cell, float) else cell)
