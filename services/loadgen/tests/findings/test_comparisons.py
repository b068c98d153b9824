"""What a run says about the pairs that its suites compare."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadgen.findings.both_sides import each_ones_last, same_rounds
from loadgen.findings.comparisons import (
    COLUMNS,
    Comparison,
    compare_cases,
    compare_rows,
    of_suite,
    write_comparisons,
)
from loadgen.records import columns
from loadgen.records.columns import METRICS, Cell, Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from tests.kept_run import lines_of
from tests.make import a_case, a_suite

A, B = a_case(server="uvicorn"), a_case(server="twin")

type Values = Sequence[Cell]


def comparing(*metrics: str, **attributes: Any) -> Suite:
    entry = Compare(a={"server": ("uvicorn",)}, b={"server": ("twin",)}, metrics=metrics)
    return a_suite(**{"cases": (A, B), "compare": (entry,)} | attributes)


def rows(case: Case, *of_rounds: Mapping[str, Cell] | None) -> list[Row]:
    """A row per round with these cells; None: the trial failed."""
    return [
        columns.row(
            case.cells()
            | {"round": number, "outcome": "driver-failed" if cells is None else "measured"}
            | {"ranked": "no" if cells is None else "yes", "rps": 80.0}
            | dict(cells or {})
        )
        for number, cells in enumerate(of_rounds, start=1)
    ]


def both(metric: str, a: Values, b: Values) -> list[Row]:
    """Rows of A and B with these values of a metric, by round; None: an empty cell."""
    return [
        *rows(A, *({metric: value} for value in a)),
        *rows(B, *({metric: value} for value in b)),
    ]


def compared(metric: str, given: list[Row]) -> Comparison:
    (found,) = compare_cases([comparing(metric)], given)
    return found


SCATTER = (1.0, 1.01, 0.99, 1.02)


@pytest.mark.parametrize(
    ("metric", "factor", "verdict"),
    [
        ("rps", 1.2, "better"),
        ("rps", 0.8, "worse"),
        ("max_rps", 1.2, "better"),
        ("p95_ms", 1.2, "worse"),
        ("p95_ms", 0.8, "better"),
        ("app_cpu_ms_per_view", 1.2, "worse"),
        ("app_pss_mib", 0.8, "better"),
    ],
)
def test_better_is_more_throughput_and_less_of_all_else(
    metric: str, factor: float, verdict: str
) -> None:
    a = [100 * scatter for scatter in SCATTER]
    b = [100 * factor * scatter for scatter in reversed(SCATTER)]
    found = compared(metric, both(metric, a, b))
    assert found.verdict == verdict
    assert found.difference
    assert found.difference.ratio == pytest.approx(factor)
    assert found.reason == ""


def test_rounds_are_paired_by_their_number_whatever_the_order_of_the_rows() -> None:
    of_a, of_b = [100.0, 200.0, 50.0], [110.0, 220.0, 55.0]
    found = compared("p95_ms", both("p95_ms", of_a, of_b)[::-1])
    assert found.difference
    assert found.difference.ratio == pytest.approx(1.1)
    assert found.difference.sd_log == pytest.approx(0, abs=1e-12)


def test_a_round_counts_in_which_both_were_measured() -> None:
    of_a = rows(A, {"p95_ms": 100.0}, {"p95_ms": 100.0}, None, {"p95_ms": 100.0}, {"p95_ms": 9.0})
    of_b = rows(B, {"p95_ms": 120.0}, {"p95_ms": 120.0}, {"p95_ms": 5.0}, {"p95_ms": 120.0})
    found = compared("p95_ms", of_a + of_b)
    assert found.difference
    assert found.difference.rounds == 3
    assert found.difference.ratio == pytest.approx(1.2)


def test_cases_without_a_common_round_cannot_be_compared() -> None:
    found = compared("rps", rows(A, None, {}) + rows(B, {}, None))
    assert found.verdict == "not comparable"
    assert found.reason == "no round measured both"
    assert found.difference is None


def test_a_case_that_was_not_run_is_not_spoken_of() -> None:
    assert compare_cases([comparing("rps")], rows(A, {})) == []


def test_under_three_rounds_the_verdict_is_open_and_says_so() -> None:
    found = compared("rps", both("rps", [100.0, 100.0], [200.0, 200.0]))
    assert (found.verdict, found.reason) == ("undecided", "needs 3 rounds")
    assert found.difference
    assert found.difference.ratio == pytest.approx(2)


UNRANKED: dict[str, Cell] = {"ranked": "no", "caveats": "api-saturated cpu-drift"}


def test_an_unranked_round_does_not_count_and_that_is_said() -> None:
    found = compared(
        "rps",
        rows(A, {"rps": 9.0, **UNRANKED}, {"rps": 50.0}, {"rps": 50.0}, {"rps": 50.0})
        + rows(B, *[{"rps": 60.0}] * 4),
    )
    assert found.difference
    assert found.difference.rounds == 3
    assert found.difference.ratio == pytest.approx(1.2)
    assert found.reason == "1 of 4 rounds does not count (api-saturated)"


def test_unranked_rounds_that_leave_too_few_make_a_comparison_impossible() -> None:
    found = compared("rps", rows(A, {}, {}, {}) + rows(B, {}, UNRANKED, {}))
    assert found.verdict == "not comparable"
    assert found.reason == "1 of 3 rounds does not count (api-saturated)"


def test_a_row_is_unranked_only_for_the_metric_that_an_instrument_may_have_moved() -> None:
    late: dict[str, Cell] = {"p95_ms": 90.0, "p95_ms_bound": 0.05, "caveats": "api-saturated"}
    given = rows(A, *[{"p95_ms": 80.0}] * 4) + rows(B, late, *[{"p95_ms": 80.0}] * 3)
    of_p95, of_rps = (compared(metric, given).difference for metric in ("p95_ms", "rps"))
    assert of_p95
    assert of_rps
    assert (of_p95.rounds, of_rps.rounds) == (3, 4)
    assert compared("p95_ms", given).reason == (
        "1 of 4 rounds does not count: the lab itself may have changed it by up to 5 % "
        "(api-saturated)"
    )


def bounded(metric: str, ratio: float, **cells: tuple[Cell, Cell]) -> Comparison:
    """B by A in a metric, over four rounds that agree, with such cells of A and of B."""
    of_a, of_b = ({name: pair[side] for name, pair in cells.items()} for side in (0, 1))
    return compared(
        metric,
        rows(A, *[{metric: 100.0, **of_a}] * 4) + rows(B, *[{metric: 100.0 * ratio, **of_b}] * 4),
    )


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ((0.001, 0.001), "better"),
        ((0.021, 0.021), "better"),  # what both share cancels
        ((0.001, 0.010), "better"),
        ((0.001, 0.025), "undecided"),
        ((0.025, 0.001), "undecided"),
    ],
)
def test_a_verdict_looks_beyond_what_instruments_can_have_done_to_the_difference(
    bounds: tuple[float, float], verdict: str
) -> None:
    found = bounded("rps", 1.02, rps_bound=bounds)
    assert found.verdict == verdict
    assert found.difference
    assert found.difference.bound_log == pytest.approx(abs(bounds[1] - bounds[0]))


def test_what_other_things_held_back_shares_no_bound() -> None:
    held_back = bounded("rps", 0.98, rps_bound=(0.025, 0.025), bound_by=("unexplained", "users"))
    assert held_back.difference
    assert held_back.difference.bound_log == pytest.approx(0.025)
    assert held_back.verdict == "undecided"
    alike = bounded("rps", 0.98, rps_bound=(0.025, 0.025), bound_by=("users", "users"))
    assert alike.verdict == "worse"


def test_what_only_the_bound_leaves_undecided_says_so() -> None:
    assert bounded("rps", 1.02, rps_bound=(0.001, 0.025)).reason == (
        "may come from the lab's instruments, ±2.4 %"
    )
    assert bounded("rps", 1.02, rps_bound=(0.001, 0.010)).reason == ""
    scattered = both("rps", [100.0] * 3, [90.0, 100.0, 120.0])
    assert (compared("rps", scattered).verdict, compared("rps", scattered).reason) == (
        "undecided",
        "",
    )


def test_what_is_alike_is_equivalent_only_where_the_instruments_leave_it_so() -> None:
    assert bounded("p95_ms", 1.0, p95_ms_bound=(0.0, 0.02)).verdict == "equivalent"
    assert bounded("p95_ms", 1.01, p95_ms_bound=(0.0, 0.02)).verdict == "undecided"


#: One round of three met a slower CPU: its drift on average is a factor of 1.04.
DRIFTING_MS = (0.5, 0.5, 0.5 * 1.04**3)


def drifting(of_b: Sequence[Cell], **cells: Cell) -> list[Row]:
    """Three rounds of both cases, b's probe as given."""
    of_a = [{"probe_ms": 0.5} | cells] * 3
    return rows(A, *of_a) + rows(B, *({"probe_ms": ms} | cells for ms in of_b))


