"""What a driver, the API, and Locust and hey in their own files say of one load."""

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadgen.drivers.hey import COLUMNS, Hey
from loadgen.trials import accounting


@dataclass(frozen=True)
class Figures:
    """What somebody says of a load; None where it cannot be known.

    Attributes:
        requests: how many there were.
        failures: how many of them failed.
        rps: good answers by the time from the first request to the last answer.
        p50_ms, p95_ms, p99_ms: latency; a failed request ranks as infinitely slow.
    """

    requests: int
    failures: int
    rps: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def figures_of(samples: pl.DataFrame) -> Figures:
    """The figures of a whole load, by the same measures as a trial's."""
    begin, end = samples["sent_s"].min(), samples["answered_s"].max()
    rps = None
    if isinstance(begin, float) and isinstance(end, float):
        rps = accounting.answers(samples, begin, end).parts / (end - begin)
    return Figures(
        requests=samples.height,
        failures=samples["failure"].count(),
        rps=rps,
        **accounting.latency(samples).percentiles,
    )


def told(driver: str, folder: Path) -> Figures | None:
    """A tool's own figures of a load, as a reader of its files would take them; None where the
    driver has none but our log.
    """
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
