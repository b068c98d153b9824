"""What README and docs/ show of a run is what the lab prints of it, to the letter."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from commands.conftest import Loadgen
from lab import ROOT, declared_servers

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
#: A quotation: the run's folder, then what `report --markdown` prints of it.
QUOTATION = re.compile(r"<!-- (results/reference/\S+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
#: The same of what `predict --check` prints.
CHECKED = re.compile(r"<!-- predict (results/reference/\S+) -->\n(.*?)\n<!-- end -->", re.DOTALL)
#: A prediction as a reader is to type it; what it is for stands behind two spaces.
PREDICTION = re.compile(
    r"^ {4}(?:scripts/bench|docker compose run --rm loadgen) (predict (?:\S+ ?)+)", re.MULTILINE
)

Report = Callable[[str], str]


def quotations() -> Iterator[tuple[str, str, str]]:
    """Page, run folder and text of every quotation."""
    for page in PAGES:
        for quotation in QUOTATION.finditer(page.read_text()):
            yield page.name, quotation[1], quotation[2]


@pytest.fixture(scope="module")
def report(loadgen: Loadgen) -> Report:
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


@pytest.fixture(scope="module")
def checked(loadgen: Loadgen) -> Report:
    """`checked(folder)`: how far off the predictions of a run are, as the lab prints it."""
    return cache(lambda folder: loadgen("predict", folder, "--check").stdout)


def test_predictions_are_as_far_off_as_their_page_says(checked: Report) -> None:
    shown = CHECKED.findall((ROOT / "docs/predictions.md").read_text())

    assert shown
    for folder, text in shown:
        assert checked(folder).strip() == text


@pytest.mark.parametrize("page", ["docs/commands.md", "docs/predictions.md"])
def test_the_example_of_a_prediction_answers(loadgen: Loadgen, page: str) -> None:
    examples = PREDICTION.findall((ROOT / page).read_text())

    assert len(examples) == 1
    done = loadgen(*examples[0].split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not predicted" not in done.stdout


def test_predictions_beat_the_plain_bounds(checked: Report) -> None:
    for folder, _ in CHECKED.findall((ROOT / "docs/predictions.md").read_text()):
        for line in checked(folder).splitlines()[2:4]:
            *_, law, _, bounds = (float(cell.split(" %")[0]) for cell in line.split("|")[2:-1])
            assert law < bounds, f"{folder}: {line}"


def test_every_figure_and_verdict_is_what_its_run_says(loadgen: Loadgen) -> None:
    done = loadgen("quote")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_fits_into_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_columns_page_is_generated(loadgen: Loadgen) -> None:
    assert loadgen("columns").stdout == (ROOT / "docs/columns.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())

    assert [link for link in targets if not (page.parent / link).exists()] == []


def flags(command: list[str]) -> Iterator[str]:
    """Each flag of a command as one writes it: `--threads 2`, `--master`, `--http-keepalive=30`."""
    for word, following in pairwise([*command[1:], "--"]):
        if word.startswith("--"):
            yield word if following.startswith("--") else f"{word} {following}"


def test_the_servers_page_explains_every_server_and_flag_and_no_others() -> None:
    parts = re.split(r"^## (\w+)\n", (ROOT / "docs/servers.md").read_text(), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    commands: dict[str, dict[str, list[str]]] = {}
    for server in declared_servers():
        commands.setdefault(server.command[0], {})[server.name] = server.command

    for program, servers in commands.items():
        section = sections[program]
        written = set(re.findall(r"`(--[^`]+)`", section))
        used = {flag for command in servers.values() for flag in flags(command)}
        rows = re.findall(r"^\| `([a-z0-9-]+)`", section, re.MULTILINE)
        in_tables = re.findall(r"`(--[^`]+)`", "".join(re.findall(r"^\|.*", section, re.MULTILINE)))
        assert used - written == set(), program
        assert [name for name in rows if not name.startswith("--")] == list(servers)
        assert {flag.split()[0] for flag in in_tables} == {flag.split()[0] for flag in used}
