"""What other programs read of a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.errors import ConfigurationError
from loadgen.findings.earlier_run import Run
from loadgen.records.columns import Cell, Row
from loadgen.reports.exports import write_exports
from loadgen.reports.github_action_benchmark import BIGGER, SMALLER
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite

CASE, OTHER = a_case(server="uvicorn"), a_case(server="twin")
SUITE = a_suite(cases=(CASE, OTHER))


def exported(tmp_path: Path, given: list[Row]) -> dict[str, Any]:
    """The JSON that is written, by file name, each entry by its name."""
    run = Run(Path("results/a-run"), [SUITE], given, {})
    found = {}
    for file in write_exports(run, tmp_path / "export"):
        if file.suffix == ".json":
            found[file.name] = {entry["name"]: entry for entry in json.loads(file.read_text())}
    return found


def test_more_throughput_is_better_and_less_of_all_else(tmp_path: Path) -> None:
    cells = {"rps": 80.0, "p95_ms": 640.0, "app_pss_mib": 61.5}
    found = exported(tmp_path, rows(CASE, cells, cells, cells))
    assert list(found[BIGGER]) == [f"{CASE.slug} rps"]
    assert list(found[SMALLER]) == [f"{CASE.slug} p95_ms", f"{CASE.slug} app_pss_mib"]


def test_an_entry_has_what_the_action_reads(tmp_path: Path) -> None:
    given = rows(CASE, {"rps": 80.0}, {"rps": 82.0}, {"rps": 81.0, "caveats": "at-ceiling"})
    entry = exported(tmp_path, given)[BIGGER][f"{CASE.slug} rps"]
    assert entry["unit"] == "1/s"
    assert entry["value"] == 80.9959  # the geometric mean, with six digits as in summary.csv
    low, high = map(float, entry["range"].split("–"))
    assert low < 80 < 82 < high
    assert entry["extra"] == "rounds: 3\ncaveats: at-ceiling\nrun: a-run"


def test_under_three_rounds_an_entry_has_no_range(tmp_path: Path) -> None:
    entry = exported(tmp_path, rows(CASE, {"rps": 80.0}))[BIGGER][f"{CASE.slug} rps"]
    assert (entry["value"], "range" in entry) == (80.0, False)


def test_what_says_nothing_about_a_server_is_left_out(tmp_path: Path) -> None:
    unranked: dict[str, Cell] = {"rps": 80.0, "ranked": "no", "caveats": "api-saturated"}
    given = [*rows(CASE, unranked, None), *rows(OTHER, {"rps": 80.0, "p95_ms": None})]
    found = exported(tmp_path, given)
    assert list(found[BIGGER]) == [f"{OTHER.slug} rps"]
    assert found[SMALLER] == {}


def test_markdown_is_that_of_the_report(tmp_path: Path) -> None:
    exported(tmp_path, rows(CASE, {"rps": 80.0, "title": "Uvicorn"}))
    assert "| Uvicorn | 80.0 |" in (tmp_path / "export" / "report.md").read_text()


def test_exports_that_find_no_room_stay_as_they_were(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    exported(tmp_path, rows(CASE, {"rps": 80.0}))
    before = {file: file.read_text() for file in (tmp_path / "export").iterdir()}
    request.getfixturevalue("full_disk")
    with pytest.raises(ConfigurationError, match=r"results/ cannot be written \(File too large"):
        exported(tmp_path, rows(CASE, {"rps": 160.0}))
    assert {file: file.read_text() for file in (tmp_path / "export").iterdir()} == before
