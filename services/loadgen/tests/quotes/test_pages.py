"""The marks of a page are filled with what the runs say."""

import pytest

from loadgen.quotes.pages import filled
from loadgen.quotes.quoted import Quoted

TOLD = Quoted({"ratio": "×2.09 [1.77–2.48]", "change": "109 %"}, "better")
QUOTES = {"share": TOLD, "servers": Quoted({"ratio": "×1.00 [0.99–1.01]"}, "equivalent")}
TABLE = "| Server | RPS |\n| --- | ---: |\n| uvicorn | 80 |\n| daphne | 70 |"


def no_report(run: str) -> tuple[str, str]:
    raise AssertionError(run)


def in_a_page(text: str) -> tuple[str, tuple[str, ...]]:
    page = filled(text, QUOTES, no_report)
    return page.text, page.problems


@pytest.mark.parametrize(
    ("mark", "should_be"),
    [
        ("<!-- q share -->old<!-- / -->", "<!-- q share -->×2.09 [1.77–2.48]<!-- / -->"),
        ("<!-- q share change -->7 %<!-- / -->", "<!-- q share change -->109 %<!-- / -->"),
        ("<!-- q share -->on two\nlines<!-- / -->", "<!-- q share -->×2.09 [1.77–2.48]<!-- / -->"),
    ],
)
def test_a_figure_is_what_its_run_says_whatever_stood_there(mark: str, should_be: str) -> None:
    assert in_a_page(f"It brings {mark}.") == (f"It brings {should_be}.", ())


def test_several_marks_of_a_line_are_kept_apart() -> None:
    text, problems = in_a_page("<!-- q share -->a<!-- / --> and <!-- q servers -->b<!-- / -->")
    assert not problems
    assert text.count("<!-- / -->") == 2
    assert "×2.09 [1.77–2.48]<!-- / --> and <!-- q servers -->×1.00" in text


def test_words_of_a_verdict_are_the_writers_own_as_long_as_they_say_it() -> None:
    text = "It <!-- q servers words -->does not\nmatter<!-- / -->."
    assert in_a_page(text) == (text, ())


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ("<!-- q servers words -->can be told<!-- / -->", 'does not say "equivalent"'),
        ("<!-- q nobody -->1<!-- / -->", "nobody: there is no such quote"),
        ("<!-- q share memory -->1<!-- / -->", "share: has no memory, but: ratio, change"),
    ],
)
def test_what_no_filling_can_mend_is_a_problem_and_stays(mark: str, problem: str) -> None:
    text, problems = in_a_page(mark)
    assert text == mark
    assert len(problems) == 1
    assert problem in problems[0]


def quoted_table(report: str) -> tuple[str, tuple[str, ...]]:
    """A page that quotes a table of an older run, filled from this report."""
    old = TABLE.replace("80", "1").replace("daphne", "daphne (2 of 3 rounds)")
    page = f"<!-- results/reference/1Z-run -->\n{old}\n<!-- end -->\n"
    made = filled(page, {}, lambda _: ("2Z-run", report))
    return made.text, made.problems


def test_a_table_is_that_of_the_newest_run_which_has_the_same_lines() -> None:
    other = TABLE.replace("uvicorn", "granian")
    text, problems = quoted_table(f"### Heading\n\n{other}\n\n{TABLE}\n\nWords.\n")
    assert text == f"<!-- results/reference/2Z-run -->\n{TABLE}\n<!-- end -->\n"
    assert not problems


def test_a_table_that_the_report_has_no_more_is_a_problem() -> None:
    text, problems = quoted_table("### Heading\n\nWords.\n")
    assert "1Z-run" in text
    assert "2Z-run prints 0 tables with these rows" in problems[0]


def test_a_table_may_be_sorted_in_another_way_now() -> None:
    heading, line, uvicorn, daphne = TABLE.splitlines()
    text, problems = quoted_table("\n".join((heading, line, daphne, uvicorn)) + "\n")
    assert not problems
    assert f"{daphne}\n{uvicorn}\n" in text


def test_of_two_tables_with_the_same_lines_the_one_in_the_same_order_is_taken() -> None:
    heading, line, uvicorn, daphne = TABLE.splitlines()
    other = "\n".join((heading, line, daphne, uvicorn))
    text, problems = quoted_table(f"{other}\n\n{TABLE}\n")
    assert not problems
    assert f"\n{TABLE}\n" in text
