"""Figures and verdicts without a mark are found, wherever prose may hide them."""

import pytest

from loadgen.quotes.unquoted import unquoted


def found(page: str, *settings: str, verdicts: bool = False) -> list[str]:
    return [each.text for each in unquoted(page, settings, verdicts=verdicts)[0]]


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        ("It brings ×2.09 more.", "×2.09"),
        ("It makes 0.998 of them.", "0.998"),
        ("It lies in [1.77–2.48] there.", "[1.77–2.48]"),
        ("The best made 78 views/s.", "78 views/s"),
        ("They reach 67 to 78 views a second.", "67 to 78 views a second"),
        ("It took 14 to 16 ms.", "14 to 16 ms"),
        ("Its CPU was 44 % busy.", "44 %"),
        ("It takes 2 MiB.", "2 MiB"),
        ("In two of three rounds they fell.", "two of three"),
        ("It rests on 4 of 5 rounds.", "4 of 5"),
        ("It needs three times the threads.", "three times"),
        ("It makes half of that.", "half"),
        ("Hence drift on\na sixth, and 12\nms more.", "12 ms"),
    ],
)
def test_a_figure_without_a_mark(sentence: str, figure: str) -> None:
    assert found(sentence) == [figure]


@pytest.mark.parametrize(
    "sentence",
    [
        "It brings <!-- q share -->×2.09 [1.77–2.48]<!-- / -->.",
        "Python 3, 100 users, 4 × 10 threads and 150 requests.",
        "Ask with `--cpu-ms 5` for 5 users.",
        "Try this:\n\n    scripts/bench run smoke  # 12 ms\n\nand look.",
        "See [the rows](results/reference/1.5).",
        "<!-- results/reference/1Z-a -->\n| a |\n| --- |\n| 12 ms |\n<!-- end -->",
        "```\n12 ms\n```",
    ],
)
def test_what_has_a_mark_or_is_no_prose_is_left_alone(sentence: str) -> None:
    assert found(sentence) == []


def test_a_setting_is_no_figure_wherever_its_line_ends() -> None:
    page = "Calls of 300, 600 and\n150 ms; it took 12 ms."
    assert found(page, "300, 600 and 150 ms") == ["12 ms"]


def test_a_setting_that_the_page_does_not_mention_is_named() -> None:
    assert unquoted("It waits 5 s.", ["5 s", "7 s"], verdicts=False) == ([], ["7 s"])


@pytest.mark.parametrize("words", ["can be told", "cannot be told", "does not matter", "beats"])
def test_a_verdict_without_a_mark_is_found_where_a_page_judges(words: str) -> None:
    assert found(f"That {words}.", verdicts=True) == [words]
    assert found(f"That {words}.", verdicts=False) == []
    assert found(f"That <!-- q a words -->{words}<!-- / -->.", verdicts=True) == []


def test_a_find_says_its_line_and_what_stands_around_it() -> None:
    (each,) = unquoted("A title\n\nIt took\n12 ms there.\n", (), verdicts=False)[0]
    assert str(each) == 'line 4: "12 ms" has no mark: …A title It took 12 ms there.…'
