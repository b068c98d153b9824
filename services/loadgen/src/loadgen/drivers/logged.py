"""Reading the request log that a generator has left in its folder, or is writing there."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from loadgen.drivers.request_log import HEADER, LOG
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
    instants = ("due", "sent", "answered", "ended")
    kinds = {"failure": pl.String()}
    schema = {name: kinds.get(name, pl.Int64()) for name in HEADER}
    table = pl.read_csv(log, schema=schema)
    seconds = {f"{name}_s": (pl.col(f"{name}_ns") - start_ns) / 1e9 for name in instants}
    return table.with_columns(**seconds).select(list(SCHEMA))


class Ended(NamedTuple):
    """A request that has ended, as the log tells of it while the load is on.

    Attributes:
        ended_ns: when it was answered or failed.
        response_ns: from due to then.
        user: who asked; None where requests come by themselves.
    """

    ended_ns: int
    response_ns: int
    user: int | None


class Tally:
    """Reads a log that still grows, and no line twice.

    Args:
        log: the file; it need not exist yet.

    Attributes:
        count: requests so far, as far as it has been read.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._bytes = 0
        self._cut_off = b""
        self._has_header = False
        self._news: list[Ended] = []
        self.count = 0

    def read(self) -> None:
        """Read what has been written since."""
        for due_ns, _, _, ended_ns, _, _, user in self._lines():
            self.count += 1
            if ended_ns:
                response_ns = int(ended_ns) - int(due_ns)
                self._news.append(Ended(int(ended_ns), response_ns, int(user) if user else None))

    def news(self) -> list[Ended]:
        """The requests that have ended since this was asked last."""
        self.read()
        news, self._news = self._news, []
        return news

    def _lines(self) -> Iterator[list[str]]:
        if not self._log.exists():
            return
        with self._log.open("rb") as stream:
            stream.seek(self._bytes)
            read = stream.read()
        self._bytes += len(read)
        whole, _, self._cut_off = (self._cut_off + read).rpartition(b"\n")
        lines = csv.reader(whole.decode().splitlines())
        if not self._has_header and whole:
            next(lines)
            self._has_header = True
        yield from lines
