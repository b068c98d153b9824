"""A run is replayed from its rows: what stays, and what is missing."""

from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab import machine
from loadgen.records import environment
from loadgen.records.columns import Row
from loadgen.records.trials_csv import name_of, read_rows, write_table
from loadgen.runs.plan import Plan
from loadgen.runs.resume import rows_that_stay
from loadgen.suites.pairs import Compare
from loadgen.suites.search import Rules
from loadgen.trials.trial import Trial
from tests.make import a_case, a_server, a_suite, no_duets
from tests.whole_run import answered, rows_of_a_run

CLIENTS = ("httpx-per-request", "aiohttp-shared")
CASES = tuple(a_case(driver="own", users=300, http_client=client) for client in CLIENTS)


@pytest.fixture(autouse=True)
def _with_an_environment(tmp_path: Path) -> None:
    """A run's folder always has one."""
    environment.write(tmp_path / "environment.json", {})


def a_plan() -> Plan:
    suite = a_suite(name="capacity", cases=CASES, search=Rules())
    return Plan([suite], {"uvicorn": a_server()}, 2, 5)


def measured(capacity_rps: float = 230) -> list[Row]:
    """The rows of the whole run."""
    return rows_of_a_run(a_plan(), lambda trial: answered(trial, capacity_rps))


def resumed(folder: Path, rows: list[Row]) -> tuple[list[Row], list[Trial]]:
    """Which of these rows stay, and the trials that are missing then."""
    write_table(folder / "trials.csv", rows)
    stay = rows_that_stay(a_plan(), folder)
    return stay, no_duets(a_plan().missing(stay))


def test_of_a_run_that_is_complete_nothing_is_missing(tmp_path: Path) -> None:
    rows = measured()
    stay, missing = resumed(tmp_path, rows)
    assert len(stay) == len(rows)
    assert not missing


@pytest.mark.parametrize("count", range(1, 20))
def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path, count: int) -> None:
    rows = measured()
    stay, missing = resumed(tmp_path, rows[:count])
    assert len(stay) == count
    assert rows[count].case == missing[0].case.slug
    assert missing[0].repeat == rows[count]["repeat"]
    searches = {row["position"] for row in rows} - {row["position"] for row in rows[:count]}
    assert {trial.position for trial in missing[1:]} <= searches


def test_a_resumed_run_measures_the_same_trials_as_one_without_interruption(
    tmp_path: Path,
) -> None:
    rows = measured()
    stay, _ = resumed(tmp_path, rows[:9])
    again = rows_of_a_run(a_plan(), lambda trial: answered(trial, 230), stay)
    assert [(row["case"], row["repeat"]) for row in again] == [
        (row["case"], row["repeat"]) for row in rows
    ]


def test_a_window_that_failed_is_asked_again_and_what_followed_from_it_goes(
    tmp_path: Path,
) -> None:
    rows = measured()
    second = [row for row in rows if row["position"] == 1][2]
    second["outcome"] = "driver-failed"
    stay, missing = resumed(tmp_path, rows)
    assert [row["repeat"] for row in stay if row["position"] == 1] == [None, 1]
    assert missing[0].case.slug == second["case"]
    assert missing[0].ahead is not None
    others = [row for row in rows if row["position"] != 1]
    kept = [row for row in stay if row["position"] != 1]
    assert len(kept) >= len(others) - 2 * Rules().most_windows
    assert {row["position"] for row in kept} == {2, 3, 4}


def test_a_window_of_no_search_of_the_run_is_refused(tmp_path: Path) -> None:
    rows = measured()
    rows[3]["position"] = 17
    with pytest.raises(ConfigurationError, match="cannot be resumed: its trial 17, uvicorn_"):
        resumed(tmp_path, rows)


