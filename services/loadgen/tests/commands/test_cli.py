"""The command line, from its words to its exit code, with whole runs against a small lab."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab import network
from loadgen.lab.lab import SUITES
from loadgen.records.trials_csv import read_rows, write_table
from loadgen.runs import services
from loadgen.runs.lock import RunLock
from tests.conftest import Loadgen
from tests.kept_run import lines_of
from tests.stand_ins import BRIEF, StandInLab, View


@pytest.fixture(autouse=True)
def results(in_project: Path, project: Path) -> Path:
    """The folder of runs."""
    (project / SUITES / "brief.toml").write_text(BRIEF)
    return in_project


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInLab]:
    """A lab whose services are all at one address."""
    with StandInLab() as stand_in:
        monkeypatch.setattr("socket.gethostbyname", stand_in.resolve)
        monkeypatch.setattr(network, "APP_PORT", stand_in.app_port)
        monkeypatch.setattr(network, "LAUNCHER_PORT", stand_in.launcher_port)
        monkeypatch.setattr(services, "API_PORT", stand_in.api_port)
        monkeypatch.setattr(services, "NAME_GRACE_S", 0.3)
        yield stand_in


def folders(results: Path) -> list[Path]:
    return [path for path in results.iterdir() if path.is_dir()]


def the_run(results: Path) -> Path:
    (folder,) = folders(results)
    return folder


def trials(folder: Path) -> list[dict[str, str]]:
    return lines_of(folder / "trials.csv")


def outcome(folder: Path) -> str:
    return str(json.loads((folder / "environment.json").read_text())["outcome"])


def interrupt_at(start: int, lab: StandInLab, which: signal.Signals = signal.SIGINT) -> None:
    """Send the signal when the run asks for its first, second, … server."""

    def interrupt() -> None:
        if len(lab.queries) == start:
            os.kill(os.getpid(), which)

    lab.on_start = interrupt


def test_a_dry_run_lists_the_trials_and_measures_none(loadgen: Loadgen, results: Path) -> None:
    code, out, err = loadgen("run", "smoke", "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith("smoke: 23 trials, about ")
    listed = [line.split() for line in out.splitlines()[2:]]
    assert [line[0] for line in listed] == [str(number) for number in range(1, 24)]
    assert listed[-1][-1] == (
        "gunicorn-4x10_startproject_sync_single_requests-per-request_https_100ms_hey_10u_100n.r1"
    )
    assert not folders(results)


def test_without_a_word_the_articles_are_run(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "articles: 36 trials" in loadgen("run", "--dry-run")[1]
    monkeypatch.setattr(services, "NAME_GRACE_S", 0)
    assert "articles: 36 trials" in loadgen()[1]


def test_suites_come_from_the_environment(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE", "smoke, article-a")
    assert "smoke, article-a: 41 trials" in loadgen("run", "--dry-run")[1]


def test_suites_of_the_command_line_go_before_those_of_the_environment(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE", "smoke")
    assert "article-b: 18 trials" in loadgen("run", "article-b", "--dry-run")[1]


def test_a_suite_that_two_names_hold_is_run_once(loadgen: Loadgen) -> None:
    assert ": 36 trials" in loadgen("run", "articles", "article-a", "--dry-run")[1]


def test_rounds_come_from_option_or_environment(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "article-b: 12 trials" in loadgen("run", "article-b", "--rounds", "2", "--dry-run")[1]
    monkeypatch.setenv("ROUNDS", "4")
    assert "article-b: 24 trials" in loadgen("run", "article-b", "--dry-run")[1]


def test_servers_and_cases_can_be_narrowed(loadgen: Loadgen) -> None:
    assert ": 6 trials" in loadgen("run", "article-a", "--servers", "gunicorn-*", "--dry-run")[1]
    assert ": 3 trials" in loadgen("run", "article-a", "--only", "uvicorn_*", "--dry-run")[1]


def test_a_seed_repeats_the_order_of_a_run(loadgen: Loadgen) -> None:
    words = ("run", "smoke", "--rounds", "2", "--dry-run", "--seed")
    assert loadgen(*words, "5") == loadgen(*words, "5")
    assert loadgen(*words, "5") != loadgen(*words, "6")


def test_axes_of_the_cases_can_be_set(loadgen: Loadgen) -> None:
    words = ("run", "smoke", "--delays-ms", "800,400", "--cpu-ms", "5", "--driver", "own")
    code, out, err = loadgen(
        *words,
        *("--users", "10", "--server", "uvicorn,uvicorn-4", "--workload", "fanout", "--dry-run"),
    )
    assert (code, err) == (0, "")
    listed = [line.split()[-1] for line in out.splitlines() if line.endswith(".r1")]
    assert all("_800+400ms_cpu5ms_own_10u" in name for name in listed)
    assert {name.partition("_")[0] for name in listed} == {"uvicorn", "uvicorn-4"}


def test_quick_is_the_suite_quick_with_axes_of_ones_own(loadgen: Loadgen) -> None:
    words = ("--delays-ms", "800,400", "--users", "200", "--cpu-ms", "5", "--dry-run")
    code, out, err = loadgen("quick", *words)
    assert (code, err) == (0, "")
    assert "quick: 6 trials and 6 duets, about 3 min " in out
    listed = [line.split()[-1] for line in out.splitlines() if line[-3:-1] == ".r"]
    assert all("_800+400ms_cpu5ms_own_" in name for name in listed)
    assert {name.partition("_")[0] for name in listed} == {"uvicorn"}
    assert " against uvicorn_" in out


def test_a_rate_is_enough_of_a_load_and_a_run_says_which_it_takes(loadgen: Loadgen) -> None:
    users = loadgen("quick", "--delays-ms", "800,400", "--users", "200", "--dry-run")[1]
    duets = "duets (two servers at once) each server gets a load that leaves the CPUs partly idle."
    assert f"\nThe load: 200 users, who each wait for an answer. In {duets}\n" in users
    code, rate, err = loadgen("quick", "--delays-ms", "800,400", "--rate-rps", "40", "--dry-run")
    assert (code, err) == (0, "")
    assert f"\nThe load: 40 arrivals a second, at random. In {duets}\n" in rate
    words = ("run", "servers", "--rate-rps", "40", "--arrivals", "constant", "--dry-run")
    assert "\nThe load: 40 arrivals a second, evenly spaced\n" in loadgen(*words)[1]


def test_calls_in_a_row_are_compared_with_the_same_calls_at_once(loadgen: Loadgen) -> None:
    code, out, err = loadgen("quick", "--delays-ms", "800,400", "--serial", "--dry-run")
    assert (code, err) == (0, "")
    listed = [line.split()[-1] for line in out.splitlines() if line[-3:-1] == ".r"]
    at_once = {name.rpartition(".")[0] for name in listed if "_fanout_" in name}
    in_a_row = {name.rpartition(".")[0] for name in listed if "_serial_" in name}
    assert len(at_once) == 1
    assert at_once.pop().replace("_fanout_", "_serial_") in in_a_row
    assert len(in_a_row) > 1
    assert loadgen("quick", "--workload", "serial", "--dry-run")[0] == 0


def test_quick_says_what_it_cuts_and_leaves_out(loadgen: Loadgen) -> None:
    out = loadgen("quick", "--delays-ms", "1500", "--dry-run")[1]
    assert "left out of quick: gunicorn-2000-threads_" in out
    assert "_1500ms_own_100u: no time for it in 4 min 00 s\n" in out
    assert "\nquick: 3 rounds with windows of 9.8 s instead of 15.0 s, " in out


def test_minutes_say_how_many_rounds_fit(loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = loadgen("run", "articles", "--minutes", "15", "--dry-run")
    assert (code, err) == (0, "")
    first, second = out.splitlines()[:2]
    assert first.startswith("--minutes 15: 3 rounds with full-length windows, ")
    assert second.startswith("articles: 36 trials, about ")
    monkeypatch.setenv("MINUTES", "15")
    assert loadgen("run", "articles", "--dry-run")[1].startswith(first)
    assert loadgen("run", "articles", "--rounds", "2", "--dry-run")[1].startswith(
        "--minutes 15: 2 rounds with full-length windows, "
    )


def test_minutes_that_do_not_do_are_refused_with_those_that_do(loadgen: Loadgen) -> None:
    code, _, err = loadgen("run", "clients", "--minutes", "2", "--dry-run")
    assert code == 2
    assert err.startswith("--minutes 2: 3 rounds of 18 cases take at least ")
    needed = err.partition("Give --minutes ")[2].partition(",")[0]
    assert int(needed) > 2
    assert loadgen("run", "clients", "--minutes", needed, "--dry-run")[0] == 0
    assert loadgen("run", "clients", "--minutes", str(int(needed) - 1), "--dry-run")[0] == 2


def test_the_help_names_every_axis(loadgen: Loadgen) -> None:
    code, out, _ = loadgen("run", "--help")
    assert code == 0
    assert "--delays-ms" in out
    assert "--http-client" in out


def test_what_is_left_out_is_said_with_the_reason(loadgen: Loadgen, project: Path) -> None:
    text = BRIEF.replace('"uvicorn-4"', '"uwsgi-gevent"') + 'view = "async"\n'
    (project / SUITES / "brief.toml").write_text(text)
    out = loadgen("run", "brief", "--dry-run")[1]
    assert "left out of brief: uwsgi-gevent with no-http, because an async view cannot" in out


def test_list_names_every_suite_with_its_question_and_time(loadgen: Loadgen) -> None:
    code, out, err = loadgen("list")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert {"article-a", "article-b", "articles", "smoke"} <= set(lines)
    assert lines["smoke"].split()[1] == "23"
    questions, self_tests = out.split("Suites that test the lab itself")
    assert all(f"\n{name} " in questions for name in ("article-a", "clients", "servers", "traps"))
    assert all(f"\n{name} " in self_tests for name in ("aa", "planted", "smoke"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "artikel"), "there is no suite 'artikel'; the suites are aa, article-a, "),
        (("run", "smoke", "--servers", "nginx*"), "'nginx*' matches no server of smoke; "),
        (("run", "smoke", "--only", "nginx*"), "--only 'nginx*' matches no case of smoke"),
        (("run", "smoke", "--rounds", "0"), "--rounds"),
        (("run", "smoke", "--round", "2"), "No such option: --round"),
        (("run", "smoke", "--users", "many"), "--users: must be a"),
        (("run", "smoke", "--http-client", "curl"), "--http-client: unknown 'curl'; known: no-"),
        (("run", "smoke", "--view", "both"), "--view: must be 'sync' or 'async', not 'both'"),
        (("quick", "--delays-ms", "60000"), "quick.toml, minutes: 3 rounds of 2 cases take"),
        (("quick", "--delays-ms", "800", "--serial"), "--serial needs the delays of two calls at"),
        (("quick", "--serial", "--workload", "single"), "--serial sets the workload: leave out"),
        (("quick", "--users", "9", "--rate-rps", "4"), "--users and --rate-rps exclude each other"),
        (("quick", "--delays-ms", "soon"), "--delays-ms: must be a number"),
        (("run", "../suites/smoke"), "there is no suite '../suites/smoke'; the suites are aa, "),
        (("run", "smoke", "--delays-ms", "0.00001"), "--delays-ms: may have three digits after"),
        (("run", "smoke", "--cpu-ms", "0.00001"), "--cpu-ms: may have three digits after the"),
        (
            ("run", "clients", "--delays-ms", ",".join("1" * 33)),
            "--delays-ms: must have at most",
        ),
        (("run", "clients", "--delays-ms", ",".join(["12345.678"] * 32)), "a file's name can hold"),
        (("run", "users", "--users", "100000000"), "--users: must be less than or equal to 16000"),
        (
            ("run", "article-a", "--ramp", "0:0,1:9000000,2:9000000"),
            "a ramp has at most 16000",
        ),
        (("run", "article-b", "--planned-requests", "3000000000"), "--planned-requests: must be"),
        (
            ("run", "smoke", "--rounds", "100000000"),
            "'--rounds': Input should be less than",
        ),
        (("measure",), "No such command 'measure'"),
        (("check", "--driver", "ab"), "--driver 'ab': allowed are own, locust, hey"),
        (("check", "--delays", "normal"), "allowed are fixed, uniform, lognormal"),
        (("check", "--rates", "50,fast"), "--rates '50,fast' must be whole numbers from 1 to 2000"),
        (("check", "--rates", "0"), "--rates '0' must be whole numbers"),
        (("report", "results/none"), "is not a run: it has no trials.csv"),
    ],
)
def test_wrong_words_are_exit_code_2_and_a_sentence(
    loadgen: Loadgen, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = loadgen(*words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.parametrize("rounds", ["0", "many", "-1", "100000000"])
def test_wrong_rounds_in_the_environment_are_exit_code_2(
    rounds: str, loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUNDS", rounds)
    code, _, err = loadgen("run", "smoke", "--dry-run")
    assert (code, err) == (2, f"ROUNDS={rounds!r} must be a whole number from 1 to 1000\n")


def test_a_wrong_label_is_exit_code_2_and_names_it(loadgen: Loadgen, project: Path) -> None:
    override = 'services: {uvicorn: {labels: {lab.interface: "rsgi"}}}'
    (project / "compose.override.yaml").write_text(override)
    code, _, err = loadgen("list")
    assert code == 2
    assert err == "service uvicorn, label lab.interface is 'rsgi'; allowed: wsgi, asgi\n"


def test_a_lab_that_is_not_up_is_exit_code_2_with_the_remedy_said_once(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch, lab: StandInLab, results: Path
) -> None:
    monkeypatch.setattr(services, "UP_TIMEOUT_S", 1e9)  # for this it does not wait
    lab.unknown_names |= {"uvicorn", "uvicorn-4"}
    code, _, err = loadgen("run", "brief")
    assert code == 2
    assert err == (
        "uvicorn and uvicorn-4 are not up. Start them with: docker compose up -d uvicorn "
        "uvicorn-4\n"
    )
    assert not folders(results)


def test_a_check_without_the_api_is_exit_code_2_with_the_remedy(
    loadgen: Loadgen, lab: StandInLab
) -> None:
    lab.unknown_names.add("api")
    code, _, err = loadgen("check")
    assert (code, err) == (2, "api is not up. Start it with: docker compose up -d api\n")


def test_article_as_own_api_must_be_up_where_views_call_it(
    loadgen: Loadgen,
    project: Path,
    lab: StandInLab,
    results: Path,
) -> None:
    (project / SUITES / "brief.toml").write_text(BRIEF + 'upstream = "django"\n')
    lab.unknown_names.add("api-django")
    code, _, err = loadgen("run", "brief")
    assert code == 2
    assert "Start it with: docker compose up -d api-django" in err
    assert not folders(results)
    with StandInLab(beside=lab) as django_api:
        lab.unknown_names.clear()
        assert loadgen("run", "brief")[0] == 0
        assert [query["settings"] for query in django_api.queries] == ["article", "article"]
    described = json.loads((the_run(results) / "environment.json").read_text())
    assert described["servers"]["api-django"]["command"] == ["serve", "--fast"]


@pytest.mark.usefixtures("lab")
def test_every_attempt_of_a_trial_that_is_measured_again_is_kept_and_the_last_counts(
    loadgen: Loadgen, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.runs.attempts.MOST_ATTEMPTS", 3)
    monkeypatch.setattr("loadgen.runs.attempts.MARGIN", -1.0)  # whatever an instrument did
    code, out, _ = loadgen("run", "brief", "--only", "uvicorn_*")
    assert code == 0
    folder = the_run(results)
    assert [row["attempt"] for row in trials(folder)] == ["1", "2", "3"]
    assert len(list((folder / "samples").iterdir())) == 3
    assert len(list((folder / "probe").iterdir())) == 3
    assert "[1/1], again" in out
    assert "1 trial was measured again, 2 times in all" in " ".join(out.split())
    (line,) = lines_of(folder / "summary.csv")
    assert line["rounds"] == "1"


def test_a_trial_that_failed_and_was_measured_again_has_not_failed(
    loadgen: Loadgen, lab: StandInLab, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.runs.attempts.MOST_ATTEMPTS", 2)
    monkeypatch.setattr("loadgen.runs.attempts.MARGIN", -1.0)  # whatever an instrument did
    lab.fails_first = True
    code, out, _ = loadgen("run", "brief", "--only", "uvicorn_*")
    folder = the_run(results)
    assert [row["outcome"] for row in trials(folder)] == ["server-did-not-start", "measured"]
    assert (code, outcome(folder)) == (0, "finished")
    assert "could not be measured" not in out


def test_a_run_measures_every_case_and_says_where_it_is(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    code, out, err = loadgen("run", "brief", "--seed", "7")
    folder = the_run(results)
    assert (code, err) == (0, "")
    assert [row["outcome"] for row in trials(folder)] == ["measured"] * 2
    assert [row["server"] for row in trials(folder)] == ["uvicorn", "uvicorn-4"]
    assert [row["failures"] for row in trials(folder)] == ["0", "0"]
    assert all(float(row["min_ms"]) >= 50 for row in trials(folder))
    assert outcome(folder) == "finished"
    assert f"Results: results/{folder.name}/" in out
    assert f"Report: results/{folder.name}/report.html" in out
    assert "Does it answer?" in (folder / "report.html").read_text()
    assert "Stop the lab with: docker compose down" in out
    assert "bodies-unchecked (uvicorn, uvicorn-4): " in " ".join(out.split())
    assert json.loads((folder / "environment.json").read_text())["arguments"]["seed"] == 7
    assert len(list((folder / "samples").iterdir())) == 2
    assert not lab.runs


def test_a_report_that_cannot_be_drawn_costs_no_result_but_is_said(
    loadgen: Loadgen, lab: StandInLab, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not lab.runs

    def no_room(file: Path, _text: str) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr("loadgen.reports.run_report.replace_text", no_room)
    code, out, _ = loadgen("run", "brief")
    folder = the_run(results)
    assert code == 1
    assert outcome(folder) == "finished"
    assert len(trials(folder)) == 2
    said = " ".join(out.split())
    assert "The report could not be drawn (OSError: [Errno 28] No space left on device" in said
    assert f"loadgen report results/{folder.name}" in said
    assert "--resume" not in said


def test_a_run_of_a_waterfall_prints_it_and_writes_its_file(
    loadgen: Loadgen, lab: StandInLab, project: Path, results: Path
) -> None:
    text = """
