"""How much the differences of pairs scatter, of one run and of a machine's runs together."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.findings.scatter import (
    MOST_FREEDOM,
    Scatter,
    busy_from,
    pooled,
    spreads_of,
)
from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.records.scatter_file import Spread

CPU = "app_cpu_ms_per_view"


def a_spread(sd_log: float, freedom: float = 10.0, **of: object) -> Spread:
    plain = {"metric": "rps", "by": "trials", "busy_from": 0.5}
    return Spread(**plain | of, sd_log=sd_log, freedom=freedom)  # type: ignore[arg-type]


def rounds_of(case: str, metric: str, values: Sequence[float | None], **cells: Cell) -> list[Row]:
    plain: dict[str, Cell] = {"outcome": "measured", "ranked": "yes", "app_cpu_share": 0.6}
    return [
        columns.row(plain | cells | {"case": case, "round": number, metric: value})
        for number, value in enumerate(values, start=1)
    ]


def sd_of_logs(a: Sequence[float], b: Sequence[float]) -> float:
    return float(np.log(np.divide(b, a)).std(ddof=1))


def test_it_is_the_standard_deviation_of_the_ratios_of_rounds() -> None:
    a, b = [100.0, 110.0, 90.0], [105.0, 108.0, 99.0]
    rows = [*rounds_of("a", "rps", a), *rounds_of("b", "rps", b, app_cpu_share=0.7)]
    (found,) = spreads_of([("a", "b", "rps")], rows)
    assert (found.metric, found.by, found.busy_from) == ("rps", "trials", 0.5)
    assert found.freedom == 2
    assert found.sd_log == pytest.approx(sd_of_logs(a, b))


def test_a_pair_scatters_by_the_attempts_that_both_have() -> None:
    a, b = [100.0, 110.0, 90.0], [105.0, 108.0, 99.0]
    rows = [*rounds_of("a", "rps", a), *rounds_of("b", "rps", b)]
    with_another = rounds_of("b", "rps", [10.0, 200.0, 3.0], attempt=2)
    (found,) = spreads_of([("a", "b", "rps")], [*rows, *with_another])
    assert found.sd_log == pytest.approx(sd_of_logs(a, b))


def test_what_a_round_does_to_both_is_no_scatter() -> None:
    a = [100.0, 50.0, 10.0]
    rows = [*rounds_of("a", "rps", a), *rounds_of("b", "rps", [2 * value for value in a])]
    (found,) = spreads_of([("a", "b", "rps")], rows)
    assert found.sd_log == pytest.approx(0.0, abs=1e-12)


def test_pairs_of_a_run_are_pooled_by_how_busy_the_busier_side_was() -> None:
    rows = [
        *rounds_of("idle", "rps", [1.0, 1.1], app_cpu_share=0.1),
        *rounds_of("half", "rps", [1.0, 1.0], app_cpu_share=0.2),
        *rounds_of("full", "rps", [1.0, 1.2], app_cpu_share=0.95),
    ]
    found = spreads_of([("idle", "half", "rps"), ("idle", "full", "rps")], rows)
    assert [spread.busy_from for spread in found] == [0.0, 0.9]
    both = spreads_of([("idle", "half", "rps"), ("half", "idle", "rps")], rows)
    assert [spread.freedom for spread in both] == [2]


@pytest.mark.parametrize(
    "rows",
    [
        rounds_of("b", "rps", [1.0]),
        rounds_of("b", "rps", [1.0, None]),
        rounds_of("b", "rps", [1.0, 0.0]),
        rounds_of("b", "rps", [1.0, 1.0], ranked="no"),
        rounds_of("b", "rps", [1.0, 1.0], outcome="driver-failed"),
        [],
    ],
)
def test_two_rounds_that_count_are_the_least(rows: list[Row]) -> None:
    assert spreads_of([("a", "b", "rps")], [*rounds_of("a", "rps", [1.0, 1.1]), *rows]) == []


def test_duets_are_apart_and_both_their_sides_keep_the_cpu_busy() -> None:
    a, b = [3.0, 3.1, 2.9], [4.0, 4.2, 3.7]
    rows = [
        *rounds_of("a", CPU, a, partner="b", app_cpu_share=0.25),
        *rounds_of("b", CPU, b, partner="a", app_cpu_share=0.3),
    ]
    (found,) = spreads_of([("a", "b", CPU)], rows)
    assert (found.by, found.busy_from, found.freedom) == ("duet", 0.5, 2)
    assert found.sd_log == pytest.approx(sd_of_logs(a, b))


def test_of_duets_one_side_of_which_is_missing_nothing_is_known() -> None:
    assert spreads_of([], rounds_of("a", CPU, [1.0, 1.1], partner="b")) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.5, 50)), min_size=1, max_size=9))
def test_pooling_keeps_the_sum_of_squares_and_lies_between(
    parts: list[tuple[float, float]],
) -> None:
    spreads = [a_spread(sd_log, freedom) for sd_log, freedom in parts]
    found = pooled(spreads)
    assert found.freedom == pytest.approx(sum(freedom for _, freedom in parts))
    squares = sum(freedom * sd_log**2 for sd_log, freedom in parts)
    assert found.freedom * found.sd_log**2 == pytest.approx(squares)
    assert min(parts)[0] - 1e-9 <= found.sd_log <= max(parts)[0] + 1e-9


def test_pooled_pairs_find_the_scatter_that_there_is() -> None:
    random = np.random.default_rng(14)
    spreads = [a_spread(float(random.normal(0, 0.05, 3).std(ddof=1)), 2) for _ in range(2000)]
    assert pooled(spreads).sd_log == pytest.approx(0.05, rel=0.05)


def test_pairs_in_windows_of_other_lengths_are_kept_apart() -> None:
    rows = [row for case in "abc" for row in rounds_of(case, "rps", [1.0, 1.0 + ord(case) / 1000])]
    pairs = [("a", "b", "rps"), ("b", "c", "rps"), ("a", "c", "rps")]
    windows = {frozenset("ab"): 8.0, frozenset("bc"): 30.0, frozenset("ac"): 8.0}
    found = spreads_of(pairs, rows, windows)
    assert {spread.window_s: spread.freedom for spread in found} == {8.0: 2, 30.0: 1}
    scatter = Scatter({"run": found})
    of_8, of_30 = (found[at].sd_log for at in (0, 1))
    assert scatter.within(8.0).sd_log("rps", 0.6) == pytest.approx(of_8)
    assert scatter.within(7.9).sd_log("rps", 0.6) is None
    both = math.sqrt((2 * of_8**2 + of_30**2) / 3)
    assert scatter.sd_log("rps", 0.6) == pytest.approx(both)


def test_a_bin_knows_nothing_of_another_and_all_are_pooled_where_none_is_named() -> None:
    scatter = Scatter({"run": [a_spread(0.02), a_spread(0.06, busy_from=0.9)]})
    assert scatter.sd_log("rps", 0.6) == pytest.approx(0.02)
    assert scatter.sd_log("rps", 1.0) == pytest.approx(0.06)
    assert scatter.sd_log("rps", 0.2) is None
    assert scatter.sd_log("rps", None) == pytest.approx(math.sqrt((0.02**2 + 0.06**2) / 2))
    assert scatter.sd_log("rps", 0.6, by="duet") is None
    assert scatter.sd_log("p95_ms", None) is None
    assert Scatter().sd_log("rps", None) is None


@pytest.mark.parametrize(
    ("share", "begin"), [(-0.1, 0.0), (0.0, 0.0), (0.499, 0.0), (0.5, 0.5), (0.9, 0.9), (1.7, 0.9)]
)
def test_a_share_lies_in_the_bin_that_begins_at_or_below_it(share: float, begin: float) -> None:
    assert busy_from(share) == begin


def test_the_newest_run_weighs_as_much_as_all_before_it_where_it_is_long() -> None:
    before = {f"run {number}": [a_spread(0.10, 500)] for number in range(20)}
    scatter = Scatter(before | {"now": [a_spread(0.02, 500)]})
    assert scatter.sd_log("rps", 0.6) == pytest.approx(math.sqrt((0.10**2 + 0.02**2) / 2))
    assert scatter.spreads["rps", "trials", 0.5].freedom == 2 * MOST_FREEDOM


def test_a_machine_that_has_changed_is_forgotten_within_a_few_runs() -> None:
    was = {f"was {number}": [a_spread(0.10, 500)] for number in range(20)}
    now = {f"now {number}": [a_spread(0.02, 500)] for number in range(6)}
    found = Scatter(was | now).sd_log("rps", 0.6)
    assert found is not None
    assert found < 0.025


def test_a_short_run_weighs_by_its_rounds() -> None:
    found = Scatter({"long": [a_spread(0.02, 30)], "short": [a_spread(0.10, 2)]})
    assert found.sd_log("rps", 0.6) == pytest.approx(math.sqrt((30 * 0.02**2 + 2 * 0.1**2) / 32))
