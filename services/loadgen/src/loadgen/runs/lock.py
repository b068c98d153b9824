"""One run at a time: a lock that dies with its holder, however that ends."""

import fcntl
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

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ConfigurationError: another run has it, or the folder cannot be written.
        """
        try:
            self._stream = self._file.open("ab", buffering=0)
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.close()
            holder = self._file.read_text().strip() or "one that has only just begun"
            raise ConfigurationError(
                f"a run is under way: {holder}. Two runs at once would spoil each other's figures: "
                "wait until it ends, or end it with Ctrl-C where it runs"
            ) from None
        except OSError as error:
            raise unwritable(error) from error
        self._write("")
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")
        self._stream.close()

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
        self._stream.truncate(0)
        self._stream.write(text.encode())