question = "What brings what?"
accounting = "answered"
[defaults]
http_client = "no-http"
[[waterfall]]
title = "From here to there"
words = "as it was"
start = {server = "uvicorn", driver = "hey", users = 4, planned_requests = 20, delays_ms = [50]}
[[waterfall.steps]]
words = "no middleware"
change = {settings = "bare"}
[[waterfall.steps]]
words = "more processes"
change = {server = "uvicorn-4"}
"""
    (project / SUITES / "brief.toml").write_text(text)
    code, out, err = loadgen("run", "brief")
    assert (code, err) == (0, "")
    assert not lab.runs
    all_of_it = loadgen("report", str(the_run(results)), "--full")[1]
    for order in ("one change per step", "the same, reversed"):
        assert f"From here to there: {order}" in all_of_it
    assert "From here to there: one change per step" in out
    assert "the same, reversed" not in out
    lines = lines_of(the_run(results) / "waterfall.csv")
    assert [(line["order"], line["step"], line["rounds"]) for line in lines] == [
        (order, str(step), "1") for order in ("forward", "reversed") for step in range(3)
    ]
    assert len(trials(the_run(results))) == 4


def test_a_run_can_be_reported_again(
    loadgen: Loadgen, lab: StandInLab, project: Path, results: Path
) -> None:
    assert not lab.runs
    loadgen("run", "brief")
    moved = project / "results" / "earlier"
    moved.parent.mkdir()
    the_run(results).rename(moved)
    code, out, err = loadgen("report", "results/earlier")
    assert (code, err) == (0, "")
    assert "Does it answer?" in out
    assert "\nuvicorn-4 " in out
    assert "Report: results/earlier/report.html" in out
    page = (results / "earlier" / "report.html").read_text()
    assert "Uvicorn, 4 processes, async<" in page
    code, out, err = loadgen("report", "results/earlier", "--markdown")
    assert (code, err) == (0, "")
    assert "| Uvicorn, 4 processes, async |" in out


@pytest.fixture
def own_page(project: Path) -> Iterator[View]:
    """A server of the reader's own, on already, and a suite that measures it beside another."""
    with View(0.05) as view:
        declare_own_page(project, view.port)
        yield view


