"""What a document is on a terminal."""

import pytest

from loadgen.documents.document import Heading, Table, TableColumn, TableRow, Text
from tests.shown import on_a_terminal


def test_a_reason_in_a_column_of_figures_leaves_the_names_their_room() -> None:
    columns = (TableColumn("Comparison", numeric=False), TableColumn("Ratio"), TableColumn("95 %"))
    rows = [
        TableRow(("gunicorn → uvicorn, bare", "0.810", "0.063–10.3")),
        TableRow(("gunicorn → uvicorn, full", "gunicorn answered nobody in 2 of 3 rounds", "–")),
    ]
    lines = on_a_terminal([Table("", columns, rows)], 60).splitlines()
    assert any(line.startswith("gunicorn → uvicorn, bare ") for line in lines)
    assert any(line.startswith("gunicorn → uvicorn, full ") for line in lines)


def test_a_figure_stays_in_one_piece() -> None:
    columns = (TableColumn("Step", numeric=False), TableColumn("Value"))
    rows = [TableRow(("one client for all the views of the server", "131.8 ±10%"))]
    assert "131.8 ±10%\n" in on_a_terminal([Table("", columns, rows)], 30)


def test_a_name_stays_in_one_piece_and_what_bound_it_breaks_between_two() -> None:
    columns = (
        *(TableColumn("Server", numeric=False), TableColumn("RPS")),
        TableColumn("Bound by", numeric=False),
    )
    table = Table("", columns, [TableRow(("gunicorn-100-threads", "84.8", "cpu/unexplained"))])
    assert "gunicorn-100-threads 84.8 cpu/unexplained" in on_a_terminal([table], 41)
    *_, first, second = on_a_terminal([table], 40).splitlines()
    assert first.split() == ["gunicorn-100-threads", "84.8", "cpu/"]
    assert second.split() == ["unexplained"]


@pytest.mark.parametrize("width", [20, 24, 40, 80])
def test_nothing_is_lost_where_it_is_narrow(width: int) -> None:
    columns = (TableColumn("Server", numeric=False), TableColumn("95 %"), TableColumn("RPS"))
    rows = [TableRow(("gunicorn-100-threads", "0.243–0.431", "1234 (5678)"))]
    lines = on_a_terminal([Table("", columns, rows)], width).splitlines()
    shown = "".join("".join(lines).split())
    assert sorted(shown.replace("─", "")) == sorted(
        "Server95%RPSgunicorn-100-threads0.243–0.4311234(5678)"
    )


def test_an_empty_line_ends_a_table_with_its_notes() -> None:
    table = Table("", (TableColumn("Server", numeric=False),), [TableRow(("uvicorn",))])
    shown = on_a_terminal([table, Text(["A note."], "note"), table, Heading("Next"), table])
    lines = [line.strip("─ ") for line in shown.splitlines()]
    of_table = ["Server", "", "uvicorn"]
    assert lines == [*of_table, "A note.", "", *of_table, "", "Next", *of_table]
