"""What an instrument may have moved is measured again, with what it is compared with."""

import math
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.records import columns
from loadgen.records.columns import Cell, Row, rows_by_case
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.trials.trial import Trial
from tests.make import a_case, a_server, a_suite, a_trial, no_duets

A, B, C = (a_case(users=users) for users in (1, 2, 3))
COMPARE = Compare(a={"users": (1,)}, b={"users": (2,)}, metrics=("p95_ms",))
SUITE = a_suite(cases=(A, B, C), compare=(COMPARE,), rounds=2)
LATE: Mapping[str, Cell] = {"rps_bound": 0.05, "ranked": "no"}
SERVERS = {"uvicorn": a_server()}


def plan(suite: Suite = SUITE, spare: float = math.inf) -> Plan:
    """A plan with time for so many more trials."""
    (trial, *_) = no_duets(Plan([suite], SERVERS, None, 0).certain())
    return Plan([suite], SERVERS, None, 0, spare_s=spare * trial.expected_s)


def a_row(trial: Trial, **cells: Cell) -> Row:
    planned = {"round": trial.round, "position": trial.position, "attempt": trial.attempt}
    measured: dict[str, Cell] = {"outcome": "measured", "ranked": "yes", "rps": 9.0}
    return columns.row(
        trial.case.cells() | planned | {"partner": trial.partner} | measured | dict(cells)
    )


def run(
    late: Mapping[str, Mapping[str, Cell]], suite: Suite = SUITE, spare: float = math.inf
) -> list[Trial]:
    """All trials of a run, in order, where those of these names have such cells."""
    planned, rows, trials = plan(suite, spare), list[Row](), list[Trial]()
    while following := planned.next_trial(rows):
        (trial,) = no_duets([following])
        trials.append(trial)
        rows.append(a_row(trial, **late.get(trial.name, {})))
    return trials


def told(trials: Iterable[Trial]) -> list[tuple[int, int, int]]:
    """Round, users and attempt."""
    return [(trial.round, trial.case.users or 0, trial.attempt) for trial in trials]


def named(case: Case, round_number: int, attempt: int = 1) -> str:
    return a_trial(case=case, round=round_number, attempt=attempt).name


def test_both_sides_of_a_pair_are_measured_again_at_the_end_of_the_round() -> None:
    trials = run({named(B, 1): LATE})
    assert told(trials[3:5]) == [
        (1, trial.case.users, 2) for trial in trials[:3] if trial.case != C
    ]
    assert [trial.round for trial in trials] == [1] * 5 + [2] * 3


def test_what_nothing_compares_is_measured_again_alone() -> None:
    assert told(run({named(C, 2): LATE})[6:]) == [(2, 3, 2)]


def test_that_happens_twice_at_most() -> None:
    late = {named(C, 1, attempt): LATE for attempt in (1, 2, 3)}
    again_of_c = [trial for trial in run(late) if trial.round == 1 and trial.case == C]
    assert [trial.attempt for trial in again_of_c] == [1, 2, 3]


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        ({"p95_ms_bound": 0.031}, 2),  # the metric in which they are compared
        ({"p99_ms_bound": 0.5, "app_cpu_ms_per_view_bound": 0.5}, 0),  # others
        ({"rps_bound": 0.03, "p95_ms_bound": 0.03}, 0),  # the margin itself
        ({"rps_bound": 0.031}, 2),
        ({"rps_bound": None, "caveats": "api-saturated", "ranked": "no"}, 0),
        ({"rps": 0.001, "p95_ms": 90_000.0}, 0),  # however bad it looks
        ({"outcome": "server-died", "ranked": "no"}, 0),
    ],
)
def test_only_bounds_of_what_is_asked_are_a_reason(cells: dict[str, Cell], count: int) -> None:
    trials = run({named(A, 1): cells})
    assert sum(trial.attempt > 1 for trial in trials) == count


def comparing(*users: tuple[int, ...], rounds: int = 1) -> Suite:
    """A suite in which the first of each is compared with the others, by their users."""
    cases = dict.fromkeys(a_case(users=each) for group in users for each in group)
    compare = tuple(
        Compare(a={"users": (first,)}, b={"users": tuple(others)}, metrics=("p95_ms",))
        for first, *others in users
    )
    return a_suite(cases=tuple(cases), compare=compare, rounds=rounds)


def test_where_time_is_short_the_pair_that_comes_first_is_measured_again() -> None:
    suite = comparing((1, 2), (3, 4), rounds=2)
    trials = run({named(case, 1): LATE for case in suite.cases}, suite, spare=2.5)
    assert told(trials[4:-4]) == [(1, trial.case.users, 2) for trial in trials[:2]]


