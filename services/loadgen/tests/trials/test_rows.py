"""What a trial recorded becomes its row, and the row a line of CSV."""

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import TrialError
from loadgen.records import columns
from loadgen.records.columns import COUNT, NUMBER, TEXT, TRIALS, Cell
from loadgen.records.samples import SCHEMA, frame
from loadgen.suites.cases import Case
from loadgen.trials.instruments import ProbeReading, ProbeSecond, Quantiles
from loadgen.trials.rows import REFERENCE_PROBE_MS, failed_row, measured_row
from tests.make import (
    Request,
    a_case,
    a_case_of_a_page,
    a_page,
    a_recording,
    a_server,
    a_snapshot,
    a_timing,
    a_trial,
    an_api_stats,
    an_app_stats,
    constant_users,
    cpus,
    some_samples,
)

#: trials.csv as the design of the lab fixes it.
DESIGN = """
    case round repeat attempt partner position session outcome suite server title interface
    processes slots
    settings view workload http_client upstream delays_ms cpu_ms driver load arrivals users rate_rps
    planned_requests arrivals_seed started_at warm_up_s window_s slices requests failures unanswered
    starved dropped offered_rps rps parts_rps ended_rps max_rps inflight_mean inflight_growth
    min_ms avg_ms p50_ms p95_ms p99_ms max_ms sent_p95_ms lag_p99_ms app_cpu_seconds
    app_cpu_ms_per_view app_cpu_reference_ms_per_view app_cpu_share app_pss_mib app_peak_mib
    app_processes app_threads api_calls api_cpu_share api_full_share api_late_mean_ms
    api_late_p99_ms api_lag_p99_ms loadgen_cpu_share driver_full_share steal_share calibration_ms
    probe_ms probe_sd_ms rps_bound avg_ms_bound p50_ms_bound p95_ms_bound p99_ms_bound
    app_cpu_ms_per_view_bound app_cpu_reference_ms_per_view_bound service_time_ms users_ceiling_rps
    slots_ceiling_rps pool_ceiling_rps cpu_ceiling_rps cpu_ceiling_kind bound_by ceiling_share
    ranked caveats
"""
HEADER = DESIGN.split()

STEADY = constant_users(users=10, latency_s=0.5, until_s=14)
TEN_USERS = a_trial(case=a_case(delays_ms=(500.0,), users=10))


def test_the_header_is_that_of_the_design() -> None:
    assert [column.name for column in TRIALS] == HEADER


def test_every_column_has_a_meaning() -> None:
    assert all(column.meaning for column in TRIALS)


def test_a_row_holds_every_column_and_none_for_what_is_unknown() -> None:
    row = columns.row({"rps": 1.5})
    assert list(row) == HEADER
    assert {name for name, cell in row.items() if cell is not None} == {"rps"}


def test_a_cell_without_a_column_is_refused() -> None:
    with pytest.raises(KeyError, match="no such column: p96_ms"):
        columns.row({"p96_ms": 1.0})


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(TypeError, match="not a cell"):
        columns.row({"delays_ms": (300, 600)})


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (3, "3"), (0, "0"), (0.0, "0"), (166.66666666, "166.667"), ("a b", "a b")],
)
def test_a_cell_is_written_short(cell: Cell, text: str) -> None:
    assert columns.cell_text(cell) == text


CELLS = {
    TEXT: st.none() | st.text("abc+-_,\"' ", min_size=1),
    COUNT: st.none() | st.integers(0, 10**9),
    NUMBER: st.none() | st.integers(-(10**5), 10**5).map(float),
}


@given(st.fixed_dictionaries({column.name: CELLS[column.kind] for column in TRIALS}))
def test_a_line_of_csv_is_parsed_back_to_its_row(cells: dict[str, Cell]) -> None:
    line = {name: columns.cell_text(cell) for name, cell in columns.row(cells).items()}
    assert columns.parse_line(line) == cells


def test_a_line_with_an_unknown_column_is_refused() -> None:
    line = dict.fromkeys(HEADER, "")
    with pytest.raises(KeyError, match="p96_ms"):
        columns.parse_line(line | {"p96_ms": "1"})


def test_a_run_from_before_a_column_was_added_can_still_be_read() -> None:
    line = dict.fromkeys(HEADER, "") | {"rps": "20"}
    del line["cpu_ceiling_kind"]
    row = columns.parse_line(line)
    assert list(row) == HEADER
    assert (row["rps"], row["cpu_ceiling_kind"]) == (20.0, None)


