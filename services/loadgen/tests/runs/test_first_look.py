"""A run of several rounds shows what there is after the first one, once."""

from io import StringIO

from loadgen.documents import terminal
from loadgen.runs.first_look import FirstLook
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite, a_trial

CASE = a_case()
ROWS = rows(CASE, {"rps": 80.0})
SHOWN = "Round 1 of 3. Ctrl-C stops here and keeps it."


def said_of(*rounds: int) -> str:
    """What is said before trials of these rounds."""
    said = StringIO()
    look = FirstLook(terminal.console(file=said, width=80), [a_suite(cases=(CASE,))], 3)
    for number in rounds:
        look.before(a_trial(case=CASE, round=number), ROWS)
    return said.getvalue()


def test_it_is_shown_between_the_first_round_and_the_second() -> None:
    assert said_of(1, 1) == ""
    said = said_of(1, 1, 2, 2, 3, 3)
    assert said.count(SHOWN) == 1
    assert "80.0" in said.partition(SHOWN)[0]


def test_a_run_that_is_resumed_in_a_later_round_has_shown_it_before() -> None:
    assert said_of(2, 2, 3) == ""
