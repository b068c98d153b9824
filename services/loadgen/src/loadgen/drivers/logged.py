"""Reading the request log that a generator has left in its folder."""

from pathlib import Path

import polars as pl

from loadgen.drivers.request_log import LOG
from loadgen.errors import TrialError
from loadgen.samples import SCHEMA


def read_log(folder: Path, start_ns: int) -> pl.DataFrame:
    """The log as samples, seconds since `start_ns`.

    Raises:
        TrialError: there is no log.
    """
    log = folder / LOG
    if not log.exists():
        raise TrialError("driver-failed", "the driver logged no request")
    instants = ("due", "sent", "answered")
    schema = {f"{instant}_ns": pl.Int64() for instant in instants}
    table = pl.read_csv(log, schema=schema | {"status": pl.Int64(), "failure": pl.String()})
    seconds = {f"{name}_s": (pl.col(f"{name}_ns") - start_ns) / 1e9 for name in instants}
    return table.with_columns(**seconds).select(list(SCHEMA))


class Tally:
    """Counts the requests in a log that still grows, and reads no line twice.

    Args:
        log: the file; it need not exist yet.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._bytes = 0
        self._lines = 0

    def requests(self) -> int:
        """Lines so far, without the header."""
        if self._log.exists():
            with self._log.open("rb") as stream:
                stream.seek(self._bytes)
                news = stream.read()
            self._bytes += len(news)
            self._lines += news.count(b"\n")
        return max(0, self._lines - 1)
