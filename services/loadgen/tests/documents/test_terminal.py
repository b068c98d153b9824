"""What a document is on a terminal."""

import io

from loadgen.documents.document import Document, Section, Table, TableColumn, TableRow
from loadgen.documents.terminal import console, print_document


def printed(table: Table, width: int) -> list[str]:
    paper = io.StringIO()
    print_document(console(file=paper, width=width), Document("", (), [Section("", "", [table])]))
    return paper.getvalue().splitlines()


def test_a_reason_in_a_column_of_figures_leaves_the_names_their_room() -> None:
    columns = (TableColumn("Comparison", numeric=False), TableColumn("Ratio"), TableColumn("95 %"))
    rows = [
        TableRow(("gunicorn → uvicorn, bare", "0.810", "0.063–10.3")),
        TableRow(("gunicorn → uvicorn, full", "gunicorn answered nobody in 2 of 3 rounds", "–")),
    ]
    lines = printed(Table("", columns, rows), 60)
    assert any(line.startswith("gunicorn → uvicorn, bare ") for line in lines)
    assert any(line.startswith("gunicorn → uvicorn, full ") for line in lines)
    assert not any("nobody in 2 of 3 rounds" in line and "gunicorn ans" in line for line in lines)


def test_a_figure_stays_in_one_piece() -> None:
    columns = (TableColumn("Step", numeric=False), TableColumn("Value"))
    rows = [TableRow(("one client for all the views of the server", "131.8 ±10%"))]
    assert any("131.8 ±10%" in line for line in printed(Table("", columns, rows), 30))