def repeats_for_which_no_time_is_left() -> tuple[Plan, list[Row]]:
    """Both cases of the second round were measured again; now the first round's are to be, which
    takes the time that there was.
    """
    compare = Compare(a={"http_client": CLIENTS[:1]}, b={"http_client": CLIENTS[1:]})
    suite = a_suite(cases=CASES, compare=(compare,))
    servers = {"uvicorn": a_server()}
    trials = no_duets(Plan([suite], servers, 2, 5).certain())
    plan = Plan([suite], servers, 2, 5, spare_s=2.5 * trials[0].expected_s)
    rows = [answered(trial, 100, attempt=1, rps_bound=0.05) for trial in trials]
    rows += [answered(trial, 100, attempt=2) for trial in trials[2:]]
    return plan, rows


def test_a_trial_that_was_measured_again_stays_where_the_plan_has_no_time_for_that_now(
    tmp_path: Path,
) -> None:
    plan, rows = repeats_for_which_no_time_is_left()
    write_table(tmp_path / "trials.csv", rows)
    assert rows_that_stay(plan, tmp_path) == read_rows(tmp_path)
    assert [trial.round for trial in no_duets(plan.missing(rows))] == [1, 1]


def test_a_trial_that_was_measured_again_in_another_place_is_refused(tmp_path: Path) -> None:
    plan, rows = repeats_for_which_no_time_is_left()
    rows[-1]["position"] = 17
    write_table(tmp_path / "trials.csv", rows)
    with pytest.raises(ConfigurationError, match="cannot be resumed: its trial 17, uvicorn_"):
        rows_that_stay(plan, tmp_path)


def test_a_case_that_the_run_does_not_ask_for_is_refused(tmp_path: Path) -> None:
    rows = measured()
    rows[0]["case"] = "nginx"
    with pytest.raises(ConfigurationError, match=r"cannot be resumed: its trial 1, nginx\.r1"):
        resumed(tmp_path, rows)


def test_windows_are_told_apart_by_their_number() -> None:
    names = [name_of(row) for row in measured()]
    assert len(set(names)) == len(names)


def test_open_loads_are_known_by_rate_and_arrivals(tmp_path: Path) -> None:
    loads = [(20.0, "poisson"), (20.0, "constant"), (20.5, "poisson")]
    cases = tuple(
        a_case(load="open", users=None, driver="own", rate_rps=rate_rps, arrivals=arrivals)
        for rate_rps, arrivals in loads
    )
    plan = Plan([a_suite(cases=cases)], {"uvicorn": a_server()}, None, 0)
    first, *others = no_duets(plan.certain())
    write_table(tmp_path / "trials.csv", [answered(first, 100)])
    assert plan.missing(rows_that_stay(plan, tmp_path)) == others


def begun_at(boot_id: str | None, folder: Path, rows: list[Row]) -> list[Row]:
    """What stays of rows whose last session was of that machine."""
    write_table(folder / "trials.csv", rows)
    environment.write(folder / "environment.json", {"boot_id": boot_id})
    return rows_that_stay(a_plan(), folder)


def test_on_another_machine_a_round_that_was_begun_is_begun_anew(tmp_path: Path) -> None:
    rows = measured()
    of_second = [row for row in rows if row["round"] == 2]
    cut = rows[: len(rows) - len(of_second) // 2]

    stay = begun_at("another", tmp_path, cut)

    assert {row["round"] for row in cut} == {1, 2}
    assert stay == [row for row in cut if row["round"] == 1]
    assert {trial.round for trial in a_plan().missing(stay)} == {2}


@pytest.mark.parametrize("boot_id", [machine.boot_id(), None])
def test_on_the_same_machine_a_round_goes_on(tmp_path: Path, boot_id: str | None) -> None:
    rows = measured()[:-1]
    assert begun_at(boot_id, tmp_path, rows) == rows


def test_of_a_run_that_is_complete_all_stays_on_another_machine(tmp_path: Path) -> None:
    rows = measured()
    assert begun_at("another", tmp_path, rows) == rows
