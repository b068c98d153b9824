"""The list of runs: results/index.html, and the answers that it shows."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loadgen.documents.run_material import material
from loadgen.findings.earlier_run import read_run
from loadgen.findings.summary import write_summary
from loadgen.lab.lab import Lab, read_lab
from loadgen.records.columns import Row
from loadgen.reports import runs_index
from loadgen.reports.kept_answer import Answer, answer_of, keep_answer, kept_answer
from loadgen.reports.runs_index import write_index
from tests.conftest import Loadgen
from tests.kept_run import keep_run
from tests.make import a_case, a_trial
from tests.whole_run import answered

CASE, OTHER = a_case(server="uvicorn"), a_case(server="uvicorn", http_client="no-http")
FIRST, SECOND, THIRD = (f"2026010{day}T000000Z-again" for day in (1, 2, 3))
_CELL = re.compile(r"<t[hd].*?</t[hd]>", re.DOTALL)
KEPT = {"question": "Which of <these>?", "words": "The second, ×2."}


@pytest.fixture
def lab(in_project: Path) -> Lab:
    assert in_project.is_dir()
    return read_lab()


def rows(rps: float, *cases: Any) -> list[Row]:
    return [
        answered(a_trial(case=case, round=number), 100.0, rps=rps)
        for case in cases or (CASE,)
        for number in (1, 2, 3)
    ]


def keep(lab: Lab, name: str, given: Sequence[Row] | None = None, **described: Any) -> Path:
    """A run of results/ that has ended."""
    listed, folder = rows(50.0) if given is None else given, lab.results / name
    arguments = {"suites": ["quick"], "seed": 1}
    keep_run(folder, lab.project, listed, **{"arguments": arguments} | described)
    write_summary(listed, folder / "summary.csv")
    return folder


def shown(lab: Lab) -> str:
    """The list as it is written."""
    return write_index(lab).read_text()


def section(html: str, key: str) -> list[list[str]]:
    """The cells of the table of a section, as a reader sees them."""
    found = html.split(f'<section id="{key}"')[1].split("</section>")[0]
    body = found.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in found else ""
    return [
        [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in _CELL.findall(row)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_the_newest_run_is_first_with_all_that_tells_it_from_others(lab: Lab) -> None:
    keep(lab, FIRST, answer=KEPT, outcome="interrupted at trial 2 of 3")
    (keep(lab, SECOND, answer=KEPT) / "report.html").touch()
    html = shown(lab)
    date = "2026-01-02"
    tail = [date, "Which of &lt;these&gt;?", "The second, ×2.", "A CPU", "1111111"]
    assert section(html, "runs") == [
        [SECOND, *tail, "finished"],
        [FIRST, *tail, "interrupted at trial 2 of 3"],
    ]
    assert f'<a href="{SECOND}/report.html">' in html
    assert f"{FIRST}/report.html" not in html, "it has none"


def test_it_asks_for_nothing_from_elsewhere(lab: Lab) -> None:
    keep(lab, FIRST, answer=KEPT)
    html = shown(lab)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert "prefers-color-scheme: dark" in html


def test_an_answer_that_nobody_has_kept_is_worked_out_once(lab: Lab) -> None:
    folder = keep(lab, FIRST)
    described = json.loads((folder / "environment.json").read_text())
    assert kept_answer(described) is None
    (row,) = section(shown(lab), "runs")
    found = kept_answer(json.loads((folder / "environment.json").read_text()))
    assert found
    assert found == answer_of(material(read_run(lab, FIRST)))
    assert found.words
    assert row[3] == found.words
    (folder / "environment.json").write_text(json.dumps(described | {"answer": KEPT}))
    assert section(shown(lab), "runs")[0][3] == KEPT["words"], "kept, it is not worked out again"


def test_of_many_runs_without_an_answer_the_newest_are_read_and_the_others_the_next_time(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def worked_out(_: Lab, folder: Path) -> Answer:
        read.append(folder.name)
        return Answer("?", "!")

    monkeypatch.setattr(runs_index, "_worked_out", worked_out)
    monkeypatch.setattr(runs_index, "MOST_READ_AGAIN", 2)
    for name in (FIRST, SECOND, THIRD):
        keep(lab, name)
    assert [row[3] for row in section(shown(lab), "runs")] == ["!", "!", "–"]
    assert read == [THIRD, SECOND]


def test_a_run_that_has_not_ended_keeps_no_answer_for_it_may_be_under_way(lab: Lab) -> None:
    folder = keep(lab, FIRST, finished_at=None, outcome="unfinished: at trial 2 of 3")
    before = (folder / "environment.json").read_bytes()
    assert keep_answer(material(read_run(lab, FIRST))).words
    assert section(shown(lab), "runs")[0][3] == "–"
    assert (folder / "environment.json").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("environment.json", "{", "environment.json cannot be read: Expecting property name"),
        ("environment.json", "[]", "environment.json cannot be read: it is not a JSON object"),
        ("trials.csv", "colour\nred\n", "trials.csv cannot be read: no such column: colour"),
        ("compose.yaml", "services: 7", "compose.yaml"),
        (
            "environment.json",
            '{"finished_at": 1, "started_at": 2, "git_commit": 3, "arguments": {"suites": ["no"]}}',
            "",
        ),
        ("environment.json", '{"finished_at": 1, "arguments": [3]}', "AttributeError"),
    ],
)
def test_a_broken_run_is_listed_as_such_and_costs_no_other(
    lab: Lab, file: str, text: str, words: str
) -> None:
    (keep(lab, FIRST) / file).write_text(text)
    keep(lab, SECOND, answer=KEPT)
    whole, broken = section(shown(lab), "runs")
    assert (whole[0], whole[3]) == (SECOND, KEPT["words"])
    assert broken[0] == FIRST
    assert words in broken[3]
    assert str(lab.results) not in broken[3]


def test_what_is_no_run_is_listed_apart_and_hidden_and_committed_ones_are_not(lab: Lab) -> None:
    for name in ("my notes", "compare-a-b", "reference", ".cache"):
        (lab.results / name).mkdir()
    (lab.results / "compare-a-b" / "compare.html").touch()
    (lab.results / "a-file").touch()
    html = shown(lab)
    assert section(html, "others") == [["compare-a-b"], ["my notes"]]
    assert '<a href="compare-a-b/compare.html">' in html
    assert "There are no runs yet." in html


def test_a_case_that_several_runs_have_is_a_line_from_the_oldest_to_the_newest(lab: Lab) -> None:
    keep(lab, FIRST, rows(40.0, CASE, OTHER), answer=KEPT)
    keep(lab, SECOND, rows(80.0), answer=KEPT)
    keep(lab, THIRD, rows(60.0), answer=KEPT)
    html = shown(lab)
    assert section(html, "cases") == [[CASE.slug, "3", "", "60.0", "×0.75"]], "once is no line"
    assert 'points="0.0,24.0 60.0,0.0 120.0,12.0"' in html
    assert 'aria-label="40.0 → 60.0"' in html


def test_only_runs_of_the_newest_ones_machine_are_held_together(lab: Lab) -> None:
    keep(lab, FIRST, rows(40.0), answer=KEPT, cpu_model="Another CPU")
    keep(lab, SECOND, rows(80.0), answer=KEPT)
    html = shown(lab)
    assert "No case has been measured twice on A CPU yet." in html
    keep(lab, THIRD, rows(60.0), answer=KEPT)
    assert section(shown(lab), "cases")[0][1] == "2"


def test_a_summary_that_is_none_has_no_lines(lab: Lab) -> None:
    for name, text in ((FIRST, "case\n"), (SECOND, "case,rps\nx,fast\n"), (THIRD, "\0")):
        (keep(lab, name, answer=KEPT) / "summary.csv").write_text(text)
    assert "No case has been measured twice" in shown(lab)


def test_report_lists_the_run_and_keeps_its_answer(lab: Lab, loadgen: Loadgen) -> None:
    folder = keep(lab, FIRST)
    code, said, _ = loadgen("report", "latest")
    assert code == 0
    assert f"\nReport: results/{FIRST}/report.html\nAll runs: results/index.html\n" in said
    assert kept_answer(json.loads((folder / "environment.json").read_text()))
    assert f'<a href="{FIRST}/report.html">' in (lab.results / "index.html").read_text()


def test_report_of_a_committed_run_changes_neither_the_list_nor_the_run(
    lab: Lab, loadgen: Loadgen
) -> None:
    (lab.results / "reference").mkdir()
    folder = keep(lab, f"reference/{FIRST}")
    before = (folder / "environment.json").read_bytes()
    code, said, _ = loadgen("report", FIRST)
    assert code == 0
    assert f"\nReport: results/reference/{FIRST}/report.html\n" in said
    assert not (lab.results / "index.html").exists()
    assert (folder / "environment.json").read_bytes() == before
