"""`compare` on committed runs whose truth is known: identical twins, and planted differences."""

import csv
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from playwright.sync_api import Browser

from chromium import LOOKS, Scheme, Size, opened
from commands.conftest import RESULTS, Loadgen
from lab import ROOT

REFERENCE = ROOT / "results/reference"

type Line = dict[str, str]


def newest(suite: str) -> str:
    """The newest committed run of a suite, as a reader writes it."""
    folder = max(REFERENCE.glob(f"*-{suite}"))
    return str(folder.relative_to(ROOT))


@pytest.fixture(scope="module")
def compare(loadgen: Loadgen) -> Loadgen:
    """`compare(…)`: `loadgen compare …`."""
    return partial(loadgen, "compare")


def lines(name: str) -> list[Line]:
    """compare.csv of a comparison, by the name of its folder."""
    with (RESULTS / name / "compare.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


TWINS = [("uvicorn", "uvicorn-twin"), ("gunicorn-100-threads", "gunicorn-100-threads-twin")]


@pytest.fixture(scope="module")
def twins(compare: Loadgen) -> list[CompletedProcess[str]]:
    """The comparison of each pair, with gates, which change nothing of what is compared."""
    gates = ("--fail-on", "rps<-3%", "--fail-on", "p50_ms>3%")
    return [
        compare(newest("aa"), "--baseline", original, "--candidate", twin, *gates)
        for original, twin in TWINS
    ]


@pytest.mark.parametrize("pair", range(len(TWINS)), ids=[original for original, _ in TWINS])
def test_identical_twins_pass_a_gate(twins: list[CompletedProcess[str]], pair: int) -> None:
    done = twins[pair]

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Gates: 60 passed." in done.stdout


def test_identical_twins_raise_about_5_percent_of_alarms(
    twins: list[CompletedProcess[str]],
) -> None:
    assert [done.returncode for done in twins] == [0, 0], twins
    found: list[Line] = []
    for original, twin in TWINS:
        found += lines(f"compare-{Path(newest('aa')).name}-{original}-{twin}")
    judged = [line for line in found if line["p"]]
    alarms = [line for line in judged if line["verdict"] in ("better", "worse")]

    assert len(judged) > 200
    assert len(alarms) / len(judged) < 0.1
    assert [line for line in judged if float(line["p_adjusted"]) < 0.05] == []


def test_a_planted_wait_is_found_and_fails_a_gate(compare: Loadgen) -> None:
    done = compare(
        *(newest("planted"), "--baseline", "uvicorn", "--candidate", "planted-wait-10ms"),
        *("--metrics", "min_ms", "--fail-on", "min_ms>1%"),
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "min_ms>1% failed: uvicorn → planted-wait-10ms" in done.stdout


@pytest.fixture(scope="module")
def with_itself(compare: Loadgen) -> CompletedProcess[str]:
    """The comparison of a run with itself."""
    run = newest("articles+article-b-delays")
    return compare(run, run)


def test_a_run_agrees_with_itself(with_itself: CompletedProcess[str]) -> None:
    done = with_itself

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 7 claims agree." in done.stdout
    assert "The machine may have changed between the two runs" in done.stdout


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_its_page_opens_from_disk_and_shows_every_comparison(
    with_itself: CompletedProcess[str],
    browser: Browser,
    size: Size,
    scheme: Scheme,
) -> None:
    run = Path(newest("articles+article-b-delays")).name
    file = RESULTS / f"compare-{run}-{run}" / "compare.html"
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