def test_the_row_of_a_failed_trial_says_what_was_planned_and_why_it_failed() -> None:
    trial = a_trial(server=a_server(slots=100), round=2, position=7, suites="one+two")
    row = failed_row(trial, "server-did-not-start")
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "case": trial.case.slug,
        "round": 2,
        "attempt": 1,
        "position": 7,
        "outcome": "server-did-not-start",
        "suite": "one+two",
        "server": "uvicorn",
        "title": "Uvicorn, 1 process, async",
        "interface": "asgi",
        "processes": 1,
        "slots": 100,
        "settings": "startproject",
        "view": "async",
        "workload": "fanout",
        "http_client": "httpx-per-request",
        "upstream": "http",
        "delays_ms": "300+600+150",
        "cpu_ms": 0,
        "driver": "locust",
        "load": "closed",
        "users": 100,
        "service_time_ms": 600,
        "users_ceiling_rps": 100 / 0.6,
        "slots_ceiling_rps": 100 / 0.6,
        "ranked": "no",
    }


def test_a_steady_load_is_measured_as_it_is() -> None:
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12)))
    assert row["outcome"] == "measured"
    assert row["started_at"] == "2026-01-02T03:04:05+00:00"
    assert (row["warm_up_s"], row["window_s"]) == (2, 10)
    assert (row["requests"], row["failures"], row["unanswered"]) == (200, 0, 0)
    assert (row["offered_rps"], row["rps"]) == pytest.approx((20, 20))
    # An answer at the very first instant of the window may lie outside of its best 10 s.
    assert row["max_rps"] == pytest.approx(20, abs=0.11)
    assert row["inflight_mean"] == pytest.approx(10)
    assert (row["min_ms"], row["p95_ms"], row["max_ms"]) == pytest.approx((500, 500, 500))
    assert row["p99_ms"] is None  # two samples above it
    assert row["lag_p99_ms"] is None
    assert row["dropped"] is None


def test_counters_are_divided_by_the_time_between_their_stamps() -> None:
    # The snapshots of the app were late by 0.25 and 0.75 s.
    recording = a_recording(
        STEADY,
        (2, 12),
        before=a_snapshot(2, app=an_app_stats(2.25, 1.0)),
        after=a_snapshot(12, app=an_app_stats(12.75, 1.0 + 4.2)),
        roles=cpus(app="0-1", api="2-3", loadgen="4"),
    )
    row = measured_row(a_trial(), recording)
    assert row["app_cpu_seconds"] == pytest.approx(4.2)
    assert row["app_cpu_share"] == pytest.approx(4.2 / 10.5 / 2)
    assert row["app_cpu_ms_per_view"] == pytest.approx(4200 / (20 * 10.5))
    assert row["api_cpu_share"] == pytest.approx(0.25 / 2)
    assert row["loadgen_cpu_share"] == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("pool", "cells"),
    [
        # 20 views/s, three calls of 1.05 s in all: they hold 21 connections.
        ({"connections": 21}, (20.0, "pool", "at-ceiling")),
        ({"connections": 42}, (40.0, "unexplained", None)),
        ({"connections": None}, (None, "unexplained", None)),
    ],
)
def test_a_small_pool_is_no_slow_server(
    pool: dict[str, int | None], cells: tuple[float | None, str, str | None]
) -> None:
    recording = a_recording(STEADY, (2, 12), after=a_snapshot(12, app=an_app_stats(12, 2.0)))
    row = measured_row(a_trial(**pool), recording)
    caveat = "at-ceiling" if "at-ceiling" in str(row["caveats"]).split() else None
    assert (row["pool_ceiling_rps"], row["bound_by"], caveat) == cells


def test_each_process_has_a_pool_of_its_own() -> None:
    row = failed_row(a_trial(server=a_server(processes=4), connections=21), "server-died")
    assert row["pool_ceiling_rps"] == pytest.approx(80)


def test_more_than_the_pool_allows_cannot_be() -> None:
    with pytest.raises(TrialError, match="more than the pool of its client allows"):
        measured_row(a_trial(connections=15), a_recording(STEADY, (2, 12)))


def test_what_the_referees_say_is_taken_over() -> None:
    row = measured_row(a_trial(), a_recording(STEADY, (2, 12)))
    assert (row["app_processes"], row["app_threads"]) == (1, 3)
    assert (row["app_pss_mib"], row["app_peak_mib"]) == (64, 80)
    assert (row["api_calls"], row["api_late_p99_ms"], row["api_lag_p99_ms"]) == (30, 0.25, 0.25)
    assert row["calibration_ms"] == 50
    assert row["steal_share"] == 0


def test_stolen_time_is_a_share_of_the_windows_ticks() -> None:
    after = a_snapshot(12, steal_ticks=35, all_ticks=1200)
    row = measured_row(a_trial(), a_recording(STEADY, (2, 12), after=after))
    assert row["steal_share"] == 35 / 1000
    assert "cpu-stolen" in str(row["caveats"]).split()


