"""What a run says that it will be able to see."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadgen.documents import terminal
from loadgen.findings.scatter import Scatter
from loadgen.lab.lab import Lab
from loadgen.lab.machine import machine_name
from loadgen.lab.servers import read_servers
from loadgen.records import columns
from loadgen.records.columns import Row
from loadgen.records.scatter_file import SCATTER_FILE, Spread, read_spreads
from loadgen.runs.sight import Sight, keep_sight, percent_over, read_sight, windows_of
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from tests.conftest import HERE
from tests.make import a_case, a_suite, a_timing, cpus

PROJECT = HERE / "project"
SERVERS = read_servers(PROJECT)
A, B = a_case(server="uvicorn"), a_case(server="uvicorn-4")
CPU = "app_cpu_ms_per_view"
#: How long the window of such a case is, seconds.
WINDOW_S = 8.0


def comparing(*metrics: str, rounds: int = 5, duet: bool = False, **attributes: Any) -> Suite:
    sides: dict[str, Any] = {"a": {"server": (A.server,)}, "b": {"server": (B.server,)}}
    entry = Compare(**sides, metrics=metrics, duet=duet)
    return a_suite(**{"cases": (A, B), "compare": (entry,), "rounds": rounds} | attributes)


def a_spread(
    sd_log: float, metric: str = "rps", begin: float = 0.5, window_s: float | None = WINDOW_S
) -> Spread:
    return Spread(metric, "trials", begin, sd_log, 20.0, window_s)


def kept(**sd_logs: float) -> Scatter:
    """What is kept of each metric of a busy CPU."""
    return Scatter({"a run": [a_spread(sd_log, name) for name, sd_log in sd_logs.items()]})


def sight_of(suite: Suite, scatter: Scatter | None = None) -> Sight:
    return Sight([suite], scatter or Scatter(), SERVERS)


def before(scatter: Scatter, *metrics: str, rounds: int = 5) -> str:
    return sight_of(comparing(*metrics, rounds=rounds), scatter).before()


def both_sides(ratios: Sequence[float], **cells: str) -> list[Row]:
    """A row of A and of B in each round, with b / a of it."""
    plain = {"outcome": "measured", "ranked": "yes", "app_cpu_share": 0.6}
    return [
        columns.row(case.cells() | plain | cells | {"round": number, "rps": rps})
        for number, ratio in enumerate(ratios, start=1)
        for case, rps in ((A, 100.0), (B, 100.0 * ratio))
    ]


def lab_of(tmp_path: Path, app: str = "0") -> Lab:
    return Lab(PROJECT, tmp_path, cpus(app), {})


def smallest(sd_log: float, rounds: int) -> float:
    """By Bloom 1995, from scipy's own distributions."""
    t = stats.t(rounds - 1)
    return math.exp((t.ppf(0.975) + t.ppf(0.8)) * sd_log / math.sqrt(rounds))


def finds(differences: str) -> str:
    return f"This run will find differences of {differences}; smaller ones may stay undecided."


FINDS_3_PERCENT = finds("3 % in views/s")
AFTER_TWO = "How small a difference this run finds is known after 2 rounds."


def test_a_run_says_beforehand_what_this_machine_lets_it_see() -> None:
    # (2.776 + 0.941) · 0.02 / √5 is 3.3 %, and of 0.01 half of that.
    assert before(kept(rps=0.02, **{CPU: 0.01}), "rps", CPU) == (
        "This run will find differences of 3 % in views/s and 2 % in CPU per view; "
        "smaller ones may stay undecided."
    )


@given(st.floats(0.001, 0.2), st.integers(3, 40))
def test_the_figure_is_the_smallest_detectable_ratio_of_so_many_rounds(
    sd_log: float, rounds: int
) -> None:
    figure = percent_over(smallest(sd_log, rounds))
    said = before(kept(rps=sd_log), "rps", rounds=rounds)
    assert said == finds(f"{figure} in views/s")


def test_metrics_are_called_as_in_tables() -> None:
    assert before(kept(max_rps=0.02, avg_ms=0.01), "max_rps", "avg_ms") == finds(
        "3 % in Max RPS and 2 % in Avg"
    )


def test_what_depends_on_how_busy_the_cpu_was_is_said_from_where_to_where() -> None:
    by_bin = [a_spread(sd, begin=begin) for begin, sd in ((0.0, 0.01), (0.9, 0.06))]
    said = finds("2 to 10 % in views/s")
    assert before(Scatter({"a run": by_bin}), "rps") == (
        f"{said} How small depends on how busy the CPU is."
    )


def test_where_nothing_is_kept_two_rounds_will_show_it() -> None:
    assert before(Scatter(), "rps") == AFTER_TWO
    assert before(kept(rps=0.02), "rps", "p95_ms") == (
        f"{FINDS_3_PERCENT} For p95 this is known after 2 rounds."
    )


@pytest.mark.parametrize("suite", [comparing("rps", rounds=2), a_suite(cases=(A, B), rounds=5)])
def test_nothing_is_said_where_nothing_will_be_compared(suite: Suite) -> None:
    assert sight_of(suite, kept(rps=0.02)).before() == ""
    assert sight_of(suite).after(both_sides([1.0, 1.1]), next_round=3) == ""


def test_of_suites_that_compare_the_same_the_one_of_fewer_rounds_counts() -> None:
    suites, shown = [comparing("rps", rounds=20), comparing("rps", rounds=5)], kept(rps=0.02)
    assert Sight(suites, shown, SERVERS).before() == before(shown, "rps", rounds=5)


