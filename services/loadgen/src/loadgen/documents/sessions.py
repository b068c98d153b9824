"""The sessions of a run: it may have been interrupted and finished later, or on another machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadgen.documents.words import count_of
from loadgen.records.columns import Row


@dataclass(frozen=True)
class SessionOfARun:
    """A session that has measured something.

    Attributes:
        number: 1, 2, … as in the column `session`.
        began, ended: UTC, ISO 8601; empty where that is not known.
        rounds: those of which it has rows, in their order.
        elsewhere: it was on another machine than the session before, or after a restart.
    """

    number: int
    began: str
    ended: str
    rounds: tuple[int, ...]
    elsewhere: bool

    @property
    def words(self) -> str:
        """When, where, and which rounds it has measured."""
        when = " – ".join(filter(None, (self.began, self.ended)))
        where = ", on another machine or after a restart" if self.elsewhere else ""
        first, last = self.rounds[0], self.rounds[-1]
        what = f"round {first}" if first == last else f"rounds {first}–{last}"
        return f"{when}{where}: {what}"


def sessions_of(environment: Mapping[str, Any], rows: Sequence[Row]) -> list[SessionOfARun]:
    """The sessions of a run, the first one first. Runs of an older lab do not say it of their rows:
    none.
    """
    rounds: dict[int, set[int]] = {}
    for row in rows:
        if (number := row.count("session")) is not None:
            rounds.setdefault(number, set()).add(row.count("round") or 0)
    listed, before = [], None
    for number, session in enumerate(environment.get("sessions") or (), start=1):
        machine = session.get("boot_id")
        if number in rounds:
            listed.append(
                SessionOfARun(
                    number=number,
                    began=session.get("started_at") or "",
                    ended=session.get("finished_at") or "",
                    rounds=tuple(sorted(rounds[number])),
                    elsewhere=before not in (None, machine),
                )
            )
        before = machine
    return listed


def in_sessions(environment: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """`in 2 sessions`; empty of a run that was measured in one."""
    count = len(sessions_of(environment, rows))
    return f"in {count_of(count, 'session')}" if count > 1 else ""
