"""What Locust and hey say of a load in their own files, as a reader of these would take it."""

import csv
from pathlib import Path

import polars as pl

from loadgen.commands.figures import Figures
from loadgen.drivers.hey import COLUMNS, Hey


def told(driver: str, folder: Path) -> Figures | None:
    """The tool's own figures of a load; None where the driver has none but our log."""
    match driver:
        case "locust":
            return _locust(folder / "locust_stats.csv")
        case "hey":
            return _hey(folder / Hey.output)
    return None


def _locust(file: Path) -> Figures:
    """The last line of Locust's statistics, `Aggregated`: failed requests are in its percentiles.

    It rounds a response time to two digits from 100 ms on.
    """
    with file.open(newline="") as stream:
        *_, line = csv.DictReader(stream)
    return Figures(
        requests=int(line["Request Count"]),
        failures=int(line["Failure Count"]),
        rps=float(line["Requests/s"]),
        **{f"p{share}_ms": float(line[f"{share}%"]) for share in (50, 95, 99)},
    )


def _hey(file: Path) -> Figures:
    """hey's CSV as it is: a row per request that got an answer, of whatever status."""
    table = pl.read_csv(file, schema_overrides=COLUMNS)
    seconds = table["response-time"]
    length_s = (table["offset"] + seconds).max()
    assert isinstance(length_s, float)
    return Figures(
        requests=table.height,
        failures=table.filter(pl.col("status-code") != 200).height,
        rps=table.height / length_s,
        **{
            f"p{share}_ms": float(seconds.quantile(share / 100, "higher") or 0) * 1000
            for share in (50, 95, 99)
        },
    )
