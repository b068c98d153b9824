"""Files that are written whole or not at all: a full disk or a kill leaves what was there."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path


def write_csv(file: Path, header: Iterable[str], lines: Iterable[Iterable[object]]) -> None:
    """Write a table, replacing an earlier one whole."""
    replace_text(file, csv_text(header, lines))


def csv_text(header: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """A table as CSV."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
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
