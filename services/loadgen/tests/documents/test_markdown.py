"""A reader's text in Markdown is shown as it is written."""

import pytest

from loadgen.documents.document import (
    Heading,
    Link,
    Table,
    TableColumn,
    TableRow,
    Trend,
    of_words,
)
from loadgen.documents.markdown import code, literal
from tests.shown import as_markdown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Uvicorn + 10 ms wait (planted)", "Uvicorn + 10 ms wait (planted)"),
        ("×1.83 [1.79–1.87], 5 %", "×1.83 [1.79–1.87], 5 %"),
        ("uvicorn[standard]", "uvicorn[standard]"),
        ("threads | greenlets", r"threads \| greenlets"),
        ("<b>*all* of `it`</b>", r"\<b>\*all\* of \`it\`\</b>"),
        ("[a](b) &lt; ~c~ _d_", r"[a]\(b) \&lt; \~c\~ \_d\_"),
        ("app_packages.Django __x__", r"app_packages.Django \_\_x\_\_"),
        ("two\n\nlines", "two lines"),
        ("# which?", r"\# which?"),
        ("[a]: a link's address", r"\[a]: a link's address"),
        ("- or +?", r"\- or +?"),
        ("1. which? 2. when?", r"1\. which? 2. when?"),
        ("4 x 10 threads", "4 x 10 threads"),
        ("C:\\lab", r"C:\\lab"),
    ],
)
def test_what_markdown_would_read_is_escaped_and_nothing_else(text: str, written: str) -> None:
    assert literal(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("serve --fast", "`serve --fast`"),
        ("sh -c 'a | b'", r"`sh -c 'a \| b'`"),
        ("echo `date`", "`` echo `date` ``"),
    ],
)
def test_code_keeps_its_pipes_and_backticks(text: str, written: str) -> None:
    assert code(text) == written


def test_equal_tables_are_all_shown_and_how_to_read_them_is_said_once() -> None:
    columns = (
        TableColumn("Step", numeric=False),
        TableColumn("Ratio", meaning="by the step before"),
    )
    table = Table("", columns, [TableRow(("no middleware", "1.008"))])
    text = as_markdown([Heading("A"), table, Heading("B"), table])
    assert text.count("| no middleware | 1.008 |") == 2
    assert text.count("Ratio: by the step before.") == 1


def test_a_link_leads_where_it_says_and_a_line_of_values_is_its_ends() -> None:
    columns = of_words("Run", "First to last")
    row = TableRow((Link("a_run_[1]", "a%20run/report.html"), Trend((40.04, 80.0, 60.0), 1)))
    text = as_markdown([Table("", columns, [row])])
    assert r"| [a_run\_[1]](<a%20run/report.html>) | 40.0 → 60.0 |" in text
