"""scatter.json: what each machine's runs have shown."""

import json
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.records.scatter_file import MOST_RUNS, Spread, keep_spreads, read_spreads


def spreads(sd_log: float) -> list[Spread]:
    return [Spread("rps", "trials", 0.5, sd_log, 4.0), Spread("p95_ms", "trials", 0.0, sd_log, 2.0)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scatter.json"


def test_where_nothing_is_kept_nothing_is_known(file: Path) -> None:
    assert read_spreads(file, "a machine") == {}


def test_what_is_kept_is_read_as_it_was_the_newest_run_last(file: Path) -> None:
    for number in (2, 1):
        keep_spreads(file, "a machine", f"run {number}", spreads(number / 100))
    found = read_spreads(file, "a machine")
    assert list(found) == ["run 2", "run 1"]
    assert found["run 1"] == spreads(0.01)
    assert read_spreads(file, "another machine") == {}


def test_a_run_that_is_resumed_counts_once_and_is_the_newest(file: Path) -> None:
    for run, sd_log in (("resumed", 0.1), ("between", 0.2), ("resumed", 0.3)):
        keep_spreads(file, "a machine", run, spreads(sd_log))
    assert read_spreads(file, "a machine") == {"between": spreads(0.2), "resumed": spreads(0.3)}


def test_of_each_machine_the_newest_runs_stay(file: Path) -> None:
    keep_spreads(file, "another machine", "its only run", spreads(0.5))
    for number in range(MOST_RUNS + 3):
        keep_spreads(file, "a machine", f"run {number}", spreads(0.1))
    kept = list(read_spreads(file, "a machine"))
    assert kept == [f"run {number}" for number in range(3, MOST_RUNS + 3)]
    assert list(read_spreads(file, "another machine")) == ["its only run"]


def test_what_was_kept_before_windows_were_is_still_read(file: Path) -> None:
    spread = {"metric": "rps", "by": "trials", "busy_from": 0.5, "sd_log": 0.1, "freedom": 4.0}
    file.write_text(json.dumps({"a machine": {"run": [spread]}}))
    assert read_spreads(file, "a machine") == {"run": [Spread("rps", "trials", 0.5, 0.1, 4.0)]}
    keep_spreads(file, "a machine", "now", [Spread("rps", "trials", 0.5, 0.1, 4.0, 8.0)])
    found = read_spreads(file, "a machine")
    assert [each.window_s for run in ("run", "now") for each in found[run]] == [None, 8.0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"a machine": {"run": [{"metric": "rps"}]}}', '{"a machine": {"run": 3}}', "{"],
)
def test_a_file_that_is_none_of_ours_stays_and_it_is_said_what_to_do(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"scatter\.json cannot be read \(.*delete it"):
        read_spreads(file, "a machine")
    with pytest.raises(ConfigurationError, match="delete it"):
        keep_spreads(file, "a machine", "run", spreads(0.1))
    assert file.read_text() == text


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_what_was_there(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(OSError, match="File too large"):
        keep_spreads(file, "a machine", "run", spreads(0.1))
    assert file.read_text() == "{}"
