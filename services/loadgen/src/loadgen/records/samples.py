"""Samples: one record per request of a trial."""

import gzip
from pathlib import Path

import polars as pl

from loadgen.errors import ConfigurationError
from loadgen.records.columns import COUNT, NUMBER, TEXT, Column
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


#: Of the files in samples/.
COLUMNS = (
    Column(
        "due_s",
        NUMBER,
        "when the request was due, from the window's start; negative: warm-up",
        unit="s",
    ),
    Column("lag_ms", NUMBER, "sent − due: how late it was sent", unit="ms"),
    Column("latency_ms", NUMBER, "answered − due; empty: no answer", unit="ms"),
    Column("status", COUNT, "HTTP status of the answer; empty: no answer"),
    Column("failure", TEXT, "why the request failed; empty: it got a good answer"),
    Column(
        "ended_s",
        NUMBER,
        "when it was answered, failed or given up, from the window's start; empty: never sent",
        unit="s",
    ),
)
_KINDS = {TEXT: pl.String, COUNT: pl.Int64, NUMBER: pl.Float64}


def write_samples(samples: pl.DataFrame, warm_up_s: float, file: Path) -> None:
    """The gzip CSV of a trial, in COLUMNS; instants are seconds from the window's start."""
    cells = {
        "due_s": (pl.col("due_s") - warm_up_s).round(6),
        "lag_ms": ((pl.col("sent_s") - pl.col("due_s")) * 1000).round(3),
        "latency_ms": ((pl.col("answered_s") - pl.col("due_s")) * 1000).round(3),
        "status": pl.col("status"),
        "failure": pl.col("failure"),
        "ended_s": (pl.col("ended_s") - warm_up_s).round(6),
    }
    table = samples.select(cells[column.name].alias(column.name) for column in COLUMNS)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(file, gzip.compress(table.write_csv().encode()))


def read_samples(file: Path) -> pl.DataFrame:
    """The samples of a trial, in COLUMNS, without the requests that the tool lost.

    Raises:
        ConfigurationError: the file is no samples of a trial, or is broken.
    """
    # Named, since a column in which nothing stands would be one of texts.
    kinds = {column.name: _KINDS[column.kind] for column in COLUMNS}
    try:
        samples = pl.scan_csv(file, schema_overrides=kinds)
        if "ended_s" not in samples.collect_schema().names():
            # A run of before 26 November 2026 does not know when a failed request ended.
            answered_s = pl.col("due_s") + pl.col("latency_ms") / 1000
            samples = samples.with_columns(ended_s=answered_s)
        return samples.filter(pl.col("due_s").is_not_null()).select(list(kinds)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{file} cannot be read ({reason}): restore it, or remove it; a report then lacks what "
            "it draws from this file"
        ) from error


# ------------------------------------------------------------------- which requests a row speaks of


def in_window(samples: pl.DataFrame, start_s: float, end_s: float, by: str) -> pl.DataFrame:
    """The samples whose instant `by` lies in [start, end); one without a due instant counts."""
    inside = pl.col(by).is_between(start_s, end_s, closed="left")
    return samples.filter(inside | pl.col("due_s").is_null())
