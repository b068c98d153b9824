"""Which pairs of a suite are duets, and which can be none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab.lab import SUITES
from loadgen.lab.servers import read_servers
from loadgen.suites.load_suites import load_suites
from loadgen.suites.suite import Suite
from tests.suites.test_suite import lab_of

type Load = Callable[[str], Suite]


@pytest.fixture
def load(project: Path) -> Load:
    """A suite `mine` from its text."""

    def from_text(text: str) -> Suite:
        (project / SUITES / "mine.toml").write_text(text)
        (suite,) = load_suites(lab_of(project), "mine")
        return suite

    return from_text


HEAD = 'question = "?"\n[defaults]\nusers = 50\n'


def pair(a: str, b: str, metrics: str = '["app_cpu_ms_per_view"]') -> str:
    return (
        f"[[cases]]\n{a}\n[[cases]]\n{b}\n"
        f"[[compare]]\na = {{{a.replace(chr(10), ', ')}}}\nb = {{{b.replace(chr(10), ', ')}}}\n"
        f"metrics = {metrics}\nduet = true\n"
    )


UVICORN, GUNICORN = 'server = "uvicorn"', 'server = "gunicorn-100-threads"'
PER_REQUEST = f'{UVICORN}\nhttp_client = "httpx-per-request"'
SHARED = f'{UVICORN}\nhttp_client = "httpx-shared"'


def test_a_pair_of_two_servers_is_a_duet(load: Load) -> None:
    (duet,) = load(HEAD + pair(UVICORN, GUNICORN)).duets
    assert (duet.a.server, duet.b.server) == ("uvicorn", "gunicorn-100-threads")
    assert (duet.most_users, duet.most_rps) == (50, 0)


def test_a_duet_is_asked_at_a_rate_that_no_answer_changes(load: Load) -> None:
    """Users who wait for their answers fall into step, and views in waves cost less."""
    (duet,) = load(HEAD + pair(UVICORN, GUNICORN)).duets
    for case in (duet.a, duet.b):
        assert (case.load, case.arrivals) == ("open", "jittered")
        assert (case.users, case.rate_rps) == (None, None)


def test_a_server_of_the_lab_can_meet_itself_with_another_client(load: Load) -> None:
    (duet,) = load(HEAD + pair(PER_REQUEST, SHARED)).duets
    assert duet.a.server == duet.b.server == "uvicorn"


def test_only_servers_that_are_the_app_as_it_is_have_a_spare(project: Path) -> None:
    servers = read_servers(project)
    assert servers["uvicorn"].has_spare
    assert servers["uvicorn-twin"].has_spare
    assert not servers["planted-cpu-5"].has_spare


def test_a_project_without_a_spare_container_has_none(project: Path) -> None:
    file = project / "compose.yaml"
    lines = [each for each in file.read_text().splitlines() if not each.startswith("  spare:")]
    file.write_text("\n".join(lines))
    assert not any(server.has_spare for server in read_servers(project).values())


OWN = """services:
  mine:
    extends: {file: compose.yaml, service: uvicorn}
    labels: {lab.title: Mine}
  paged:
    image: my-django
    labels:
      lab.title: My page
      lab.interface: wsgi
      lab.concurrency: threads
      lab.processes: 1
      lab.url: http://paged:8000/report/
      lab.service_time_ms: 400
"""


def test_an_own_server_cannot_meet_itself_and_the_way_out_is_told(
    load: Load, project: Path
) -> None:
    (project / "compose.override.yaml").write_text(OWN)
    mine = [each.replace("uvicorn", "mine") for each in (PER_REQUEST, SHARED)]
    with pytest.raises(ConfigurationError, match=r"mine cannot run twice at once.*extends"):
        load(HEAD + pair(*mine))


def test_a_server_that_is_always_on_keeps_trials_of_its_own(load: Load, project: Path) -> None:
    (project / "compose.override.yaml").write_text(OWN)
    suite = load(HEAD + pair('server = "paged"', 'server = "paged"\nusers = 20'))
    assert suite.duets == []
    assert len(suite.alone) == 2
    assert any("paged, because the lab does not start it" in reason for reason in suite.left_out)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (pair(UVICORN, GUNICORN, '["rps"]'), "a duet measures app_cpu_ms_per_view"),
        (pair(f'{UVICORN}\ndriver = "locust"', f'{GUNICORN}\ndriver = "locust"'), "driver own"),
        (pair(f"{UVICORN}\nusers = 20", f"{UVICORN}\nusers = 30"), "differ only in their load"),
    ],
)
def test_what_can_be_no_duet_is_refused(load: Load, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(HEAD + text)


def test_a_case_is_measured_alone_if_anything_else_asks_about_it(load: Load) -> None:
    both = '["rps", "app_cpu_ms_per_view"]'
    assert load(HEAD + pair(UVICORN, GUNICORN)).alone == []
    assert len(load(HEAD + pair(UVICORN, GUNICORN, both)).alone) == 2
