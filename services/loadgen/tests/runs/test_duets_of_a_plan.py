"""Duets have places of their own in a plan, and a load that follows from the rows so far."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from loadgen.duets.duet import Duet, Measurement, demanding, with_load
from loadgen.errors import ConfigurationError
from loadgen.records import columns, environment
from loadgen.records.columns import COSTS_TOO_UNLIKE, LOAD_TOO_SMALL, Cell, Row
from loadgen.records.trials_csv import write_table
from loadgen.runs.equipment import services_for
from loadgen.runs.plan import Plan
from loadgen.runs.resume import rows_that_stay
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.trials.self_check import demands
from loadgen.trials.trial import Trial
from tests.make import a_case, a_server, a_suite, a_timing

SERVERS = {name: a_server(name=name) for name in ("one", "other", "third")}
CPU = ("app_cpu_ms_per_view",)


def case_of(server: str, **axes: Any) -> Case:
    return a_case(server=server, driver="own", **axes)


def at_rate(rate_rps: float, arrivals: str = "poisson") -> dict[str, Any]:
    return {"load": "open", "users": None, "rate_rps": rate_rps, "arrivals": arrivals}


def compare(a: str, b: str, *metrics: str, duet: bool = True) -> Compare:
    return Compare(a={"server": (a,)}, b={"server": (b,)}, metrics=metrics or CPU, duet=duet)


def suite_of(
    *entries: Compare, servers: Sequence[str] = ("one", "other"), **attributes: Any
) -> Suite:
    cases = tuple(case_of(server) for server in servers)
    return a_suite(**{"cases": cases, "compare": entries, "rounds": 3} | attributes)


def plan_of(*suites: Suite, seed: int = 1) -> Plan:
    return Plan(suites, SERVERS, None, seed)


def duets_in(measurements: Sequence[Measurement]) -> list[Duet]:
    return [each for each in measurements if isinstance(each, Duet)]


def rows_of(duet: Duet, outcome: str = "measured", rate_rps: float | None = 17.0) -> list[Row]:
    plain: dict[str, Cell] = {
        "outcome": outcome,
        "position": duet.position,
        "round": duet.round,
        "rate_rps": rate_rps,
        "attempt": 1,
    }
    return [
        columns.row(side.case.cells() | plain | {"case": side.case.slug, "partner": side.partner})
        for side in duet.sides
    ]


def test_cases_of_which_only_duets_are_asked_have_no_trials_of_their_own() -> None:
    planned = plan_of(suite_of(compare("one", "other"))).certain()
    assert len(duets_in(planned)) == len(planned) == 3
    a, b = duets_in(planned)[0].sides
    assert (a.case.server, b.case.server) == ("one", "other")
    assert (a.partner, b.partner) == (b.case.slug, a.case.slug)


def test_other_metrics_are_measured_by_the_cases_own_trials() -> None:
    planned = plan_of(suite_of(compare("one", "other", "rps", *CPU))).certain()
    assert len(planned) == 9
    assert len(duets_in(planned)) == 3
    assert [each.position for each in planned] == list(range(1, 10))


def test_a_case_that_nobody_compares_is_measured_all_the_same() -> None:
    planned = plan_of(
        suite_of(compare("one", "other"), servers=("one", "other", "third"))
    ).certain()
    assert [side.case.server for each in planned for side in each.sides].count("third") == 3


def test_each_round_has_its_duets_at_random_among_its_trials() -> None:
    suite = suite_of(
        compare("one", "other"), servers=("one", "other", "third"), rounds=30, sort="rps"
    )
    places = [each.position % 2 for each in duets_in(plan_of(suite).certain())]
    assert 5 < sum(places) < 25


@pytest.mark.parametrize(
    ("loads", "most_rps"),
    [
        ([{"users": 20}, {"users": 50}], 50 / 0.6),
        ([at_rate(20.0), at_rate(50.0)], 50.0),
        ([{"users": 50}, at_rate(50.0)], 50 / 0.6),
        ([{"users": 50}, at_rate(90.0, "constant")], 90.0),
    ],
)
def test_pairs_that_differ_in_the_load_alone_are_one_duet_under_the_largest_load(
    loads: Sequence[dict[str, Any]], most_rps: float
) -> None:
    cases = tuple(case_of(server, **load) for server in ("one", "other") for load in loads)
    (duet,) = plan_of(suite_of(compare("one", "other"), cases=cases, rounds=1)).certain()
    assert isinstance(duet, Duet)
    assert duet.most == pytest.approx(most_rps)


def test_two_suites_that_ask_for_a_duet_in_either_direction_share_it() -> None:
    there = suite_of(compare("one", "other"), name="there")
    back = suite_of(compare("other", "one"), name="back")
    duets = duets_in(plan_of(there, back).certain())
    assert len(duets) == 3
    assert {side.suites for duet in duets for side in duet.sides} == {"there+back"}


def test_the_first_measured_round_finds_the_load_of_all_that_follow() -> None:
    plan = plan_of(suite_of(compare("one", "other")))
    first = plan.next_trial(())
    assert isinstance(first, Duet)
    assert first.load is None
    second = plan.next_trial(rows_of(first))
    assert isinstance(second, Duet)
    assert (second.round, second.load) == (2, 17)


@pytest.mark.parametrize(("given_up", "attempts"), [(False, [1, 2]), (True, [1])])
def test_what_they_take_longer_is_missing_for_measuring_again(
    given_up: bool, attempts: list[int]
) -> None:
    suite = suite_of(
        compare("one", "other"), servers=("one", "other", "third"), rounds=1, sort="rps"
    )
    third_s = next(
        each.expected_s for each in plan_of(suite).certain() if not isinstance(each, Duet)
    )
    plan = Plan([suite], SERVERS, None, 1, spare_s=third_s + 1)
    rows, tried = list[Row](), list[int]()
    while following := plan.next_trial(rows):
        if isinstance(following, Duet):
            rows += rows_of(following, COSTS_TOO_UNLIKE if given_up else "measured", 4.0)
            continue
        late = following.sides[0].case.server == "third"
        row = a_row(following.sides[0]) | {"ranked": "yes", "attempt": following.attempt}
        rows.append(row | {"rps_bound": 0.05 if late else 0.0})
        tried += [following.attempt] if late else []
    assert tried == attempts


def test_a_round_that_failed_leaves_the_load_to_the_next() -> None:
    plan = plan_of(suite_of(compare("one", "other")))
    (first, *_) = duets_in(plan.certain())
    second = plan.next_trial(rows_of(first, "server-died", rate_rps=None))
    assert isinstance(second, Duet)
    assert (second.round, second.load) == (2, None)


def run_given_up(plan: Plan, rate_rps: float) -> list[Measurement]:
    """All that a run measures whose duets are given up at such a load."""
    rows, measured = list[Row](), list[Measurement]()
    while following := plan.next_trial(rows):
        measured.append(following)
        if isinstance(following, Duet):
            rows += rows_of(following, LOAD_TOO_SMALL, rate_rps)
        else:
            rows.append(a_row(following))
    return measured


def a_row(trial: Trial) -> Row:
    plain: dict[str, Cell] = {"outcome": "measured", "attempt": trial.attempt}
    place: dict[str, Cell] = {"position": trial.position, "round": trial.round}
    return columns.row(trial.case.cells() | plain | place)


def test_a_pair_that_was_given_up_is_measured_apart_under_one_load_in_each_round() -> None:
    plan = plan_of(suite_of(compare("one", "other")))
    duet, *apart = run_given_up(plan, 4.0)
    assert isinstance(duet, Duet)
    assert [
        (trial.round, trial.position, trial.case.server) for each in apart for trial in each.sides
    ] == [
        (number, number, server)
        for number, order in ((1, ("one", "other")), (2, ("other", "one")), (3, ("one", "other")))
        for server in order
    ]
    cases = [trial.case for each in apart for trial in each.sides]
    assert {(case.users, case.arrivals) for case in cases} == {(None, "jittered")}
    assert [case.rate_rps for case in cases] == [4.0] * 6
    assert all(each.sides[0].partner is None for each in apart)
    assert len(plan.certain()) == 3


def test_a_case_that_has_trials_under_that_load_is_not_measured_twice() -> None:
    jittered, random = (
        plan_of(
            suite_of(
                compare("one", "other", "rps", *CPU),
                cases=tuple(case_of(server, **at_rate(100.0, kind)) for server in ("one", "other")),
                rounds=1,
            )
        )
        for kind in ("jittered", "poisson")
    )
    assert len(run_given_up(jittered, 100.0)) == 3
    assert len(run_given_up(jittered, 50.0)) == 5
    assert len(run_given_up(random, 100.0)) == 5


def test_two_pairs_of_one_case_measure_it_apart_once() -> None:
    suite = suite_of(
        compare("one", "other"),
        compare("one", "third"),
        servers=("one", "other", "third"),
        rounds=1,
    )
    measured = run_given_up(plan_of(suite), 4.0)
    servers = [each.sides[0].case.server for each in measured if not isinstance(each, Duet)]
    assert sorted(servers) == ["one", "other", "third"]


@pytest.mark.parametrize("metric", ["rps", "app_cpu_ms_per_view"])
def test_trials_in_the_place_of_a_duet_are_measured_again_together(metric: str) -> None:
    plan = plan_of(suite_of(compare("one", "other"), rounds=2))
    rows, attempts = list[Row](), list[tuple[int, str, int]]()
    while following := plan.next_trial(rows):
        if isinstance(following, Duet):
            rows += rows_of(following, LOAD_TOO_SMALL, 4.0)
            continue
        (trial,) = following.sides
        attempts.append((trial.round, trial.case.server, trial.attempt))
        late = attempts[-1] == (1, "other", 1)
        rows.append(a_row(trial) | {f"{metric}_bound": 0.031 if late else 0.0})
    assert attempts == [
        *((1, "one", 1), (1, "other", 1), (1, "one", 2), (1, "other", 2)),
        *((2, "other", 1), (2, "one", 1)),
    ]


def test_a_latency_that_no_duet_is_asked_for_is_no_reason_to_measure_again() -> None:
    plan = plan_of(suite_of(compare("one", "other"), rounds=1))
    rows = list[Row]()
    while following := plan.next_trial(rows):
        if isinstance(following, Duet):
            rows += rows_of(following, LOAD_TOO_SMALL, 4.0)
        else:
            rows.append(a_row(following.sides[0]) | {"p95_ms_bound": 0.5})
    assert [row["attempt"] for row in rows] == [1] * 4


def test_trials_in_the_place_of_a_duet_take_about_its_time() -> None:
    _, *apart = run_given_up(plan_of(suite_of(compare("one", "other"), rounds=1)), 4.0)
    (duet,) = plan_of(suite_of(compare("one", "other"), rounds=1)).certain()
    assert isinstance(duet, Duet)
    longer_s = sum(each.expected_s for each in apart) - duet.measuring_s
    assert longer_s == pytest.approx(duet.warm_up_s + duet.service_time_s)


def test_only_the_first_round_takes_the_time_to_find_the_load() -> None:
    first, second, third = duets_in(plan_of(suite_of(compare("one", "other"))).certain())
    assert first.expected_s > second.expected_s == third.expected_s
    assert second.expected_s == pytest.approx(2 * 2.4 + 3 + 5 * 4 + 0.6)


@pytest.mark.parametrize(("share", "slices"), [(1.0, 5), (0.8, 4), (0.7, 3), (0.1, 3)])
def test_where_time_is_short_a_duet_has_fewer_slices_and_three_at_least(
    share: float, slices: int
) -> None:
    timing = a_timing(share=share)
    *_, last = duets_in(plan_of(suite_of(compare("one", "other"), timing=timing)).certain())
    assert last.slices == slices
    assert last.window_s == slices * 4
    assert last.sides[0].window_s == last.window_s
    assert last.expected_s == pytest.approx(2 * 2.4 + 3 + slices * 4 + 0.6)


def test_a_duet_goes_when_a_side_is_left_out() -> None:
    suite = suite_of(compare("one", "other"), servers=("one", "other", "third"))
    narrowed = a_suite(
        cases=suite.cases[1:], compare=suite.compare, narrowed_from=suite.cases, rounds=1
    )
    (alone,) = plan_of(narrowed).certain()
    assert [side.case.server for side in alone.sides] == ["third"]


def test_nothing_to_measure_is_said() -> None:
    suite = suite_of(compare("one", "other"))
    narrowed = a_suite(cases=suite.cases[1:], compare=suite.compare, narrowed_from=suite.cases)
    with pytest.raises(ConfigurationError, match="no case is left"):
        plan_of(narrowed)


def test_the_spare_container_is_for_one_server_twice() -> None:
    twice = Compare(
        a={"http_client": ("no-http",)},
        b={"http_client": ("httpx-shared",)},
        metrics=CPU,
        duet=True,
    )
    cases = (case_of("one", http_client="no-http"), case_of("one", http_client="httpx-shared"))
    planned = (suite_of(twice, cases=cases), suite_of(compare("one", "other")))
    with httpx.Client() as http:
        needed = [services_for(plan_of(suite).certain(), http) for suite in planned]
    assert [[str(service) for service in services] for services in needed] == [
        ["api", "one", "spare"],
        ["api", "one", "other"],
    ]


def test_both_sides_ask_the_api_at_once() -> None:
    planned = plan_of(suite_of(compare("one", "other"), rounds=1)).certain()
    rates = [trial.case.rate_rps for trial in demanding(planned)]
    assert rates == pytest.approx([2 * 100 / 0.6] * 2)


def test_both_sides_have_their_slots_at_once() -> None:
    slow = {name: a_server(name=name, slots=10) for name in ("one", "other")}
    planned = Plan([suite_of(compare("one", "other"))], slow, 1, 1).certain()
    alone = [side for duet in planned for side in duet.sides]
    (of_one, of_both) = (
        max(demand.calls_per_s for demand in demands(trials, 8))
        for trials in ([replace(s, case=with_load(s.case, 200)) for s in alone], demanding(planned))
    )
    assert of_both == pytest.approx(2 * of_one)


class TestARunThatIsResumed:
    @pytest.fixture(autouse=True)
    def _with_an_environment(self, tmp_path: Path) -> None:
        """A run's folder always has one."""
        environment.write(tmp_path / "environment.json", {})

    @pytest.fixture
    def plan(self) -> Plan:
        return plan_of(suite_of(compare("one", "other")))

    @pytest.fixture
    def first(self, plan: Plan) -> Duet:
        return duets_in(plan.certain())[0]

    def left(self, plan: Plan, rows: Sequence[Row], folder: Path) -> list[tuple[int, float | None]]:
        write_table(folder / "trials.csv", rows)
        missing = duets_in(plan.missing(rows_that_stay(plan, folder)))
        return [(duet.round, duet.load) for duet in missing]

    def test_goes_on_with_the_load_that_was_found(
        self, plan: Plan, first: Duet, tmp_path: Path
    ) -> None:
        assert self.left(plan, rows_of(first), tmp_path) == [(2, 17), (3, 17)]

    def test_measures_a_duet_again_of_which_one_row_is_there(
        self, plan: Plan, first: Duet, tmp_path: Path
    ) -> None:
        rows = rows_of(first)[:1]
        write_table(tmp_path / "trials.csv", rows)
        assert rows_that_stay(plan, tmp_path) == []

    @pytest.mark.parametrize("outcome", [LOAD_TOO_SMALL, COSTS_TOO_UNLIKE])
    def test_tries_what_failed_again_but_not_what_was_given_up(
        self, outcome: str, plan: Plan, first: Duet, tmp_path: Path
    ) -> None:
        died = rows_of(first, "server-died", rate_rps=None)
        assert [number for number, _ in self.left(plan, died, tmp_path)] == [1, 2, 3]
        given_up = rows_of(first, outcome, rate_rps=4.5)
        assert self.left(plan, given_up, tmp_path) == []
        missing = plan.missing(given_up)
        assert [each.sides[0].case.rate_rps for each in missing] == [4.5] * 6
        again = [a_row(replace(missing[0].sides[0], attempt=attempt)) for attempt in (1, 2)]
        late = [again[0] | {"rps_bound": 0.05}, again[1]]
        write_table(tmp_path / "trials.csv", [*given_up, *late])
        assert len(rows_that_stay(plan, tmp_path)) == 4
        rows = [*given_up, a_row(missing[0].sides[0])]
        write_table(tmp_path / "trials.csv", rows)
        assert len(plan.missing(rows_that_stay(plan, tmp_path))) == 5