def test_an_api_that_used_up_its_cpu_is_what_bound_the_row() -> None:
    # It is one process: of two CPUs it can use one.
    after = a_snapshot(12, api=an_api_stats(12, 0.5 + 9.5, 30, p99=0.25))
    recording = a_recording(STEADY, (2, 12), after=after, roles=cpus(api="1-2", loadgen="3"))
    row = measured_row(a_trial(), recording)
    assert row["bound_by"] == "api"
    assert row["ceiling_share"] == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("api", "loadgen", "share"),
    # The load generator uses 0.125 of a CPU.
    [("1", "2", 0.84), ("1", "1", 0.84 / 0.875), ("1-2", "1-2", 0.84)],
)
def test_of_a_cpu_that_it_shares_an_api_has_what_the_load_generator_leaves(
    api: str, loadgen: str, share: float
) -> None:
    recording = a_recording(
        STEADY,
        (2, 12),
        before=a_snapshot(2, app=an_app_stats(2, 1.0)),
        after=a_snapshot(
            12, app=an_app_stats(12, 5.0), api=an_api_stats(12, 0.5 + 8.4, 30, p99=0.25)
        ),
        roles=cpus(api=api, loadgen=loadgen),
    )
    row = measured_row(a_trial(), recording)
    assert row["ceiling_share"] == pytest.approx(share)
    assert row["bound_by"] == ("api" if share > 0.9 else "unexplained")


def test_what_could_not_be_measured_is_an_empty_cell() -> None:
    silent = {
        "app": an_app_stats(2, None),
        "api": an_api_stats(2, 0.0, 0, None),
        "loadgen_cpu_s": None,
        "all_ticks": 0,
    }
    after = silent | {"api": an_api_stats(12, 0.0, 0, None)}
    recording = a_recording(
        STEADY,
        (2, 12),
        before=a_snapshot(2, **silent),
        after=a_snapshot(12, **after),
        memory=an_app_stats(12, None),
    )
    row = measured_row(a_trial(), recording)
    for name in (
        *("app_cpu_seconds", "app_cpu_ms_per_view", "app_cpu_share", "app_pss_mib"),
        *("app_peak_mib", "app_processes", "app_threads", "api_late_p99_ms", "api_lag_p99_ms"),
        *("loadgen_cpu_share", "steal_share", "cpu_ceiling_rps", "cpu_ceiling_kind"),
    ):
        assert row[name] is None, name


def test_without_a_good_answer_cpu_per_view_is_unknown() -> None:
    wrong = some_samples([(n / 10, n / 10 + 0.05, "wrong body") for n in range(140)])
    row = measured_row(a_trial(), a_recording(wrong, (2, 12)))
    assert row["app_cpu_ms_per_view"] is None
    assert row["rps"] == 0
    assert row["failures"] == row["requests"] == 100


#: Nine of ten users are served in half a second; the tenth sends one request and waits for ever.
ONE_FORGOTTEN: list[Request] = [
    *((n / 18, n / 18 + 0.5, None) for n in range(18 * 14)),
    *((2.5, None, "unanswered") for _ in range(20)),
]


def test_a_tool_that_forgets_its_queue_is_censored_although_its_row_looks_fine() -> None:
    trial = a_trial(timing=a_timing(accounting="answered"))
    row = measured_row(trial, a_recording(some_samples(ONE_FORGOTTEN), (2, 12)))
    assert row["p95_ms"] == pytest.approx(500)
    assert row["failures"] == 0
    assert row["unanswered"] == 20
    assert "censored" in str(row["caveats"]).split()


def test_due_accounting_shows_the_queue() -> None:
    row = measured_row(a_trial(), a_recording(some_samples(ONE_FORGOTTEN), (2, 12)))
    assert row["p95_ms"] is None
    assert row["failures"] == row["unanswered"] == 20
    assert "censored" in str(row["caveats"]).split()


def test_answered_accounting_counts_whole_answers() -> None:
    requests: list[Request] = [(1.5, 2.5, None), (11.5, 12.5, None)]
    answered = a_trial(timing=a_timing(accounting="answered"))
    recording = a_recording(some_samples(requests), (2, 12))
    assert measured_row(answered, recording)["rps"] == pytest.approx(1 / 10)
    assert measured_row(a_trial(), recording)["rps"] == pytest.approx((0.5 + 0.5) / 10)


def test_answered_accounting_divides_cpu_by_whole_answers_too() -> None:
    # Nine views wait in a queue at the end: their parts are no answers yet.
    waiting: list[Request] = [(11.0, 21.0, None)] * 9
    requests: list[Request] = [(3.0, 4.0, None), *waiting]
    trial = a_trial(timing=a_timing(accounting="answered"))
    row = measured_row(trial, a_recording(some_samples(requests), (2, 12)))
    assert row["app_cpu_ms_per_view"] == pytest.approx(0.5 * 10 * 1000)


#: As many users as those of STEADY, of a view that could have been answered in 0.4 s.
SLOWER = a_trial(case=a_case(delays_ms=(400.0,), users=10))


def late(p99: float) -> columns.Row:
    api = a_snapshot(12, api=an_api_stats(12, 3.0, 30, p99=p99))
    return measured_row(SLOWER, a_recording(STEADY, (2, 12), after=api))


