"""Samples: one record per request of a trial."""

import gzip
from pathlib import Path

import polars as pl

from loadgen.records.files import replace_bytes

#: Seconds count from the start of the load. `answered_s` is null where no answer came; `ended_s` is
#: when a request was answered, failed, or was given up, and null of one that was never sent or that
#: the tool has lost; `failure` is null where status and body were right.
SCHEMA = {
    "due_s": pl.Float64,
    "sent_s": pl.Float64,
    "answered_s": pl.Float64,
    "ended_s": pl.Float64,
    "status": pl.Int64,
    "failure": pl.String,
}


def frame(records: dict[str, list[object]]) -> pl.DataFrame:
    """Samples from lists by column name."""
    return pl.DataFrame(records, schema=SCHEMA)


def write_samples(samples: pl.DataFrame, warm_up_s: float, file: Path) -> None:
    """The gzip CSV of a trial: due_s (negative = warm-up), lag_ms, latency_ms, status, failure and
    ended_s, seconds from the window's start.
    """
    table = samples.select(
        due_s=(pl.col("due_s") - warm_up_s).round(6),
        lag_ms=((pl.col("sent_s") - pl.col("due_s")) * 1000).round(3),
        latency_ms=((pl.col("answered_s") - pl.col("due_s")) * 1000).round(3),
        status="status",
        failure="failure",
        ended_s=(pl.col("ended_s") - warm_up_s).round(6),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(file, gzip.compress(table.write_csv().encode()))


# ------------------------------------------------------------------- which requests a row speaks of


def in_window(samples: pl.DataFrame, start_s: float, end_s: float, by: str) -> pl.DataFrame:
    """The samples whose instant `by` lies in [start, end); one without a due instant counts."""
    inside = pl.col(by).is_between(start_s, end_s, closed="left")
    return samples.filter(inside | pl.col("due_s").is_null())
