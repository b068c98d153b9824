"""What a quote says follows from the rows of its run; a verdict that is another now is refused."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loadgen.errors import ConfigurationError
from loadgen.findings.earlier_run import Run
from loadgen.quotes.quoted import IN_PROSE, Quoted, quoted
from loadgen.quotes.quotes_file import Quote
from loadgen.records.columns import Cell, Row
from loadgen.suites.suite import Suite
from tests.findings import test_capacity, test_waterfalls
from tests.findings.test_comparisons import SCATTER, A, B, both, comparing, rows


def a_run(suite: Suite, given: Sequence[Row]) -> Run:
    described = {"started_at": "2026-01-02T03:04:05+00:00"}
    return Run(Path("20260102T030405Z-again"), [suite], given, described)


def said(run: Run, **keys: Any) -> Quoted:
    return quoted("it", Quote(run="again", **keys), run)


def compared(factor: float) -> Run:
    values = [80 * factor * scatter for scatter in SCATTER]
    return a_run(comparing("rps"), both("rps", [80.0] * 4, values))


PAIR = {"a": "uvicorn", "b": "twin", "metric": "rps"}


def test_a_comparison_is_its_ratio_and_interval_in_the_form_that_is_asked_for() -> None:
    texts = said(compared(1.5), verdict="better", **PAIR).texts
    assert texts["ratio"] == f"{texts['times']} {texts['interval']}"
    assert texts["times"] == "×1.51"
    assert texts["change"] == "51 %"
    assert texts["rounds"] == "4"
    assert float(texts["low"]) < 1.51 < float(texts["high"])


def test_digits_are_those_that_the_quote_names() -> None:
    assert said(compared(1.5), verdict="better", digits=3, **PAIR).texts["number"] == "1.507"


def test_a_verdict_that_the_prose_was_not_written_for_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r'written for "better".* says "worse"'):
        said(compared(0.5), verdict="better", **PAIR)


def test_an_alarm_that_may_be_chance_is_no_difference_that_can_be_told() -> None:
    scattered = [80 * factor for factor in (1.6, 1.15, 1.5, 1.2)]
    suite = comparing("rps", "p95_ms", "avg_ms", "p50_ms")
    given = both("rps", [80.0] * 4, scattered)
    for metric in ("p95_ms", "avg_ms", "p50_ms"):
        given = [
            row | {metric: 100.0 * factor}
            for row, factor in zip(given, (1, 1.3, 0.8, 1) * 2, strict=True)
        ]
    run = a_run(suite, given)
    (rps,) = (each for each in run.comparisons if each.metric == "rps")
    assert rps.verdict == "better"
    assert "may be chance" in rps.reason
    assert said(run, verdict="may be chance", **PAIR).words == IN_PROSE["may be chance"]
    with pytest.raises(ConfigurationError, match='says "may be chance"'):
        said(run, verdict="better", **PAIR)


@pytest.mark.parametrize(
    ("factor", "verdict", "is_small"),
    [(1.5, "better", False), (0.985, "worse", True), (1.0, "equivalent", True)],
)
def test_a_difference_that_can_be_told_may_still_be_less_than_matters(
    factor: float, verdict: str, is_small: bool
) -> None:
    values = [80 * factor * scatter for scatter in (1.0, 1.0005, 0.9995, 1.0)]
    run = a_run(comparing("rps"), both("rps", [80.0] * 4, values))
    words = said(run, verdict=verdict, **PAIR).words
    assert ("does not matter" in words) is is_small


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (PAIR | {"a": "granian"}, "comparison of granian"),
        (PAIR | {"metric": "p95_ms"}, "in p95_ms"),
        (PAIR | {"duet": True}, "comparison of uvicorn"),
    ],
)
def test_what_the_run_does_not_have_is_refused_by_name(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"it: 2026.* exactly one .*{what}.*: none"):
        said(compared(1.5), verdict="better", **keys)


def test_words_that_fit_several_cases_are_refused_with_their_names() -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"and has: {B.slug}, {A.slug}")):
        said(compared(1.5), case="fanout", metric="rps")


def test_a_case_is_its_mean_and_each_of_its_rounds() -> None:
    cells: list[dict[str, Cell]] = [{"rps": rps, "bound_by": "cpu"} for rps in (70.0, 80.0, 90.0)]
    given = rows(A, *cells)
    texts = said(a_run(comparing("rps"), given), case="uvicorn", metric="rps").texts
    assert texts["value"] == "79.6"
    assert texts["each"] == "70.0, 80.0, 90.0"
    assert (texts["least"], texts["most"], texts["bound_by"]) == ("70.0", "90.0", "cpu")
    assert texts["with_interval"].startswith("79.6 [")


def test_a_step_is_what_it_brought_in_that_order() -> None:
    run = a_run(test_waterfalls.a_fall(), test_waterfalls.RUN)
    step = {"waterfall": "From here to there", "step": "a lean API", "metric": "rps"}
    assert said(run, verdict="better", **step).texts["times"] == "×2.00"
    with pytest.raises(ConfigurationError, match="must have exactly one step"):
        said(run, verdict="better", **step | {"step": "another"})


def test_a_stack_is_its_range() -> None:
    run = a_run(test_capacity.SUITE, test_capacity.measured(3))
    low, high = map(int, said(run, stack="httpx-per-request").texts["range"].split("–"))
    assert low <= 70 / 2 <= high


def test_alarms_are_counted() -> None:
    assert said(compared(1.5), alarms="rps").texts["alarms"] == "1 of 1"


def test_a_run_says_when_it_was_and_how_much() -> None:
    texts = said(compared(1.5)).texts
    assert (texts["date"], texts["rounds"]) == ("2 January 2026", "4")


def test_the_probe_is_worth_how_well_it_goes_together_with_cpu_per_view() -> None:
    def at_speed(cpu_ms: float, speed: float) -> dict[str, Cell]:
        return {
            "app_cpu_ms_per_view": cpu_ms * speed,
            "app_cpu_reference_ms_per_view": cpu_ms,
            "probe_ms": 0.2 * speed,
            "calibration_ms": 0.7 / speed,
        }

    speeds = (1.0, 1.1, 0.9, 1.2)
    given = [
        row
        for case, cpu_ms in ((A, 4.0), (B, 7.0))
        for row in rows(case, *(at_speed(cpu_ms, speed) for speed in speeds))
    ]
    texts = said(a_run(comparing("rps"), given), probe=True).texts
    assert (texts["r"], texts["loop_r"], texts["rows"]) == ("1.00", "-1.00", "8")
    assert (texts["reference"], texts["measured"]) == ("0.0 %", "10.7 %")


def test_a_run_without_a_probe_says_nothing_of_it() -> None:
    with pytest.raises(ConfigurationError, match="too few rows that know the probe"):
        said(compared(1.5), probe=True)
