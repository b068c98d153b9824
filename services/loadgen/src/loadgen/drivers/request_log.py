"""The log that the lab's own generators write: one line per request, with exact instants."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Self

LOG = "requests.csv"
HEADER = ("due_ns", "sent_ns", "answered_ns", "status", "failure")

#: The failure of an arrival that was never sent, since too many requests were in flight.
DROPPED = "dropped"

#: A line: instants due, sent (None: never) and answered (None: no answer), status (0: none),
#: failure ("": none).
type Request = tuple[int, int | None, int | None, int, str]


class RequestLog:
    """Writes a line per request; instants are of the monotonic clock, shared by all containers.

    Args:
        file: where to.
        buffering: of the stream, in bytes; 1 writes every line through at once.
    """

    def __init__(self, file: Path, buffering: int = 1) -> None:
        self._stream = file.open("w", newline="", buffering=buffering)
        self._writer = csv.writer(self._stream)
        self._writer.writerow(HEADER)
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(
        self, due_ns: int, sent_ns: int | None, answered_ns: int | None, status: int, failure: str
    ) -> None:
        """One request; without an answer there is no answer instant."""
        self._writer.writerow((due_ns, sent_ns, answered_ns, status or None, failure))

    def write_all(self, requests: Iterable[Request]) -> None:
        """Some requests, in their order."""
        self._writer.writerows(
            (due_ns, sent_ns, answered_ns, status or None, failure)
            for due_ns, sent_ns, answered_ns, status, failure in requests
        )

    def flush(self) -> None:
        """Let others see what is written so far."""
        self._stream.flush()
