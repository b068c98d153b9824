"""What a run says of the pairs that it measured in duets."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadgen.duets.duet import with_load
from loadgen.findings.agreement import agreements
from loadgen.findings.claims import judge_claims
from loadgen.findings.comparisons import Comparison, compare_cases, write_comparisons
from loadgen.findings.earlier_run import Run
from loadgen.findings.first_change import effects, line, what_to_change_first
from loadgen.findings.gates import parse_gate
from loadgen.findings.summary import write_summary
from loadgen.findings.two_runs import of_servers
from loadgen.records import columns
from loadgen.records.columns import COSTS_TOO_HIGH, COSTS_TOO_UNLIKE, LOAD_TOO_SMALL, Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import CPU_METRIC, Compare
from loadgen.suites.suite import Suite
from tests.kept_run import lines_of
from tests.make import a_case, a_suite
from tests.shown import report_on_a_terminal

A, B = (a_case(server=server, driver="own") for server in ("one", "other"))


def suite_of(*metrics: str, **attributes: Any) -> Suite:
    entry = Compare(
        a={"server": ("one",)},
        b={"server": ("other",)},
        metrics=metrics or (CPU_METRIC,),
        duet=True,
        **attributes,
    )
    return a_suite(cases=(A, B), compare=(entry,))


def row_of(case: Case, number: int, **cells: Any) -> Row:
    known = {"round": number, "position": number, "outcome": "measured", "ranked": "yes"}
    return columns.row(case.cells() | known | cells)


def duet_rows(values: Sequence[tuple[float, float]], **cells: Any) -> list[Row]:
    """Rounds of a duet: what a view of each side costs."""
    a, b = A.in_a_duet, B.in_a_duet
    return [
        row_of(side, number, **{"partner": other.slug, "rate_rps": 17.0, CPU_METRIC: value} | cells)
        for number, pair in enumerate(values, start=1)
        for side, other, value in ((a, b, pair[0]), (b, a, pair[1]))
    ]


def test_what_the_loads_of_a_duet_differ_by_is_its_bound() -> None:
    rows = duet_rows([(3.0, 3.1), (3.0, 3.1), (3.0, 3.11)])
    rates = [
        row | {"offered_rps": 40.0, "parts_rps": 40.0 if row["case"] == A.in_a_duet.slug else 38.0}
        for row in rows
    ]
    (found,) = compare_cases([suite_of()], rates)
    assert found.difference
    assert found.difference.bound_log == pytest.approx(0.4 * math.log(40 / 38))


def trial_rows(metric: str, values: Sequence[tuple[float, float]]) -> list[Row]:
    return [
        row_of(case, number, **{metric: value, "rps": 50.0} | {metric: value})
        for number, pair in enumerate(values, start=1)
        for case, value in zip((A, B), pair, strict=True)
    ]


DEARER = [(4.0, 6.0), (4.1, 6.2), (3.9, 5.8)]
UNLIKE = duet_rows([(0, 0)], outcome=COSTS_TOO_UNLIKE, rate_rps=None, **{CPU_METRIC: None})


def only(suite: Suite, rows: Sequence[Row]) -> Comparison:
    (comparison,) = compare_cases([suite], rows)
    return comparison


def test_a_ratio_of_a_duet_carries_the_load_that_it_was_measured_at() -> None:
    found = only(suite_of(), duet_rows(DEARER))
    assert (found.duet, found.load, found.verdict) == (True, "17 views/s each", "worse")
    assert found.label == "one → other, at 17 views/s each"
    assert found.difference
    assert found.difference.ratio == pytest.approx(1.5, rel=0.02)


def test_cases_of_arrivals_have_the_duet_that_those_of_users_have() -> None:
    of_arrivals: dict[str, Any] = {"load": "open", "users": None, "rate_rps": 40.0}
    cases = tuple(replace(case, **of_arrivals, arrivals="poisson") for case in (A, B))
    found = only(replace(suite_of(), cases=cases), duet_rows(DEARER, rate_rps=12.5))
    assert (found.duet, found.load, found.verdict) == (True, "12.5 views/s each", "worse")


def test_a_duet_that_was_asked_the_other_way_around_is_turned() -> None:
    entry = Compare(
        a={"server": ("other",)}, b={"server": ("one",)}, metrics=(CPU_METRIC,), duet=True
    )
    found = only(a_suite(cases=(A, B), compare=(entry,)), duet_rows(DEARER))
    assert found.verdict == "better"


def test_other_metrics_are_those_of_the_cases_own_trials() -> None:
    rows = [*duet_rows(DEARER), *trial_rows("rps", [(50, 60), (51, 61), (50, 60)])]
    by_metric = {
        found.metric: found for found in compare_cases([suite_of("rps", CPU_METRIC)], rows)
    }
    assert not by_metric["rps"].duet
    assert by_metric["rps"].label == "one → other"
    assert by_metric[CPU_METRIC].duet


def test_rows_of_duets_are_no_rounds_of_a_case(tmp_path: Path) -> None:
    write_summary([*duet_rows(DEARER), *trial_rows("rps", [(50, 60)])], tmp_path / "summary.csv")
    assert [line["case"] for line in lines_of(tmp_path / "summary.csv")] == [A.slug, B.slug]


def test_costs_too_unlike_are_compared_by_the_cases_own_trials() -> None:
    rows = [*UNLIKE, *trial_rows(CPU_METRIC, DEARER)]
    found = only(suite_of(CPU_METRIC), rows)
    assert (found.duet, found.verdict) == (False, "worse")
    assert "no duet: no load suits both servers. Compared by separate trials" in found.reason
    assert (found.load, found.label) == ("", "one → other")


def test_a_round_in_which_too_much_failed_has_no_ratio() -> None:
    spoilt: dict[str, Any] = {"requests": 500, "failures": 6, "caveats": "failures"}
    rows = duet_rows(DEARER)
    rows[0] |= {**spoilt, "ranked": "no"}
    found = only(suite_of(), rows)
    assert found.verdict == "not comparable"
    assert found.reason == "1 of 3 rounds does not count (failures)"


def test_what_else_disturbed_a_duet_is_named_in_the_reason() -> None:
    rows = duet_rows(DEARER)
    rows[0] |= {"requests": 500, "failures": 1, "caveats": "failures"}
    rows[2] |= {"caveats": "cpu-drift"}
    rows[3] |= {"caveats": "cpu-drift"}
    found = only(suite_of(), rows)
    assert found.verdict == "worse"
    assert found.reason == "failures in 1 of 3 rounds; cpu-drift in 1 of 3 rounds"


def given_up(*metrics: str, **attributes: Any) -> tuple[Suite, list[Row]]:
    """A duet that was given up at 4 views/s each, and the trials in its place."""
    rows = duet_rows([(0, 0)], outcome=COSTS_TOO_UNLIKE, rate_rps=4.0, **{CPU_METRIC: None})
    for number, values in enumerate(DEARER, start=1):
        rows += [
            row_of(with_load(case.in_a_duet, 4.0), number, **{CPU_METRIC: value, "rps": 4.0})
            for case, value in zip((A, B), values, strict=True)
        ]
    return suite_of(*metrics, **attributes), rows


def test_a_duet_that_was_given_up_is_answered_by_the_trials_in_its_place() -> None:
    suite, rows = given_up()
    found = only(suite, rows)
    assert (found.duet, found.verdict, found.load) == (False, "worse", "4 views/s each")
    assert found.label == "one → other, at 4 views/s each"
    assert found.reason.endswith("Compared by separate trials at 4 views/s")
    assert found.distance
    assert found.distance.trials == 1


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (LOAD_TOO_SMALL, "the load asked for is too small"),
        (COSTS_TOO_HIGH, "a view costs too much CPU"),
    ],
)
def test_what_left_too_small_a_load_for_a_duet_is_named_with_the_load_that_it_takes(
    outcome: str, words: str
) -> None:
    suite, rows = given_up()
    needs = "A duet needs 6 views/s on each server, and only 4 were possible"
    why = f"no duet: {words}. {needs}"
    told = [
        row | {"outcome": outcome, "service_time_ms": 1000.0} if row["partner"] else row
        for row in rows
    ]
    by_trials = f"{why}. Compared by separate trials at 4 views/s"
    assert only(suite, told).reason == by_trials
    assert only(suite, [row for row in told if row["partner"]]).reason == why
    assert by_trials in " ".join(report_on_a_terminal([suite], told).split())


def test_those_go_before_the_cases_own_trials_under_another_load() -> None:
    suite, rows = given_up()
    unequal = [
        row | {"rps": 90.0 if row["server"] == "one" else 50.0}
        for row in trial_rows(CPU_METRIC, DEARER)
    ]
    assert only(suite, [*rows, *unequal]).verdict == "worse"


def test_a_change_and_two_runs_know_the_trials_in_the_place_of_a_duet() -> None:
    suite, rows = given_up(change="another server")
    rows = [*rows, *RATES]
    (effect,) = effects(suite, compare_cases([suite], rows))
    assert "with 4 views/s on each server" in line(effect)
    cheaper = [
        row | {CPU_METRIC: 1.0 + (row["server"] == "one") + 0.01 * (row.count("round") or 0)}
        for row in rows
    ]
    runs = Run(Path(), [suite], rows, {}), Run(Path(), [suite], cheaper, {})
    (compared,) = agreements(*runs, others=())
    assert [(apart.a, apart.b) for apart in compared.apart] == [("worse", "better")]


def test_costs_too_unlike_without_trials_cannot_be_compared() -> None:
    found = only(suite_of(), UNLIKE)
    assert found.verdict == "not comparable"
    assert found.reason == "no duet: no load suits both servers"


def test_a_server_that_died_in_a_duet_is_blamed_on_nobody() -> None:
    rows = duet_rows([(0, 0)] * 3, outcome="server-died", **{CPU_METRIC: None})
    found = only(suite_of(), rows)
    assert found.verdict == "not comparable"
    assert found.reason == "no duet could be measured (server-died)"


def test_the_file_says_what_was_measured_how(tmp_path: Path) -> None:
    suite = suite_of("rps", CPU_METRIC)
    rows = [*duet_rows(DEARER), *trial_rows("rps", [(50, 60), (51, 61), (50, 60)])]
    write_comparisons([suite], rows, tmp_path / "comparisons.csv")
    told = {
        each["metric"]: (each["by"], each["load"])
        for each in lines_of(tmp_path / "comparisons.csv")
    }
    assert told == {"rps": ("trials", ""), CPU_METRIC: ("duet", "17 views/s each")}


def test_a_change_is_told_with_the_load_of_its_cost() -> None:
    suite = suite_of("rps", CPU_METRIC, change="another server")
    rows = [*duet_rows(DEARER), *trial_rows("rps", [(50, 100), (51, 101), (50, 100)])]
    (effect,) = effects(suite, compare_cases([suite], rows))
    assert line(effect).startswith("another server (one → other): views/s ×1.9")
    assert "CPU per view ×1.5" in line(effect)
    assert "] (worse), with 17 views/s on each server" in line(effect)


def test_a_cost_that_is_known_well_goes_before_views_that_are_not() -> None:
    suite = suite_of("rps", CPU_METRIC, change="another server")
    cheaper = duet_rows([(b, a) for a, b in DEARER])
    wide = trial_rows("rps", [(50, 62), (50, 75), (50, 66)])
    (effect,) = effects(suite, compare_cases([suite], [*cheaper, *wide]))
    assert (effect.standing, effect.judged.metric) == ("better", CPU_METRIC)
    said = what_to_change_first([effect])
    assert said.startswith("Change first: another server (one → other). CPU per view ×0.67 [0.6")
    assert "], with 17 views/s on each server. Views/s ×1.35 [1.0" in said
    assert said.endswith("].")


def test_a_claim_is_judged_by_its_duets() -> None:
    suite = suite_of(words="The other is cheaper")
    cheaper = [(b, a) for a, b in DEARER]
    (claim,) = judge_claims([suite], compare_cases([suite], duet_rows(cheaper)))
    assert claim.outcome == "holds"


def a_run(rows: Sequence[Row]) -> Run:
    return Run(Path(), [suite_of("rps", CPU_METRIC)], rows, {})


RATES = trial_rows("rps", [(50, 60), (51, 61), (50, 60)])


def test_two_servers_of_a_run_are_compared_by_their_duets_in_either_direction() -> None:
    run = a_run([*duet_rows(DEARER), *trial_rows(CPU_METRIC, [(4, 4.1)] * 3)])
    for baseline, candidate, verdict in (("one", "other", "worse"), ("other", "one", "better")):
        result = of_servers(run, baseline, candidate, ["rps", CPU_METRIC], ())
        (by_duet,) = [found for found in result.comparisons if found.metric == CPU_METRIC]
        assert (by_duet.verdict, by_duet.load) == (verdict, "17 views/s each")


def test_two_servers_of_a_run_are_compared_by_the_trials_in_the_place_of_a_duet() -> None:
    suite, rows = given_up()
    result = of_servers(Run(Path(), [suite], rows, {}), "one", "other", [CPU_METRIC], ())
    (found,) = result.comparisons
    assert (found.verdict, found.label) == ("worse", "one → other, at 4 views/s each")


def test_trials_in_the_place_of_a_duet_are_compared_by_the_last_attempt_that_both_have() -> None:
    """Here the one was measured again beside a third, and not beside the other."""
    suite, rows = given_up()
    (first, *_) = [row for row in rows if row["partner"] is None]
    again = first | {"attempt": 2, CPU_METRIC: 9.0}
    by_suite = only(suite, [*rows, again])
    run = Run(Path(), [suite], [*rows, again], {})
    (by_servers,) = of_servers(run, "one", "other", [CPU_METRIC], ()).comparisons
    for found in (by_suite, by_servers):
        assert found.difference
        assert (found.difference.rounds, found.verdict) == (3, "worse")


def test_a_gate_on_what_a_view_costs_goes_by_duets() -> None:
    gate = parse_gate("app_cpu_ms_per_view>10%")
    result = of_servers(a_run(duet_rows(DEARER)), "one", "other", [], [gate])
    assert [judged.outcome for judged in result.gates] == ["failed"]


def test_two_runs_say_whether_their_duets_agree() -> None:
    cheaper = duet_rows([(b, a) for a, b in DEARER])
    runs = a_run([*duet_rows(DEARER), *RATES]), a_run([*cheaper, *RATES])
    (compared,) = agreements(*runs, others=())
    assert [(apart.a, apart.b) for apart in compared.apart] == [("worse", "better")]


def test_two_servers_are_compared_by_trials_where_their_costs_are_too_unlike_for_a_duet() -> None:
    gate = parse_gate("app_cpu_ms_per_view>5%")
    run = a_run([*UNLIKE, *trial_rows(CPU_METRIC, [(4, 3.6), (4, 3.5), (4, 3.6)])])
    for baseline, candidate, outcome in (("one", "other", "passed"), ("other", "one", "failed")):
        result = of_servers(run, baseline, candidate, ["rps"], [gate])
        (of_cpu,) = [found for found in result.comparisons if found.metric == CPU_METRIC]
        assert of_cpu.difference
        assert not of_cpu.duet
        assert [judged.outcome for judged in result.gates] == [outcome]


def test_costs_too_unlike_for_a_duet_have_no_load_in_their_name() -> None:
    (found,) = of_servers(a_run(UNLIKE), "one", "other", [CPU_METRIC], ()).comparisons
    assert found.label == "one → other"
