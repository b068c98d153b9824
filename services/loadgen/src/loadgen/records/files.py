"""Files that are written whole or not at all, and folders that nobody had before.

A full disk or a kill leaves what was there.
"""

import csv
import io
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from loadgen.records.columns import Cell, cell_text


def write_csv(file: Path, header: Iterable[str], lines: Iterable[Iterable[Cell]]) -> None:
    """Write a table, replacing an earlier one whole."""
    replace_text(file, csv_text(header, lines))


def csv_text(header: Iterable[str], lines: Iterable[Iterable[Cell]]) -> str:
    """A table as CSV, each cell as `cell_text` has it."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(cell_text, line) for line in lines)
    return table.getvalue()


def replace_text(file: Path, text: str) -> None:
    """Write a text, as UTF-8, in the place of what was there."""
    replace_bytes(file, text.encode())


def replace_bytes(file: Path, content: bytes) -> None:
    """Write a file in the place of what was there.

    Raises:
        OSError: it could not be written; what was there still is.
    """
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.write_bytes(content)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def new_folder(parent: Path, name: str) -> Path:
    """Make `<UTC time>-<name>`; where a run of this very second has it, wait for the next.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        folder = parent / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
        try:
            folder.mkdir()
        except FileExistsError:
            time.sleep(0.05)
        else:
            return folder