def test_known_drift_is_in_the_bound_of_cpu_per_view_as_measured_and_not_of_reference_ms() -> None:
    given = drifting(DRIFTING_MS, app_cpu_ms_per_view=4.0, app_cpu_reference_ms_per_view=4.0)
    raw = compared("app_cpu_ms_per_view", given).difference
    corrected = compared("app_cpu_reference_ms_per_view", given).difference
    assert raw
    assert corrected
    assert raw.bound_log == pytest.approx(math.log(1.04))
    assert corrected.bound_log == 0


def test_what_a_server_does_to_the_probe_in_each_round_alike_is_no_drift() -> None:
    given = drifting([0.6, 0.6, 0.6], app_cpu_ms_per_view=4.0)
    found = compared("app_cpu_ms_per_view", given).difference
    assert found
    assert found.bound_log == pytest.approx(0)


@pytest.mark.parametrize(
    ("bound_by", "bound"), [("cpu", 0.95 * math.log(1.04)), ("users", 0), ("unexplained", 0)]
)
def test_known_drift_is_in_the_bound_of_throughput_where_the_cpu_decides_it(
    bound_by: str, bound: float
) -> None:
    given = drifting(DRIFTING_MS, app_cpu_share=0.95, bound_by=bound_by)
    found = compared("rps", given).difference
    assert found
    assert found.bound_log == pytest.approx(bound)