def test_a_row_that_a_late_api_may_have_moved_is_not_ranked() -> None:
    row = late(50.0)  # 10 ms late on average to read a call, and 10 ms to answer it
    assert row["rps_bound"] == pytest.approx(math.log(420 / 400))
    assert row["app_cpu_ms_per_view_bound"] == pytest.approx(0.4 * math.log(420 / 400))
    assert row["ranked"] == "no"


def test_a_row_whose_api_was_late_at_times_is_ranked_and_says_so() -> None:
    row = late(5.0)
    assert row["ranked"] == "yes"
    assert "api-saturated" in row.caveats
    assert row["rps_bound"] == pytest.approx(math.log(402 / 400))
    assert row.is_ranked_for("p50_ms")


def test_no_instrument_can_have_cost_more_than_a_row_lacks_of_its_ceiling() -> None:
    api = a_snapshot(12, api=an_api_stats(12, 3.0, 30, p99=50.0))
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12), after=api))
    assert row["rps_bound"] == pytest.approx(0, abs=1e-9)
    assert row["ranked"] == "yes"


@pytest.mark.parametrize("case", [a_case(http_client="no-http"), a_case(upstream="django")])
def test_a_view_that_does_not_call_the_api_is_not_moved_by_it(case: Case) -> None:
    calls = None if case.upstream == "django" else 30
    api = an_api_stats(12, 3.0, 30, p99=50.0).model_copy(update={"calls": calls})
    trial = replace(SLOWER, case=replace(case, users=10, delays_ms=(400.0,)))
    row = measured_row(trial, a_recording(STEADY, (2, 12), after=a_snapshot(12, api=api)))
    assert row["rps_bound"] == pytest.approx(0, abs=1e-9)


def test_an_api_that_does_not_tell_how_late_it_was_leaves_the_bounds_empty() -> None:
    told = an_api_stats(12, 3.0, 30, p99=0.5)
    api = told.model_copy(update={"lateness_ms": Quantiles(p99=0.5)})
    row = measured_row(SLOWER, a_recording(STEADY, (2, 12), after=a_snapshot(12, api=api)))
    assert {row[name] for name in row if name.endswith("_bound")} == {None}
    assert row["ranked"] == "yes"


def test_a_driver_without_cpu_left_unranks_what_lies_below_every_ceiling() -> None:
    after = a_snapshot(12, driver_cpu_s=0.2 + 8.5, loadgen_cpu_s=0.25 + 9.0)
    below, at_ceiling = (
        measured_row(trial, a_recording(STEADY, (2, 12), after=after))
        for trial in (SLOWER, TEN_USERS)
    )
    assert below["rps_bound"] == pytest.approx(math.log(500 / 400))
    assert (below["ranked"], at_ceiling["ranked"]) == ("no", "yes")


def test_calls_of_a_page_of_ones_own_are_counted_as_a_mean() -> None:
    """Some calls more than answers in a window are no second call of each view."""
    page = a_page(service_time_s=0.4)
    own = a_trial(case=a_case_of_a_page(users=10), server=a_server(page=page))
    bounds = []
    for calls in (200, 201):
        api = an_api_stats(12, 3.0, calls, p99=5.0)
        row = measured_row(own, a_recording(STEADY, (2, 12), after=a_snapshot(12, api=api)))
        bounds.append(row.bound("rps"))
    assert 0 < bounds[0] < bounds[1] < 1.01 * bounds[0]


def test_users_who_are_missing_may_have_cost_throughput_and_latency() -> None:
    trial = replace(SLOWER, case=replace(SLOWER.case, users=11))
    row = measured_row(trial, a_recording(STEADY, (2, 12)))
    missing = math.log(11 / 10)
    assert row["rps_bound"] == pytest.approx(missing, abs=0.002)
    assert row["avg_ms_bound"] == pytest.approx(missing, abs=0.002)
    assert row["ranked"] == "no"


def test_stolen_time_is_in_the_bounds() -> None:
    after = a_snapshot(12, steal_ticks=20, all_ticks=1200)
    row = measured_row(SLOWER, a_recording(STEADY, (2, 12), after=after))
    quiet = measured_row(SLOWER, a_recording(STEADY, (2, 12)))
    assert row.bound("rps") - quiet.bound("rps") == pytest.approx(-math.log(0.98))
    assert row.bound("p95_ms") - quiet.bound("p95_ms") == pytest.approx(-math.log(0.98))


def a_probe(*means_ms: float) -> ProbeReading:
    mean_ms = sum(means_ms) / len(means_ms)
    seconds = [
        ProbeSecond(since_ns=(2 + at) * 10**9, mean_ms=ms, count=20)
        for at, ms in enumerate(means_ms)
    ]
    return ProbeReading(
        count=20 * len(means_ms), mean_ms=mean_ms, sd_ms=0.1, seconds=tuple(seconds)
    )


