"""What the check makes of a driver's samples and of the API's record."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadgen.commands import check
from loadgen.commands.check import api_samples, loads
from loadgen.commands.driver_findings import CheckLoad, Finding
from loadgen.commands.figures import Figures, figures_of, told
from loadgen.documents import terminal
from tests.make import Request, some_samples

MS = 1_000_000
PLAIN = Figures(requests=500, failures=3, rps=49.5, p50_ms=100.0, p95_ms=150.0, p99_ms=300.0)


def a_finding(load: CheckLoad | None = None, **ours: Any) -> Finding:
    load = load or CheckLoad("own", "uniform", 50)
    return Finding(load, replace(PLAIN, **ours), PLAIN, None)


def an_answer(**fields: Any) -> dict[str, Any]:
    return {"arrived_ns": 0, "written_ns": 100 * MS, "status": 200, "bytes": None} | fields


@pytest.mark.parametrize(
    ("ours", "agrees"),
    [
        ({}, "yes"),
        ({"p50_ms": 101.0}, "yes"),
        ({"p50_ms": 101.1}, "no: p50"),
        ({"p50_ms": 98.9}, "no: p50"),
        # 1 % is more than 1 ms here.
        ({"p99_ms": 302.9}, "yes"),
        ({"p99_ms": 303.1, "p95_ms": 152.0}, "no: p95 p99"),
        ({"p99_ms": None}, "no: p99"),
        ({"rps": 49.9}, "yes"),
        ({"rps": 48.9}, "no: rps"),
        # Counts are exact or wrong.
        ({"requests": 499}, "no: requests"),
        ({"requests": 501, "failures": 4}, "no: requests failures"),
    ],
)
def test_figures_agree_within_1_ms_or_1_percent_and_counts_exactly(
    ours: dict[str, Any], agrees: str
) -> None:
    assert a_finding(**ours).agrees == agrees


def test_a_percentile_that_neither_can_know_agrees() -> None:
    nothing = replace(PLAIN, p99_ms=None)
    assert Finding(CheckLoad("own", "fixed", 50), nothing, nothing, None).agrees == "yes"


@pytest.mark.parametrize(
    ("requests", "failures", "agrees"),
    [
        (500, 3, "yes"),
        # Two of three closed connections were asked again, and the third is told as a failure.
        (498, 1, "asks again"),
        # One was asked again, and one more is missing.
        (499, 1, "no: failures"),
        (500, 2, "no: failures"),
    ],
)
def test_a_closed_connection_is_a_failure_or_was_asked_again(
    requests: int, failures: int, agrees: str
) -> None:
    load = CheckLoad("hey", "fixed", 200, hang_ups=True)
    assert a_finding(load, requests=requests, failures=failures, p50_ms=120.0).agrees == agrees


def test_the_apis_record_is_measured_from_arrival_to_writing() -> None:
    answers = [an_answer(arrived_ns=5 * MS, written_ns=(6 + number) * MS) for number in range(20)]
    figures = figures_of(api_samples({"answers": answers, "beyond": 0}, start_ns=5 * MS))
    assert (figures.requests, figures.failures) == (20, 0)
    assert figures.p50_ms == pytest.approx(10)
    assert figures.rps == pytest.approx(20 / 0.020)


@pytest.mark.parametrize(
    "failing",
    [
        an_answer(status=500),
        an_answer(bytes=0),
        an_answer(bytes=9),
        an_answer(written_ns=None),
    ],
)
def test_an_answer_that_is_wrong_cut_or_missing_is_a_failure_of_infinite_latency(
    failing: dict[str, Any],
) -> None:
    answers = [an_answer() for _ in range(6)] + [failing] * 6
    figures = figures_of(api_samples({"answers": answers, "beyond": 0}, start_ns=0))
    assert (figures.requests, figures.failures) == (12, 6)
    assert figures.p50_ms == pytest.approx(100)
    assert figures_of(api_samples({"answers": answers[1:], "beyond": 0}, start_ns=0)).p50_ms is None


def test_requests_beyond_the_list_count_as_failures() -> None:
    figures = figures_of(api_samples({"answers": [an_answer()], "beyond": 2}, start_ns=0))
    assert (figures.requests, figures.failures) == (3, 2)


def test_a_load_without_any_answer_has_no_rate() -> None:
    unanswered: list[Request] = [(0.0, None, "unanswered")]
    assert figures_of(some_samples(unanswered)).rps is None


def test_every_driver_meets_every_delay_at_every_rate_and_hang_ups() -> None:
    made = loads(["own", "hey"], ["fixed", "uniform"], "50,500")
    assert len(made) == 2 * (2 * 2 + 1) + 2
    assert [load.name for load in made if load.driver == "hey"][-1] == "hang-ups"


def test_the_own_driver_makes_an_open_load_at_every_rate_too() -> None:
    made = [load for load in loads(None, ["fixed", "lognormal"], "50,500") if load.is_open]
    assert [(load.driver, load.name, load.rate_rps) for load in made] == [
        ("own", "lognormal, open", 50),
        ("own", "lognormal, open", 500),
    ]
    (slow, _) = made
    assert (slow.case.rate_rps, slow.case.arrivals, slow.case.users) == (50, "poisson", None)
    # The list is long enough for what chance may bring: four standard deviations.
    mean = slow.rate_rps * slow.seconds
    assert slow.answers >= mean + 4 * mean**0.5


@pytest.mark.parametrize("driver", ["own", "hey"])
@pytest.mark.parametrize("rate", [1, 50, 500])
def test_users_make_the_rate_and_the_p99_has_enough_requests(driver: str, rate: int) -> None:
    load = CheckLoad(driver, "lognormal", rate)
    assert load.users == max(1, round(rate * 0.1133))
    assert load.rate_rps * load.seconds >= 500
    assert load.answers >= 500
    if driver == "hey":
        assert load.case.planned_requests == load.answers
        assert load.answers % load.users == 0


def test_locust_is_taken_by_the_last_line_of_its_statistics(tmp_path: Path) -> None:
    (tmp_path / "locust_stats.csv").write_text(
        "Type,Name,Request Count,Failure Count,Requests/s,50%,95%,99%\n"
        "GET,view,9,8,7,6,5,4\n"
        ",Aggregated,500,3,49.5,100,150,300\n"
    )
    assert told("locust", tmp_path) == PLAIN


def test_hey_is_taken_by_the_rows_of_its_csv(tmp_path: Path) -> None:
    rows = "".join(f"0.1{number:02d}0,0.{number:04d},{200}\n" for number in range(99))
    (tmp_path / "hey.csv").write_text(f"response-time,offset,status-code\n{rows}0.2,0.3,500\n")
    figures = told("hey", tmp_path)
    assert figures is not None
    assert (figures.requests, figures.failures) == (100, 1)
    assert figures.rps == pytest.approx(100 / 0.5)
    assert figures.p50_ms == pytest.approx(150)
    assert figures.p99_ms == pytest.approx(200)


def test_the_own_driver_says_nothing_but_our_log(tmp_path: Path) -> None:
    assert told("own", tmp_path) is None


class _Canned(check.Check):
    """Findings without any load."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = {finding.load: finding for finding in findings}

    def run(self, load: CheckLoad) -> Finding:
        return self._findings[load]