def test_what_needs_more_than_there_is_leaves_it_to_what_needs_less() -> None:
    suite = comparing((1, 2, 3), (4, 5))
    again = run({named(case, 1): LATE for case in suite.cases}, suite, spare=2.5)[5:]
    assert {(trial.case.users, trial.attempt) for trial in again} == {(4, 2), (5, 2)}


def test_what_had_no_time_holds_up_nobody_later() -> None:
    # A chain from 1 to 5, of which 5 has four rivals more.
    suite = comparing((1, 2), (2, 3), (3, 4), (4, 5), (5, 6, 7, 8, 9))
    users = {1: 1, 5: 1, 2: 2}  # who is late in which attempt
    late = {named(a_case(users=who), 1, attempt): LATE for who, attempt in users.items()}
    again = [trial for trial in run(late, suite, spare=5.5) if trial.attempt > 1]
    found = {attempt: set[int | None]() for attempt in (2, 3)}
    for trial in again:
        found[trial.attempt].add(trial.case.users)
    assert found == {2: {1, 2}, 3: {1, 2, 3}}


CHAIN_AND_PAIR = comparing((1, 2), (2, 3), (4, 5))
OF_THE_ROUND = [named(case, 1, attempt) for case in CHAIN_AND_PAIR.cases for attempt in (1, 2, 3)]
RATES = st.lists(st.floats(0.001, 1000), min_size=15, max_size=15)


@given(st.sets(st.sampled_from(OF_THE_ROUND)), st.floats(0, 12), RATES, RATES)
def test_what_came_out_has_no_say_in_what_is_measured_again(
    late: set[str], spare: float, rates: list[float], other_rates: list[float]
) -> None:
    def trials(made: list[float]) -> list[Trial]:
        cells: dict[str, dict[str, Cell]] = {}
        for name, rps in zip(OF_THE_ROUND, made, strict=True):
            known = LATE if name in late else {}
            cells[name] = {"rps": rps, "p95_ms": 1000 / rps, **known}
        return run(cells, CHAIN_AND_PAIR, spare)

    assert trials(rates) == trials(other_rates)


@given(st.sets(st.sampled_from(OF_THE_ROUND)), st.floats(0, 12))
def test_both_sides_of_a_comparison_have_the_same_attempts_or_one_had_no_reason(
    late: set[str], spare: float
) -> None:
    trials = run(dict.fromkeys(late, LATE), CHAIN_AND_PAIR, spare)
    made = {name: [trial for trial in trials if trial.name == name] for name in OF_THE_ROUND}
    assert all(len(of_it) <= 1 for of_it in made.values())
    assert sum(trial.attempt > 1 for trial in trials) <= spare + 1e-9
    for a, b in CHAIN_AND_PAIR.pairs:
        for attempt in (1, 2):
            moved = any(named(case, 1, attempt) in late for case in (a, b))
            again = [bool(made[named(case, 1, attempt + 1)]) for case in (a, b)]
            both = all(made[named(case, 1, attempt)] for case in (a, b))
            assert not (moved and both) or again[0] == again[1]


def test_a_run_that_was_interrupted_goes_on_with_the_attempt_that_is_missing() -> None:
    planned = plan()
    first = no_duets(planned.certain())[:3]
    rows = [a_row(trial, **(LATE if trial.case == A else {})) for trial in first]
    one, other = no_duets(planned.missing(rows))[:2]
    assert {one.case, other.case} == {A, B}
    assert (one.attempt, other.attempt) == (2, 2)
    rows.append(a_row(one))
    assert planned.next_trial(rows) == other


def test_a_trial_keeps_its_place_and_has_files_of_its_own() -> None:
    trials = run({named(C, 1): LATE})
    first, repeated = (trial for trial in trials if trial.case == C and trial.round == 1)
    assert repeated.position == first.position
    assert repeated.name == f"{first.name}.a2"
    assert plan().trial_count == 6


def test_what_may_be_measured_again_is_all_of_each_round_that_lacks_something() -> None:
    planned = plan()
    first, *others = no_duets(planned.certain())
    in_the_last = [trial for trial in others if trial.round == 2]
    rows = [a_row(trial) for trial in (first, *others) if trial != in_the_last[0]]
    assert no_duets(planned.missing(rows)) == in_the_last[:1]
    assert no_duets(planned.may_come(rows)) == in_the_last
    assert planned.may_come([*rows, a_row(in_the_last[0])]) == []
    assert planned.may_come([]) == planned.certain()


def test_nothing_is_planned_to_be_measured_again() -> None:
    assert all(trial.attempt == 1 for trial in no_duets(plan().certain()))


def test_the_last_attempt_is_the_one_that_counts() -> None:
    first, second = a_trial(case=A), a_trial(case=A, attempt=2)
    rows = [a_row(second, rps=20.0), a_row(first, rps=10.0), a_row(a_trial(case=A, round=2))]
    assert [row["rps"] for row in rows_by_case(rows)[A.slug]] == [20.0, 9.0]
