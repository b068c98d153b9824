"""What README and docs/ show of a run is what the lab prints of it, to the letter."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from end_to_end.conftest import Compose
from lab import ROOT
from runs import Run

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: A quotation: the run's folder, then what `report --markdown` prints of it.
QUOTATION = re.compile(r"<!-- (results/reference/\S+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
#: The same of what `predict --check` prints.
CHECKED = re.compile(r"<!-- predict (results/reference/\S+) -->\n(.*?)\n<!-- end -->", re.DOTALL)

Report = Callable[[str], str]


def quotations() -> Iterator[tuple[str, str, str]]:
    """Page, run folder and text of every quotation."""
    for page in PAGES:
        for quotation in QUOTATION.finditer(page.read_text()):
            yield page.name, quotation[1], quotation[2]


@pytest.fixture(scope="module")
def report(loadgen: Compose) -> Report:
    """`report(folder)`: what the lab prints of a run, as Markdown."""

    @cache
    def printed(folder: str) -> str:
        done = loadgen("report", folder, "--markdown")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return printed


@pytest.mark.parametrize(("page", "folder", "text"), list(quotations()))
def test_a_quotation_is_what_the_lab_prints(
    report: Report, page: str, folder: str, text: str
) -> None:
    assert text in report(folder), f"{page} differs from `report {folder} --markdown`"


def test_predictions_are_as_far_off_as_their_page_says(loadgen: Compose) -> None:
    checked = CHECKED.findall((ROOT / "docs/predictions.md").read_text())

    assert checked
    for folder, text in checked:
        assert loadgen("predict", folder, "--check").stdout.strip() == text


def test_predictions_beat_the_plain_bounds(loadgen: Compose) -> None:
    folder = CHECKED.findall((ROOT / "docs/predictions.md").read_text())[0][0]
    lines = loadgen("predict", folder, "--check").stdout.splitlines()[2:4]

    for line in lines:
        *_, law, _, bounds = (float(cell.split(" %")[0]) for cell in line.split("|")[2:-1])
        assert law < bounds, line


def test_the_readme_quotes_the_newest_reference_run_of_both_articles() -> None:
    runs = [Run(file.parent) for file in ROOT.glob("results/reference/*/environment.json")]
    of_articles = [run for run in runs if "articles" in run.environment["arguments"]["suites"]]
    newest = max(of_articles, key=lambda run: str(run.environment["started_at"]))
    quoted = [folder for page, folder, _ in quotations() if page == "README.md"]

    assert quoted.count(str(newest.folder.relative_to(ROOT))) >= 2


def test_the_columns_page_is_generated(loadgen: Compose) -> None:
    assert loadgen("columns").stdout == (ROOT / "docs/columns.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())

    assert [link for link in targets if not (page.parent / link).exists()] == []