def declare_own_page(project: Path, port: int, **more: str) -> None:
    labels = {
        "lab.title": "Mine, as it is",
        "lab.interface": "wsgi",
        "lab.concurrency": "threads",
        "lab.processes": 1,
        "lab.url": f"http://mine:{port}/report/",
        "lab.expect": "Iceland",
        "lab.service_time_ms": 50,
        **{f"lab.{key}": text for key, text in more.items()},
    }
    override = {"services": {"mine": {"labels": labels}}}  # JSON is YAML
    (project / "compose.override.yaml").write_text(json.dumps(override))
    (project / SUITES / "brief.toml").write_text(BRIEF.replace('"uvicorn-4"', '"mine"'))


def test_a_server_of_ones_own_is_measured_as_it_is_beside_the_labs(
    loadgen: Loadgen, lab: StandInLab, own_page: View, results: Path
) -> None:
    code, out, err = loadgen("run", "brief")
    assert (code, err) == (0, "")
    ours, mine = trials(the_run(results))
    assert (ours["server"], mine["server"]) == ("uvicorn", "mine")
    assert "not-fresh" not in ours["caveats"].split()
    assert "not-fresh" in mine["caveats"].split()
    assert (mine["outcome"], mine["failures"], mine["http_client"]) == ("measured", "0", "")
    assert own_page.received == 1 + 20
    assert lab.events.count("start") == 1
    words = "left out of brief: http_client and delays_ms have no effect on mine, because its label"
    assert words in out
    servers = json.loads((the_run(results) / "environment.json").read_text())["servers"]
    assert servers["mine"] == {"command": None, "url": f"http://mine:{own_page.port}/report/"}


