"""A duet in the whole lab: one server with two settings, the second in the spare container."""

import csv
import math

import pytest

from lab import ROOT, Compose
from runs import Finished, Run, folder_in

CASES = "uvicorn_*_aiohttp-shared_*"


@pytest.fixture(scope="module")
def duet(loadgen: Compose) -> Finished:
    """Suite `duets`, narrowed to uvicorn with Django's default middleware and without."""
    done = loadgen("run", "duets", "--rounds", "1", "--only", CASES)
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(done, Run(ROOT / "results" / folder_in(done.stdout)))


@pytest.fixture(scope="module")
def sides(duet: Finished) -> list[dict[str, str]]:
    """The two rows of the duet, measured."""
    rows = [row for row in duet.run.rows if row["partner"]]
    if {row["outcome"] for row in rows} <= {"costs-too-unlike", "costs-too-high"}:
        pytest.skip("this machine was too busy to give both servers one load")
    return rows


def test_it_has_a_row_for_each_side_that_names_the_other(sides: list[dict[str, str]]) -> None:
    a, b = sides
    assert (a["partner"], b["partner"]) == (b["case"], a["case"])
    assert (a["settings"], b["settings"]) == ("startproject", "bare")
    assert a["server"] == b["server"] == "uvicorn"
    assert a["position"] == b["position"]
    assert a["load"] == b["load"] == "open"
    assert 0 < float(a["rate_rps"]) == float(b["rate_rps"]) <= 30
    assert a["rps"] == a["p50_ms"] == ""


def test_its_cost_is_the_mean_of_its_slices(duet: Finished, sides: list[dict[str, str]]) -> None:
    (file,) = (duet.run.folder / "slices").glob("*.csv")
    with file.open(newline="") as stream:
        slices = list(csv.DictReader(stream))
    assert len(slices) == 5
    for side, row in zip("ab", sides, strict=True):
        logs = [math.log(float(each[f"{side}_cpu_ms_per_view"])) for each in slices]
        mean = math.exp(sum(logs) / len(logs))
        assert float(row["app_cpu_ms_per_view"]) == pytest.approx(mean, rel=1e-4)


def test_its_comparison_says_so_beside_that_of_separate_trials(
    duet: Finished, sides: list[dict[str, str]]
) -> None:
    by = {line["by"]: line for line in duet.run.comparisons}
    assert by["duet"]["load"] == f"{sides[0]['rate_rps']} views/s each"
    assert by["trials"]["load"] == ""
    assert all("_duet" not in line["case"] for line in duet.run.summary)
