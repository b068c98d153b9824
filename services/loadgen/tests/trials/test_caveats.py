"""Each warning appears when its threshold is crossed, and not before."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from loadgen.records import columns
from loadgen.records.columns import Cell
from loadgen.trials import caveats
from loadgen.trials.caveats import Facts
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign
from loadgen.trials.window_account import WindowAccount, window_account
from tests.make import (
    a_case,
    a_case_of_a_page,
    a_page,
    a_recording,
    a_server,
    a_trial,
    constant_users,
    cpus,
)

#: 100 users of 600 ms: at most 166.7 views/s.
CEILING_RPS = 100 / 0.6


RECORDING = a_recording(constant_users(100, 0.6, 14), (2, 12))
ACCOUNT = window_account(a_trial(), RECORDING)


def found(
    trial: Trial | None = None,
    recording: Recording = RECORDING,
    account: WindowAccount = ACCOUNT,
    signs: frozenset[Sign] = frozenset(),
    **cells: Any,
) -> list[str]:
    healthy: dict[str, Cell] = {
        "rps": 80.0,
        "p50_ms": 610.0,
        "p95_ms": 620.0,
        "p99_ms": 630.0,
        "failures": 0,
        "api_calls": 240,
        "api_late_p99_ms": 0.5,
        "api_lag_p99_ms": 0.5,
        "app_cpu_share": 0.5,
        "api_full_share": 0.3,
        "driver_full_share": 0.3,
        "steal_share": 0.0,
    }
    row = columns.row(healthy | cells)
    facts = Facts(row, trial or a_trial(), recording, account, signs)
    return [caveat.name for caveat in caveats.caveats_of(facts)]


TOO_FEW = replace(ACCOUNT, latency=replace(ACCOUNT.latency, too_few=True))
CENSORED = replace(TOO_FEW, censored=True)


def test_a_healthy_row_has_no_warning() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("cell", "allowed", "crossed", "name"),
    [
        ("rps", 0.94 * CEILING_RPS, 0.96 * CEILING_RPS, "at-ceiling"),
        ("api_late_p99_ms", 5.9, 6.1, "api-saturated"),  # 1 % of 600 ms
        ("api_lag_p99_ms", 5.9, 6.1, "api-saturated"),
        ("api_full_share", 0.8, 0.81, "api-saturated"),
        ("driver_full_share", 0.8, 0.81, "loadgen-saturated"),
        ("app_cpu_share", 1.01, 1.02, "more-cpu-than-given"),
        ("lag_p99_ms", 5.9, 6.1, "loadgen-saturated"),
        ("failures", 0, 1, "failures"),
        ("steal_share", 0.01, 0.011, "cpu-stolen"),
    ],
)
def test_a_warning_appears_exactly_when_its_threshold_is_crossed(
    cell: str, allowed: Any, crossed: Any, name: str
) -> None:
    assert found(**{cell: allowed}) == []
    assert found(**{cell: crossed}) == [name]


def test_article_as_own_api_is_saturated_by_its_cpu_share_alone() -> None:
    unknown: dict[str, Any] = dict.fromkeys(("api_calls", "api_late_p99_ms", "api_lag_p99_ms"))
    assert found(**unknown) == []
    assert found(**unknown, api_full_share=0.81) == ["api-saturated"]


def test_a_view_without_calls_does_not_wait_for_an_api_that_others_call() -> None:
    late: dict[str, Any] = {"api_late_p99_ms": 6.1, "api_lag_p99_ms": 6.1, "api_full_share": 0.81}
    calling, alone = (
        a_trial(case=a_case(http_client=name)) for name in ("httpx-shared", "no-http")
    )
    assert found(calling, **late) == ["api-saturated"]
    assert found(alone, **late) == []


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (replace(ACCOUNT, little_holds=False), "loadgen-saturated"),
        (TOO_FEW, "too-few"),
        (replace(ACCOUNT, starved=1), "starved"),
        (replace(ACCOUNT, unsteady=True), "unsteady"),
    ],
)
def test_what_the_requests_come_to_warns_too(account: WindowAccount, name: str) -> None:
    assert found(account=account) == [name]


def test_threads_of_one_core_are_told() -> None:
    assert found(recording=replace(RECORDING, smt_shared=True)) == ["smt-shared"]


@pytest.mark.parametrize("sign", get_args(Sign))
def test_each_sign_of_an_unexplained_row_is_a_warning(sign: Sign) -> None:
    assert found(signs=frozenset({sign})) == [sign]


def test_lateness_of_2_ms_is_allowed_however_short_the_service_time() -> None:
    trial = a_trial(case=a_case(delays_ms=(50.0,), users=10))
    assert found(trial, api_late_p99_ms=1.9) == []
    assert found(trial, api_late_p99_ms=2.1) == ["api-saturated"]


def test_the_slots_have_a_ceiling_too() -> None:
    trial = a_trial(server=a_server(slots=2))
    assert found(trial, rps=3.0) == []
    assert found(trial, rps=3.3) == ["at-ceiling"]


def test_the_clients_pool_has_a_ceiling_too() -> None:
    # One call of 600 ms holds a connection for as long: 30 connections serve 50 views/s.
    trial = a_trial(case=a_case(delays_ms=(600.0,)), connections=30)
    assert found(trial, rps=47.0) == []
    assert found(trial, rps=48.0) == ["at-ceiling"]


def test_the_ceiling_of_a_ramp_is_that_of_its_mean_users() -> None:
    trial = a_trial(case=a_case(ramp=((0.0, 0), (10.0, 100), (30.0, 100))))
    ceiling_rps = (10 * 50 + 20 * 100) / 30 / 0.6
    assert found(trial, rps=0.94 * ceiling_rps) == []
    assert found(trial, rps=0.96 * ceiling_rps) == ["at-ceiling"]


def test_a_percentile_on_an_unanswered_request_is_censored_not_too_few() -> None:
    assert found(account=CENSORED, p95_ms=None, p99_ms=None) == ["censored"]


def test_hey_checks_no_body() -> None:
    assert found(a_trial(case=a_case(driver="hey", planned_requests=100))) == ["bodies-unchecked"]


def of_a_page(**labels: Any) -> Trial:
    return a_trial(case=a_case_of_a_page(), server=a_server(page=a_page(**labels)))


def test_a_server_that_the_lab_does_not_start_is_not_fresh() -> None:
    assert found(of_a_page()) == ["not-fresh"]


def test_a_page_that_the_labs_launcher_runs_is_fresh() -> None:
    assert found(of_a_page(launcher=True)) == []


def test_a_page_of_which_nothing_is_expected_has_unchecked_bodies() -> None:
    assert found(of_a_page(expected_text="")) == ["bodies-unchecked", "not-fresh"]


def test_the_ceiling_of_a_page_is_by_its_declared_service_time() -> None:
    assert found(of_a_page(service_time_s=1.2), rps=80.0) == ["at-ceiling", "not-fresh"]


def test_more_processes_than_cpus_are_told() -> None:
    trial = a_trial(server=a_server(processes=2))
    assert found(trial, replace(RECORDING, roles=cpus(app="0-1"))) == []
    assert found(trial) == ["more-processes-than-cpus"]


def test_what_could_not_be_measured_gives_no_warning() -> None:
    unknown: dict[str, Any] = dict.fromkeys(
        ("api_late_p99_ms", "api_full_share", "driver_full_share", "steal_share", "rps")
    )
    assert found(**unknown) == []


def test_warnings_come_in_one_order() -> None:
    names = found(account=CENSORED, failures=3, api_full_share=0.9, rps=166.0)
    assert names == ["at-ceiling", "api-saturated", "censored", "failures"]


def test_of_all_warnings_that_of_cpus_that_were_not_given_takes_a_row_out_of_the_ranking() -> None:
    assert [caveat.name for caveat in caveats.ALL if caveat.unranks] == ["more-cpu-than-given"]


UNRANKED: dict[str, Cell] = {"outcome": "measured", "ranked": "no", "rps_bound": 0.08}


@pytest.mark.parametrize(
    ("cells", "blame"),
    [
        (
            UNRANKED | {"caveats": "at-ceiling api-saturated"},
            ["api-saturated", "moved by up to 8%"],
        ),
        (UNRANKED | {"caveats": "cpu-stolen"}, ["cpu-stolen", "moved by up to 8%"]),
        (
            UNRANKED | {"rps_bound": 0.01, "caveats": "more-cpu-than-given cpu-stolen"},
            ["more-cpu-than-given"],
        ),
        (UNRANKED | {"rps_bound": None, "caveats": "loadgen-saturated"}, ["loadgen-saturated"]),
        ({"outcome": "measured", "ranked": "yes", "caveats": "api-saturated"}, []),
    ],
)
def test_why_a_row_is_not_ranked_is_told_by_its_caveats_and_its_bound(
    cells: dict[str, Cell], blame: list[str]
) -> None:
    assert caveats.blamed([columns.row(cells)]) == blame


def test_every_warning_has_a_name_of_its_own_and_one_line_of_advice() -> None:
    assert len({caveat.name for caveat in caveats.ALL}) == len(caveats.ALL)
    for caveat in caveats.ALL:
        assert caveat.advice.endswith(".")
        assert "\n" not in caveat.advice
