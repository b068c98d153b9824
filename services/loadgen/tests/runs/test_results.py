"""A run's folder: rows as they are made, samples, summary, and how it ended."""

import csv
import errno
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.duets.rows import measured_duet
from loadgen.errors import ConfigurationError, ResultsLostError, TrialError
from loadgen.lab.lab import Lab, read_lab
from loadgen.records import columns
from loadgen.records.columns import TRIALS
from loadgen.records.samples import write_samples
from loadgen.records.trials_csv import name_of, read_rows
from loadgen.runs.results import Results, create
from loadgen.suites.pairs import Compare
from loadgen.trials.instruments import ProbeReading, ProbeSecond
from loadgen.trials.rows import failed_row, measured_row
from tests.duets.test_rows import a_duet, recorded
from tests.kept_run import lines_of
from tests.make import (
    Request,
    a_case,
    a_recording,
    a_suite,
    a_trial,
    constant_users,
    some_samples,
)

STEADY = constant_users(users=10, latency_s=0.5, until_s=14)


@pytest.fixture
def lab(in_project: Path) -> Lab:
    assert in_project.is_dir()
    return read_lab()


def new(lab: Lab, *suites: str) -> Results:
    description = {"outcome": "unfinished: before the first trial", "finished_at": None}
    return create(lab, [], description | {"arguments": {"suites": [*suites], "seed": 7}}, 3)


@pytest.fixture
def results(lab: Lab) -> Results:
    return new(lab, "article-a", "smoke")


def environment_of(results: Results) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((results.folder / "environment.json").read_text())
    return document


def test_a_run_has_a_folder_by_time_and_suites(lab: Lab, results: Results) -> None:
    assert results.folder.parent == lab.results
    assert results.folder.name.endswith("Z-article-a+smoke")


def test_a_run_of_the_same_second_keeps_its_folder_and_the_other_has_one_of_its_own(
    lab: Lab,
) -> None:
    runs = []
    for number in range(3):  # two of them at least are of one second
        run = new(lab, "smoke")
        run.keep(a_trial(), failed_row(a_trial(), f"reason-{number}"), None)
        runs.append(run)
    assert len({run.folder for run in runs}) == 3
    outcomes = [row["outcome"] for run in runs for row in read_rows(run.folder)]
    assert outcomes == ["reason-0", "reason-1", "reason-2"]


