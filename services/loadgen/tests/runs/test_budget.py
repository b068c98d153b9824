"""Time is the budget: rounds, windows and cases that fit into it."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import ConfigurationError
from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.runs.budget import BEGIN_S, CHECK_S, END_S, END_S_PER_TRIAL, in_time, run_s
from loadgen.runs.outlook import usual_s
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.search import Rules
from loadgen.suites.suite import Suite
from loadgen.trials.trial import Trial
from tests.make import a_case, a_server, a_suite, a_timing, no_duets
from tests.whole_run import rows_of_a_run

SERVERS = {"uvicorn": a_server(), "two-threads": a_server(name="two-threads", slots=2)}
COMPARED = Compare(a={"cpu_ms": (0.0,)}, b={"cpu_ms": (1.0, 2.0, 3.0, 4.0)})


def five_cases(delay_ms: float = 600, **axes: object) -> tuple[Case, ...]:
    return tuple(a_case(delays_ms=(delay_ms,), cpu_ms=float(ms), **axes) for ms in range(5))


def asking(delay_ms: float = 600, **attributes: object) -> Suite:
    plain = {"cases": five_cases(delay_ms), "compare": (COMPARED,), "timing": a_timing()}
    return a_suite(**plain | attributes)


def trials(*suites: Suite) -> list[Trial]:
    return no_duets(Plan(suites, SERVERS, None, seed=1).certain())


def whole_windows(*trials: Trial) -> bool:
    return all(trial.timing.share == 1 for trial in trials)


# A trial of these takes 2.4 s, a warm-up of 4.6 s, a window of 8 s and a drain of 0.6 s; what
# begins and ends a run takes 15 s and 0.05 s a trial. So a round takes 78.25 s.
@pytest.mark.parametrize(
    ("minutes", "rounds", "whole"),
    [(3, 3, False), (4, 3, False), (5, 3, True), (6, 4, True), (20, 15, True), (60, 45, True)],
)
def test_as_many_rounds_fit_as_have_whole_windows_and_three_at_least(
    minutes: int, rounds: int, whole: bool
) -> None:
    fit = in_time([asking()], SERVERS, minutes)
    measured = trials(*fit.suites)
    assert len(measured) == 5 * rounds
    assert whole_windows(*measured) == whole
    assert run_s(measured) <= 60 * minutes
    assert all(trial.timing.is_limited for trial in measured)


def test_what_a_run_takes_is_its_trials_and_what_begins_and_ends_it() -> None:
    over_http, over_https = asking(), asking(cases=five_cases(upstream="https"))
    over_both = [*trials(over_http), *trials(over_https)]
    around_s = BEGIN_S + 2 * CHECK_S + END_S + 10 * END_S_PER_TRIAL
    assert run_s(over_both) == pytest.approx(usual_s(over_both) + around_s)


def test_it_is_said_what_fits() -> None:
    assert in_time([asking()], SERVERS, 20).words == (
        "--minutes 20: 15 rounds with whole windows, "
        "19 min 49 s with the start and the end of the run",
    )
    (cut,) = in_time([asking(3000)], SERVERS, 4).words
    assert re.match(
        r"--minutes 4: 3 rounds with windows of \d\.\d s instead of 30\.0 s, 3 min", cut
    )


def test_several_suites_share_the_time() -> None:
    both = [asking(), asking(cases=five_cases(300), name="another")]
    fit = in_time(both, SERVERS, 8)
    assert [suite.rounds for suite in fit.suites] == [3, 3]
    assert 7 * 60 < run_s(trials(*fit.suites)) <= 8 * 60


def test_rounds_are_the_most_that_are_measured_in_that_time() -> None:
    (suite,) = in_time([asking(rounds=7)], SERVERS, 20, rounds=5).suites
    assert suite.rounds == 5
    (suite,) = in_time([asking(rounds=7)], SERVERS, 2, rounds=1).suites
    assert suite.rounds == 1
    assert whole_windows(*trials(suite))


def test_without_minutes_the_rounds_are_those_asked_for_or_the_suites_own() -> None:
    assert in_time([asking(rounds=7)], SERVERS).suites[0] == asking(rounds=7)
    assert in_time([asking(rounds=7)], SERVERS, rounds=2).suites[0] == asking(rounds=2)
    assert in_time([asking(rounds=7)], SERVERS).words == ()


def test_a_suite_goes_by_its_own_minutes_and_others_by_their_rounds() -> None:
    timed, other = asking(minutes=4.0), asking(name="other", cases=five_cases(300), rounds=2)
    fit = in_time([timed, other], SERVERS)
    assert [suite.rounds for suite in fit.suites] == [3, 2]
    assert run_s(trials(fit.suites[0])) <= 240
    assert fit.suites[1] == other
    (words,) = fit.words
    assert words.startswith("a-suite: 3 rounds with windows of ")


def test_rounds_that_are_asked_for_are_measured_whatever_a_suites_own_minutes_hold() -> None:
    suite = asking(minutes=4.0)
    assert in_time([suite], SERVERS).suites[0].rounds == 3
    fit = in_time([suite], SERVERS, rounds=5)
    assert fit.suites[0].rounds == 5
    assert whole_windows(*trials(*fit.suites))
    assert fit.words == ()


def test_a_suites_own_rounds_are_the_most_in_its_own_minutes_but_not_in_others() -> None:
    suite = asking(minutes=10.0, most_rounds=4)
    assert in_time([suite], SERVERS).suites[0].rounds == 4
    assert in_time([suite], SERVERS, rounds=5).suites[0].rounds == 5
    assert in_time([suite], SERVERS, 10).suites[0].rounds == 7


@given(st.floats(0, 60_000), st.integers(1, 6), st.integers(1, 60), st.booleans())
def test_what_is_refused_fits_into_the_minutes_that_are_named_and_in_no_fewer(
    delay_ms: float, rounds: int, minutes: int, fewer: bool
) -> None:
    suites = [asking(delay_ms, fewer_cases=fewer)]
    try:
        fit = in_time(suites, SERVERS, minutes, rounds)
    except ConfigurationError as refusal:
        found = re.search(r"Give --minutes (\d+), or ask for less", str(refusal))
        assert found
        needed = int(found[1])
        assert needed > minutes
        in_time(suites, SERVERS, needed, rounds)
        with pytest.raises(ConfigurationError):
            in_time(suites, SERVERS, needed - 1, rounds)
    else:
        assert run_s(trials(*fit.suites)) <= 60 * minutes
        assert fit.suites[0].rounds == min(rounds, max(3, fit.suites[0].rounds))


def test_a_refusal_of_a_suites_own_minutes_names_its_file() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^a-suite\.toml, minutes: 3 rounds of 5 cases take at least \d+ "
    ):
        in_time([asking(60_000, minutes=4.0)], SERVERS)


def test_the_last_cases_are_left_out_before_windows_are_cut_to_less_than_half() -> None:
    (suite,) = in_time([asking(3000, fewer_cases=True)], SERVERS, 4).suites
    assert suite.cases == five_cases(3000)[:3]
    assert suite.whole == five_cases(3000)
    assert min(trial.window_s or 0 for trial in trials(suite)) >= 15
    reasons = [f"{case.slug}: no time for it in 4 min 00 s" for case in five_cases(3000)[:2:-1]]
    assert list(suite.left_out) == reasons


def test_something_to_compare_is_left_with_windows_as_short_as_they_must_be() -> None:
    (suite,) = in_time([asking(15_000, fewer_cases=True)], SERVERS, 6).suites
    assert suite.cases == five_cases(15_000)[:2]
    assert trials(suite)[0].timing.share < 0.5


def test_a_suite_that_compares_by_duets_alone_loses_its_last_cases_too() -> None:
    duets = COMPARED.model_copy(update={"duet": True, "metrics": ("app_cpu_ms_per_view",)})
    (suite,) = in_time([asking(3000, compare=(duets,), fewer_cases=True)], SERVERS, 6).suites
    assert 2 <= len(suite.cases) < 5
    assert len(suite.left_out) == 5 - len(suite.cases)
    assert suite.duets
    assert not suite.pairs


def test_cases_stay_where_nobody_says_that_the_last_may_go() -> None:
    assert in_time([asking(3000)], SERVERS, 4).suites[0].cases == five_cases(3000)


def test_a_search_takes_its_usual_time_and_its_windows_are_never_cut() -> None:
    rules = Rules(window_s=15, warm_up_s=2)
    suite = asking(cases=five_cases(driver="own"), search=rules, compare=())
    fit = in_time([suite], SERVERS, 60)
    known = trials(*fit.suites)
    assert run_s(known) <= 3600 < run_s(known) * 1.5
    assert usual_s(known) > sum(trial.expected_s for trial in known) * 3
    (needed,) = re.findall(r"Give --minutes (\d+)", _refusal(suite))
    cut = trials(*in_time([suite], SERVERS, int(needed)).suites)
    assert cut[0].timing.share < 1
    assert cut[0].ahead
    assert known[0].ahead
    assert cut[0].ahead.window_s == known[0].ahead.window_s


def _refusal(suite: Suite) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        in_time([suite], SERVERS, 1)
    return str(refusal.value)


def test_where_no_case_is_left_the_plan_says_so() -> None:
    fit = in_time([asking(cases=())], SERVERS, 4)
    with pytest.raises(ConfigurationError, match="no case is left"):
        trials(*fit.suites)


def moved(trial: Trial) -> Row:
    """A row that an instrument may have moved by more than the margin, in every attempt."""
    plain: dict[str, Cell] = {"outcome": "measured", "ranked": "yes", "rps_bound": 0.1}
    of_trial = {"round": trial.round, "attempt": trial.attempt, "position": trial.position}
    return columns.row(trial.case.cells() | plain | of_trial)


@pytest.mark.parametrize(("minutes", "attempts"), [(5, 1), (6, 2), (7, 3)])
def test_trials_are_measured_again_within_the_time_that_is_left(
    minutes: int, attempts: int
) -> None:
    fit = in_time([asking()], SERVERS, minutes, rounds=3)
    plan = Plan(fit.suites, SERVERS, None, seed=1, spare_s=fit.spare_s)
    rows = rows_of_a_run(plan, moved)
    assert max(row.count("attempt") or 0 for row in rows) == attempts
    measured = [replace(trial, attempt=1) for trial in no_duets(plan.certain())]
    again_s = sum(measured[0].expected_s for row in rows if row["attempt"] != 1)
    assert run_s(measured) + again_s <= 60 * minutes
    assert Plan(fit.suites, SERVERS, None, seed=1, spare_s=fit.spare_s).next_trial(rows) is None


def test_without_a_time_trials_are_measured_again_as_often_as_they_need() -> None:
    fit = in_time([asking(rounds=3)], SERVERS)
    rows = rows_of_a_run(Plan(fit.suites, SERVERS, None, seed=1, spare_s=fit.spare_s), moved)
    assert len(rows) == 3 * len(trials(*fit.suites))
