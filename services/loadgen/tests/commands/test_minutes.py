"""Runs whose time is set, from the words of the command line to what the next run knows."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.lab import network
from loadgen.lab.lab import SUITES
from loadgen.records.scatter_file import SCATTER_FILE
from loadgen.runs import services
from tests.conftest import Loadgen
from tests.kept_run import lines_of
from tests.stand_ins import BRIEF, StandInLab

FULL, MARKDOWN = ("--full",), ("--markdown",)
#: Two servers that are compared; their views call nobody, so there is no self-check.
COMPARED = (
    BRIEF
    + """
[[compare]]
a = {server = "uvicorn"}
b = {server = "uvicorn-4"}
metrics = ["rps", "avg_ms"]
"""
)


#: As many rounds as a minute has room for; a third case would take longer than all of it.
TIMED = """
question = "Does it answer?"
accounting = "answered"
minutes = 1
fewer_cases = true
[defaults]
driver = "hey"
users = 4
planned_requests = 20
http_client = "no-http"
[[cases]]
server = ["uvicorn", "uvicorn-4"]
delays_ms = [50]
[[cases]]
server = "uvicorn"
delays_ms = [10_000]
[[compare]]
a = {server = "uvicorn"}
b = {server = "uvicorn-4"}
"""


@pytest.fixture(autouse=True)
def results(in_project: Path, project: Path) -> Path:
    """The folder of runs."""
    (project / SUITES / "brief.toml").write_text(COMPARED)
    return in_project


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInLab]:
    """A lab whose services are all at one address."""
    with StandInLab() as stand_in:
        monkeypatch.setattr("socket.gethostbyname", stand_in.resolve)
        monkeypatch.setattr(network, "APP_PORT", stand_in.app_port)
        monkeypatch.setattr(network, "LAUNCHER_PORT", stand_in.launcher_port)
        monkeypatch.setattr(services, "API_PORT", stand_in.api_port)
        yield stand_in


def the_run(results: Path) -> Path:
    (folder,) = (path for path in results.iterdir() if path.is_dir())
    return folder


def listed(out: str) -> list[str]:
    """The trials of a dry run."""
    return [line.split()[-1] for line in out.splitlines() if line[-3:-1] == ".r"]


def test_a_run_of_some_minutes_goes_on_with_the_plan_that_it_had(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    words = ("run", "brief", "--minutes", "1", "--rounds", "3", "--seed", "7")
    _, dry, _ = loadgen(*words, "--dry-run")
    assert dry.startswith("--minutes 1: 3 rounds with full-length windows, ")

    def interrupt() -> None:
        if len(lab.queries) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    lab.on_start = interrupt
    assert loadgen(*words)[0] == 130
    folder = the_run(results)
    (first,) = lines_of(folder / "trials.csv")
    arguments = json.loads((folder / "environment.json").read_text())["arguments"]
    assert (arguments["minutes"], arguments["rounds"]) == (1, 3)
    _, rest, _ = loadgen("run", "--resume", folder.name, "--dry-run")
    assert [f"{first['case']}.r1", *listed(rest)] == listed(dry)
    lab.on_start = lambda: None
    assert loadgen("run", "--resume", folder.name)[0] == 0
    rows = lines_of(folder / "trials.csv")
    assert [f"{row['case']}.r{row['round']}" for row in rows] == listed(dry)


def test_a_run_of_some_minutes_says_the_same_when_it_is_reported_again(
    loadgen: Loadgen, lab: StandInLab, project: Path, results: Path
) -> None:
    (project / SUITES / "brief.toml").write_text(TIMED)

    def interrupt() -> None:
        if len(lab.queries) == 4:  # in the second round
            os.kill(os.getpid(), signal.SIGINT)

    lab.on_start = interrupt
    code, out, _ = loadgen("run", "brief")
    assert code == 130
    slow = "uvicorn_startproject_async_fanout_no-http_http_10000ms_hey_4u_20n"
    left_out = f"Left out: {slow}: no time for it in 1 min 00 s."
    to_finish = "1 comparison needs three rounds. Finish the run with --resume."
    again = {words: loadgen("report", "latest", *words)[1] for words in ((), FULL, MARKDOWN)}
    for said in (out, *again.values()):
        assert left_out in " ".join(said.split())
    for said in (out, again[()]):
        assert to_finish in " ".join(said.split())

    described = json.loads((the_run(results) / "environment.json").read_text())
    kept = described["suites"]["brief"]
    assert kept["rounds"] > 3
    assert (kept["without"], kept["left_out"]) == ([slow], [left_out[10:-1]])


def test_what_a_run_can_see_is_said_after_two_rounds_and_before_the_next_run(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    assert not lab.runs
    code, out, err = loadgen("run", "brief", "--rounds", "3")
    assert (code, err) == (0, "")
    before, after_two, rest = out.partition("This run will find differences of ")
    assert "How small a difference this run finds is known after 2 rounds." in before
    assert "[4/6] " in before
    assert " % in views/s and " in rest.partition("\n")[0]
    assert " % in Avg; " in rest.partition("\n")[0]
    assert "[5/6] " in rest
    assert after_two
    (machine,) = json.loads((results / SCATTER_FILE).read_text()).values()
    assert list(machine) == [the_run(results).name]
    said = loadgen("run", "brief", "--rounds", "3", "--dry-run")[1]
    assert "\nThis run will find differences of " in said


def test_a_scatter_that_cannot_be_kept_is_said_and_costs_the_run_nothing(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    assert not lab.runs
    (results / SCATTER_FILE).mkdir()
    code, out, err = loadgen("run", "brief", "--rounds", "2")
    assert (code, err) == (0, "")
    assert "How much this run scattered is not kept for the next one: " in out


@pytest.mark.parametrize("minutes", ["0", "-1", "2.5", "10081", "soon"])
def test_wrong_minutes_are_exit_code_2(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch, minutes: str
) -> None:
    code, _, err = loadgen("run", "brief", "--minutes", minutes)
    assert code == 2
    assert "--minutes" in err
    monkeypatch.setenv("MINUTES", minutes)
    code, _, err = loadgen("run", "brief")
    assert (code, err) == (2, f"MINUTES={minutes!r} must be a whole number from 1 to 10080\n")


def test_quick_takes_the_minutes_that_it_is_given(loadgen: Loadgen) -> None:
    _, out, _ = loadgen("quick", "--minutes", "20", "--dry-run")
    assert out.startswith("--minutes 20: ")
    assert " rounds with full-length windows, " in out.splitlines()[0]


def test_a_run_that_is_resumed_takes_no_minutes(loadgen: Loadgen) -> None:
    code, _, err = loadgen("run", "--resume", "results/none", "--minutes", "5")
    assert code == 2
    assert "--resume takes suites and options from the run" in err
