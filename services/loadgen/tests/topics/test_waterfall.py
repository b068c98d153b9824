"""How waterfalls are shown."""

from loadgen.documents.run_material import of_rows
from loadgen.records.columns import Row
from loadgen.reports.run_report import markdown_report
from loadgen.suites.suite import Suite
from loadgen.topics.waterfall import blocks
from tests.findings.test_comparisons import rows
from tests.findings.test_waterfalls import RUN, a_fall
from tests.make import a_case
from tests.shown import a_group, as_markdown, on_a_terminal, report_on_a_terminal


def printed(run: list[Row], suite: Suite | None = None) -> str:
    return report_on_a_terminal([suite or a_fall()], run)


def test_each_order_has_a_table_with_two_lines_per_stage_and_says_what_all_bring() -> None:
    text = printed(RUN)
    assert "From here to there: one change per step" in text
    assert "From here to there: the same, reversed" in text
    of_client = next(line for line in text.splitlines() if line.startswith("one client"))
    assert of_client.split()[-1] == "api"
    assert "80.0 ±3%" in of_client
    assert "1.333" in of_client
    assert "better" in of_client
    assert text.count("CPU/view") >= 6
    assert "From 60.0 to 160.0 views/s, ×2.67 [2.67–2.67]." in text
    assert max(map(len, text.splitlines())) <= 80


def test_what_says_less_than_it_seems_to_is_noted_once() -> None:
    flat = " ".join(printed(RUN).split())
    assert flat.count("the API was late or busy") == 1


def test_its_cases_have_no_second_table() -> None:
    assert "p95" not in printed(RUN)
    other = a_case(server="uvicorn-4")
    fall = a_fall()
    both = a_fall(cases=(*fall.cases, other))
    text = printed([*RUN, *rows(other, {"rps": 50.0})], both)
    assert "uvicorn-4" in text
    assert "p95" in text


def test_as_markdown_a_stage_is_a_line_for_each_metric() -> None:
    lines = as_markdown(blocks(*a_group(a_fall(), RUN))).splitlines()
    assert lines[0] == "**From here to there: one change per step**"
    (of_client,) = [line for line in lines if line.startswith("| one client | RPS | 80.0 ±3% ")]
    assert "| 1.333 | 1.333–1.333 | better |" in of_client
    assert "the API was late or busy" in of_client
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "\n".join(lines) in markdown_report(of_rows([a_fall()], RUN))


def test_nothing_measured_shows_nothing() -> None:
    assert on_a_terminal(blocks(*a_group(a_fall(), []))) == ""
