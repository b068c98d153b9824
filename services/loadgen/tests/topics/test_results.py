"""The closing tables."""

import re
from io import StringIO

import pytest

from loadgen.documents import terminal
from loadgen.documents.document import cell_words
from loadgen.documents.run_material import Entry, of_rows
from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.reports.run_report import markdown_report, print_report
from loadgen.suites.cases import Case
from loadgen.suites.labels import WRITTEN
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Published, Suite
from loadgen.topics import results
from tests.make import a_case, a_suite
from tests.shown import a_group, as_markdown, report_on_a_terminal

SLOW, FAST = a_case(server="uwsgi-2-threads"), a_case(server="uvicorn")
TITLES = {"uwsgi-2-threads": "uWSGI, 1 process, 2 threads", "uvicorn": "Uvicorn, 1 process, async"}

ARTICLE = a_suite(
    question="Which of two?",
    cases=(SLOW, FAST),
    published=(
        Published({"server": "uwsgi-2-threads"}, {"min_ms": 783, "p95_ms": 22000, "max_rps": 3}),
        Published({"server": "uvicorn"}, {"min_ms": 616, "p95_ms": 1000, "max_rps": 115}),
    ),
)


def a_row(case: Case, **cells: Cell) -> Row:
    plain: dict[str, Cell] = {
        "title": TITLES.get(case.server, case.server),
        "outcome": "measured",
        "ranked": "yes",
        "rps": 80.0,
        "min_ms": 610.25,
        "p50_ms": 640.0,
        "p95_ms": 812.5,
        "max_rps": 98.76,
        "app_cpu_ms_per_view": 5.0,
        "bound_by": "cpu",
    }
    return columns.row(case.cells() | plain | cells)


def printed(suites: list[Suite], rows: list[Row], width: int = 80) -> str:
    return report_on_a_terminal(suites, rows, width)


def entries_of(suite: Suite, rows: list[Row]) -> list[Entry]:
    return list(a_group(suite, rows)[1].apart)


def cell(suite: Suite, rows: list[Row], column: str) -> str:
    """What the one row of a suite's Markdown says in a column."""
    table = results.results_table(a_group(suite, rows)[1])
    (line,) = table.lines("markdown")
    headings = [each.heading for each in table.columns_in("markdown")]
    return cell_words(line[headings.index(WRITTEN[column][0])], "markdown")


def test_our_figure_stands_before_the_articles_in_parentheses() -> None:
    text = printed([ARTICLE], [a_row(SLOW), a_row(FAST)])
    line = next(line for line in text.splitlines() if "uvicorn" in line)
    assert line.split() == ["uvicorn", "610", "(616)", "812", "(1000)", "98.8", "(115)", "cpu"]
    assert "Which of two?" in text
    assert "ours (the article's)" in text


def test_the_columns_are_those_that_the_article_published() -> None:
    text = printed([ARTICLE], [a_row(SLOW)])
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if "Server" in line)
    assert lines[at - 1].split() == ["Min", "p95"]
    assert " ".join(lines[at].split()) == "Server (ms) (ms) Max RPS Bound by"


def test_cases_stand_in_the_suites_order_whatever_the_rows() -> None:
    lines = entries_of(ARTICLE, [a_row(FAST), a_row(SLOW)])
    assert [line.label for line in lines] == list(TITLES.values())


@pytest.mark.parametrize(
    ("column", "values", "order"),
    [
        ("rps", (80.0, 90.0, None), [1, 0, 2]),  # more is better
        ("p95_ms", (80.0, 90.0, None), [0, 1, 2]),
        ("p95_ms", (None, 90.0, 80.0), [2, 1, 0]),
    ],
)
def test_a_suite_that_sorts_has_its_best_first_and_the_unknown_last(
    column: str, values: tuple[float | None, ...], order: list[int]
) -> None:
    cases = tuple(a_case(server=f"server-{number}") for number in range(3))
    rows = [a_row(case, **{column: value}) for case, value in zip(cases, values, strict=True)]
    found = entries_of(a_suite(cases=cases, sort=column), rows)
    assert [line.name for line in found] == [f"server-{number}" for number in order]


def test_what_could_not_be_known_is_a_dash() -> None:
    rows = [a_row(SLOW, p95_ms=None)]
    assert cell(ARTICLE, rows, "p95_ms") == "– (22000)"


def test_a_figure_that_one_round_lacks_is_unknown() -> None:
    rows = [a_row(SLOW), a_row(SLOW, min_ms=None)]
    assert cell(ARTICLE, rows, "min_ms") == "– (783)"
    assert cell(ARTICLE, rows, "p95_ms") == "812 (22000)"


def test_the_limit_stands_beside_the_number() -> None:
    rows = [a_row(SLOW, bound_by="slots")]
    assert entries_of(ARTICLE, rows)[0].bound_by == "slots"


def test_rounds_that_were_bound_by_different_limits_show_both() -> None:
    rows = [a_row(SLOW, bound_by=name) for name in ("slots", "unexplained", "slots", None)]
    assert entries_of(ARTICLE, rows)[0].bound_by == "slots/unexplained"


