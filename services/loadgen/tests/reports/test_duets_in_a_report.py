"""What a reader is told of duets."""

from loadgen.documents.run_material import of_rows
from loadgen.reports.run_report import markdown_report
from tests.findings.test_comparisons_of_duets import DEARER, duet_rows, suite_of


def test_a_run_of_nothing_but_duets_has_its_ratios_with_their_load() -> None:
    text = markdown_report(of_rows([suite_of()], duet_rows(DEARER)))
    assert "one → other, at 17 users each" in text
    assert "both servers were under it at once" in text
