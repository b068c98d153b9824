"""What a committed `check` says of a driver: check.csv, a line per load."""

import csv
from collections.abc import Mapping
from pathlib import Path

from loadgen.errors import ConfigurationError
from loadgen.quotes.quoted import Quoted

CHECK_CSV = "check.csv"


def checked_driver(folder: Path, driver: str) -> Quoted:
    """In how many loads a driver agrees with the API's record, and how far off it is at most.

    Raises:
        ConfigurationError: the file cannot be read, or does not know the driver.
    """
    file = folder / CHECK_CSV
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            lines = [line for line in csv.DictReader(stream) if line["driver"] == driver]
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    if not lines:
        raise ConfigurationError(f"{file} has no line of {driver}")
    agreeing = sum(line["agrees"] == "yes" for line in lines)
    texts = {"agrees": f"{agreeing} of {len(lines)}"}
    for percentile in ("p50", "p95"):
        texts[percentile] = f"{max(_off_ms(line, f'{percentile}_ms') for line in lines):.1f} ms"
    return Quoted(texts)


def _off_ms(line: Mapping[str, str], column: str) -> float:
    """How far a driver's figure is from the API's; 0 where one of them is not known."""
    ours, theirs = line[column], line[f"api_{column}"]
    return abs(float(ours) - float(theirs)) if ours and theirs else 0.0
