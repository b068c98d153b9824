"""How comparisons are shown."""

import re
from collections.abc import Sequence
from typing import Any

from loadgen.records.columns import METRICS, Row
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.topics.comparisons import blocks, each_once
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite
from tests.shown import a_group, as_markdown, on_a_terminal


def twins(count: int, **attributes: Any) -> Suite:
    """A suite that compares uvicorn with another server, for so many numbers of users."""
    cases = tuple(
        a_case(server=server, users=users)
        for users in range(1, count + 1)
        for server in ("uvicorn", "gunicorn-100-threads")
    )
    return a_suite(**{"cases": cases, "compare": (entry(),)} | attributes)


def entry(metrics: Sequence[str] = ("rps", "p95_ms"), **planted: float) -> Compare:
    return Compare(
        a={"server": ("uvicorn",)},
        b={"server": ("gunicorn-100-threads",)},
        metrics=tuple(metrics),
        planted=planted,
    )


def three_rounds(suite: Suite, differ: int = 0) -> list[Row]:
    """Rows of all its cases: the first so many pairs differ by half, the others by nothing."""
    found: list[Row] = []
    for case in suite.cases:
        factor = 1.5 if case.server != "uvicorn" and (case.users or 0) <= differ else 1.0
        values = [100 * factor * scatter for scatter in (1.0, 1.001, 0.999)]
        found += rows(case, *(dict.fromkeys(METRICS, value) for value in values))
    return found


def printed(suite: Suite, given: list[Row]) -> str:
    return on_a_terminal(blocks(a_group(suite, given)[1]))


def as_text(suite: Suite, given: list[Row]) -> str:
    return as_markdown(blocks(a_group(suite, given)[1]))


def test_a_suite_that_compares_nothing_prints_nothing() -> None:
    suite = a_suite()
    assert printed(suite, three_rounds(suite)) == ""
    assert as_text(suite, three_rounds(suite)).strip() == ""


def test_each_comparison_has_a_line_with_ratio_interval_power_and_verdict() -> None:
    text = printed(twins(1), three_rounds(twins(1), differ=1))
    of_rps = next(line for line in text.splitlines() if "RPS" in line)
    assert of_rps.split()[:4] == ["uvicorn", "→", "gunicorn-100-threads", "RPS"]
    assert "1.500" in of_rps
    assert of_rps.split()[-1] == "better"
    of_p95 = next(line for line in text.splitlines() if line.strip().startswith("p95"))
    assert of_p95.split()[-1] == "worse"
    assert "Could see: the smallest difference that 4 of 5 such runs find" in " ".join(text.split())


def test_what_cannot_be_compared_says_why() -> None:
    suite = twins(1)
    given = three_rounds(suite)
    given[0]["p95_ms"] = None
    text = printed(suite, given)
    assert "not comparable: p95_ms unknown in 1 of 3 rounds" in text
    assert "–" in next(line for line in text.splitlines() if line.strip().startswith("p95"))


def test_many_comparisons_are_counted_and_those_that_say_something_listed() -> None:
    suite = twins(30)
    text = printed(suite, three_rounds(suite, differ=2))
    flat = " ".join(text.split())
    assert "60 comparisons: 56 equivalent, 2 better, 2 worse (all in comparisons.csv)." in flat
    listed = [line.split()[-1] for line in text.splitlines() if "1.500" in line]
    assert listed == ["better", "worse", "better", "worse"]
    assert len(text.splitlines()) < 20


def test_no_more_than_20_are_listed() -> None:
    suite = twins(30)
    markdown = as_text(suite, three_rounds(suite, differ=30))
    listed = [line for line in markdown.splitlines() if re.match(r"\| (uvicorn| \|)", line)]
    assert len(listed) == 20


def test_false_alarms_are_counted_where_no_difference_is_expected() -> None:
    suite = twins(30, expect="no difference")
    text = " ".join(printed(suite, three_rounds(suite, differ=3)).split())
    assert "RPS: 3 false alarms in 30 comparisons of a server with its twin (10.0 %, " in text
    assert "95 % bounds 2.1 % to 26.5 %; 5 % are expected)." in text
    assert "p95: 3 false alarms in 30 comparisons" in text
    assert "false alarms" not in printed(twins(30), three_rounds(twins(30), differ=3))


def test_what_was_planted_stands_beside_what_was_found_and_what_it_takes() -> None:
    suite = twins(1, compare=(entry(("p50_ms", "rps"), p50_ms=50.0),))
    text = " ".join(printed(suite, three_rounds(suite, differ=1)).split())
    assert text.startswith("1 planted difference was looked for; it was found. uvicorn → ")
    assert text.count("was planted") == 1
    assert (
        "uvicorn → gunicorn-100-threads, p50 (ms): ×1.500 was planted, ×1.500 [1.500–1.500] was "
        "found. 3 rounds find it in 4 of 5 such runs."
    ) in text


def test_what_was_planted_and_not_found_is_counted_as_looked_for() -> None:
    suite = twins(2, compare=(entry(("p50_ms",), p50_ms=50.0),))
    text = " ".join(printed(suite, three_rounds(suite, differ=1)).split())
    assert text.startswith("2 planted differences were looked for; 1 was found. ")
    text = " ".join(printed(suite, three_rounds(suite, differ=2)).split())
    assert text.startswith("2 planted differences were looked for; all 2 were found. ")


def test_everything_fits_80_columns() -> None:
    suite = twins(4, compare=(entry(["app_cpu_ms_per_view", "max_rps"]),))
    text = printed(suite, three_rounds(suite, differ=2))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_markdown_is_the_same_with_adjusted_p_and_remarks() -> None:
    suite = twins(1)
    given = three_rounds(suite)
    given[0]["p95_ms"] = None
    lines = as_text(suite, given).splitlines()
    assert lines[0].startswith("| Comparison | Metric | Ratio | 95 % | Could see | Verdict |")
    assert lines[2].startswith("| uvicorn → gunicorn-100-threads | RPS | 1.000 | 1.000–1.000 | 0.")
    assert lines[2].endswith("| equivalent | 1 |  |")
    assert lines[3] == (
        "|  | p95 | – | – | – | not comparable | – | p95_ms unknown in 1 of 3 rounds |"
    )


def test_a_reason_that_concerns_several_is_said_once_without_their_figures() -> None:
    alike = [f"unequal load: the ratio of views/s is {ratio}" for ratio in ("1.71", "0.94")]

    assert list(each_once(alike)) == ["unequal load (2 times)"]
    assert list(each_once(alike[:1])) == alike[:1]
