"""What a run's tables are when a disk is full: whole, as before; never half of one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.findings.capacity import write_capacities
from loadgen.findings.comparisons import write_comparisons
from loadgen.findings.summary import write_summary
from loadgen.findings.waterfalls import write_waterfalls
from loadgen.records import files
from loadgen.records.columns import Row
from loadgen.records.samples import write_samples
from loadgen.records.trials_csv import write_table
from loadgen.suites.suite import Suite
from tests.findings.test_capacity import SUITE as SEARCHING
from tests.findings.test_capacity import measured
from tests.findings.test_comparisons import both, comparing
from tests.findings.test_waterfalls import RUN, a_fall
from tests.make import a_suite, some_samples

ROWS = both("rps", [1.0] * 3, [2.0] * 3)
WRITERS: dict[str, Callable[[Path], None]] = {
    "trials.csv": lambda file: write_table(file, ROWS),
    "summary.csv": lambda file: write_summary(ROWS, file),
    "comparisons.csv": lambda file: write_comparisons([comparing("rps")], ROWS, file),
    "waterfall.csv": lambda file: write_waterfalls([a_fall()], RUN, file),
    "capacity.csv": lambda file: write_capacities([SEARCHING], measured(), file),
    "samples.csv.gz": lambda file: write_samples(some_samples([(0.0, 1.0, None)]), 0.0, file),
    "page.html": lambda file: files.replace_text(file, "a page as long as it takes"),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("full_disk")
def test_a_file_that_finds_no_room_stays_as_it_was(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("of before")
    with pytest.raises(OSError, match="File too large"):
        WRITERS[name](file)
    assert file.read_text() == "of before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("full_disk")
def test_a_file_that_finds_no_room_is_not_begun(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File too large"):
        WRITERS[name](tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_comparisons, write_waterfalls, write_capacities])
def test_where_nothing_is_asked_there_is_no_file(
    write: Callable[[list[Suite], list[Row], Path], None], tmp_path: Path
) -> None:
    write([a_suite()], RUN, tmp_path / "table.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_table_has_its_header_and_quotes_what_needs_it(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "table.csv", ("a", "b"), [(1, 'so "called"'), ("x, y", None)])
    assert (tmp_path / "table.csv").read_text() == 'a,b\n1,"so ""called"""\n"x, y",\n'
