"""Runs of duets from the command line, against two small labs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.duets import duet as duet_module
from loadgen.duets import load as load_module
from loadgen.lab import network
from loadgen.lab.lab import SUITES
from loadgen.runs import attempts, services
from tests.conftest import Loadgen
from tests.kept_run import lines_of
from tests.stand_ins import StandInLab

#: One server with two settings, of which nothing but duets is asked.
SUITE = """
question = "What does the middleware cost?"
rounds = 2
[defaults]
users = 2
http_client = "no-http"
delays_ms = [50]
[[cases]]
server = "uvicorn"
settings = ["bare", "startproject"]
[[compare]]
a = {settings = "bare"}
b = {settings = "startproject"}
metrics = ["app_cpu_ms_per_view"]
duet = true
"""


@pytest.fixture(autouse=True)
def results(in_project: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs; slices are short, and a busy machine has equal loads all the same, and
    measures nothing again.
    """
    (project / SUITES / "middle.toml").write_text(SUITE)
    monkeypatch.setattr(duet_module, "LEAST_SLICE_S", 0.5)
    monkeypatch.setattr(duet_module, "LEAST_WARM_UP_S", 0.3)
    monkeypatch.setattr(load_module, "LEAST_ANSWERS", 5)
    monkeypatch.setattr(load_module, "EQUAL_LOAD_SHARE", 2.0)
    monkeypatch.setattr(attempts, "MOST_ATTEMPTS", 1)
    return in_project


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[StandInLab, StandInLab]]:
    """A lab, and beside it the spare container."""
    with StandInLab() as lab, StandInLab(beside=lab) as spare:
        lab.cpu_seconds_per_view = spare.cpu_seconds_per_view = 0.001
        monkeypatch.setattr("socket.gethostbyname", lab.resolve)
        monkeypatch.setattr(network, "APP_PORT", lab.app_port)
        monkeypatch.setattr(network, "LAUNCHER_PORT", lab.launcher_port)
        monkeypatch.setattr(services, "API_PORT", lab.api_port)
        monkeypatch.setattr(services, "NAME_GRACE_S", 0.3)
        yield lab, spare


def the_run(results: Path) -> Path:
    (folder,) = (path for path in results.iterdir() if path.is_dir())
    return folder


def test_a_run_of_duets_ends_with_their_rows_and_no_summary_of_cases(
    loadgen: Loadgen, labs: tuple[StandInLab, StandInLab], results: Path
) -> None:
    code, out, _ = loadgen("run", "middle")
    assert code == 0, out
    assert "middle: 2 duets, about" in out
    folder = the_run(results)
    rows = lines_of(folder / "trials.csv")
    assert [(row["round"], row["settings"], row["rate_rps"]) for row in rows] == [
        (number, settings, "40") for number in "12" for settings in ("bare", "startproject")
    ]
    assert lines_of(folder / "summary.csv") == []
    (line,) = lines_of(folder / "comparisons.csv")
    assert (line["by"], line["load"], line["rounds"]) == ("duet", "40 views/s each", "2")
    # Once to find the load, and once for each round.
    assert [lab.events.count("start") for lab in labs] == [3, 3]
    assert len(list((folder / "slices").iterdir())) == 2
    assert (folder / "report.html").exists()
    assert not (folder / "own").exists()


