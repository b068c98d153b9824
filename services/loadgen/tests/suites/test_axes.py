"""Axes from the command line stand in the place of a suite's own."""

from pathlib import Path
from typing import Any

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab.lab import SUITES
from loadgen.suites.axes import replaced
from loadgen.suites.load_suites import load_suites
from loadgen.suites.suite import Suite
from tests.suites.test_suite import lab_of

SUITE = """
question = "Which?"
[defaults]
users = 100
delays_ms = [300, 600, 150]
[[cases]]
server = "uvicorn"
http_client = ["httpx-per-request", "httpx-shared", "no-http"]
[[cases]]
server = "gunicorn-4x10"
users = [100, 40]
http_client = ["httpx-per-request", "requests-shared"]
[[compare]]
a = {http_client = ["no-http", "httpx-per-request"]}
b = {http_client = "httpx-shared"}
[[compare]]
a = {server = "uvicorn"}
b = {server = "gunicorn-4x10"}
[[published]]
server = "uvicorn"
http_client = "no-http"
rps = 3
"""


def suite(project: Path, text: str = SUITE, **axes: Any) -> Suite:
    """A suite of this text with these axes set."""
    (project / SUITES / "mine.toml").write_text(text)
    (suite,) = load_suites(lab_of(project, axes), "mine")
    return suite


def test_an_axis_replaces_defaults_and_entries_and_what_is_then_the_same_is_one_case(
    project: Path,
) -> None:
    found = suite(project, server=["uvicorn"], users=[10, 20], delays_ms=[[800, 400]])
    clients = ("httpx-per-request", "httpx-shared", "no-http")
    assert {case.delays_ms for case in found.cases} == {(800, 400)}
    assert sorted((case.server, case.http_client, case.users) for case in found.cases) == sorted(
        ("uvicorn", client, users) for client in clients for users in (10, 20)
    )
    assert found.left_out[0] == (
        "uvicorn with requests-shared, because requests-shared has no async side"
    )


def test_a_comparison_stays_with_what_it_still_matches(project: Path) -> None:
    found = suite(project, users=[7], http_client=["httpx-shared", "no-http"])
    clients = [
        (a.server, a.http_client, b.http_client) for a, b in found.compare[0].pairs(found.cases)
    ]
    assert clients == [
        ("uvicorn", "no-http", "httpx-shared"),
        ("gunicorn-4x10", "no-http", "httpx-shared"),
    ]
    assert len(found.compare) == 2


def test_a_comparison_that_matches_nothing_any_more_is_left_out_and_said(project: Path) -> None:
    found = suite(project, http_client=["httpx-shared"], users=[7])
    assert len(found.compare) == 1
    said = "compare[1]: a and b have no two cases that differ only in what they name"
    assert said in found.left_out