def test_the_bound_of_two_runs_is_that_of_their_means() -> None:
    of_a = rows(A, *[{"rps_bound": 0.01}] * 3)
    of_b = rows(A, *[{"rps_bound": 0.03}] * 4)
    found = compare_rows("", "", of_a, of_b, "rps", paired=False).difference
    assert found
    assert found.bound_log == pytest.approx(0.02)


def test_a_cell_that_some_round_lacks_makes_a_comparison_impossible() -> None:
    found = compared("p95_ms", both("p95_ms", [1.0, None, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]))
    assert found.verdict == "not comparable"
    assert found.reason == "p95_ms unknown in 1 of 4 rounds"


def test_a_value_of_zero_has_no_ratio() -> None:
    found = compared("app_cpu_share", both("app_cpu_share", [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]))
    assert (found.verdict, found.reason) == (
        "not comparable",
        "app_cpu_share is zero in some round",
    )


@pytest.mark.parametrize("metric", ["app_cpu_ms_per_view", "app_cpu_reference_ms_per_view"])
@pytest.mark.parametrize(("load", "comparable"), [(1.04, True), (0.96, True), (1.06, False)])
def test_cpu_per_view_is_compared_at_equal_load_only(
    metric: str, load: float, comparable: bool
) -> None:
    given = rows(A, *[{"rps": 100.0, metric: 3.0}] * 3)
    given += rows(B, *[{"rps": 100.0 * load, metric: 2.0}] * 3)
    found = compared(metric, given)
    assert found.verdict == ("better" if comparable else "not comparable")
    assert comparable or found.reason == "unequal load: the ratio of views/s is 1.06"


