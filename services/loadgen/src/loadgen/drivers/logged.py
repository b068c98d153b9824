"""Reading the request log that a generator has left in its folder, or is writing there."""

import csv
from pathlib import Path
from typing import NamedTuple

import polars as pl

from loadgen.errors import TrialError
from loadgen.generators.request_log import HEADER, LOG
from loadgen.records.samples import SCHEMA


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

    Lines are counted while a window is measured, on the CPU of those who measure. So nobody takes
    one apart before it is asked for.

    Args:
        log: the file; it need not exist yet.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._bytes = 0
        self._lines = 0
        self._cut_off = b""
        self._untold = bytearray()
        self._has_header = False

    @property
    def count(self) -> int:
        """Requests so far, as far as the log has been read."""
        return max(0, self._lines - 1)

    def read(self) -> None:
        """Read what has been written since."""
        if not self._log.exists():
            return
        with self._log.open("rb") as stream:
            stream.seek(self._bytes)
            read = stream.read()
        self._bytes += len(read)
        self._lines += read.count(b"\n")
        whole, end, self._cut_off = (self._cut_off + read).rpartition(b"\n")
        self._untold += whole + end

    def news(self) -> list[Ended]:
        """The requests that have ended since this was asked last."""
        self.read()
        lines = csv.reader(self._untold.decode().splitlines())
        self._untold.clear()
        if not self._has_header:
            self._has_header = next(lines, None) is not None
        return [
            Ended(int(ended_ns), int(ended_ns) - int(due_ns), int(user) if user else None)
            for due_ns, _, _, ended_ns, _, _, user in lines
            if ended_ns
        ]