def test_several_rounds_show_their_mean() -> None:
    rows = [a_row(SLOW, min_ms=400.0), a_row(SLOW, min_ms=900.0)]
    assert cell(ARTICLE, rows, "min_ms") == "600 (783)"


def test_a_throughput_over_rounds_says_how_far_off_it_may_be() -> None:
    rows = [a_row(SLOW, max_rps=rate, min_ms=rate) for rate in (98.0, 100.0, 102.0)]
    assert cell(ARTICLE, rows, "max_rps") == "100.0 ±5% (3)"
    assert cell(ARTICLE, rows, "min_ms") == "100 (783)"


def test_rounds_that_measured_the_lab_are_left_out_where_others_did_not() -> None:
    rows = [a_row(SLOW, max_rps=3.0), a_row(SLOW, max_rps=1.0, ranked="no", bound_by="users")]
    assert cell(ARTICLE, rows, "max_rps") == "3.0 (3)"
    assert entries_of(ARTICLE, rows)[0].bound_by == "cpu"


def test_a_case_of_which_no_round_is_ranked_shows_what_was_measured_below_the_others() -> None:
    suite = a_suite(cases=(SLOW, FAST), sort="rps")
    first, last = entries_of(suite, [a_row(SLOW, rps=99.0, ranked="no"), a_row(FAST, rps=9.0)])
    assert (first.name, last.name) == ("uvicorn", "uwsgi-2-threads")
    assert last.value("rps") == pytest.approx(99.0)


def test_a_rate_of_zero_is_zero_not_unknown() -> None:
    rows = [a_row(SLOW, max_rps=0.0)]
    assert cell(ARTICLE, rows, "max_rps") == "0.0 (3)"


def test_without_an_article_there_are_the_usual_columns_and_no_parentheses() -> None:
    text = printed([a_suite(cases=(FAST,))], [a_row(FAST)])
    assert "RPS" in text
    assert "CPU/view" in text
    assert "(the article's)" not in text


def test_what_is_left_out_is_said_below_the_table() -> None:
    suite = a_suite(cases=(FAST,), left_out=("uwsgi-gevent with aiohttp-shared: [no] loop",))
    text = printed([suite], [a_row(FAST)])
    assert "\nLeft out: uwsgi-gevent with aiohttp-shared: [no] loop.\n" in text
    assert "\nLeft out: uwsgi-gevent with aiohttp-shared: [no] loop.\n" in markdown_report(
        of_rows([suite], [a_row(FAST)])
    )


def test_a_case_without_a_row_has_no_line() -> None:
    assert len(entries_of(ARTICLE, [a_row(FAST)])) == 1


def test_a_suite_of_which_nothing_was_measured_says_so_below_its_question() -> None:
    text = printed([ARTICLE, a_suite(question="And this?")], [a_row(SLOW)])
    assert "And this?\nNone of this was measured.\n" in text
    assert text.count("None of this") == 1


def test_advice_is_printed_once_with_the_servers_concerned() -> None:
    rows = [
        a_row(SLOW, caveats="at-ceiling censored"),
        a_row(FAST, caveats="at-ceiling"),
        a_row(FAST, caveats="at-ceiling"),
    ]
    text = " ".join(printed([ARTICLE], rows).split())
    assert text.count("at-ceiling (uwsgi-2-threads, uvicorn): ") == 1
    assert text.count("censored (uwsgi-2-threads): ") == 1
    assert "failures (" not in text


def test_it_is_said_how_often_a_trial_was_measured_again_and_the_last_attempt_counts() -> None:
    suite = a_suite(cases=(SLOW, FAST))
    first = a_row(SLOW, round=1, attempt=1, rps=10.0, ranked="no", rps_bound=0.2)
    rows = [first, a_row(SLOW, round=1, attempt=2, rps=30.0), a_row(FAST, round=1, attempt=2)]
    text = " ".join(printed([suite], rows).split())
    assert "2 trials were measured again, 2 times in all" in text
    assert "measured again" not in printed([suite], [a_row(SLOW, round=1, attempt=1)])
    assert cell(suite, rows[:2], "rps") == "30.0"


def test_everything_fits_80_columns() -> None:
    rows = [
        a_row(SLOW, p95_ms=123456.0, caveats="censored failures"),
        a_row(FAST, max_rps=1234.5),
    ]
    text = printed([ARTICLE], rows)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_the_longest_name_of_the_lab_fits_too() -> None:
    case = a_case(server="gunicorn-100-threads")
    figures = {"min_ms": 783, "p95_ms": 22000, "avg_ms": 12107.87, "max_rps": 131}
    suite = a_suite(cases=(case,), published=(Published({"server": case.server}, figures),))
    row = a_row(case, p95_ms=None, avg_ms=11804.0, max_rps=155.5, bound_by="unexplained")
    text = printed([suite], [row])
    assert max(map(len, text.splitlines())) <= 80
    assert "gunicorn-100-threads 610 (783)" in " ".join(text.split())