def test_cpu_per_view_is_told_at_the_speed_of_a_reference_too() -> None:
    probe = a_probe(0.9, 1.0, 1.1)
    row = measured_row(SLOWER, a_recording(STEADY, (2, 12), probe=probe))
    assert (row["probe_ms"], row["probe_sd_ms"]) == pytest.approx((1.0, 0.1))
    cpu_ms = row.number("app_cpu_ms_per_view")
    assert cpu_ms
    assert row["app_cpu_reference_ms_per_view"] == pytest.approx(cpu_ms * REFERENCE_PROBE_MS)
    error = row.bound("app_cpu_reference_ms_per_view") - row.bound("app_cpu_ms_per_view")
    assert error == pytest.approx(2 * 0.1 / math.sqrt(3))


def test_without_a_probe_its_cells_are_empty() -> None:
    row = measured_row(SLOWER, a_recording(STEADY, (2, 12)))
    names = [name for name in row if "probe" in name or "reference" in name]
    assert len(names) == 4
    assert {row[name] for name in names} == {None}


def test_the_probe_is_kept_second_by_second_from_the_windows_start() -> None:
    recording = a_recording(STEADY, (2, 12), probe=a_probe(0.4, 0.5))
    assert recording.probe_lines == [(0.0, 0.4, 20), (1.0, 0.5, 20)]


def test_users_who_are_not_in_flight_are_the_load_generators_fault() -> None:
    row = measured_row(a_trial(), a_recording(STEADY, (2, 12)))  # planned: 100 users, seen: 10
    assert "loadgen-saturated" in str(row["caveats"]).split()


def test_what_binds_is_named_with_its_share() -> None:
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12)))
    assert row["bound_by"] == "users"
    assert row["ceiling_share"] == pytest.approx(1)
    assert row["users_ceiling_rps"] == row["rps"] == pytest.approx(20)


def test_a_busy_cpu_binds_and_an_idle_one_only_bounds_its_ceiling_from_below() -> None:
    idle = measured_row(a_trial(), a_recording(STEADY, (2, 12)))
    assert idle["bound_by"] == "unexplained"
    assert idle["ceiling_share"] == pytest.approx(0.5)
    assert idle["cpu_ceiling_kind"] == "lower-bound"
    after = a_snapshot(12, app=an_app_stats(12, cpu_seconds=1 + 9.5, processes=1, threads=3))
    busy = measured_row(a_trial(), a_recording(STEADY, (2, 12), after=after))
    assert busy["bound_by"] == "cpu"
    assert busy["ceiling_share"] == pytest.approx(0.95)
    assert busy["cpu_ceiling_rps"] == pytest.approx(20 / 0.95)
    assert busy["cpu_ceiling_kind"] == "measured"


def test_a_throughput_above_a_ceiling_is_a_failed_measurement() -> None:
    trial = a_trial(case=a_case(delays_ms=(500.0,), users=9))
    with pytest.raises(TrialError, match="more than its users can ask for") as error:
        measured_row(trial, a_recording(STEADY, (2, 12)))
    assert error.value.outcome == "above-ceiling"


def test_of_few_answers_half_a_one_more_than_the_ceiling_allows_is_no_mistake() -> None:
    trial = a_trial(case=a_case(delays_ms=(500.0,), users=10))
    short = constant_users(users=10, latency_s=0.49, until_s=6)
    assert measured_row(trial, a_recording(short, (2, 3)))["ceiling_share"] == 1
    with pytest.raises(TrialError, match="more than its users can ask for"):
        measured_row(trial, a_recording(short, (2, 6)))


def test_a_page_above_its_ceiling_may_wait_for_less_than_declared() -> None:
    page = a_page(service_time_s=0.6)
    trial = a_trial(case=a_case_of_a_page(users=10), server=a_server(page=page))
    with pytest.raises(TrialError, match=r"Is lab\.service_time_ms larger than what the view"):
        measured_row(trial, a_recording(STEADY, (2, 12)))


def test_a_window_whose_halves_differ_is_unsteady() -> None:
    half = constant_users(users=10, latency_s=0.5, until_s=6.5)
    row = measured_row(TEN_USERS, a_recording(half, (2, 12)))
    assert "unsteady" in str(row["caveats"]).split()
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12)))
    assert "unsteady" not in str(row["caveats"]).split()


def test_users_who_are_answered_in_waves_are_in_step() -> None:
    waves = some_samples([(second, second + 1.0, None) for second in range(13)] * 10)
    row = measured_row(TEN_USERS, a_recording(waves, (2, 12)))
    assert row["bound_by"] == "unexplained"
    assert "in-step" in str(row["caveats"]).split()
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12)))
    assert "in-step" not in str(row["caveats"]).split()


def test_a_lost_request_is_a_failure_that_was_offered() -> None:
    answered = some_samples([(n / 10, n / 10 + 0.05, None) for n in range(36)])
    nothing: list[object] = [None] * 4
    lost = frame(dict.fromkeys(SCHEMA, nothing) | {"failure": ["lost"] * 4})
    samples = answered.vstack(lost)
    trial = a_trial(case=a_case(driver="hey", planned_requests=40), window_s=None)
    row = measured_row(trial, a_recording(samples, (0, 4)))
    assert (row["requests"], row["failures"], row["unanswered"]) == (40, 4, 4)
    assert row["offered_rps"] == 10


