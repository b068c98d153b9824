"""The log that the lab's own generators write: one line per request, with exact instants."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

LOG = "requests.csv"

#: The failure of an arrival that was never sent, since too many requests were in flight.
DROPPED = "dropped"
#: The failure of a request that was still waiting when the load ended.
UNANSWERED = "unanswered"
#: How the failure of a request begins that got no whole answer.
NO_ANSWER = "no answer: "
#: A user of the own driver whose request failed so asks again only after this: one whom the server
#: refuses at once would otherwise ask thousands of times a second, and the driver's own CPU time
#: would be all that is measured.
PAUSE_S = 0.1


class LoggedRequest(NamedTuple):
    """A line; instants are of the monotonic clock, shared by all containers.

    Attributes:
        due_ns: when it should be sent.
        sent_ns: when it was; None: never.
        answered_ns: when its answer was whole; None: there was none.
        ended_ns: when it was answered, failed, or was given up; None: it was never sent.
        status: of the answer; 0: none.
        failure: why it is no good one; empty: it is.
        user: the number of the user who asked; None where requests come by themselves.
    """

    due_ns: int
    sent_ns: int | None
    answered_ns: int | None
    ended_ns: int | None
    status: int
    failure: str
    user: int | None = None


HEADER = LoggedRequest._fields


class RequestLog:
    """Writes a line per request.

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

    def write(self, *requests: LoggedRequest) -> None:
        """One request, or more."""
        self.write_all(requests)

    def write_all(self, requests: Iterable[LoggedRequest]) -> None:
        """Some requests, in their order."""
        self._writer.writerows(
            (due_ns, sent_ns, answered_ns, ended_ns, status or None, failure, user)
            for due_ns, sent_ns, answered_ns, ended_ns, status, failure, user in requests
        )

    def flush(self) -> None:
        """Let others see what is written so far."""
        self._stream.flush()