def test_a_folder_that_is_there_is_never_removed(
    lab: Lab, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("loadgen.runs.results.write_table", no_room)
    with pytest.raises(ConfigurationError, match="results/ cannot be written"):
        new(lab, "article-a", "smoke")
    assert list(lab.results.iterdir()) == [results.folder]
    assert (results.folder / "trials.csv").is_file()


def test_the_whole_header_is_there_from_the_start(results: Results) -> None:
    header = (results.folder / "trials.csv").read_text()
    assert header == ",".join(column.name for column in TRIALS) + "\n"


def test_copies_of_what_was_run_are_kept(lab: Lab, results: Results) -> None:
    for name in ("compose.yaml", "suites/smoke.toml"):
        original = lab.project / ("services/loadgen" if "/" in name else "") / name
        assert (results.folder / name).read_text() == original.read_text()
    assert not (results.folder / "compose.override.yaml").exists()


def test_a_readers_own_servers_are_kept_too(lab: Lab) -> None:
    (lab.project / "compose.override.yaml").write_text("services: {}")
    results = new(lab, "smoke")
    assert (results.folder / "compose.override.yaml").read_text() == "services: {}"


def test_a_row_says_which_session_of_its_run_has_measured_it(results: Results) -> None:
    results.keep(a_trial(), failed_row(a_trial(), "reason"), None)
    state = environment_of(results)
    later = Results(results.folder, [], state | {"sessions": [{}, {}]}, results.rows, 3)
    later.keep(a_trial(), failed_row(a_trial(), "reason"), None)
    assert [row["session"] for row in read_rows(results.folder)] == [1, 2]
    assert [row["session"] for row in later.rows] == [1, 2]


def test_a_row_is_on_disk_as_soon_as_it_is_made(results: Results) -> None:
    trial = a_trial()
    for number in range(1, 4):
        results.keep(trial, failed_row(trial, f"reason-{number}"), None)
        rows = lines_of(results.folder / "trials.csv")
        assert [row["outcome"] for row in rows] == [f"reason-{n}" for n in range(1, number + 1)]


def test_rows_are_read_back_as_they_were(results: Results) -> None:
    trial = a_trial()
    made = measured_row(trial, a_recording(STEADY, (2, 12)))
    results.keep(trial, made, a_recording(STEADY, (2, 12)))
    (row,) = read_rows(results.folder)
    assert {key: columns.cell_text(cell) for key, cell in row.items()} == {
        key: columns.cell_text(cell) for key, cell in (made | {"session": 1}).items()
    }
    assert isinstance(row["rps"], float)
    assert isinstance(row["requests"], int)
    assert row["p99_ms"] is None


def test_what_the_probe_said_is_kept_second_by_second(results: Results) -> None:
    seconds = (
        ProbeSecond(since_ns=2 * 10**9, mean_ms=0.5, count=20),
        ProbeSecond(since_ns=3 * 10**9, mean_ms=None, count=0),
        ProbeSecond(since_ns=4 * 10**9, mean_ms=0.75, count=19),
    )
    probe = ProbeReading(count=39, mean_ms=0.6, sd_ms=0.1, seconds=seconds)
    trial = a_trial(round=3, attempt=2)
    results.keep(trial, failed_row(trial, "measured"), a_recording(STEADY, (2, 12), probe=probe))
    file = results.folder / "probe" / f"{trial.case.slug}.r3.a2.csv"
    assert file.read_text() == "since_s,mean_ms,count\n0,0.5,20\n2,0.75,19\n"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is not a run: it has no trials\.csv"):
        read_rows(tmp_path)


def test_the_samples_of_a_trial_are_kept_with_the_warm_up_below_zero(results: Results) -> None:
    trial = a_trial(round=3)
    requests: list[Request] = [(0.5, 1.0, None), (2.5, 2.75, "status 500"), (3.0, None, "lost")]
    samples = some_samples(requests)
    recording = a_recording(samples, (2, 12))
    results.keep(trial, failed_row(trial, "measured"), recording)
    (row,) = lines_of(results.folder / "trials.csv")
    file = results.folder / "samples" / f"{row['case']}.r3.csv.gz"
    with gzip.open(file, "rt", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["due_s", "lag_ms", "latency_ms", "status", "failure", "ended_s"]
    assert [tuple(row.values()) for row in rows] == [
        ("-1.5", "0.0", "500.0", "200", "", "-1.0"),
        ("0.5", "0.0", "250.0", "200", "status 500", "0.75"),
        ("1.0", "0.0", "", "", "lost", ""),
    ]


def test_lag_is_how_late_a_request_was_sent(tmp_path: Path) -> None:
    samples = some_samples([(1.0, 2.0, None)]).with_columns(sent_s=1.25)
    write_samples(samples, 0.0, tmp_path / "folder" / "samples.csv.gz")
    with gzip.open(tmp_path / "folder" / "samples.csv.gz", "rt") as stream:
        assert stream.read().splitlines()[1] == "1.0,250.0,1000.0,200,,2.0"


def test_a_drivers_own_files_stay_and_ours_go(results: Results) -> None:
    trial = a_trial()
    folder = results.raw_folder(trial)
    assert folder == results.folder / "locust" / trial.name
    folder.mkdir(parents=True)
    for name in ("ready", "plan.json", "requests.csv", "locust_stats.csv", "stderr.txt"):
        (folder / name).touch()
    results.keep(trial, failed_row(trial, "measured"), a_recording(STEADY, (2, 12)))
    assert sorted(file.name for file in folder.iterdir()) == ["locust_stats.csv", "stderr.txt"]


def test_at_every_instant_the_folder_says_how_far_the_run_has_come(results: Results) -> None:
    assert environment_of(results)["outcome"] == "unfinished: before the first trial"
    results.begin(a_trial(position=2))
    for document in (environment_of(results), environment_of(results)["sessions"][0]):
        assert document["outcome"] == "unfinished: at trial 2 of 3"
        assert document["finished_at"] is None
    assert results.at == "trial 2 of 3"


def test_what_the_suites_compare_is_in_a_file_of_its_own(lab: Lab) -> None:
    names = ("uvicorn", "gunicorn-100-threads")
    sides = [a_case(server=name, users=10, delays_ms=(450.0,)) for name in names]
    entry = Compare(a={"server": ("uvicorn",)}, b={"server": (sides[1].server,)})
    description = {"arguments": {"suites": ["mine"], "seed": 7}}
    results = create(lab, [a_suite(cases=tuple(sides), compare=(entry,))], description, 2)
    for case in sides:
        trial = a_trial(case=case)
        recording = a_recording(STEADY, (2, 12))
        results.keep(trial, measured_row(trial, recording), recording)
    results.finish("finished")
    (line,) = lines_of(results.folder / "comparisons.csv")
    assert (line["metric"], line["ratio"], line["reason"]) == ("rps", "1", "needs 3 rounds")


def test_an_interrupted_run_keeps_its_rows_and_says_so(results: Results) -> None:
    trial = a_trial()
    results.keep(trial, failed_row(trial, "no-answer"), None)
    results.finish("interrupted at trial 2 of 3")
    ended = environment_of(results)
    for document in (ended, ended["sessions"][0]):
        assert document["outcome"] == "interrupted at trial 2 of 3"
        assert document["finished_at"]
    assert ended["arguments"]["seed"] == 7
    assert len(lines_of(results.folder / "trials.csv")) == 1
    assert len(lines_of(results.folder / "summary.csv")) == 1


def keep_calibrated(results: Results, *of_trials: float) -> None:
    """A row per trial, whose fixed loop took so long."""
    for number, calibration_ms in enumerate(of_trials, start=1):
        trial = a_trial(round=number, position=number)
        recording = a_recording(STEADY, (2, 12), calibration_ms=calibration_ms)
        results.keep(trial, measured_row(trial, recording), recording)


def drifting(results: Results, file: str = "trials.csv") -> list[bool]:
    return ["cpu-drift" in row["caveats"].split() for row in lines_of(results.folder / file)]


def test_the_cpu_is_held_against_the_runs_median_at_its_end(results: Results) -> None:
    keep_calibrated(results, 60.0, 50.0, 50.0)
    assert drifting(results) == [False, False, False], "nobody knows yet"
    results.finish("finished")
    assert drifting(results) == [True, False, False]
    assert drifting(results, "summary.csv") == [True]
    assert [row["caveats"] for row in results.rows] == [
        row["caveats"] for row in read_rows(results.folder)
    ]


def test_an_interrupted_run_is_judged_by_what_it_has_and_anew_once_resumed(
    results: Results,
) -> None:
    keep_calibrated(results, 60.0, 50.0, 50.0)
    results.finish("interrupted at trial 4 of 5")
    assert drifting(results) == [True, False, False]
    resumed = Results(results.folder, [], environment_of(results), read_rows(results.folder), 5)
    for number in (4, 5, 6, 7):
        trial = a_trial(round=number, position=number)
        recording = a_recording(STEADY, (2, 12), calibration_ms=60.0)
        resumed.keep(trial, measured_row(trial, recording), recording)
    resumed.finish("finished")
    assert drifting(resumed) == [False, True, True, False, False, False, False]


def test_rows_that_are_as_they_were_are_not_written_again(results: Results) -> None:
    keep_calibrated(results, 50.0, 51.0)
    before = (results.folder / "trials.csv").stat()
    results.finish("finished")
    after = (results.folder / "trials.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_fact_can_be_added_to_the_description(results: Results) -> None:
    results.note(idle={"share": 0.01})
    results.begin(a_trial())
    for document in (environment_of(results), environment_of(results)["sessions"][0]):
        assert document["idle"] == {"share": 0.01}


def test_a_last_line_that_was_cut_off_is_no_row(results: Results) -> None:
    trial = a_trial()
    results.keep(trial, failed_row(trial, "measured"), None)
    file = results.folder / "trials.csv"
    whole = file.read_text()
    line = whole.splitlines(keepends=True)[-1]
    for cut in (1, 20, len(line) - 1):
        file.write_text(whole + line[:cut])
        assert [row["outcome"] for row in read_rows(results.folder)] == ["measured"]


def test_a_results_folder_that_is_not_there_is_an_error_with_the_remedy(
    lab: Lab, in_project: Path
) -> None:
    in_project.rmdir()
    with pytest.raises(ConfigurationError, match=r"results/ cannot be written \(No such file"):
        new(lab, "smoke")


class TestAFullDisk:
    def test_leaves_whole_rows_only(
        self, results: Results, disk_room: Callable[[int], None]
    ) -> None:
        trial = a_trial()
        results.keep(trial, failed_row(trial, "measured"), None)
        file = results.folder / "trials.csv"
        before = file.read_text()
        disk_room(len(before) + 50)
        with pytest.raises(ResultsLostError, match=r"1 of 3 trials are in results/.*smoke/"):
            results.keep(trial, failed_row(trial, "measured"), None)
        assert file.read_text() == before
        assert len(results.rows) == 1

    def test_keeps_no_row_whose_samples_could_not_be_written(
        self, results: Results, disk_room: Callable[[int], None]
    ) -> None:
        trial = a_trial()
        disk_room(16)
        with pytest.raises(ResultsLostError):
            results.keep(trial, failed_row(trial, "measured"), a_recording(STEADY, (2, 12)))
        assert lines_of(results.folder / "trials.csv") == []

    def test_leaves_the_description_as_it_was(
        self, results: Results, disk_room: Callable[[int], None]
    ) -> None:
        results.begin(a_trial(position=2))
        disk_room(16)
        with pytest.raises(ResultsLostError):
            results.begin(a_trial(position=3))
        with pytest.raises(ResultsLostError):
            results.finish("finished")
        assert environment_of(results)["outcome"] == "unfinished: at trial 2 of 3"
        assert not list(results.folder.glob("*.new"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "results/ is full: 0 of 3"),
        (errno.EDQUOT, "results/ is full"),
        (errno.EROFS, r"results/ can no longer be written \(Read-only"),
    ],
)
def test_a_trial_that_cannot_write_into_the_folder_is_the_runs_end(
    results: Results, number: int, words: str
) -> None:
    with pytest.raises(ResultsLostError, match=words), results.writing():
        raise OSError(number, os.strerror(number))


def test_other_errors_of_the_system_are_not_blamed_on_the_folder(results: Results) -> None:
    with pytest.raises(FileNotFoundError), results.writing():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "hey")


def test_a_disk_with_room_passes(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    results.check_room()
    monkeypatch.setattr("loadgen.runs.results.LEAST_ROOM_BYTES", 2**62)
    with pytest.raises(ResultsLostError, match="results/ is full"):
        results.check_room()


class TestADuet:
    DUET, RECORDING = a_duet(), recorded([3.0] * 5, [4.0] * 5)
    MEASURED = measured_duet(DUET, RECORDING)

    def test_leaves_two_rows_two_files_of_samples_and_its_slices(self, results: Results) -> None:
        results.keep_duet(self.DUET, self.MEASURED, self.RECORDING)
        rows = read_rows(results.folder)
        assert [row["server"] for row in rows] == ["one", "other"]
        assert {name_of(row) for row in rows} == {
            file.name.removesuffix(".csv.gz") for file in (results.folder / "samples").iterdir()
        }
        (slices,) = (results.folder / "slices").iterdir()
        assert slices.stem == self.DUET.name
        assert [line["slice"] for line in lines_of(slices)] == ["1", "2", "3", "4", "5"]
        assert results.tally.startswith("1 of 3 trials")

    def test_that_failed_leaves_two_rows(self, results: Results) -> None:
        results.keep_failed_duet(self.DUET, TrialError("server-died", "it died"))
        assert [row["outcome"] for row in read_rows(results.folder)] == ["server-died"] * 2

    def test_is_kept_whole_or_not_at_all(
        self, results: Results, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_room(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("loadgen.runs.results.write_samples", no_room)
        with pytest.raises(ResultsLostError):
            results.keep_duet(self.DUET, self.MEASURED, self.RECORDING)
        assert read_rows(results.folder) == []
