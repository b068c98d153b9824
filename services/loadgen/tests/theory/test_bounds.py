"""How much an instrument can have moved what it measured."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.theory.bounds import (
    Instruments,
    Lateness,
    Made,
    correction_error,
    cpu_bound,
    drift_of,
    mean_bound,
    percentile_bound,
    rps_bound,
)
from loadgen.theory.statistics import MARGIN

#: Shares of times above the quantiles that the API tells.
TOLD = (0.5, 0.05, 0.02, 0.01, 0.005, 0.001, 0.0)
NO_LAG = 0.0

type Values = np.ndarray[tuple[int], np.dtype[np.float64]]


def lateness(values_ms: Values) -> Lateness:
    ordered = np.sort(values_ms)
    ranks = [math.ceil((1 - share) * ordered.size) - 1 for share in TOLD]
    later = {float(ordered[rank]): share for rank, share in zip(ranks, TOLD, strict=True)}
    return Lateness(float(values_ms.mean()), later)


def quantile(values_ms: Values, share: float) -> float:
    return float(np.sort(values_ms)[math.ceil(round(share * values_ms.size, 9)) - 1])


def of_percentile(
    measured_ms: Values, instruments: Instruments, share: float, service_ms: float = 0.0
) -> float:
    made = Made(rps=10.0, service_ms=service_ms, avg_ms=float(measured_ms.mean()))
    found = percentile_bound(
        made,
        instruments,
        share,
        lambda at: quantile(measured_ms, at),
        quantile(measured_ms, share),
    )
    assert found is not None
    return found


@given(
    st.integers(0, 2**32),
    st.sampled_from([0.5, 0.95, 0.99]),
    st.integers(1, 3),
    st.floats(0.1, 30.0),
    st.booleans(),
)
def test_a_percentile_without_the_lateness_lies_within_its_bound(
    seed: int, share: float, calls: int, scale_ms: float, together: bool
) -> None:
    random = np.random.default_rng(seed)
    without_ms = 200 + random.gamma(2.0, 20.0, 2_000)
    late_ms = scale_ms * random.pareto(2.5, (calls, 2_000))
    if together:  # the slowest views are those of the latest calls
        without_ms, late_ms = np.sort(without_ms), np.sort(late_ms)
    measured_ms = without_ms + late_ms.max(axis=0)
    # Each call is late once to be read, and never to be answered.
    instruments = Instruments((lateness(late_ms.ravel()), Lateness(0.0, {0.0: 0.0})), calls)
    moved = math.log(quantile(measured_ms, share) / quantile(without_ms, share))
    assert moved <= of_percentile(measured_ms, instruments, share) + 1e-9


@pytest.mark.parametrize(
    ("delay_ms", "p50_ms", "p99_ms", "max_ms"), [(800, 0.3, 8.69, 12.0), (200, 0.3, 2.85, 4.0)]
)
def test_a_late_p99_of_few_calls_moves_no_metric_by_the_margin(
    delay_ms: float, p50_ms: float, p99_ms: float, max_ms: float
) -> None:
    """The two runs that a threshold on the p99 has voided."""
    late = Lateness(1.5 * p50_ms, {p50_ms: 0.5, 1.5 * p50_ms: 0.05, p99_ms: 0.01, max_ms: 0.0})
    instruments = Instruments((late, Lateness(0.05, {0.05: 0.5, 1.0: 0.0})), calls=1)
    measured_ms = delay_ms + np.linspace(2.0, 40.0, 400)
    made = Made(10.0, delay_ms, float(measured_ms.mean()))
    assert rps_bound(made, instruments) < 0.003
    for share in (0.5, 0.95):
        assert of_percentile(measured_ms, instruments, share, delay_ms) < MARGIN


def late_by(mean_ms: float, calls: int = 1) -> Instruments:
    return Instruments((Lateness(mean_ms, {mean_ms: 0.0}),), calls)


@pytest.mark.parametrize("slots", [2, 16])
def test_a_queue_for_slots_is_longer_by_the_bound_at_most(slots: int) -> None:
    """k slots of S + L instead of S serve 100 users: X = k / (S + L), R = N / X."""
    service_ms, late_ms, users = 200.0, 5.0, 100
    rps, without_rps = slots / (service_ms + late_ms), slots / service_ms
    measured_ms, without_ms = users / rps, users / without_rps
    made = Made(rps, service_ms, measured_ms)
    assert math.log(without_rps / rps) == pytest.approx(rps_bound(made, late_by(late_ms)))
    of_mean = mean_bound(made, late_by(late_ms), measured_ms)
    assert of_mean is not None
    assert math.log(measured_ms / without_ms) <= of_mean + 1e-9
    of_p95 = of_percentile(np.full(100, measured_ms), late_by(late_ms), 0.95, service_ms)
    assert math.log(measured_ms / without_ms) <= of_p95 + 1e-9


@pytest.mark.parametrize("calls", [0, 1])
def test_views_that_call_nobody_are_not_moved_by_the_api(calls: int) -> None:
    instruments = late_by(5.0, calls)
    made = Made(10.0, 200.0, 230.0)
    measured_ms = np.full(100, 230.0)
    found = (
        rps_bound(made, instruments),
        mean_bound(made, instruments, 230.0),
        of_percentile(measured_ms, instruments, 0.95, 200.0),
    )
    assert all(found) if calls else found == (0, 0, 0)


def test_no_row_lacks_more_than_its_ceiling_and_no_answer_more_than_its_service_time() -> None:
    made = Made(99.0, 200.0, 202.0, most_rps=100.0)
    instruments = replace(late_by(50.0), stolen=0.2)
    assert rps_bound(made, instruments) == pytest.approx(math.log(100 / 99))
    assert mean_bound(made, instruments, 202.0) == pytest.approx(math.log(202 / 200))
    of_p95 = of_percentile(np.full(100, 202.0), instruments, 0.95, 200.0)
    assert of_p95 == pytest.approx(math.log(202 / 200))


def test_below_a_ceiling_all_may_be_the_doing_of_a_driver_that_had_no_cpu_left() -> None:
    full = Instruments((), 0, driver_full=True)
    made = Made(50.0, 200.0, 400.0, most_rps=100.0)
    assert rps_bound(made, full) == pytest.approx(math.log(2))
    assert mean_bound(made, full, 400.0) == pytest.approx(math.log(2))
    assert of_percentile(np.full(100, 400.0), full, 0.95, 200.0) == pytest.approx(math.log(2))
    assert rps_bound(replace(made, most_rps=50.0), full) == 0
    assert rps_bound(replace(made, most_rps=None), full) == math.inf


def test_stolen_time_stretches_work_that_has_all_of_the_cpu() -> None:
    stolen = Instruments((), 0, stolen=0.02)
    assert rps_bound(Made(10.0, 0.0, 50.0), stolen) == pytest.approx(math.log(1 / 0.98))


def test_users_who_were_left_out_would_have_waited_too() -> None:
    missing = Instruments((), 0, missing_users=0.1)
    made = Made(10.0, 200.0, 200.0)
    assert rps_bound(made, missing) == pytest.approx(math.log(1 / 0.9))
    assert mean_bound(made, missing, 200.0) == pytest.approx(math.log(1 / 0.9))


def test_the_drivers_lag_is_what_a_latency_has_more_than_from_the_instant_sent() -> None:
    made = Made(10.0, 0.0, 250.0)
    assert mean_bound(made, Instruments((), 0), 200.0) == pytest.approx(math.log(250 / 200))


def test_an_open_queue_near_its_slots_answers_to_lateness_many_times_over() -> None:
    light, heavy = (Made(9.0, 200.0, 400.0, queue=1 / (1 - used)) for used in (0.1, 0.9))
    bounds = [mean_bound(made, late_by(1.0), 400.0) or 0.0 for made in (light, heavy)]
    own = math.log(400 / 399)
    assert bounds[1] - own == pytest.approx(9 * (bounds[0] - own), rel=0.05)


def test_what_is_not_known_has_no_bound() -> None:
    made = Made(10.0, 200.0, None)
    assert mean_bound(made, late_by(1.0), NO_LAG) is None
    assert percentile_bound(made, late_by(1.0), 0.95, lambda _: None, NO_LAG) is None
    silent = Instruments((Lateness(1.0),), 1)
    assert percentile_bound(made, silent, 0.95, lambda _: 230.0, 230.0) is None


def test_cpu_per_view_is_moved_by_the_load_only() -> None:
    assert cpu_bound(0.02) == pytest.approx(0.008)


def test_a_correction_is_known_by_two_standard_errors() -> None:
    assert correction_error(mean=0.5, sd=0.02, count=16) == pytest.approx(0.02)


def test_drift_is_what_a_round_is_apart_from_the_usual_one_on_average() -> None:
    assert drift_of([0.2, 0.2, 0.2]) == pytest.approx(0)
    assert drift_of([0.2, 0.2, 0.3]) == pytest.approx(math.log(1.5) / 3)
    assert drift_of([0.4, 0.2, 0.1]) == pytest.approx(0)