def test_a_run_whose_duet_is_given_up_measures_its_sides_one_after_the_other(
    loadgen: Loadgen,
    labs: tuple[StandInLab, StandInLab],
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, spare = labs
    monkeypatch.setattr(load_module, "BUSY_SHARE", 0.001)
    code, out, err = loadgen("run", "middle", "--rounds", "3")
    assert code == 0, out + err
    folder = the_run(results)
    rows = lines_of(folder / "trials.csv")
    assert [row["outcome"] for row in rows] == ["costs-too-high"] * 2 + ["measured"] * 6
    (rate_rps,) = {row["rate_rps"] for row in rows}
    (line,) = lines_of(folder / "comparisons.csv")
    assert (line["by"], line["load"]) == ("trials", f"{rate_rps} views/s each")
    assert spare.events.count("start") == 1  # what is measured apart is in its own container
    assert (folder / "report.html").exists()
    for row in rows:  # each can be contested by its case
        code, out, err = loadgen("run", "middle", "--only", row["case"], "--dry-run")
        assert code == 0, out + err
        assert "_duet.r1 against uvicorn_" in out


@pytest.mark.usefixtures("labs")
def test_a_run_whose_suite_asks_for_too_little_says_so(
    loadgen: Loadgen, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_module, "LEAST_ANSWERS", 50)  # and 40 views/s are 20 a slice
    code, out, err = loadgen("run", "middle", "--rounds", "1")
    assert code == 0, out + err
    said = "no duet: the load asked for is too small. The suite asks for 40 views/s on each server"
    assert said in " ".join(out.split())
    folder = the_run(results)
    outcomes = [row["outcome"] for row in lines_of(folder / "trials.csv")]
    assert outcomes == ["load-too-small"] * 2 + ["measured"] * 2
    (line,) = lines_of(folder / "comparisons.csv")
    assert line["reason"].startswith("no duet: the load asked for is too small. A duet needs ")
    assert "and only 40 were possible. Compared by separate trials at 40 views/s" in line["reason"]
    assert "too unlike" not in (folder / "report.html").read_text()


def test_a_run_that_is_finished_later_keeps_the_load_that_was_found(
    loadgen: Loadgen, labs: tuple[StandInLab, StandInLab], results: Path
) -> None:
    _, spare = labs

    def fail_the_second_round() -> None:
        spare.starts = len(spare.queries) != 3

    spare.on_start = fail_the_second_round
    code, out, _ = loadgen("run", "middle")
    assert code == 1, out
    rows = lines_of(the_run(results) / "trials.csv")
    assert [row["outcome"] for row in rows] == ["measured"] * 2 + ["server-did-not-start"] * 2
    spare.starts, spare.on_start = True, lambda: None
    code, out, _ = loadgen("run", "--resume", "latest")
    assert code == 0, out
    rows = lines_of(the_run(results) / "trials.csv")
    assert [row["rate_rps"] for row in rows] == ["40"] * 4
    assert len(spare.queries) == 4


#: Two duets, of one of which more is asked.
DUETS = """
question = "What do they cost?"
[defaults]
users = 2
http_client = "no-http"
delays_ms = [50]
[[cases]]
server = ["uvicorn", "uvicorn-4", "uvicorn-twin"]
[[compare]]
a = {server = "uvicorn"}
b = {server = "uvicorn-4"}
metrics = ["app_cpu_ms_per_view", "rps"]
duet = true
[[compare]]
a = {server = "uvicorn"}
b = {server = "uvicorn-twin"}
metrics = ["app_cpu_ms_per_view"]
duet = true
"""


@pytest.fixture
def listed(loadgen: Loadgen, project: Path) -> Loadgen:
    """`listed("--only", …)`: the exit code, what would be measured, what else is said."""
    (project / SUITES / "three.toml").write_text(DUETS)

    def call(*words: object) -> tuple[int, str, str]:
        code, out, err = loadgen("run", "three", "--dry-run", *words)
        trials = [line.split(" s  ")[1] for line in out.splitlines() if " s  " in line]
        return code, "\n".join(trials), f"{out}{err}"

    return call


def test_a_duet_is_named_as_a_dry_run_lists_it(listed: Loadgen) -> None:
    code, everything, _ = listed()
    assert code == 0
    own, duets = everything.splitlines()[:2], everything.splitlines()[2:]
    assert [name.startswith("uvicorn") for name in own] == [True, True]
    assert len(duets) == 2
    for duet in duets:
        whole = duet.replace(".r1", "")
        _, other = whole.split(" against ")
        assert listed("--only", whole)[1] == listed("--only", other)[1] == duet
    assert listed("--only", "uvicorn_*_duet")[1].splitlines() == duets


def test_a_trial_in_the_place_of_a_duet_is_contested_by_that_duet(listed: Loadgen) -> None:
    *_, duet = listed()[1].splitlines()
    _, other = duet.split(" against ")
    for load in ("6.2", "40", "100"):
        code, trials, _ = listed("--only", other.replace("_duet", f"_jittered-{load}rps"))
        assert (code, trials) == (0, duet)
    code, _, said = listed("--only", other.replace("_duet", "_poisson-6.2rps"))
    assert code == 2
    assert "matches no case of three" in said


def test_a_case_of_which_duets_alone_are_asked_says_what_other_side_it_needs(
    listed: Loadgen,
) -> None:
    for words in (("--servers", "uvicorn-twin"), ("--only", "uvicorn-twin_*")):
        code, _, said = listed(*words)
        assert code == 2
        assert "uvicorn-twin_" in said
        assert "is measured only in duets, and a duet needs both sides" in said
        assert "match uvicorn_startproject" in said
    code, trials, said = listed("--servers", "uvicorn-*")
    assert code == 0
    assert len(trials.splitlines()) == 1
    assert "left out of three: uvicorn-twin_" in said


def test_a_spare_container_that_is_not_up_is_named_with_the_command_that_starts_it(
    loadgen: Loadgen, labs: tuple[StandInLab, StandInLab]
) -> None:
    labs[0].unknown_names.add("spare")
    code, _, err = loadgen("run", "middle")
    assert code == 2
    assert "spare is not up. Start it with: docker compose up -d spare" in err
