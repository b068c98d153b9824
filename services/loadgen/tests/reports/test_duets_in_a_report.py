"""What a reader is told of duets."""

from pathlib import Path

import pytest

from loadgen.documents.run_material import Material, of_rows
from loadgen.records.columns import Row
from loadgen.reports.run_report import NOT_MEASURED, markdown_report, page_document, write_report
from tests.findings.test_comparisons_of_duets import DEARER, duet_rows, suite_of
from tests.kept_run import ENVIRONMENT
from tests.shown import report_on_a_terminal


def a_page_of(found: list[Row]) -> Material:
    return Material(Path("results/a-run"), [suite_of()], found, ENVIRONMENT, {}, {})


def test_a_run_of_nothing_but_duets_has_its_ratios_with_their_load() -> None:
    text = markdown_report(of_rows([suite_of()], duet_rows(DEARER)))
    assert "one → other, at 17 views/s each" in text
    assert "two servers run at once, on the same CPUs, each with the same load" in text


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_duets_tell_beyond_twice_is_told_before_three_rounds(
    tmp_path: Path, rounds: int
) -> None:
    suites, found = [suite_of()], duet_rows([(10.0, 4.1)] * rounds)
    told = "CPU/view ×0.41 (one → other, with 17 views/s on each server)"
    for full in (True, False):
        text = report_on_a_terminal(suites, found, full=full)
        assert told in " ".join(text.split())
        assert NOT_MEASURED not in text
    assert told in write_report(a_page_of(found), tmp_path).read_text()


def test_a_screen_of_nothing_but_duets_has_their_ratios() -> None:
    text = " ".join(report_on_a_terminal([suite_of()], duet_rows(DEARER), full=False).split())
    assert NOT_MEASURED not in text
    assert "one → other: CPU/view 1.5" in text
    assert "worse, with 17 views/s on each server." in text
    assert "Measured: 3 duets." in text


def test_a_run_of_nothing_but_duets_is_called_by_its_question_from_its_first_round_on() -> None:
    run = a_page_of(duet_rows(DEARER[:1]))
    assert page_document(run).heading == run.suites[0].question
