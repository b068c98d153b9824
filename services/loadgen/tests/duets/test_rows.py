"""A recording of a duet becomes two rows, which tell what a view costs and no more."""

import math
from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from loadgen.duets.duet import Duet, duet_of
from loadgen.duets.load import GivenUpError
from loadgen.duets.recording import DuetRecording
from loadgen.duets.rows import failed_rows, measured_duet
from loadgen.errors import TrialError
from loadgen.records.columns import LOAD_TOO_SMALL
from loadgen.suites.pairs import CPU_METRIC, DuetPair
from loadgen.trials.instruments import AppStats
from tests.make import (
    a_case,
    a_recording,
    a_server,
    a_snapshot,
    a_trial,
    an_api_stats,
    an_app_stats,
    constant_users,
)

LATENCY_S, BEGIN_S, SLICE_S, END_S = 0.6, 4, 4, 24
#: Requests in flight, as many as 20 views a second keep there.
IN_FLIGHT = 12
RATE_RPS = IN_FLIGHT / LATENCY_S
#: Views of a slice.
VIEWS = RATE_RPS * SLICE_S

#: An API that answered a hundredth of its calls 30 ms late.
LATE_API = an_api_stats(END_S, cpu_seconds=4.0, calls=700, p99=30.0)


def a_duet() -> Duet:
    a, b = (
        a_trial(
            case=a_case(server=name, driver="own").in_a_duet,
            server=a_server(name=name),
        )
        for name in ("one", "other")
    )
    return duet_of(DuetPair(a.case, b.case, most_rps=50.0), a, b)


def edges(cpu_ms: Sequence[float], late_s: float = 0.0) -> list[AppStats]:
    """Counters at the edges of slices in which a view costs so much."""
    stats, used_s = [an_app_stats(BEGIN_S + late_s, 1.0)], 1.0
    for number, cost in enumerate(cpu_ms, start=1):
        used_s += cost * VIEWS / 1000
        stats.append(an_app_stats(BEGIN_S + late_s + number * SLICE_S, used_s))
    return stats


def recorded(
    of_a: Sequence[float], of_b: Sequence[float], in_flight_b: int = IN_FLIGHT
) -> DuetRecording:
    """Both sides at one rate, or b at another; b's stamps are a little later."""
    both = (edges(of_a), edges(of_b, late_s=0.03))
    a, b = (
        a_recording(
            constant_users(in_flight, LATENCY_S, END_S + 2),
            (BEGIN_S, END_S),
            before=a_snapshot(BEGIN_S, app=of_side[0]),
            after=a_snapshot(END_S, app=of_side[-1]),
        )
        for of_side, in_flight in zip(both, (IN_FLIGHT, in_flight_b), strict=True)
    )
    return DuetRecording(RATE_RPS, (a, b), both)


def test_the_ratio_of_the_rows_is_the_mean_of_the_slices_in_logarithms() -> None:
    a, b = [3.0, 3.3, 2.8, 3.1, 3.0], [4.2, 4.8, 3.9, 4.5, 4.4]
    duet = measured_duet(a_duet(), recorded(a, b))
    row_a, row_b = (row.number(CPU_METRIC) or 0.0 for row in duet.rows)
    logs = [math.log(of_b / of_a) for of_a, of_b in zip(a, b, strict=True)]
    assert math.log(row_b / row_a) == pytest.approx(sum(logs) / 5, abs=1e-3)
    assert row_a == pytest.approx(math.prod(a) ** 0.2, rel=1e-3)


def test_each_side_counts_between_its_own_stamps() -> None:
    slices = measured_duet(a_duet(), recorded([3.0] * 5, [4.0] * 5)).slices
    assert [each.a.views for each in slices] == pytest.approx([VIEWS] * 5, rel=1e-3)
    assert [each.b.views for each in slices] == pytest.approx([VIEWS] * 5, rel=1e-3)
    assert [each.begin_s for each in slices] == [0, 4, 8, 12, 16]


def test_a_row_has_the_load_as_it_was_found_and_all_cpu_time_of_its_slices() -> None:
    a, _ = measured_duet(a_duet(), recorded([3.0] * 5, [4.0] * 5)).rows
    assert (a["rate_rps"], a["arrivals"], a["users"]) == (RATE_RPS, "jittered", None)
    assert (a["slices"], a["outcome"], a["ranked"]) == (5, "measured", "yes")
    assert a.number("app_cpu_seconds") == pytest.approx(5 * VIEWS * 0.003)
    assert a.number("window_s") == 20
    assert a["rps"] is a["p50_ms"] is a["ceiling_share"] is None


def test_an_api_that_was_late_was_late_for_both() -> None:
    recording = recorded([3.0] * 5, [4.0] * 5)
    a, b = (
        replace(side, after=a_snapshot(END_S, app=side.after.app, api=LATE_API))
        for side in recording.sides
    )
    rows = measured_duet(a_duet(), replace(recording, sides=(a, b))).rows
    assert {row["ranked"] for row in rows} == {"yes"}
    assert all("api-saturated" in row.caveats for row in rows)


def test_sides_that_served_other_rates_are_no_duet() -> None:
    said = "Each server was asked for 400 views: one answered 400, other 333"
    with pytest.raises(TrialError, match=said) as error:
        measured_duet(a_duet(), recorded([3.0] * 5, [4.0] * 5, in_flight_b=10))
    assert error.value.outcome == "costs-too-unlike"


def test_a_side_without_counters_is_no_duet() -> None:
    recording = recorded([3.0] * 5, [4.0] * 5)
    blind = [stats.model_copy(update={"cpu_seconds": None}) for stats in recording.edges[1]]
    with pytest.raises(TrialError, match="cannot read its server's CPU time"):
        measured_duet(a_duet(), replace(recording, edges=(recording.edges[0], blind)))


def test_a_duet_that_was_given_up_has_the_load_at_which_that_was() -> None:
    duet = a_duet()
    rows = failed_rows(duet, GivenUpError(LOAD_TOO_SMALL, "", 4.0))
    assert [(row["outcome"], row["rate_rps"], row.case) for row in rows] == [
        (LOAD_TOO_SMALL, 4, side.case.slug) for side in duet.sides
    ]


def test_a_duet_that_failed_has_both_its_rows() -> None:
    a, b = failed_rows(a_duet(), TrialError("server-died", ""))
    assert (a["outcome"], a.case, a["partner"]) == ("server-died", b["partner"], b.case)
    assert a["users"] is None


@pytest.mark.parametrize(("failed", "ranked"), [(2, "yes"), (8, "no"), (40, "no")])
def test_a_side_of_which_more_than_one_percent_failed_tells_no_cost(
    failed: int, ranked: str
) -> None:
    recording = recorded([3.0] * 5, [4.0] * 5)
    a, b = recording.sides
    fails = pl.int_range(pl.len()).is_between(200, 199 + failed)
    samples = a.samples.with_columns(
        pl.when(fails).then(pl.lit("status-500")).otherwise(pl.col("failure")).alias("failure")
    )
    failing = replace(recording, sides=(replace(a, samples=samples), b))
    rows = measured_duet(a_duet(), failing).rows
    assert "failures" in rows[0].caveats
    assert [row["ranked"] for row in rows] == [ranked, "yes"]
