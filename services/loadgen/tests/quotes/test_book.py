"""README and docs/ as a whole, held to committed runs by the command line."""

from pathlib import Path

import pytest

from loadgen.lab.run_folders import REFERENCE, RESULTS
from tests.conftest import Loadgen
from tests.kept_run import keep_run
from tests.make import a_case, a_trial
from tests.whole_run import answered

QUOTES = """
[best]
run = "quick"
case = "uvicorn"
metric = "rps"
"""
SETTINGS = '"README.md" = ["600 ms"]\n'
README = "It makes <!-- q best -->50.0<!-- / --> views/s of 600 ms.\n"


@pytest.fixture
def pages(project: Path, in_project: Path) -> Path:
    """The folder of a project with a page that says what its committed run does."""
    assert in_project.is_dir()
    case = a_case(server="uvicorn")
    rows = [answered(a_trial(case=case, round=number), 100.0, rps=50.0) for number in (1, 2, 3)]
    arguments = {"suites": ["quick"], "seed": 1}
    folder = project / RESULTS / REFERENCE / "20260102T030405Z-quick"
    folder.parent.mkdir(parents=True, exist_ok=True)
    keep_run(folder, project, rows, arguments=arguments)
    (project / "docs").mkdir(exist_ok=True)
    (project / "docs" / "quotes.toml").write_text(QUOTES)
    (project / "docs" / "settings.toml").write_text(SETTINGS)
    (project / "README.md").write_text(README)
    return project


def test_pages_that_say_what_their_runs_do_have_no_problem(pages: Path, loadgen: Loadgen) -> None:
    assert pages.is_dir()
    assert loadgen("quote") == (0, "", "")


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (README.replace("50.0", "51.0"), "line 1 should be: It makes <!-- q best -->50.0"),
        (README.replace("of 600 ms", "and 7 ms, of 600 ms"), '"7 ms" has no mark'),
        (README.replace("600 ms", "users"), 'its setting "600 ms" stands nowhere'),
        ("600 ms\n", "docs/quotes.toml: no page shows best"),
        (README + "It beats all.\n", '"beats" has no mark'),
    ],
)
def test_a_page_that_says_something_else_is_refused_line_by_line(
    pages: Path, loadgen: Loadgen, page: str, problem: str
) -> None:
    (pages / "README.md").write_text(page)
    code, out, _ = loadgen("quote")
    assert code == 1
    assert problem in out


def test_a_page_is_printed_as_it_should_be(pages: Path, loadgen: Loadgen) -> None:
    (pages / "README.md").write_text(README.replace("50.0", "1"))
    assert loadgen("quote", "README.md") == (0, README, "")


@pytest.mark.parametrize(
    ("file", "text", "mistake"),
    [
        ("quotes.toml", QUOTES.replace("quick", "slow"), "has no finished run of slow"),
        ("quotes.toml", QUOTES.replace("metric", "metrics"), "best.metrics unknown key"),
        ("quotes.toml", QUOTES.replace('metric = "rps"', ""), "best lacks metric"),
        ("quotes.toml", "[", "docs/quotes.toml is not valid TOML"),
        ("settings.toml", '"README.md" = 5', '"README.md" must be a list of phrases'),
    ],
)
def test_a_mistake_in_the_files_is_named(
    pages: Path, loadgen: Loadgen, file: str, text: str, mistake: str
) -> None:
    (pages / "docs" / file).write_text(text)
    code, out, err = loadgen("quote")
    assert code in (1, 2)
    assert mistake in out + err


def test_a_page_that_is_none_is_refused(pages: Path, loadgen: Loadgen) -> None:
    assert pages.is_dir()
    code, _, err = loadgen("quote", "docs/none.md")
    assert (code, err) == (2, "docs/none.md cannot be read: No such file or directory\n")


CHECK = """driver,delays,agrees,p50_ms,p95_ms,api_p50_ms,api_p95_ms
own,fixed,yes,100.5,102,100,101.5
own,uniform,no: p95,100.2,104.25,100,101
hey,fixed,asks again,101,,100,
"""


def test_a_driver_is_held_to_the_committed_check(pages: Path, loadgen: Loadgen) -> None:
    folder = pages / RESULTS / REFERENCE / "20260102T030405Z-check"
    folder.mkdir()
    (folder / "check.csv").write_text(CHECK)
    (pages / "docs" / "quotes.toml").write_text('[own]\nrun = "check"\ndriver = "own"\n')
    shown = [f"<!-- q own{form} -->?<!-- / -->" for form in ("", " p50", " p95")]
    (pages / "README.md").write_text(" ".join(shown) + "\n")

    _, out, _ = loadgen("quote", "README.md")

    assert [part.partition("<")[0] for part in out.split("-->")[1::2]] == [
        "1 of 2",
        "0.5 ms",
        "3.2 ms",
    ]


def test_a_change_is_quoted_as_the_report_judges_it(pages: Path, loadgen: Loadgen) -> None:
    (pages / "docs" / "quotes.toml").write_text('[first]\nrun = "quick"\nchange = 1\n')
    (pages / "README.md").write_text("<!-- q first -->?<!-- / -->\n")
    _, out, _ = loadgen("quote")
    assert "first: 20260102T030405Z-quick has 0 changes to judge" in out


def later_run(pages: Path, outcome: str) -> str:
    """A run of the same suites that began later, and makes 70 views/s."""
    rows = [
        answered(a_trial(case=a_case(server="uvicorn"), round=number), 100.0, rps=70.0)
        for number in (1, 2, 3)
    ]
    name = "20260103T030405Z-quick"
    arguments = {"suites": ["quick"], "seed": 1}
    folder = pages / RESULTS / REFERENCE / name
    keep_run(folder, pages, rows, arguments=arguments, outcome=outcome)
    return name


LINKED = README + "See [it](results/reference/20260102T030405Z-quick/report.html).\n"


def test_a_newer_run_takes_the_place_of_an_older_one_links_and_all(
    pages: Path, loadgen: Loadgen
) -> None:
    newer = later_run(pages, "finished")
    (pages / "README.md").write_text(LINKED)
    _, out, _ = loadgen("quote", "README.md")
    assert "<!-- q best -->70.0<!-- / -->" in out
    assert f"See [it](results/reference/{newer}/report.html)." in out


def test_a_run_that_is_not_finished_says_nothing_yet(pages: Path, loadgen: Loadgen) -> None:
    later_run(pages, "interrupted at trial 3 of 4")
    (pages / "README.md").write_text(LINKED)
    assert loadgen("quote", "README.md") == (0, LINKED, "")


def test_one_run_by_its_whole_name_stands_for_itself(pages: Path, loadgen: Loadgen) -> None:
    later_run(pages, "finished")
    (pages / "docs" / "quotes.toml").write_text(
        QUOTES.replace('run = "quick"', 'run = "20260102T030405Z-quick"')
    )
    assert loadgen("quote") == (0, "", "")