@pytest.mark.parametrize("server", ["uvicorn-asyncio-access-log", "granian-wsgi-100-threads"])
@pytest.mark.parametrize("http_client", ["httpx-shared-context", "requests-blocking-in-async"])
def test_a_table_of_the_longest_names_and_figures_fits_80_columns(
    server: str, http_client: str
) -> None:
    cases = [a_case(server=server, http_client=name) for name in (http_client, "no-http")]
    figures = {"rps": 1234.5, "p50_ms": 12345.0, "p95_ms": 12345.0, "app_cpu_ms_per_view": 1010.5}
    rows = [
        a_row(case, round=number, bound_by="users+slots", **figures | {"rps": 900.0 * number})
        for case in cases
        for number in (1, 2, 3)
    ]
    text = printed([a_suite(cases=tuple(cases))], rows)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    named = "".join(line[:30].split("  ")[0].strip() for line in text.splitlines())
    assert f"{server},{http_client}" in named.replace(" ", "")


def coloured(rows: list[Row]) -> set[str]:
    """The escape codes of a terminal that shows colours."""
    said = StringIO()
    console = terminal.console(file=said, width=80, force_terminal=True, color_system="standard")
    print_report(console, of_rows([claiming()], rows), full=True)
    return {
        code
        for codes in re.findall(r"\x1b\[([\d;]+)m", said.getvalue())
        for code in codes.split(";")
    }


def claiming() -> Suite:
    entry = Compare(
        a={"server": (SLOW.server,)}, b={"server": (FAST.server,)}, words="Fast is best."
    )
    return a_suite(cases=(SLOW, FAST), compare=(entry,))


BOLD, DIM, RED, GREEN, YELLOW, PLAIN = "1", "2", "31", "32", "33", "0"


def test_a_terminal_shows_colours_only_for_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    rates = {SLOW: 10.0, FAST: 20.0}
    rows = [
        a_row(case, round=number, rps=rate + number / 100)
        for case, rate in rates.items()
        for number in (1, 2, 3)
    ]
    assert coloured(rows) == {PLAIN, BOLD, DIM, GREEN}
    failure: dict[str, Cell] = {"outcome": "driver-failed", "ranked": "no"}
    failed = [*(a_row(SLOW, round=number, **failure) for number in (1, 2, 3)), *rows[3:]]
    assert coloured(failed) == {PLAIN, BOLD, DIM, RED, YELLOW}


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    rows = [a_row(SLOW, outcome="driver-failed", ranked="no"), a_row(FAST)]
    assert coloured(rows) <= {PLAIN, BOLD, DIM}


def test_a_case_that_could_not_be_measured_says_so_in_its_line() -> None:
    text = printed([ARTICLE], [a_row(SLOW, outcome="driver-failed", ranked="no"), a_row(FAST)])
    line = next(line for line in text.splitlines() if line.startswith("uwsgi-2-threads"))
    assert line.split()[-1] == "failed"


def test_comparisons_stand_below_their_suites_table() -> None:
    entry = Compare(a={"server": (SLOW.server,)}, b={"server": (FAST.server,)})
    suites = [a_suite(cases=(SLOW, FAST), compare=(entry,)), a_suite(name="other", cases=(FAST,))]
    rows = [a_row(case, round=number) for number in (1, 2, 3) for case in (SLOW, FAST)]
    text = printed(suites, rows)
    assert text.index("CPU/view") < text.index("Could see:") < text.rindex("CPU/view")
    assert text.count("Could see:") == 1
    assert "equivalent" in text
    parts = markdown_report(of_rows(suites, rows)).split("\n\n")
    assert parts[0] == "### Which is it?"
    assert parts[1].startswith("| Configuration |")
    assert parts[2].startswith("| Comparison |")
    assert sum(part.startswith("| Comparison |") for part in parts) == 1


def test_rounds_that_do_not_agree_are_said_to_be_unstable() -> None:
    rows = [a_row(FAST, rps=rps) for rps in (50.0, 80.0, 120.0)]
    suite = a_suite(cases=(FAST,))
    assert "unstable (uvicorn): " in printed([suite], rows)
    (line,) = as_markdown(results.blocks(a_group(suite, rows)[1])).splitlines()[2:]
    assert line.endswith("| cpu | unstable |")


def test_markdown_is_the_same_table_with_the_caveats() -> None:
    _, group = a_group(ARTICLE, [a_row(SLOW, caveats="censored"), a_row(FAST)])
    assert as_markdown([results.results_table(group)]).splitlines()[:4] == [
        "| Configuration | Min (ms) | p95 (ms) | Max RPS | Bound by | Caveats |",
        "| --- | ---: | ---: | ---: | --- | --- |",
        "| uWSGI, 1 process, 2 threads | 610 (783) | 812 (22000) | 98.8 (3) | cpu | censored |",
        "| Uvicorn, 1 process, async | 610 (616) | 812 (1000) | 98.8 (115) | cpu |  |",
    ]
