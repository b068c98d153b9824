"""A run of several rounds shows what there is after the first one, once."""

from io import StringIO

from loadgen.documents import terminal
from loadgen.runs.first_look import LEAST_TO_COME_S, FirstLook
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite, a_trial

CASE = a_case()
ROWS = rows(CASE, {"rps": 80.0})
SHOWN = "Round 1 of 3 is done. Ctrl-C stops the run here and keeps it."


def said_of(*rounds: int, left_s: float = 600.0) -> str:
    """What is said before trials of these rounds, so long before the end."""
    said = StringIO()
    look = FirstLook(terminal.console(file=said, width=80), [a_suite(cases=(CASE,))], 3)
    for number in rounds:
        look.before(a_trial(case=CASE, round=number), ROWS, left_s)
    return said.getvalue()


def test_it_is_shown_between_the_first_round_and_the_second() -> None:
    assert said_of(1, 1) == ""
    said = said_of(1, 1, 2, 2, 3, 3)
    assert said.count(SHOWN) == 1
    assert "80.0" in said.partition(SHOWN)[0]


def test_who_has_not_long_to_wait_is_not_shown_the_same_twice() -> None:
    assert said_of(1, 2, 3, left_s=LEAST_TO_COME_S - 1) == ""


def test_a_run_that_is_resumed_in_a_later_round_has_shown_it_before() -> None:
    assert said_of(2, 2, 3) == ""
