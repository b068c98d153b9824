"""One run at a time: a lock that dies with its holder, however that ends."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from loadgen.errors import ConfigurationError, unwritable

LOCK = ".lock"


class RunLock:
    """The lock on a folder of runs, for the time of the block.

    The kernel holds it for the process (flock(2)), in every container that shares the folder, and
    lets go of it with the process. The file stays, since two runs could lock two files of that
    name; what it says is the run under way, or the one that was killed.

    Args:
        results: the folder of runs.
    """

    def __init__(self, results: Path) -> None:
        self._file = results / LOCK
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ConfigurationError: another run has it, or the folder cannot be written.
        """
        try:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read_text().strip() or "one that has only just begun"
            self._close()
            raise ConfigurationError(
                f"a run is under way: {holder}. Two at a time would measure each other: wait for "
                "it to end, or end it with Ctrl-C where it runs"
            ) from None
        except OSError as error:
            self._close()
            raise unwritable(error) from error
        self._write("")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")
        self._close()

    def name(self, run: Path) -> None:
        """Say which run it is that holds the lock.

        Raises:
            ConfigurationError: the folder takes no more.
        """
        since = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            self._write(f"results/{run.name} since {since}\n")
        except OSError as error:
            raise unwritable(error) from error

    def _write(self, text: str) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