#: Of an open load of a server with two slots.
OPEN = a_trial(
    case=a_case(
        driver="own",
        load="open",
        users=None,
        rate_rps=10.0,
        arrivals="constant",
        delays_ms=(200.0,),
    ),
    server=a_server(slots=2),
)


def arrivals_served(served_rps: float, rate_rps: float = 10.0) -> list[Request]:
    """14 s of arrivals, each served in 0.2 s at least, one after the other at a rate at most."""
    free_s = 0.0
    served: list[Request] = []
    for number in range(int(14 * rate_rps)):
        due_s = number / rate_rps
        free_s = max(free_s + 1 / served_rps, due_s + 0.2)
        served.append((due_s, free_s, None))
    return served


def open_row(requests: list[Request], **values: object) -> columns.Row:
    return measured_row(OPEN, a_recording(some_samples(requests), (2, 12), **values))


def test_an_open_load_that_is_served_is_bound_by_its_rate_alone() -> None:
    unbounded = replace(OPEN, server=a_server())
    row = measured_row(unbounded, a_recording(some_samples(arrivals_served(1000)), (2.05, 12.05)))
    assert (row["offered_rps"], row["rps"]) == pytest.approx((10, 10))
    assert row["inflight_mean"] == pytest.approx(2)
    assert (row["dropped"], row["unanswered"], row["failures"]) == (0, 0, 0)
    assert (row["users"], row["users_ceiling_rps"]) == (None, None)
    assert row["bound_by"] == "rate"
    assert row["ceiling_share"] == pytest.approx(1)
    assert row["arrivals_seed"] == OPEN.arrivals_seed
    assert row["caveats"] == "too-few"


def test_an_open_load_that_outgrows_the_server_is_unsteady_and_not_bound_by_its_rate() -> None:
    row = open_row(arrivals_served(8))
    assert row["offered_rps"] == pytest.approx(10)
    assert row["rps"] == pytest.approx(8)
    assert row["bound_by"] == "unexplained"
    assert "unsteady" in str(row["caveats"]).split()
    assert "loadgen-saturated" not in str(row["caveats"]).split()


def test_a_growing_queue_is_counted_by_whole_answers_however_long_each_waited() -> None:
    # By parts the row would claim the answers of later: more than the two slots can give.
    row = open_row(arrivals_served(9.9, rate_rps=30.0))
    assert row["rps"] == pytest.approx(9.9, abs=0.1)
    assert row["app_cpu_ms_per_view"] == pytest.approx(5000 / 99, rel=0.02)
    assert row["bound_by"] == "slots"


def test_a_slot_may_end_one_view_more_in_a_window_and_no_other_beyond_its_ceiling() -> None:
    assert open_row(arrivals_served(10.15, rate_rps=30.0))["ceiling_share"] == 1
    with pytest.raises(TrialError, match="is more than its slots allow"):
        open_row(arrivals_served(10.6, rate_rps=30.0))


def test_arrivals_that_were_dropped_are_offered_failed_and_censored() -> None:
    kept = arrivals_served(1000)
    samples = some_samples([*kept[:60], *((due, None, "dropped") for due, _, _ in kept[60:70])])
    never = pl.when(pl.col("failure") == "dropped").then(None).otherwise(pl.col("sent_s"))
    row = measured_row(OPEN, a_recording(samples.with_columns(sent_s=never), (2, 12)))
    assert (row["requests"], row["failures"]) == (50, 10)
    assert (row["dropped"], row["unanswered"]) == (10, 0)
    assert row["offered_rps"] == pytest.approx(5)
    assert "censored" in str(row["caveats"]).split()


def test_one_dropped_arrival_is_enough_to_be_censored() -> None:
    samples = some_samples([*arrivals_served(1000), (5.0, None, "dropped")])
    row = measured_row(OPEN, a_recording(samples, (2, 12)))
    assert row["p50_ms"] is not None
    assert "censored" in str(row["caveats"]).split()


def test_a_late_generator_is_told_and_its_lateness_is_in_the_latency() -> None:
    late = some_samples(arrivals_served(1000, rate_rps=9.0) * 6)
    late = late.with_columns(sent_s=pl.col("due_s") + 0.05, answered_s=pl.col("answered_s") + 0.05)
    trial = replace(OPEN, server=a_server())
    row = measured_row(trial, a_recording(late, (2, 12)))
    assert row["avg_ms_bound"] == pytest.approx(math.log(250 / 200), abs=0.01)
    assert row["p95_ms_bound"] == pytest.approx(math.log(250 / 200), abs=0.01)
    assert not row.is_ranked_for("p95_ms")
    assert row["lag_p99_ms"] == pytest.approx(50)
    assert row["p95_ms"] == pytest.approx(250)
    assert row["sent_p95_ms"] == pytest.approx(200)
    assert row["ranked"] == "yes"  # as many were answered as came
    assert "loadgen-saturated" in str(row["caveats"]).split()


