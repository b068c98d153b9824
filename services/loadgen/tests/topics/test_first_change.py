"""What to change first, as a reader sees it."""

from loadgen.findings.first_change import line, what_to_change_first
from loadgen.topics.first_change import HEADING, blocks
from tests.findings.test_first_change import (
    PER_REQUEST,
    SHARE,
    SHARED,
    figures,
    found,
    measured,
    quick,
)
from tests.make import a_suite
from tests.shown import a_group, as_markdown, on_a_terminal, report_on_a_terminal

SUITE = quick(SHARE)
RUN = [*measured(PER_REQUEST, figures(80)), *measured(SHARED, figures(160))]


def test_the_terminal_says_the_answer_and_then_every_change() -> None:
    text = on_a_terminal(blocks(*a_group(SUITE, RUN)))
    assert text.startswith("Change first: share the client (uvicorn: httpx-per-request → ")
    assert " 1. share the client (uvicorn: httpx-per-request →" in text
    assert all(len(text) <= 80 for text in text.splitlines())
    assert report_on_a_terminal([SUITE], RUN).rindex(HEADING) > 0
    nothing = a_group(a_suite(cases=SUITE.cases), RUN)
    assert on_a_terminal(blocks(*nothing)) == ""


def test_markdown_says_the_same() -> None:
    (effect,) = found(SUITE, RUN)
    text = as_markdown(blocks(*a_group(SUITE, RUN)))
    assert text.startswith(f"{what_to_change_first([effect])}\n\n1. {line(effect)}\n\n")
