"""What a run says that it will be able to see."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadgen.documents import terminal
from loadgen.findings.scatter import Scatter, scatter_of
from loadgen.lab.lab import Lab
from loadgen.records import columns
from loadgen.records.columns import Row
from loadgen.records.scatter_file import SCATTER_FILE, Spread
from loadgen.runs.sight import Sight, keep_sight, percent_over, read_sight
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from tests.make import a_case, a_suite, cpus

A, B = a_case(server="uvicorn"), a_case(server="twin")
CPU = "app_cpu_ms_per_view"


def comparing(*metrics: str, rounds: int = 5) -> Suite:
    entry = Compare(a={"server": ("uvicorn",)}, b={"server": ("twin",)}, metrics=metrics)
    return a_suite(cases=(A, B), compare=(entry,), rounds=rounds)


def kept(**sd_logs: float) -> Scatter:
    """What is kept of each metric of a busy CPU."""
    return scatter_of(
        {"a run": [Spread(name, "trials", 0.5, sd_log, 20.0) for name, sd_log in sd_logs.items()]}
    )


def before(scatter: Scatter, *metrics: str, rounds: int = 5) -> str:
    return Sight([comparing(*metrics, rounds=rounds)], scatter).before()


def both_sides(ratios: Sequence[float], **cells: str) -> list[Row]:
    """A row of A and of B in each round, with b / a of it."""
    plain = {"outcome": "measured", "ranked": "yes", "app_cpu_share": 0.6}
    return [
        columns.row(case.cells() | plain | cells | {"round": number, "rps": rps})
        for number, ratio in enumerate(ratios, start=1)
        for case, rps in ((A, 100.0), (B, 100.0 * ratio))
    ]


def lab_of(tmp_path: Path) -> Lab:
    return Lab(tmp_path, tmp_path, cpus(), {})


def smallest(sd_log: float, rounds: int) -> float:
    """By Bloom 1995, from scipy's own distributions."""
    t = stats.t(rounds - 1)
    return math.exp((t.ppf(0.975) + t.ppf(0.8)) * sd_log / math.sqrt(rounds))


def test_a_run_says_beforehand_what_this_machine_lets_it_see() -> None:
    # (2.776 + 0.941) · 0.02 / √5 is 3.3 %, and of 0.01 half of that.
    assert before(kept(rps=0.02, **{CPU: 0.01}), "rps", CPU) == (
        "This run will see differences over 3 % in views/s and 2 % in CPU per view."
    )


@given(st.floats(0.001, 0.2), st.integers(3, 40))
def test_the_figure_is_the_smallest_detectable_ratio_of_so_many_rounds(
    sd_log: float, rounds: int
) -> None:
    figure = percent_over(smallest(sd_log, rounds))
    said = before(kept(rps=sd_log), "rps", rounds=rounds)
    assert said == f"This run will see differences over {figure} in views/s."


def test_metrics_are_called_as_in_tables() -> None:
    assert before(kept(max_rps=0.02, avg_ms=0.01), "max_rps", "avg_ms") == (
        "This run will see differences over 3 % in Max RPS and 2 % in Avg."
    )


def test_what_depends_on_how_busy_the_cpu_was_is_said_from_where_to_where() -> None:
    by_bin = [Spread("rps", "trials", begin, sd, 9.0) for begin, sd in ((0.0, 0.01), (0.9, 0.06))]
    assert before(scatter_of({"a run": by_bin}), "rps") == (
        "This run will see differences over 2 to 10 % in views/s, by how busy the CPU is."
    )


def test_where_nothing_is_kept_two_rounds_will_show_it() -> None:
    assert before(Scatter(), "rps") == "What this run can see is known after 2 rounds."
    assert before(kept(rps=0.02), "rps", "p95_ms") == (
        "This run will see differences over 3 % in views/s. "
        "What it can see in p95 is known after 2 rounds."
    )


@pytest.mark.parametrize("suite", [comparing("rps", rounds=2), a_suite(cases=(A, B), rounds=5)])
def test_nothing_is_said_where_nothing_will_be_compared(suite: Suite) -> None:
    assert Sight([suite], kept(rps=0.02)).before() == ""
    assert Sight([suite], Scatter()).after(both_sides([1.0, 1.1]), next_round=3) == ""


def test_of_suites_that_compare_the_same_the_one_of_fewer_rounds_counts() -> None:
    suites = [comparing("rps", rounds=20), comparing("rps", rounds=5)]
    assert Sight(suites, kept(rps=0.02)).before() == before(kept(rps=0.02), "rps", rounds=5)


def test_after_two_rounds_it_is_said_once_from_what_they_differ_by() -> None:
    sight = Sight([comparing("rps")], Scatter())
    rows = both_sides([1.0, 1.05])
    assert sight.after(rows[:2], next_round=2) == ""
    figure = percent_over(smallest(math.log(1.05) / math.sqrt(2), 5))
    said = f"This run will see differences over {figure} in views/s."
    assert sight.after(rows, next_round=3) == said
    assert sight.after(rows, next_round=3) == ""


def test_after_two_rounds_nothing_is_repeated_of_what_was_known_before() -> None:
    assert Sight([comparing("rps")], kept(rps=0.02)).after(both_sides([1.0, 1.1]), 3) == ""


def test_two_rounds_that_do_not_count_say_nothing() -> None:
    rows = both_sides([1.0, 1.1], ranked="no")
    assert Sight([comparing("rps")], Scatter()).after(rows, next_round=3) == ""


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, "0.0 %"),
        (1.0031, "0.3 %"),
        (1.0094, "0.9 %"),
        (1.0099, "1 %"),
        (1.25, "25 %"),
        (3.5, "250 %"),
    ],
)
def test_percents_have_the_digits_that_matter(ratio: float, words: str) -> None:
    assert percent_over(ratio) == words


def test_what_a_run_has_shown_is_known_to_the_next_one_on_this_machine(tmp_path: Path) -> None:
    lab, suites = lab_of(tmp_path), [comparing("rps")]
    assert keep_sight(lab, suites, tmp_path / "a-run", both_sides([1.0, 1.05, 0.97])) == ""
    said = read_sight(lab, suites, terminal.console()).before()
    assert said.startswith("This run will see differences over ")
    other = Lab(tmp_path, tmp_path, cpus(app="0-3"), {})
    assert "after 2 rounds" in read_sight(other, suites, terminal.console()).before()


def test_a_run_that_compares_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert keep_sight(lab_of(tmp_path), [a_suite()], tmp_path / "a-run", []) == ""
    assert not (tmp_path / SCATTER_FILE).exists()


def test_a_file_that_cannot_be_read_is_said_and_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / SCATTER_FILE).write_text("half a fi")
    lab, suites = lab_of(tmp_path), [comparing("rps")]
    assert "after 2 rounds" in read_sight(lab, suites, terminal.console()).before()
    assert "scatter.json cannot be read" in capsys.readouterr().out
    said = keep_sight(lab, suites, tmp_path / "a-run", both_sides([1.0, 1.05]))
    assert said.startswith("How much this run scattered is not kept for the next one: ")


@pytest.mark.usefixtures("full_disk")
def test_results_that_take_no_more_are_said_and_cost_nothing(tmp_path: Path) -> None:
    said = keep_sight(lab_of(tmp_path), [comparing("rps")], tmp_path, both_sides([1.0, 1.05]))
    assert said.startswith("How much this run scattered is not kept for the next one: ")