@pytest.mark.parametrize("markdown", [False, True])
def test_all_figures_are_written_and_a_difference_is_no_success(
    markdown: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hang_ups = CheckLoad("hey", "fixed", 200, hang_ups=True)
    findings = [
        replace(a_finding(p99_ms=321.9), tool=replace(PLAIN, p99_ms=310.0)),
        replace(
            a_finding(hang_ups, requests=498, failures=1, p95_ms=160.94),
            api=replace(PLAIN, p95_ms=103.04, p99_ms=None),
        ),
    ]
    loads_ = [finding.load for finding in findings]
    console = terminal.console(file=io.StringIO(), width=80)

    fine = check.make(_Canned(findings), loads_, tmp_path, console, markdown)

    assert not fine
    header, first, second = (tmp_path / "check.csv").read_text().splitlines()
    line = dict(zip(header.split(","), first.split(","), strict=True))
    assert (line["p99_ms"], line["api_p99_ms"], line["tool_p99_ms"]) == ("321.9", "300.0", "310.0")
    assert (line["agrees"], line["asked_again"]) == ("no: p99", "0")
    assert second.endswith("2,asks again")
    printed = capsys.readouterr().out
    if markdown:
        assert (
            "| own | uniform | 50 | 100.0 +0.0 | 150.0 +0.0 | 321.9 +21.9 | 500 | 3 | no: p99 |"
            in printed
        )
    else:
        assert isinstance(console.file, io.StringIO)
        printed = console.file.getvalue()
        assert "321.9 +21.9" in printed
        assert "160.9 +57.9   300.0 (–) 498 -2   1 -2 asks" in printed
        assert "sends the" in printed
    assert max(map(len, printed.splitlines())) <= 80 or markdown


def test_where_all_agrees_it_is_a_success(tmp_path: Path) -> None:
    finding = a_finding()
    console = terminal.console(file=io.StringIO(), width=80)
    assert check.make(_Canned([finding]), [finding.load], tmp_path, console, as_markdown=False)