def test_starved_users_are_counted_and_rank_last() -> None:
    # A third of the users waits for ever.
    served = constant_users(users=20, latency_s=0.25, until_s=14)
    waiting = some_samples([(0.1, None, "unanswered")] * 10)
    trial = a_trial(case=a_case(driver="own", delays_ms=(250.0,), users=30))
    row = measured_row(trial, a_recording(pl.concat([served, waiting]), (2, 12)))
    assert (row["starved"], row["unanswered"]) == (10, 10)
    assert (row["requests"], row["failures"]) == (800 + 10, 10)
    assert row["p50_ms"] == pytest.approx(250)
    assert row["p95_ms"] == pytest.approx(250)  # 10 of 810 are infinitely slow: 1.2 %
    assert row["p99_ms"] is None
    assert row["rps"] == pytest.approx(80)
    assert row["ranked"] == "yes"
    assert {"starved", "censored"} <= set(str(row["caveats"]).split())
    assert "unsteady" not in str(row["caveats"]).split()


def test_where_nobody_is_answered_everybody_is_starved() -> None:
    nobody = some_samples([(0.1, None, "unanswered")] * 500)
    trial = a_trial(case=a_case(driver="own", delays_ms=(500.0,), users=500))
    row = measured_row(trial, a_recording(nobody, (2, 12), settled=False))
    assert (row["outcome"], row["rps"], row["ranked"]) == ("measured", 0, "yes")
    assert (row["requests"], row["failures"]) == (500, 500)
    assert (row["starved"], row["unanswered"]) == (500, 500)
    assert (row["p50_ms"], row["avg_ms"], row["app_cpu_ms_per_view"]) == (None, None, None)
    assert "loadgen-saturated" not in str(row["caveats"]).split()


def test_connections_that_are_reset_are_not_the_load_generators_fault() -> None:
    # Each tenth request fails after 0.2 s, and its user pauses for 0.1 s.
    requests: list[Request] = []
    ended: list[float] = []
    for user in range(10):
        due_s, number = user / 20, user
        while due_s < 14:
            fails = number % 10 == 0
            ended.append(due_s + (0.2 if fails else 0.5))
            failure = "no answer: ConnectionResetError" if fails else None
            requests.append((due_s, None if fails else ended[-1], failure))
            due_s, number = ended[-1] + (0.1 if fails else 0.0), number + 1
    samples = some_samples(requests).with_columns(ended_s=pl.Series(ended))
    trial = a_trial(case=a_case(driver="own", delays_ms=(500.0,), users=10))
    row = measured_row(trial, a_recording(samples, (2, 12)))
    assert "loadgen-saturated" not in str(row["caveats"]).split()
    assert row["ranked"] == "yes"
    assert row["p50_ms"] == pytest.approx(500)


def test_response_times_that_are_not_those_of_all_users_are_not_stated() -> None:
    # Twenty users, of whom ten are answered only after the window, but were due in it: long before
    # the load goes. Their response times are too long for a window of this length.
    served = constant_users(users=10, latency_s=0.5, until_s=14)
    late = some_samples([(2.5, 60.0, None)] * 10)
    before = some_samples([(0.1, 2.5, None)] * 10)
    trial = a_trial(case=a_case(driver="own", delays_ms=(500.0,), users=20))
    row = measured_row(trial, a_recording(pl.concat([served, before, late]), (2, 12)))
    assert (row["p50_ms"], row["p95_ms"], row["sent_p95_ms"]) == (None, None, None)
    assert "unsteady" in str(row["caveats"]).split()


def test_a_load_that_did_not_settle_in_its_time_is_unsteady_and_counts_what_ended() -> None:
    row = measured_row(TEN_USERS, a_recording(STEADY, (2.01, 12.03), settled=False))
    assert "unsteady" in str(row["caveats"]).split()
    assert row["rps"] == row["ended_rps"] != row["parts_rps"]
    row = measured_row(TEN_USERS, a_recording(STEADY, (2.01, 12.03)))
    assert row["rps"] == row["parts_rps"] != row["ended_rps"]


def test_the_answers_of_the_drain_are_not_of_the_window() -> None:
    # 100 users wait 5 s each; when the window ends, the load goes and all are answered at once.
    loaded = constant_users(users=100, latency_s=5.0, until_s=12)
    rush = loaded.with_columns(
        answered_s=pl.col("answered_s").clip(upper_bound=12.1),
        ended_s=pl.col("ended_s").clip(upper_bound=12.1),
    )
    trial = a_trial(case=a_case(driver="own", users=100))
    row = measured_row(trial, a_recording(rush, (5.5, 12)))
    assert row["ended_rps"] == row["rps"] == pytest.approx(20, abs=0.2)
    assert row["parts_rps"] > 25  # type: ignore[operator]
    assert "unsteady" in str(row["caveats"]).split()


