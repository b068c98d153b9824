"""trials.csv as it is read: whole rows only, and what is none of ours named with its place."""

from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.records import columns
from loadgen.records.columns import TRIALS
from loadgen.records.trials_csv import read_rows, write_table

HEADER = ",".join(column.name for column in TRIALS)
ROW = columns.row({"case": "one", "round": 1, "outcome": "measured", "title": "a, b", "rps": 80.5})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "trials.csv"
    write_table(file, [ROW, ROW])
    return file


def test_rows_are_read_as_they_were_written(table: Path) -> None:
    assert read_rows(table.parent) == [ROW, ROW]


@pytest.mark.parametrize("title", ["two\nlines", "a\u2028b", "a\x85b", '"so"', "\x0c"])
def test_a_title_may_hold_what_ends_a_line_elsewhere(table: Path, title: str) -> None:
    write_table(table, [ROW | {"title": title}, ROW])
    assert read_rows(table.parent) == [ROW | {"title": title}, ROW]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("one" + "," * len(TRIALS), f"line 4 has {len(TRIALS) + 1} cells, but the header"),
        ("one,1,,1,measured", f"line 4 has 5 cells, but the header has {len(TRIALS)}"),
        ("one,first" + "," * (len(TRIALS) - 2), "line 4: round is 'first', which is not a number"),
        ('"one' + "," * len(TRIALS), "line 4 has 1 cells"),
        ("x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_row_that_is_none_of_ours_is_named_with_its_line(
    table: Path, line: str, words: str
) -> None:
    with table.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(ConfigurationError, match=r"trials\.csv cannot be read: .*" + words):
        read_rows(table.parent)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"case\n\xff\n", ""), (b"case,\x00\n", ""), (b"case,p96_ms\nx,1\n", ".*p96_ms")],
)
def test_what_is_no_table_of_ours_is_refused(table: Path, content: bytes, words: str) -> None:
    table.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"trials\.csv cannot be read: " + words):
        read_rows(table.parent)


def test_a_folder_without_a_table_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is not a run: it has no trials\.csv"):
        read_rows(tmp_path)


def test_a_table_that_nobody_may_read_is_named(table: Path) -> None:
    table.unlink()
    table.mkdir()
    with pytest.raises(ConfigurationError, match=r"trials\.csv cannot be read: .*directory"):
        read_rows(table.parent)


def test_a_header_alone_has_no_rows(table: Path) -> None:
    for text in ("", HEADER, HEADER + "\n", HEADER + "\n\n"):
        table.write_text(text)
        assert read_rows(table.parent) == []