LONGER = (
    "How small a difference this run finds is known after 2 rounds: earlier runs had longer "
    "windows."
)


@pytest.mark.parametrize(
    ("share", "window_s", "said"),
    [
        (1.0, 10.0, FINDS_3_PERCENT),
        (1.0, 10.1, LONGER),
        (1.0, 1.0, FINDS_3_PERCENT),
        (0.5, 8.0, LONGER),
        (0.5, 5.0, FINDS_3_PERCENT),
        (1.0, None, AFTER_TWO),
    ],
)
def test_what_was_shown_in_windows_longer_by_more_than_a_quarter_promises_nothing(
    share: float, window_s: float | None, said: str
) -> None:
    suite = comparing("rps", timing=a_timing(share=share))
    shown = Scatter({"a run": [a_spread(0.02, window_s=window_s)]})
    assert sight_of(suite, shown).before() == said


def test_what_was_shown_in_longer_windows_is_not_pooled_with_the_rest() -> None:
    short = a_spread(0.06)
    shown = Scatter({"longer": [a_spread(0.01, window_s=16.0)], "as long": [short]})
    assert before(shown, "rps") == before(Scatter({"as long": [short]}), "rps")


def test_only_what_was_shown_in_longer_windows_has_to_wait() -> None:
    shown = Scatter({"a run": [a_spread(0.02), a_spread(0.01, "p95_ms", window_s=16.0)]})
    assert before(shown, "rps", "p95_ms", "p50_ms") == (
        f"{FINDS_3_PERCENT} For p50 this is known after 2 rounds. "
        "For p95 this is known after 2 rounds: earlier runs had longer windows."
    )


def test_a_run_of_several_lengths_promises_what_was_shown_in_windows_of_each() -> None:
    delays_ms = (600.0, 3000.0)
    cases = [a_case(server=each.server, delays_ms=(ms,)) for ms in delays_ms for each in (A, B)]
    suite = comparing("rps", cases=tuple(cases))
    of_long, of_short = a_spread(0.01, window_s=30.0), a_spread(0.06)
    assert sight_of(suite, Scatter({"a run": [of_long]})).before() == LONGER
    said = sight_of(suite, Scatter({"a run": [of_long, of_short]})).before()
    # (2.776 + 0.941) · 0.06 / √5 in the short ones, and of 0.043 in the long ones.
    assert said == (
        finds("7 to 10 % in views/s")
        + " How small depends on how busy the CPU is and how long a window is."
    )


def few(*metrics: str) -> Suite:
    """One user, who asks 13 times in a window."""
    cases = tuple(a_case(server=each.server, users=1) for each in (A, B))
    return comparing(*metrics, cases=cases)


def test_a_percentile_is_not_promised_where_the_windows_hold_too_few_requests_for_it() -> None:
    shown = kept(rps=0.02, p95_ms=0.02)
    assert sight_of(few("rps", "p95_ms"), shown).before() == (
        f"{FINDS_3_PERCENT} It gives no p95: its windows hold too few requests."
    )
    assert sight_of(few("p99_ms"), shown).before() == (
        "This run gives no p99: its windows hold too few requests."
    )
    assert "3 % in p50" in sight_of(few("p50_ms"), kept(p50_ms=0.02)).before()


def test_a_duet_has_the_window_of_its_slices() -> None:
    names = frozenset(case.in_a_duet.slug for case in (A, B))
    assert windows_of([comparing(CPU, duet=True)], SERVERS) == {names: 20.0}
    cut = comparing(CPU, duet=True, timing=a_timing(share=0.5))
    assert windows_of([cut], SERVERS) == {names: 12.0}
    shown = Scatter({"a run": [Spread(CPU, "duet", 0.5, 0.02, 20.0, 20.0)]})
    assert "will find" in sight_of(comparing(CPU, duet=True), shown).before()
    assert sight_of(cut, shown).before() == LONGER


def test_how_long_windows_were_planned_is_kept(tmp_path: Path) -> None:
    lab, suite = lab_of(tmp_path), comparing("rps")
    assert keep_sight(lab, [suite], tmp_path / "a-run", both_sides([1.0, 1.05, 0.97])) == ""
    (spread,) = read_spreads(tmp_path / SCATTER_FILE, machine_name(lab))["a-run"]
    assert spread.window_s == WINDOW_S
    cut = comparing("rps", timing=a_timing(share=0.5))
    assert read_sight(lab, [cut], terminal.console()).before() == LONGER


def test_after_two_rounds_it_is_said_once_from_what_they_differ_by() -> None:
    sight = sight_of(comparing("rps"))
    rows = both_sides([1.0, 1.05])
    assert sight.after(rows[:2], next_round=2) == ""
    figure = percent_over(smallest(math.log(1.05) / math.sqrt(2), 5))
    assert sight.after(rows, next_round=3) == finds(f"{figure} in views/s")
    assert sight.after(rows, next_round=3) == ""


def test_after_two_rounds_nothing_is_repeated_of_what_was_known_before() -> None:
    assert sight_of(comparing("rps"), kept(rps=0.02)).after(both_sides([1.0, 1.1]), 3) == ""


def test_two_rounds_that_do_not_count_say_nothing() -> None:
    rows = both_sides([1.0, 1.1], ranked="no")
    assert sight_of(comparing("rps")).after(rows, next_round=3) == ""


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
    assert said.startswith("This run will find differences of ")
    other = lab_of(tmp_path, app="0-3")
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