def test_throughput_at_a_ceiling_is_not_the_servers_doing() -> None:
    at_ceiling: list[dict[str, Cell]] = [{"rps": 166.0, "caveats": "at-ceiling"}] * 3
    found = compared("rps", rows(A, *at_ceiling) + rows(B, *at_ceiling))
    assert found.verdict == "equivalent"
    assert "both at the same ceiling" in found.reason
    below = compared("rps", rows(A, *at_ceiling) + rows(B, *[{"rps": 80.0}] * 3))
    assert (below.verdict, below.reason) == ("worse", "")


def many(count: int, a: Values, b: Values) -> tuple[Suite, list[Row]]:
    """A suite of pairs that differ like this in rps, and one more pair that does not differ."""
    cases: list[Case] = []
    given: list[Row] = []
    for users in range(1, count + 2):
        values = (a, b) if users == 1 else (a, a)
        for server, of_server in zip(("uvicorn", "twin"), values, strict=True):
            case = a_case(server=server, users=users)
            cases.append(case)
            jitter = [1 + 0.01 * math.sin(users * k + len(server)) for k in range(len(a))]
            cells = [
                {"rps": float(value) * j}
                for value, j in zip(of_server, jitter, strict=True)
                if isinstance(value, float)
            ]
            given += rows(case, *cells)
    return comparing("rps", cases=tuple(cases)), given


def test_all_comparisons_of_a_run_are_one_family() -> None:
    suite, given = many(20, [100.0] * 4, [103.0] * 4)
    found = compare_cases([suite], given)
    assert len(found) == 21
    for comparison in found:
        assert comparison.difference
        assert comparison.difference.p is not None
        assert comparison.p_adjusted is not None
        assert comparison.p_adjusted >= comparison.difference.p
        chance = comparison.is_alarm and comparison.p_adjusted >= 0.05
        assert ("may be chance: of 21 comparisons" in comparison.reason) == chance


def test_a_pair_that_two_suites_compare_is_one_comparison_of_both() -> None:
    one, two = comparing("rps", name="one"), comparing("rps", "p95_ms", name="two")
    found = compare_cases([one, two], both("rps", [1.0] * 3, [1.0] * 3))
    assert [(each.suites, each.metric) for each in found] == [("one+two", "rps"), ("two", "p95_ms")]
    assert of_suite(one, found) == found[:1]
    assert of_suite(two, found) == found


def test_what_is_planted_becomes_a_ratio_and_the_rounds_that_show_it() -> None:
    entry = Compare(
        a={"server": ("uvicorn",)},
        b={"server": ("twin",)},
        metrics=("p50_ms", "rps"),
        planted={"p50_ms": 10.0},
    )
    given = both("p50_ms", [600.0, 610.0, 590.0], [612.0, 618.0, 601.0])
    of_p50, of_rps = compare_cases([comparing("rps", compare=(entry,))], given)
    assert of_p50.planted
    assert of_p50.planted.ratio == pytest.approx(1 + 10 / 600, rel=1e-4)
    assert of_p50.planted.rounds_needed is not None
    assert of_rps.planted is None


def test_every_comparison_is_a_line_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "comparisons.csv"
    write_comparisons([comparing("rps", "p95_ms")], both("rps", [1.0] * 3, [2.0] * 3), file)
    of_rps, of_p95 = lines_of(file)
    assert list(of_rps) == [column.name for column in COLUMNS]
    assert (of_rps["suite"], of_rps["a"], of_rps["b"]) == ("a-suite", A.slug, B.slug)
    assert (of_rps["ratio"], of_rps["rounds"], of_rps["verdict"]) == ("2", "3", "better")
    assert of_rps["label"] == "uvicorn → twin"
    assert (of_p95["ratio"], of_p95["verdict"]) == ("", "not comparable")
    assert of_p95["reason"] == "p95_ms unknown in 3 of 3 rounds"


def moments(case: Case, *of_rounds: tuple[int, str]) -> list[Row]:
    """A row per round with this place and start."""
    cells: list[dict[str, Cell]] = [
        {"position": place, "started_at": start} for place, start in of_rounds
    ]
    return rows(case, *cells)


def line_of(given: list[Row], folder: Path) -> dict[str, str]:
    """comparisons.csv of A and B in throughput."""
    write_comparisons([comparing("rps")], given, folder / "comparisons.csv")
    (line,) = lines_of(folder / "comparisons.csv")
    return line


