"""`cpu-drift`: each trial of a run against its median one."""

import pytest

from loadgen.findings.drift import judged
from loadgen.records import columns
from loadgen.records.columns import Cell, Row


def a_row(calibration_ms: float | None, caveats: str | None = None, **cells: Cell) -> Row:
    return columns.row(
        {"outcome": "measured", "calibration_ms": calibration_ms, "caveats": caveats} | cells
    )


def caveats_of(*rows: Row) -> list[Cell]:
    return [row["caveats"] for row in judged(rows)]


def test_a_trial_is_held_against_those_after_it_too() -> None:
    first, *others = caveats_of(a_row(56.0), a_row(50.0), a_row(50.0))
    assert first == "cpu-drift"
    assert others == [None, None]


def test_drift_goes_by_the_probe_where_there_is_one() -> None:
    rows = [a_row(50.0, probe_ms=ms) for ms in (0.5, 0.5, 0.6)]
    assert caveats_of(*rows) == [None, None, "cpu-drift"]


def test_a_server_that_slows_down_the_probe_in_each_round_alike_has_no_drift() -> None:
    fast = [a_row(None, case="one", probe_ms=ms) for ms in (0.20, 0.20, 0.21)]
    slow = [a_row(None, case="other", probe_ms=ms) for ms in (0.30, 0.30, 0.36)]
    assert caveats_of(*fast, *slow) == [None, None, None, None, None, "cpu-drift"]


def test_under_three_rounds_nobody_knows_what_a_server_does_to_the_probe() -> None:
    rows = [
        a_row(None, case=case, probe_ms=ms) for case, ms in (("a", 0.2), ("b", 0.2), ("c", 0.3))
    ]
    assert caveats_of(*rows) == [None, None, None]


def test_a_faster_cpu_drifts_as_a_slower_one_does() -> None:
    rows = [a_row(ms) for ms in (44.9, 45.0, 50.0, 55.0, 55.1)]
    assert caveats_of(*rows) == ["cpu-drift", None, None, None, "cpu-drift"]


def test_what_an_earlier_session_said_is_taken_back_where_it_is_no_longer_so() -> None:
    rows = [a_row(50.0, "at-ceiling cpu-drift"), a_row(51.0, "cpu-drift"), a_row(52.0)]
    assert caveats_of(*rows) == ["at-ceiling", None, None]


def test_it_takes_its_place_among_the_other_caveats() -> None:
    rows = [a_row(60.0, "at-ceiling of-another-version failures"), a_row(50.0), a_row(50.0)]
    assert caveats_of(*rows)[0] == "at-ceiling failures cpu-drift of-another-version"


def test_it_unranks_nobody() -> None:
    first, *_ = judged([a_row(60.0, ranked="yes"), a_row(50.0), a_row(50.0)])
    assert (first["caveats"], first["ranked"]) == ("cpu-drift", "yes")


@pytest.mark.parametrize("rows", [[], [a_row(None)], [a_row(None, "not-fresh"), a_row(None)]])
def test_where_the_loop_was_not_run_nothing_is_known(rows: list[Row]) -> None:
    assert judged(rows) == rows


def test_a_trial_without_the_loop_is_not_in_the_median_and_has_no_drift() -> None:
    rows = [a_row(None, "not-fresh"), a_row(60.0), a_row(50.0), a_row(50.0), a_row(None)]
    assert caveats_of(*rows) == ["not-fresh", "cpu-drift", None, None, None]