def test_users_in_step_state_both_counts_and_go_by_what_ended() -> None:
    waves = some_samples([(second, second + 1.0, None) for second in range(14)] * 10)
    row = measured_row(TEN_USERS, a_recording(waves, (2.5, 12.2)))
    assert "in-step" in str(row["caveats"]).split()
    assert row["rps"] == row["ended_rps"] == pytest.approx(100 / 9.7)
    assert row["parts_rps"] == pytest.approx(10)


def with_cpu(seconds_a_second: float, **values: object) -> columns.Row:
    """The row of a server that uses so much CPU; ten users, and all of their views are served."""
    after = a_snapshot(12, app=an_app_stats(12, 1 + 10 * seconds_a_second))
    trial = a_trial(case=a_case(delays_ms=(300.0,), users=10), **values)
    return measured_row(trial, a_recording(STEADY, (2, 12), after=after, roles=cpus(app="0-3")))


def test_a_process_that_computes_outside_of_python_too_is_not_full_with_one_cpu() -> None:
    assert with_cpu(0.97)["bound_by"] == "cpu"
    assert with_cpu(0.97, many_cpus=True)["bound_by"] == "unexplained"
    # One of which nobody knew shows it: it uses more than a process of Python can.
    row = with_cpu(1.5)
    assert row["app_cpu_share"] == pytest.approx(1.5 / 4)
    assert row["bound_by"] == "unexplained"
    assert row["ranked"] == "yes"
    assert with_cpu(3.9)["bound_by"] == "cpu"


def test_more_cpu_than_a_server_was_given_is_kept_as_measured_and_not_ranked() -> None:
    after = a_snapshot(12, app=an_app_stats(12, 1 + 17.7))
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12), after=after))
    assert row["app_cpu_share"] == pytest.approx(1.77)
    assert row["ranked"] == "no"
    assert "more-cpu-than-given" in str(row["caveats"]).split()


@pytest.mark.parametrize("driver", ["own", "locust"])
def test_a_driver_of_one_process_is_full_with_one_cpu_of_many(driver: str) -> None:
    trial = a_trial(case=a_case(driver=driver, delays_ms=(500.0,), users=10))
    after = a_snapshot(12, driver_cpu_s=0.2 + 8.5, loadgen_cpu_s=0.25 + 9.0)
    row = measured_row(trial, a_recording(STEADY, (2, 12), after=after, roles=cpus(loadgen="2-5")))
    assert row["loadgen_cpu_share"] == pytest.approx(0.225)
    assert row["driver_full_share"] == pytest.approx(0.85)
    assert "loadgen-saturated" in str(row["caveats"]).split()


def test_hey_has_threads_and_is_full_with_all_of_them() -> None:
    trial = a_trial(
        case=a_case(driver="hey", delays_ms=(500.0,), users=10, planned_requests=200),
        window_s=None,
    )
    after = a_snapshot(12, driver_cpu_s=0.2 + 8.5, loadgen_cpu_s=0.25 + 9.0)
    row = measured_row(trial, a_recording(STEADY, (2, 12), after=after, roles=cpus(loadgen="2-5")))
    assert row["driver_full_share"] == pytest.approx(0.85 / 3.95)
    row = measured_row(trial, a_recording(STEADY, (2, 12), after=after))
    assert row["driver_full_share"] == pytest.approx(0.85 / 0.95)
    assert "loadgen-saturated" in str(row["caveats"]).split()


def test_a_driver_has_what_the_api_leaves_of_a_cpu_that_they_share() -> None:
    after = a_snapshot(
        12,
        driver_cpu_s=0.2 + 4.5,
        loadgen_cpu_s=0.25 + 4.5,
        api=an_api_stats(12, 0.5 + 4.5, 30, p99=0.25),
    )
    shared = {"after": after, "roles": cpus(api="1", loadgen="1")}
    row = measured_row(TEN_USERS, a_recording(STEADY, (2, 12), **shared))
    assert row["driver_full_share"] == pytest.approx(0.45 / 0.55)
    assert row["api_full_share"] == pytest.approx(0.45 / 0.55)
    assert "loadgen-saturated" in str(row["caveats"]).split()


def test_connections_that_are_lost_in_the_window_are_failures_also_if_they_were_due_before() -> (
    None
):
    served = constant_users(users=10, latency_s=0.5, until_s=14)
    lost = some_samples([(1.0, None, "no answer: ConnectionLost")] * 5).with_columns(ended_s=4.0)
    trial = a_trial(case=a_case(driver="own", delays_ms=(500.0,), users=10))
    row = measured_row(trial, a_recording(pl.concat([served, lost]), (2, 12)))
    assert row["failures"] == 0  # of the requests that were due in the window
    assert "failures" in str(row["caveats"]).split()
