"""trials.csv, written and read."""

import csv
import io
from collections.abc import Iterable, Iterator
from hashlib import sha256
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
        raise ConfigurationError(f"{folder} is not a run: it has no {TRIALS_CSV}") from None
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
                f"line {lines.line_num} has {len(cells)} cells, but the header has {len(header)}"
            )
        try:
            yield parse_line(dict(zip(header, cells, strict=True)))
        except ValueError as error:
            raise ValueError(f"line {lines.line_num}: {error}") from error


def trial_name(
    case: object,
    round_number: object,
    repeat: object = None,
    attempt: object = None,
    partner: object = None,
) -> str:
    """`<case>.r1`: the key of a trial's files and of its row.

    `.w2` follows in a search, `.a2` where it was measured again. In a duet `.with-` and a few
    letters that tell its partner: two whole names are too long for a file's.
    """
    parts = [f"{case}.r{round_number}"]
    if partner is not None:
        parts.append(f"with-{sha256(str(partner).encode()).hexdigest()[:8]}")
    if repeat is not None:
        parts.append(f"w{repeat}")
    if attempt not in (None, 1):
        parts.append(f"a{attempt}")
    return ".".join(parts)


def name_of(row: Row) -> str:
    """The key of the trial that a row is of."""
    return trial_name(*(row["case"], row["round"], row["repeat"]), row["attempt"], row["partner"])
