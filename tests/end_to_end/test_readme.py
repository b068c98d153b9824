"""The README's tables are those of the committed reference run, to the letter."""

import itertools
import re

import pytest

from end_to_end.conftest import Compose
from lab import ROOT
from runs import Run

SUITES = ["article-a", "article-b"]


@pytest.fixture(scope="module")
def reference_tables(loadgen: Compose) -> dict[str, str]:
    """Suite → its table, as `report --markdown` prints it of the newest reference run."""
    runs = [Run(file.parent) for file in ROOT.glob("results/reference/*/environment.json")]
    of_articles = [run for run in runs if "articles" in run.environment["arguments"]["suites"]]
    assert of_articles, "results/reference/ holds no run of the suite articles"
    newest = max(of_articles, key=lambda run: str(run.environment["started_at"]))
    done = loadgen("report", str(newest.folder.relative_to(ROOT)), "--markdown")
    assert done.returncode == 0, done.stderr
    of_suites = [text for text in tables(done.stdout) if text.startswith("| Configuration |")]
    return dict(zip(SUITES, of_suites, strict=True))


def tables(markdown: str) -> list[str]:
    """Every table of a text: lines in a row that begin with `|`."""
    grouped = itertools.groupby(markdown.splitlines(), lambda line: line.startswith("|"))
    return ["\n".join(lines) for is_table, lines in grouped if is_table]


@pytest.mark.parametrize("suite", SUITES)
def test_the_readme_shows_the_reference_runs_table(
    reference_tables: dict[str, str], suite: str
) -> None:
    readme = (ROOT / "README.md").read_text()
    between = re.search(rf"<!-- {suite} -->\n(.*?)<!-- end -->", readme, re.DOTALL)

    assert between, f"README.md has no place for the table of {suite}"
    assert tables(between[1]) == [reference_tables[suite]]