def test_a_server_of_ones_own_that_the_labs_launcher_runs_is_measured_as_the_labs_are(
    loadgen: Loadgen, project: Path, lab: StandInLab, results: Path
) -> None:
    declare_own_page(project, lab.app_port, launcher="yes")
    code, out, err = loadgen("run", "brief", "--servers", "mine")
    assert (code, err) == (0, "")
    (mine,) = trials(the_run(results))
    assert (mine["outcome"], mine["failures"], mine["http_client"]) == ("measured", "0", "")
    assert mine["app_cpu_seconds"]
    assert "not-fresh" not in out
    assert lab.events.count("start") == 1
    servers = json.loads((the_run(results) / "environment.json").read_text())["servers"]
    assert servers["mine"]["command"] == ["serve", "--fast"]


def test_a_server_of_ones_own_that_is_not_up_is_exit_code_2_with_the_remedy(
    loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch, lab: StandInLab, own_page: View
) -> None:
    assert not lab.runs
    monkeypatch.setattr(services, "UP_TIMEOUT_S", 0)
    own_page.close()
    code, _, err = loadgen("run", "brief")
    assert code == 2
    assert err.startswith("mine does not answer (")
    assert "docker compose logs mine" in err


def test_a_failed_trial_is_exit_code_1_and_a_row_and_the_others_go_on(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    lab.fails_first = True
    code, out, _ = loadgen("run", "brief")
    folder = the_run(results)
    assert code == 1
    assert [row["outcome"] for row in trials(folder)] == ["server-did-not-start", "measured"]
    assert outcome(folder) == "1 of 2 trials failed"
    assert "[1/2] uvicorn  FAILED, server-did-not-start: the server ended" in out
    assert "    | no such module" in out
    assert "1 of 2 trials could not be measured: uvicorn\n" in out


def test_a_server_that_goes_away_during_a_run_costs_its_trials_only(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    lab.on_start = lambda: lab.unknown_names.add("uvicorn-4")
    code, out, _ = loadgen("run", "brief")
    assert code == 1
    assert [row["outcome"] for row in trials(the_run(results))] == ["measured", "server-not-up"]
    assert "docker compose up -d uvicorn-4" in out


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_rows_and_is_exit_code_130(
    which: signal.Signals, loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    interrupt_at(2, lab, which)
    code, out, _ = loadgen("run", "brief")
    folder = the_run(results)
    assert code == 130
    assert [row["outcome"] for row in trials(folder)] == ["measured"]
    assert outcome(folder) == "interrupted at trial 2 of 2"
    assert (folder / "summary.csv").exists()
    assert f"Interrupted: 1 of 2 trials are in results/{folder.name}/" in out
    assert [event for event in lab.events if event != "app-stats"][-1] == "stop"


def test_an_impatient_reader_gets_the_whole_ending_too(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    def once_more() -> None:
        """When the ending is written, and the report is not yet."""
        while not outcome(the_run(results)).startswith("interrupted"):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    impatient = Thread(target=once_more)
    interrupt_at(2, lab)
    at_the_second = lab.on_start

    def interrupt() -> None:
        if len(lab.queries) == 2:
            impatient.start()
        at_the_second()

    lab.on_start = interrupt
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it comes too late
    code, out, _ = loadgen("run", "brief")
    impatient.join()
    signal.signal(signal.SIGINT, handler)
    folder = the_run(results)
    assert code == 130
    assert f"Interrupted: 1 of 2 trials are in results/{folder.name}/" in out
    assert "The run goes on" not in (folder / "report.html").read_text()


def test_results_that_cannot_be_written_are_exit_code_2(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    results.rmdir()
    code, _, err = loadgen("run", "brief")
    assert code == 2
    assert "results/ cannot be written" in err
    assert "start" not in lab.events


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stays, for the run that the tests of resuming begin with."""
    return tmp_path_factory.mktemp("kept")


class TestResume:
    @pytest.fixture
    @staticmethod
    def interrupted(loadgen: Loadgen, lab: StandInLab, results: Path, kept: Path) -> Path:
        """A run of which the first of two trials is measured."""
        if not any(kept.iterdir()):
            interrupt_at(2, lab)
            code, out, _ = loadgen("run", "brief", "--seed", "7")
            assert code == 130
            run = the_run(results)
            command = f"docker compose run --rm loadgen run --resume results/{run.name}"
            assert f"To finish it: {command}" in out
            shutil.move(run, kept)
        (run,) = kept.iterdir()
        return Path(shutil.copytree(run, results / run.name))

    def test_measures_what_is_missing_and_nothing_else(
        self, loadgen: Loadgen, interrupted: Path, results: Path
    ) -> None:
        before = (interrupted / "trials.csv").read_text()
        first = trials(interrupted)[0]
        code, out, err = loadgen("run", "--resume", f"results/{interrupted.name}")
        assert (code, err) == (0, "")
        assert "brief: 1 trial, about " in out
        assert f"1 of 2 trials are in results/{interrupted.name}/. Still to measure: 1" in out
        assert "[2/2] uvicorn-4" in out
        assert (interrupted / "trials.csv").read_text().startswith(before)
        rows = trials(interrupted)
        assert rows[0] == first
        assert [(row["server"], row["position"]) for row in rows] == [
            ("uvicorn", "1"),
            ("uvicorn-4", "2"),
        ]
        assert outcome(interrupted) == "finished"
        assert the_run(results) == interrupted
        assert len(list((interrupted / "samples").iterdir())) == 2
        assert len(lines_of(interrupted / "summary.csv")) == 2

    def test_a_quick_run_says_what_to_change_first_and_so_does_its_report(
        self,
        loadgen: Loadgen,
        lab: StandInLab,
        results: Path,
        project: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("loadgen.runs.first_look.LEAST_TO_COME_S", 0)
        text = (
            "rounds = 3"
            + BRIEF
            + '[[compare]]\nchange = "more processes"\na = {server = "uvicorn"}\n'
        )
        text += 'b = {server = "uvicorn-4"}\nmetrics = ["rps", "avg_ms"]\n'
        (project / SUITES / "quick.toml").write_text(text)
        assert not lab.runs
        code, out, _ = loadgen("quick", "--delays-ms", "20")
        assert code == 0
        folder = the_run(results)
        assert folder.name.endswith("-quick")
        arguments = json.loads((folder / "environment.json").read_text())["arguments"]
        assert (arguments["suites"], arguments["axes"]) == (["quick"], {"delays_ms": [[20]]})
        told = "1. more processes (uvicorn → uvicorn-4): "
        shown_first = "Round 1 of 3 is done. Ctrl-C stops here and keeps it.\n"
        first, shown, rest = out.partition(shown_first)
        assert shown
        assert "\nuvicorn-4 " in first
        so_far = " ".join(first.split())
        assert "may be chance. 2 comparisons need three rounds." in so_far
        assert told not in first
        assert told in rest
        assert "Round 2 of 3" not in rest
        assert told in loadgen("report", str(folder))[1]
        assert "Could see" in loadgen("report", str(folder), "--full")[1]
        assert "Could see" not in rest

    def test_takes_the_axes_that_were_set(
        self, loadgen: Loadgen, lab: StandInLab, results: Path
    ) -> None:
        interrupt_at(2, lab)
        axes = ("--users", "2,5", "--server", "uvicorn", "--delays-ms", "30,20")
        assert loadgen("run", "brief", *axes)[0] == 130
        folder = the_run(results)
        environment = json.loads((folder / "environment.json").read_text())
        assert environment["arguments"]["axes"] == {
            "server": ["uvicorn"],
            "users": [2, 5],
            "delays_ms": [[30, 20]],
        }
        lab.on_start = lambda: None
        assert loadgen("run", "--resume", folder.name)[0] == 0
        rows = [(row["server"], row["users"], row["delays_ms"]) for row in trials(folder)]
        assert rows == [("uvicorn", "2", "30+20"), ("uvicorn", "5", "30+20")]
        out = " ".join(loadgen("report", str(folder))[1].split())
        assert "uvicorn, 20/2 " in out
        assert "uvicorn, 20/5 " in out

    def test_records_its_session(self, loadgen: Loadgen, interrupted: Path) -> None:
        loadgen("run", "--resume", interrupted.name)
        environment = json.loads((interrupted / "environment.json").read_text())
        assert [session["outcome"] for session in environment["sessions"]] == [
            "interrupted at trial 2 of 2",
            "finished",
        ]
        assert environment["arguments"]["seed"] == 7
        first, second = (session["started_at"] for session in environment["sessions"])
        assert environment["started_at"] == first <= second

    def test_says_what_of_the_environment_has_changed(
        self, loadgen: Loadgen, interrupted: Path
    ) -> None:
        file = interrupted / "environment.json"
        environment = json.loads(file.read_text())
        file.write_text(json.dumps(environment | {"kernel": "2.6.32"}))
        _, out, _ = loadgen("run", "--resume", interrupted.name)
        assert "changed since the run began: kernel was 2.6.32, is " in out
        (_, session) = json.loads(file.read_text())["sessions"]
        assert session["changes"]["kernel"]["was"] == "2.6.32"

    def test_lists_what_is_missing_where_asked_to_run_dry(
        self, loadgen: Loadgen, interrupted: Path
    ) -> None:
        code, out, _ = loadgen("run", "--resume", interrupted.name, "--dry-run")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[2:]] == ["2"]
        assert outcome(interrupted) == "interrupted at trial 2 of 2"

    def test_measures_again_what_its_rival_moves_though_an_earlier_session_has_measured_it(
        self, loadgen: Loadgen, interrupted: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pair = 'a = {server = "uvicorn"}\nb = {server = "uvicorn-4"}\n'
        with (interrupted / "suites" / "brief.toml").open("a") as suite:
            suite.write(f"[[compare]]\n{pair}")
        (first,) = read_rows(interrupted)
        write_table(interrupted / "trials.csv", [first | {"rps_bound": -2.0}])
        monkeypatch.setattr("loadgen.runs.attempts.MOST_ATTEMPTS", 2)
        monkeypatch.setattr("loadgen.runs.attempts.MARGIN", -1.0)  # whatever moves the second
        code, out, _ = loadgen("run", "--resume", interrupted.name)
        assert code == 0, out
        assert [(row["server"], row["attempt"]) for row in trials(interrupted)] == [
            (server, attempt) for attempt in "12" for server in ("uvicorn", "uvicorn-4")
        ]

    def test_needs_the_servers_of_the_rounds_that_lack_something(
        self, loadgen: Loadgen, interrupted: Path, project: Path
    ) -> None:
        words = ("needs", "run", "--resume", interrupted.name)
        assert loadgen(*words) == (0, "api\nuvicorn\nuvicorn-4\n", "")
        # One that the project has no more cannot be started.
        compose = project / "compose.yaml"
        compose.write_text(compose.read_text().replace("  uvicorn-4:", "  uvicorn-5:"))
        assert loadgen(*words) == (0, "api\nuvicorn\n", "")
        assert outcome(interrupted) == "interrupted at trial 2 of 2"

    def test_takes_suites_and_servers_as_they_were(
        self, loadgen: Loadgen, lab: StandInLab, interrupted: Path, project: Path
    ) -> None:
        (project / SUITES / "brief.toml").unlink()
        lab.on_start = lambda: None
        assert loadgen("run", "--resume", interrupted.name)[0] == 0
        assert outcome(interrupted) == "finished"

    def test_repeats_trials_that_failed(
        self, loadgen: Loadgen, lab: StandInLab, results: Path
    ) -> None:
        lab.fails_first = True
        assert loadgen("run", "brief")[0] == 1
        folder = the_run(results)
        code, out, _ = loadgen("run", "--resume", folder.name)
        assert code == 0
        assert "[1/2] uvicorn" in out
        assert [(row["position"], row["outcome"]) for row in trials(folder)] == [
            ("2", "measured"),
            ("1", "measured"),
        ]
        assert outcome(folder) == "finished"

    def test_drops_what_a_killed_run_has_half_written(
        self, loadgen: Loadgen, interrupted: Path
    ) -> None:
        with (interrupted / "trials.csv").open("a") as stream:
            stream.write("uvicorn-4_startproject_async,1,2,meas")
        leftover = next((interrupted / "hey").glob("uvicorn-4*")) / "leftover"
        leftover.touch()
        assert loadgen("run", "--resume", interrupted.name)[0] == 0
        assert [row["outcome"] for row in trials(interrupted)] == ["measured"] * 2
        assert not leftover.exists()

    def test_with_nothing_missing_writes_how_it_ended_and_needs_no_lab(
        self, loadgen: Loadgen, lab: StandInLab, interrupted: Path
    ) -> None:
        lab.on_start = lambda: None
        loadgen("run", "--resume", interrupted.name)
        file = interrupted / "environment.json"
        environment = json.loads(file.read_text())
        file.write_text(json.dumps(environment | {"outcome": "unfinished: at trial 2 of 2"}))
        (interrupted / "summary.csv").unlink()
        lab.unknown_names |= {"api", "uvicorn", "uvicorn-4"}
        code, out, _ = loadgen("run", "--resume", interrupted.name)
        assert code == 0
        assert "Still to measure: none" in out
        assert outcome(interrupted) == "finished"
        assert (interrupted / "summary.csv").exists()

    def test_refuses_a_finished_run(self, loadgen: Loadgen, lab: StandInLab, results: Path) -> None:
        assert not lab.runs
        loadgen("run", "brief")
        code, _, err = loadgen("run", "--resume", the_run(results).name)
        assert code == 2
        assert err.endswith("is finished: no trial is missing\n")

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--resume", "results/none"), "results/none is not a run: it has no trials.csv"),
            (("brief", "--resume", "results/none"), "--resume takes suites and options from"),
            (("--resume", "results/none", "--seed", "1"), "--resume takes suites and options from"),
            (
                ("--resume", "results/none", "--users", "1"),
                "--resume takes suites and options from",
            ),
        ],
    )
    def test_refuses_what_it_cannot_resume(
        self, loadgen: Loadgen, words: tuple[str, ...], sentence: str
    ) -> None:
        code, _, err = loadgen("run", *words)
        assert code == 2
        assert sentence in err

    def test_refuses_a_run_whose_suites_give_other_trials_now(
        self, loadgen: Loadgen, interrupted: Path
    ) -> None:
        suite = interrupted / "suites" / "brief.toml"
        suite.write_text(suite.read_text().replace("users = 4", "users = 5"))
        code, _, err = loadgen("run", "--resume", interrupted.name)
        assert code == 2
        assert "cannot be resumed: its trial 1, uvicorn_" in err

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [("suites/brief.toml", "brief"), ("compose.yaml", "compose.yaml is missing")],
    )
    def test_refuses_a_run_whose_copies_are_gone(
        self, loadgen: Loadgen, interrupted: Path, name: str, sentence: str
    ) -> None:
        (interrupted / name).unlink()
        code, _, err = loadgen("run", "--resume", interrupted.name)
        assert code == 2
        assert sentence in err
        assert outcome(interrupted) == "interrupted at trial 2 of 2"


def test_a_run_holds_the_lock_as_long_as_it_is_alive(
    loadgen: Loadgen, lab: StandInLab, results: Path
) -> None:
    refusals = []

    def lock_too() -> None:
        with pytest.raises(ConfigurationError) as refusal, RunLock(results):
            pass
        refusals.append(str(refusal.value))

    lab.on_start = lock_too
    assert loadgen("run", "brief")[0] == 0
    first, second = refusals
    assert first.startswith(f"a run is under way: results/{the_run(results).name} since 20")
    assert second == first


def test_a_second_run_is_refused_by_the_module_too(results: Path) -> None:
    command = [sys.executable, "-m", "loadgen", "run", "smoke"]
    with RunLock(results) as lock:
        lock.name(results / "20260102T030405Z-brief")
        refusal = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refusal.returncode == 2
    assert refusal.stderr.startswith("a run is under way: results/20260102T030405Z-brief since 20")
    assert not folders(results)


def test_an_api_that_does_not_come_back_ends_the_run(
    loadgen: Loadgen, lab: StandInLab, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "UP_TIMEOUT_S", 0)
    lab.on_start = lambda: lab.unknown_names.add("api")
    code, out, _ = loadgen("run", "brief")
    folder = the_run(results)
    assert code == 1
    assert [row["outcome"] for row in trials(folder)] == ["measured"]
    assert outcome(folder).startswith("stopped at trial 2 of 2: api is not up")
    assert "docker compose up -d api" in out
    assert f"run --resume results/{folder.name}" in out.splitlines()[-1]


class TestSearch:
    """Whole searches: short windows of few requests, whatever they come to."""

    SUITE = """
question = "How much does it carry?"
warm_up_s = 0.2
window_s = 2
drain_s = 10
[search]
ratio = 1.5
start_share = 0.5
warm_up_s = 0.2
window_s = 2
most_windows = 4
[[cases]]
server = "uvicorn"
users = 4
http_client = "no-http"
delays_ms = [50]
"""

    @pytest.fixture(autouse=True)
    @staticmethod
    def suite(project: Path) -> None:
        (project / SUITES / "search.toml").write_text(TestSearch.SUITE)

    def test_a_dry_run_says_how_many_windows_may_follow(self, loadgen: Loadgen) -> None:
        _, out, _ = loadgen("run", "search", "--rounds", "2", "--dry-run")
        assert out.startswith("search: about 10 trials in 2 searches, about ")
        assert " at most\n" in out.splitlines(keepends=True)[0]
        first, second = out.splitlines()[2:]
        assert first.split()[0] == "1"
        assert second.split()[0] == "2"
        assert ", then about 4 windows of " in first

    def test_leaves_its_windows_and_what_they_found(
        self, loadgen: Loadgen, lab: StandInLab, results: Path
    ) -> None:
        code, out, err = loadgen("run", "search")
        assert (code, err) == (0, "")
        folder = the_run(results)
        first, *windows = trials(folder)
        assert (first["load"], first["repeat"]) == ("closed", "")
        assert float(first["cpu_ceiling_rps"]) > 0
        assert {row["load"] for row in windows} == {"open"}
        assert {row["position"] for row in (first, *windows)} == {"1"}
        assert 0 < len(windows) <= 4
        for row in windows:
            name = f"{row['case']}.r1.w{row['repeat']}"
            assert (folder / "samples" / f"{name}.csv.gz").exists()
            assert f"window {row['repeat']} at {row['rate_rps']}/s" in out
        (found,) = lines_of(folder / "capacity.csv")
        assert len(found["windows"].split()) == len(windows)
        assert "Views/s per core" in out
        assert len(lab.queries) == 1 + len(windows), "every window has a fresh server"

    def test_that_was_interrupted_is_resumed_at_the_window_it_lacks(
        self, loadgen: Loadgen, lab: StandInLab, results: Path
    ) -> None:
        interrupt_at(3, lab)
        code, out, _ = loadgen("run", "search")
        folder = the_run(results)
        assert code == 130
        assert outcome(folder) == "interrupted at trial 1 of 1"
        before = (folder / "trials.csv").read_text()
        assert len(trials(folder)) == 2
        code, out, _ = loadgen("run", "--resume", folder.name)
        assert code == 0, out
        assert "search: about " in out
        assert "in 1 search, about " in out
        assert (folder / "trials.csv").read_text().startswith(before)
        assert len(lab.queries) == 1 + len(trials(folder)), "only the interrupted one began twice"
        assert outcome(folder) == "finished"
