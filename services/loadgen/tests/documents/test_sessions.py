"""Rows of several sessions of a run are seen as such."""

from typing import Any

from loadgen.documents.sessions import in_sessions, sessions_of
from loadgen.records import columns
from loadgen.records.columns import Row

FIRST = {
    "boot_id": "one",
    "started_at": "2026-01-02T03:04:05",
    "finished_at": "2026-01-02T04:00:00",
}
SAME = {"boot_id": "one", "started_at": "2026-01-02T05:00:00"}
OTHER = {"boot_id": "two", "started_at": "2026-01-03T05:00:00", "finished_at": None}


def rows(*places: tuple[int, int | None]) -> list[Row]:
    """Rows of these rounds and sessions."""
    return [columns.row({"round": number, "session": session}) for number, session in places]


def run(*sessions: dict[str, Any]) -> dict[str, Any]:
    return {"sessions": list(sessions)}


def test_each_session_says_when_it_was_and_which_rounds_it_measured() -> None:
    words = [each.words for each in sessions_of(run(FIRST, OTHER), rows((1, 1), (2, 1), (3, 2)))]
    assert words == [
        "2026-01-02T03:04:05 – 2026-01-02T04:00:00: rounds 1–2",
        "2026-01-03T05:00:00, on another machine or after a restart: round 3",
    ]


def test_a_session_on_the_same_machine_is_not_elsewhere() -> None:
    assert [each.elsewhere for each in sessions_of(run(FIRST, SAME), rows((1, 1), (2, 2)))] == [
        False,
        False,
    ]


def test_a_session_that_measured_nothing_is_none_of_the_rows() -> None:
    found = sessions_of(run(FIRST, OTHER, SAME), rows((1, 1), (2, 3)))
    assert [each.number for each in found] == [1, 3]
    assert found[1].elsewhere, "the one before it was on the other machine"


def test_a_run_says_how_many_sessions_it_took_where_it_took_several() -> None:
    assert in_sessions(run(FIRST, OTHER), rows((1, 1), (2, 2))) == "in 2 sessions"
    assert in_sessions(run(FIRST), rows((1, 1))) == ""
    assert in_sessions(run(FIRST, OTHER), rows((1, None))) == ""
