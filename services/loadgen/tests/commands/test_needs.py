"""What a command line needs: the services that scripts/bench starts for it, and no other."""

from pathlib import Path

import pytest

from loadgen.commands.needs import to_start
from loadgen.lab.lab import SUITES
from loadgen.runs.lock import RunLock
from loadgen.runs.services import Service
from tests.conftest import Loadgen

#: The lab and a suite for a page that is elsewhere, for one behind another service, and for one
#: whose labels are those of a service that serves itself.
PAGES = """
services:
  elsewhere: {image: none, labels: &page {lab.title: "Elsewhere", lab.interface: wsgi,
    lab.concurrency: threads, lab.processes: "1", lab.url: "http://shop.example:8000/",
    lab.service_time_ms: "100"}}
  behind: {image: mine, labels: {<<: *page, lab.url: "http://front/"}}
  front: {image: nginx}
  mine: {image: mine, labels: {<<: *page, lab.url: "http://mine:8000/"}}
"""
SUITE = 'question = "How are they?"\n[defaults]\nusers = 2\n[[cases]]\nserver = {servers}\n'


@pytest.fixture
def needs(loadgen: Loadgen) -> Loadgen:
    """`needs("run", "smoke")`: the exit code, the services in their order, what stderr says."""

    def call(*words: object) -> tuple[int, str, str]:
        code, out, err = loadgen("needs", *words)
        assert out == "" or out.endswith("\n")
        return code, " ".join(sorted(out.split())), err

    return call


@pytest.mark.parametrize(
    ("words", "services"),
    [
        (("run", "smoke", "--servers", "gun*-100-threads"), "api gunicorn-100-threads"),
        (("run", "smoke", "--only", "uvicorn-4_*", "--rounds", "3"), "api uvicorn-4"),
        (("run", "smoke", "--server", "uvicorn", "--upstream", "django"), "api api-django uvicorn"),
        (("run", "aa", "--servers", "uvicorn*"), "api uvicorn uvicorn-twin"),
        (("check", "--rates", "50"), "api"),
    ],
)
def test_a_command_that_measures_needs_its_servers_and_what_their_views_call(
    needs: Loadgen, project: Path, words: tuple[str, ...], services: str
) -> None:
    (project / "compose.override.yaml").write_text("services: {api-django: {image: mine}}")
    assert needs(*words) == (0, services, "")


def test_the_readers_own_question_needs_its_servers(needs: Loadgen) -> None:
    code, services, err = needs("quick", "--delays-ms", "800,400", "--users", "200")
    assert (code, err) == (0, "")
    assert services.split()[0] == "api"
    assert "uvicorn" in services.split()
    assert len(services.split()) < 8


def test_without_a_word_it_is_the_default_run(
    needs: Loadgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert needs() == needs("run", "articles")
    monkeypatch.setenv("SUITE", "aa")
    assert needs() == needs("run", "aa") != needs("run", "articles")


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("columns",),
        ("report", "latest"),
        ("export", "latest"),
        ("compare", "one", "other"),
        ("predict", "--users", "500", "--delays-ms", "800"),
        ("run", "smoke", "--dry-run"),
        ("quick", "--delays-ms", "800", "--dry-run"),
        ("run", "--help"),
        ("--help",),
    ],
)
def test_what_measures_nothing_needs_nothing(needs: Loadgen, words: tuple[str, ...]) -> None:
    assert needs(*words) == (0, "", "")


@pytest.mark.parametrize(
    "words",
    [
        ("measure",),
        ("--fast",),
        ("run", "artikel"),
        ("run", "smoke", "--round", "2"),
        ("run", "smoke", "--servers", "nginx*"),
        ("run", "--resume", "latest"),
        ("quick", "--delays-ms", "soon"),
        ("check", "--driver", "ab"),
        ("report",),
        ("predict", "--users", "many"),
    ],
)
def test_what_is_wrong_is_said_as_without_it(
    needs: Loadgen, loadgen: Loadgen, words: tuple[str, ...]
) -> None:
    code, services, err = needs(*words)
    assert (code, services) == (2, "")
    assert (code, "", err) == loadgen(*words)


def test_nothing_is_started_beside_a_run_that_measures(needs: Loadgen, in_project: Path) -> None:
    with RunLock(in_project):
        code, services, err = needs("run", "smoke")
        assert needs("run", "smoke", "--dry-run")[0] == 0
    assert (code, services) == (2, "")
    assert "a run is under way" in err


def test_it_leaves_no_folder_of_a_run(needs: Loadgen, in_project: Path) -> None:
    needs("run", "smoke")
    needs("check")
    assert [path.name for path in in_project.iterdir() if path.is_dir()] == []


def test_pages_of_the_readers_own_need_the_services_that_there_are(
    needs: Loadgen, project: Path
) -> None:
    (project / "compose.override.yaml").write_text(PAGES)
    for servers, services in (
        (["elsewhere"], "api"),
        (["behind"], "api behind front"),
        (["mine", "uvicorn"], "api mine uvicorn"),
    ):
        (project / SUITES / "own.toml").write_text(SUITE.format(servers=servers))
        assert needs("run", "own") == (0, services, "")


def test_each_service_is_named_once_and_only_if_it_is_declared() -> None:
    def service(name: str, host: str) -> Service:
        return Service(name, host, lambda _: None)

    needed = [service("api", "api"), service("a", "front"), service("b", "front")]
    gone = [service("gone", "gone"), service("far", "far.example")]
    assert to_start([*needed, *gone], ["api", "a", "b", "front"]) == ["api", "a", "front", "b"]
