"""A list of answers that the API plays one by one, and its own record of how it did.

Whoever checks a load generator knows by it what each request must have met.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypedDict

from upstream.answers import Answer, make_json
from upstream.delays import BadDelayError, parse_delay

KEYS = {"ms", "status", "bytes"}
STATUSES = {status.value for status in HTTPStatus if status.value >= 200} - {204, 304}
BODY = {"played": "as planned"}


class BadPlaylistError(ValueError):
    """A text that is no list of answers; its message says what would be one."""


class Record(TypedDict):
    """What became of one answer.

    Attributes:
        arrived_ns: when its request was read, on the monotonic clock.
        written_ns: just before it was written, or its connection closed; None where that has not
            happened: it waits still, or its client has left.
        status: its HTTP status.
        bytes: how many of its bytes were written before the connection was closed; None: all.
    """

    arrived_ns: int
    written_ns: int | None
    status: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer of the list.

    Attributes:
        delay_ns: how long after its request's arrival to write it, nanoseconds.
        answer: what to write.
        length: how many of its bytes to write before closing the connection; None: all, and
            the connection stays open.
    """

    delay_ns: int
    answer: Answer
    length: int | None


@dataclass(slots=True)
class Turn:
    """An entry that has met its request: the list's record of it.

    Attributes:
        entry: the entry.
        arrived_ns, written_ns: as in Record.
    """

    entry: Entry
    arrived_ns: int = 0
    written_ns: int | None = None

    def record(self) -> Record:
        """The turn as told to the outside."""
        return {
            "arrived_ns": self.arrived_ns,
            "written_ns": self.written_ns,
            "status": self.entry.answer.status,
            "bytes": self.entry.length,
        }


@dataclass
class Playlist:
    """The list that is played; empty until one is set.

    Attributes:
        beyond: requests that came when the list was over.
    """

    beyond: int = 0
    _left: Iterator[Entry] = field(default_factory=lambda: iter(()))
    _turns: list[Turn] = field(default_factory=list)

    def set(self, text: bytes) -> int:
        """Begin a new list, as JSON; returns its length.

        Raises:
            BadPlaylistError: it is none; the list before stays.
        """
        entries = _parse(text)
        self.beyond, self._left, self._turns = 0, iter(entries), []
        return len(entries)

    def next(self) -> Turn | None:
        """The next entry's turn; None where the list is over."""
        entry = next(self._left, None)
        if entry is None:
            self.beyond += 1
            return None
        turn = Turn(entry)
        self._turns.append(turn)
        return turn

    def played(self) -> dict[str, Any]:
        """The record: answers in the order of their requests, and how many came beyond them."""
        return {"answers": [turn.record() for turn in self._turns], "beyond": self.beyond}


def _parse(text: bytes) -> list[Entry]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadPlaylistError(f"the list is not JSON: {error}") from None
    answers = document.get("answers") if isinstance(document, dict) else None
    if not isinstance(answers, list):
        raise BadPlaylistError('the list must look like {"answers": [{"ms": 300}, …]}')
    whole: dict[int, Answer] = {}
    return [_entry(number, fields, whole) for number, fields in enumerate(answers)]


def _entry(number: int, fields: Any, whole: dict[int, Answer]) -> Entry:
    """The entry of this number; `whole` has the answers made so far, by status."""
    if not isinstance(fields, dict) or not fields.keys() <= KEYS:
        raise BadPlaylistError(f"answers[{number}] must be an object of {', '.join(sorted(KEYS))}")
    status, length = fields.get("status", 200), fields.get("bytes")
    if type(status) is not int or status not in STATUSES:
        raise BadPlaylistError(f"answers[{number}].status {status!r} is not a status with a body")
    answer = whole.setdefault(status, make_json(BODY, status))
    try:
        delay_ns = parse_delay(str(fields.get("ms")))
    except BadDelayError as error:
        raise BadPlaylistError(f"answers[{number}].ms: {error}") from None
    if length is not None and (type(length) is not int or not 0 <= length < len(answer.wire)):
        raise BadPlaylistError(
            f"answers[{number}].bytes {length!r} is not a number from 0 to {len(answer.wire) - 1}"
        )
    return Entry(delay_ns, answer, length)