def test_published_figures_stand_beside_the_cases_that_they_are_of_alone(project: Path) -> None:
    assert len(suite(project).published) == 1
    assert len(suite(project, http_client=["no-http"], users=[100]).published) == 1
    other = suite(project, users=[10])
    assert other.published == ()
    assert "published figures: they hold for other axes than those of this run" in other.left_out


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"users": ["many"]}, "--users: must be a whole number"),
        ({"users": [0]}, "--users: must be greater than or equal to 1, not 0"),
        ({"server": ["nginx"]}, "--server: unknown 'nginx'; known: uwsgi-2-threads, "),
        ({"http_client": ["curl"]}, "--http-client: unknown 'curl'; known: no-http, "),
        (
            {"settings": ["debug"]},
            "--settings: unknown 'debug'; known: article, article_bare, bare",
        ),
        ({"view": ["parallel"]}, "--view: must be 'sync' or 'async', not 'parallel'"),
        ({"upstream": ["ftp"]}, "--upstream: must be 'http'.*, not 'ftp'"),
        ({"delays_ms": [[60_001]]}, "--delays-ms: must be less than or equal to 60000, not 60001"),
        ({"cpu_ms": ["much"]}, "--cpu-ms: must be a number"),
        ({"workload": ["single"]}, r"mine\.toml, cases\[1\]: workload single makes one call"),
    ],
)
def test_a_wrong_value_names_the_option_and_what_is_allowed(
    project: Path, axes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        suite(project, **axes)


def test_users_take_the_place_of_a_ramp_and_a_ramp_that_of_users() -> None:
    ramp = [[[0, 0], [10, 100], [30, 100]]]
    entry = {"server": "uvicorn", "ramp": ramp[0]}
    assert replaced(entry, {"users": [50]}) == {"server": "uvicorn", "users": [50]}
    assert replaced({"users": 5}, {"ramp": ramp}) == {"ramp": ramp}
    assert replaced(entry, {"cpu_ms": [5]}) == entry | {"cpu_ms": [5]}


def test_a_rate_takes_the_place_of_users_and_makes_the_load_open(project: Path) -> None:
    found = suite(project, rate_rps=[40])
    loads = {(case.load, case.users, case.rate_rps, case.arrivals) for case in found.cases}
    assert loads == {("open", None, 40, "poisson")}
    assert replaced({"rate_rps": 5, "load": "open"}, {"users": [7]}) == {"users": [7]}
    assert replaced({"users": 5}, {"rate_rps": [9], "arrivals": ["constant"]}) == {
        "load": ["open"],
        "rate_rps": [9],
        "arrivals": ["constant"],
    }


WITH_WHEN = """
question = "Which?"
[defaults]
users = 10
[[cases]]
server = "uvicorn"
http_client = ["httpx-per-request", "httpx-shared"]
[[cases]]
when = {workload = "serial"}
workload = "fanout"
server = "uvicorn"
http_client = "httpx-shared"
[[compare]]
when = {workload = "serial"}
a = {workload = "serial"}
b = {workload = "fanout"}
[[compare]]
a = {http_client = "httpx-per-request"}
b = {http_client = "httpx-shared"}
"""


def test_what_counts_only_when_an_axis_is_set_is_not_there_otherwise(project: Path) -> None:
    found = suite(project, WITH_WHEN)
    assert {case.workload for case in found.cases} == {"fanout"}
    assert (len(found.cases), len(found.compare), found.left_out) == (2, 1, ())
    other = suite(project, WITH_WHEN, users=[20])
    assert (len(other.cases), len(other.compare), other.left_out) == (2, 1, ())


def test_what_counts_when_an_axis_is_set_keeps_its_own_value_of_it(project: Path) -> None:
    found = suite(project, WITH_WHEN, workload=["serial"], users=[20])
    assert [(case.workload, case.http_client, case.users) for case in found.cases] == [
        ("serial", "httpx-per-request", 20),
        ("serial", "httpx-shared", 20),
        ("fanout", "httpx-shared", 20),
    ]
    pairs = [(a.workload, b.workload) for a, b in found.pairs]
    assert pairs == [("serial", "fanout"), ("serial", "serial")]


@pytest.mark.parametrize("written", ['"serial"', '{wurkload = "serial"}'])
def test_a_condition_names_axes(project: Path, written: str) -> None:
    text = WITH_WHEN.replace('{workload = "serial"}', written, 1)
    with pytest.raises(ConfigurationError, match=r"mine\.toml, cases\[2\]\.when"):
        suite(project, text)


def test_requests_are_counted_for_hey_alone(project: Path) -> None:
    counted = {"driver": "hey", "planned_requests": 100}
    assert replaced(counted, {"driver": ["own"]}) == {"driver": ["own"]}
    assert replaced(counted, {"driver": ["hey"]})["planned_requests"] == 100
    text = SUITE.replace("users = 100", "users = 100\nplanned_requests = 200\ndriver = 'hey'")
    found = suite(project, text, driver=["own"])
    assert {(case.driver, case.planned_requests) for case in found.cases} == {("own", None)}
