"""`compare` on committed runs whose truth is known: identical twins, and planted differences."""

import csv
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from playwright.sync_api import Browser

from chromium import LOOKS, Scheme, Size, opened
from end_to_end.conftest import Compose, ScratchLab
from lab import ROOT

REFERENCE = ROOT / "results/reference"

type Compare = Callable[..., CompletedProcess[str]]
type Line = dict[str, str]


def newest(suite: str) -> str:
    """The newest committed run of a suite, as a reader writes it."""
    folder = max(REFERENCE.glob(f"*-{suite}"))
    return str(folder.relative_to(ROOT))


@pytest.fixture(scope="module")
def compare(compose: Compose, scratch_lab: ScratchLab) -> Compare:
    """`compare(…)`: writes into a results/ of the tests' own."""
    _, results = scratch_lab.mounts

    def run(*words: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "--no-deps", results, "loadgen", "compare", *words)

    return run


@pytest.fixture(scope="module")
def lines(scratch_lab: ScratchLab) -> Callable[[str], list[Line]]:
    """Reads compare.csv of a comparison, by the name of its folder."""

    def read(name: str) -> list[Line]:
        with (scratch_lab.results / name / "compare.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    return read


TWINS = [("uvicorn", "uvicorn-twin"), ("gunicorn-100-threads", "gunicorn-100-threads-twin")]


@pytest.mark.parametrize(("original", "twin"), TWINS)
def test_identical_twins_pass_a_gate(compare: Compare, original: str, twin: str) -> None:
    done = compare(
        *(newest("aa"), "--baseline", original, "--candidate", twin),
        *("--fail-on", "rps<-3%", "--fail-on", "p50_ms>3%"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Gates: 60 passed." in done.stdout


def test_identical_twins_raise_about_5_percent_of_alarms(
    compare: Compare, lines: Callable[[str], list[Line]]
) -> None:
    found: list[Line] = []
    for server, twin in TWINS:
        done = compare(newest("aa"), "--baseline", server, "--candidate", twin)
        assert done.returncode == 0, done.stderr
        found += lines(f"compare-{Path(newest('aa')).name}-{server}-{twin}")
    judged = [line for line in found if line["p"]]
    alarms = [line for line in judged if line["verdict"] in ("better", "worse")]

    assert len(judged) > 200
    assert len(alarms) / len(judged) < 0.1
    assert [line for line in judged if float(line["p_adjusted"]) < 0.05] == []


def test_a_planted_wait_is_found_and_fails_a_gate(compare: Compare) -> None:
    done = compare(
        *(newest("planted"), "--baseline", "uvicorn", "--candidate", "planted-wait-10ms"),
        *("--metrics", "min_ms", "--fail-on", "min_ms>1%"),
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "min_ms>1% failed: uvicorn → planted-wait-10ms" in done.stdout


@pytest.fixture(scope="module")
def with_itself(compare: Compare) -> CompletedProcess[str]:
    """The comparison of a run with itself."""
    run = newest("articles+article-b-delays")
    return compare(run, run)


def test_a_run_agrees_with_itself(with_itself: CompletedProcess[str]) -> None:
    done = with_itself

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 7 claims agree." in done.stdout
    assert "Two runs are two days" in done.stdout


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_its_page_opens_from_disk_and_shows_every_comparison(
    with_itself: CompletedProcess[str],
    scratch_lab: ScratchLab,
    browser: Browser,
    size: Size,
    scheme: Scheme,
) -> None:
    run = Path(newest("articles+article-b-delays")).name
    file = scratch_lab.results / f"compare-{run}-{run}" / "compare.html"
    watched = opened(browser, file, size, scheme)
    page = watched.page
    with (file.parent / "compare.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))

    assert with_itself.returncode == 0, with_itself.stderr
    assert len(written) > 50
    assert page.locator("#verdicts table tbody tr").count() == len(written)
    assert page.locator("#verdicts figure svg").count() >= 1
    assert "7 of 7 claims agree" in page.locator("main").inner_text()
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (watched.said, watched.requests) == ([], [file.as_uri()])
    page.context.close()