def test_a_pair_says_how_far_apart_its_trials_were(tmp_path: Path) -> None:
    a = moments(A, (1, "2026-01-01T00:00:00+00:00"), (9, "2026-01-01T01:00:00+00:00"))
    b = moments(B, (2, "2026-01-01T00:00:30+00:00"), (4, "2026-01-01T00:58:00+00:00"))
    line = line_of(a + b, tmp_path)
    assert (line["apart"], line["apart_s"]) == ("3", "75")


def test_only_rounds_that_count_say_how_far_apart(tmp_path: Path) -> None:
    start = "2026-01-01T00:00:00+00:00"
    a, b = moments(A, (1, start), (3, start)), moments(B, (2, start), (99, start))
    b[1]["ranked"] = "no"
    assert line_of(a + b, tmp_path)["apart"] == "1"


def test_how_far_apart_is_unknown_where_one_trial_does_not_say(tmp_path: Path) -> None:
    line = line_of(rows(A, {"position": 1}) + rows(B, {}), tmp_path)
    assert (line["apart"], line["apart_s"]) == ("", "")


def attempt(row: Row, number: int, **cells: Cell) -> Row:
    return row | {"attempt": number, **cells}


def test_a_pair_is_compared_by_the_last_attempt_that_both_have() -> None:
    """In a chain B was measured again with its other rival, and not with A."""
    a, b = rows(A, *({"rps": 100.0},) * 3), rows(B, *({"rps": 200.0},) * 3)
    in_a_chain = [attempt(row, 2, rps=900.0) for row in b]
    (found,) = compare_cases([comparing("rps")], [*a, *b, *in_a_chain])
    assert found.difference
    assert found.difference.ratio == pytest.approx(2)
    together = [attempt(row, 3, rps=300.0) for row in (*a, *b)]
    (found,) = compare_cases([comparing("rps")], [*a, *together, *b, *in_a_chain])
    assert found.difference
    assert found.difference.ratio == pytest.approx(1)


def test_a_pair_whose_last_attempt_failed_has_no_other_in_that_round() -> None:
    a, b = rows(A, {"rps": 100.0}), rows(B, {"rps": 200.0})
    again = [attempt(a[0], 2), attempt(b[0], 2, outcome="driver-failed")]
    assert same_rounds([*a, again[0]], [*b, again[1]]).count == 0


def test_cases_that_nothing_compares_stand_side_by_side_by_their_own_last_attempts() -> None:
    a, b = rows(A, {"rps": 100.0}), rows(B, {"rps": 200.0})
    last = attempt(b[0], 2, rps=300.0)
    assert each_ones_last(a, [*b, last]).pairs == [(a[0], last)]


def test_whether_a_case_answers_is_said_by_its_own_last_attempt() -> None:
    a, b = rows(A, *({"rps": 100.0},) * 3), rows(B, *({"rps": 0.0},) * 3)
    (found,) = compare_cases(
        [comparing("rps")], [*a, *b, *(attempt(row, 2, rps=100.0) for row in b)]
    )
    assert found.instead == ""


def test_attempts_have_no_place_of_their_own_but_a_time(tmp_path: Path) -> None:
    start, later = "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:30+00:00"
    a, b = moments(A, (1, start)), moments(B, (2, later))
    again = [attempt(a[0], 2, started_at=later), attempt(b[0], 2, started_at=start)]
    line = line_of([*a, *b, *again], tmp_path)
    assert (line["apart"], line["apart_s"]) == ("", "30")


def test_trials_of_two_runs_have_no_distance() -> None:
    both_runs = compare_rows("", "", rows(A, {}), rows(A, {}), "rps", paired=False)
    assert both_runs.distance is None


def test_every_metric_can_be_compared() -> None:
    given = rows(A, *[dict.fromkeys(METRICS, 2.0)] * 3) + rows(
        B, *[dict.fromkeys(METRICS, 2.0)] * 3
    )
    found = compare_cases([comparing(*METRICS)], given)
    assert {comparison.verdict for comparison in found} == {"equivalent"}
