"""trials.csv, written and read."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from loadgen.errors import ConfigurationError
from loadgen.records.columns import TRIALS, Row, parse_line
from loadgen.records.files import write_csv

TRIALS_CSV = "trials.csv"


def write_table(file: Path, rows: Iterable[Row]) -> None:
    """Write a table of trials with these rows, replacing an earlier one whole."""
    lines = ([row[column.name] for column in TRIALS] for row in rows)
    write_csv(file, (column.name for column in TRIALS), lines)


def read_rows(folder: Path) -> list[Row]:
    """The rows of an earlier run; a last line that was cut off is none.

    Raises:
        ConfigurationError: the folder is no run, or its trials.csv is not ours.
    """
    file = folder / TRIALS_CSV
    try:
        table = file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(f"{folder} is no run: it has no {TRIALS_CSV}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    whole = table[: table.rfind("\n") + 1]
    try:
        return list(_rows(whole))
    except (KeyError, ValueError, csv.Error) as error:
        raise ConfigurationError(f"{file} cannot be read: {error.args[0]}") from error


def _rows(table: str) -> Iterator[Row]:
    """The rows; raises for the first line that is none of ours."""
    lines = csv.reader(io.StringIO(table, newline=""))
    header = next(lines, [])
    parse_line(dict.fromkeys(header, ""))
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            raise ValueError(
                f"line {lines.line_num} has {len(cells)} cells, and its header {len(header)}"
            )
        try:
            yield parse_line(dict(zip(header, cells, strict=True)))
        except ValueError as error:
            raise ValueError(f"line {lines.line_num}: {error}") from error


def trial_name(case: object, round_number: object, repeat: object) -> str:
    """`<case>.r1`, or `<case>.r1.w2` of a search: the key of a trial's files and of its row."""
    window = "" if repeat is None else f".w{repeat}"
    return f"{case}.r{round_number}{window}"


def name_of(row: Row) -> str:
    """The key of the trial that a row is of."""
    return trial_name(row["case"], row["round"], row["repeat"])
