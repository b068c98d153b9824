"""What a run says about its waterfalls."""

from pathlib import Path
from typing import Any

import pytest

from loadgen.findings.waterfalls import (
    COLUMNS,
    MeasuredWaterfall,
    Stage,
    counts,
    remark,
    waterfalls,
    write_waterfalls,
)
from loadgen.records.columns import Cell, Row
from loadgen.suites.cases import Case
from loadgen.suites.suite import Suite
from loadgen.suites.waterfall import Order, Step, Waterfall
from tests.findings.test_comparisons import rows
from tests.kept_run import lines_of
from tests.make import a_case, a_suite

START = a_case(upstream="django", http_client="httpx-per-request")
CLIENT = a_case(upstream="django", http_client="aiohttp-shared")
API = a_case(upstream="http", http_client="httpx-per-request")
END = a_case(upstream="http", http_client="aiohttp-shared")
STEPS: dict[Order, tuple[Step, ...]] = {
    "forward": (Step("as it was", START), Step("one client", CLIENT), Step("a lean API", END)),
    "reversed": (Step("as it was", START), Step("a lean API", API), Step("one client", END)),
}

SCATTER = (1.0, 1.01, 0.99)


def a_fall(**attributes: Any) -> Suite:
    fall = Waterfall("From here to there", STEPS)
    return a_suite(**{"cases": tuple(fall.cases), "waterfalls": (fall,)} | attributes)


def measured(case: Case, rps: float, cpu_ms: float, **cells: Cell) -> list[Row]:
    """Three rounds."""

    def of_round(scatter: float) -> dict[str, Cell]:
        figures = {"rps": rps * scatter, "app_cpu_ms_per_view": cpu_ms * scatter}
        return {**figures, "bound_by": "cpu", **cells}

    return rows(case, *map(of_round, SCATTER))


SATURATED: dict[str, Cell] = {"bound_by": "api", "ranked": "no", "caveats": "api-saturated"}
RUN = [
    *measured(START, 60, 16),
    *measured(CLIENT, 80, 6, **SATURATED),
    *measured(API, 62, 15.5),
    *measured(END, 160, 6, bound_by="users"),
]


def the_waterfall(run: list[Row], suite: Suite | None = None) -> MeasuredWaterfall:
    (found,) = waterfalls([suite or a_fall()], run)
    return found


def stages(run: list[Row], order: Order = "forward") -> tuple[Stage, ...]:
    return the_waterfall(run).orders[order]


def ratio(stage: Stage, metric: str = "rps") -> float:
    found = stage.changes[metric].difference
    assert found
    return found.ratio


def test_each_stage_says_what_it_reached_in_both_orders() -> None:
    for order, reached in (("forward", [60, 80, 160]), ("reversed", [60, 62, 160])):
        means = [stage.values["rps"] for stage in stages(RUN, order)]  # type: ignore[arg-type]
        assert [mean.mean for mean in means if mean] == pytest.approx(reached, rel=0.001)
        assert all(mean and mean.low and mean.high for mean in means)


def test_each_change_is_judged_against_the_stage_before() -> None:
    start, client, api = stages(RUN)
    assert not start.changes
    assert ratio(client) == pytest.approx(80 / 60)
    assert client.changes["rps"].verdict == "better"
    assert ratio(api) == pytest.approx(2)
    assert ratio(stages(RUN, "reversed")[2]) == pytest.approx(160 / 62)


def test_the_whole_is_the_end_against_the_start() -> None:
    whole = the_waterfall(RUN).whole["rps"].difference
    assert whole
    assert whole.ratio == pytest.approx(160 / 60)


def test_what_bound_it_is_told() -> None:
    assert [stage.bound_by for stage in stages(RUN)] == ["cpu", "api", "users"]


def test_a_stage_that_its_api_held_back_counts_and_says_so() -> None:
    start, client, _ = stages(RUN)
    assert (client.rounds, client.saturated) == (3, 3)
    assert remark(client).startswith("the API was late or busy;")
    assert start.saturated == 0
    assert client.changes["rps"].difference


def test_rounds_in_which_the_api_was_late_are_counted() -> None:
    once = RUN[3] | {"caveats": None, "ranked": "yes"}
    _, client, _ = stages([*RUN[:3], once, *RUN[4:]])
    assert remark(client).startswith("the API was late or busy in 2 of 3 rounds")


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        ({"ranked": "yes", "caveats": "at-ceiling"}, True),
        ({"ranked": "no", "caveats": "api-saturated unsteady"}, True),
        ({"ranked": "no", "caveats": "api-saturated loadgen-saturated"}, False),
        ({"ranked": "no", "caveats": "loadgen-saturated"}, False),
        ({"ranked": "no", "rps_bound": 0.1, "caveats": "api-saturated"}, True),
        ({"ranked": "no", "rps_bound": 0.1, "caveats": "api-saturated cpu-stolen"}, False),
        ({"ranked": "no", "rps_bound": 0.1, "caveats": "cpu-stolen"}, False),
    ],
)
def test_a_row_that_the_load_generator_held_back_does_not_count(
    cells: dict[str, Cell], count: bool
) -> None:
    (row,) = rows(START, cells)
    assert counts(row) is count


def test_cpu_per_view_is_compared_at_equal_load_only() -> None:
    _, client, _ = stages(RUN)
    assert client.changes["app_cpu_ms_per_view"].difference is None
    assert "unequal load" in remark(client)
    _, api, _ = stages(RUN, "reversed")
    assert ratio(api, "app_cpu_ms_per_view") == pytest.approx(15.5 / 16)


def test_changes_of_all_waterfalls_are_adjusted_together() -> None:
    changes = [
        change
        for stage in (*stages(RUN), *stages(RUN, "reversed"))
        for change in stage.changes.values()
        if change.difference
    ]
    raw = [change.difference.p for change in changes if change.difference]
    adjusted = [change.p_adjusted for change in changes]
    assert all(
        a is not None and b is not None and a <= b for a, b in zip(raw, adjusted, strict=True)
    )
    assert raw != adjusted


def test_a_case_that_was_not_measured_leaves_a_gap() -> None:
    start, client, end = stages(RUN[:3] + RUN[9:])
    assert (client.rounds, client.values["rps"], client.bound_by) == (0, None, "")
    assert not client.changes
    assert not end.changes
    assert start.values["rps"]


def test_a_trial_that_failed_is_no_round() -> None:
    failed = rows(CLIENT, None, None, None)
    _, client, _ = stages([*RUN[:3], *failed, *RUN[6:]])
    assert client.rounds == 0
    assert remark(client) == "no round measured both"


def test_a_waterfall_of_which_nothing_was_measured_is_left_out() -> None:
    assert waterfalls([a_fall()], []) == []


def test_a_change_is_judged_by_attempts_of_both_stages_and_a_stage_by_its_own_last() -> None:
    again = [row | {"attempt": 2} for row in measured(END, 320, 6, bound_by="users")]
    _, _, last = stages([*RUN, *again])
    assert ratio(last) == pytest.approx(160 / 80)
    value = last.values["rps"]
    assert value
    assert value.mean == pytest.approx(320, rel=0.01)


def test_the_file_has_a_line_per_stage_and_order(tmp_path: Path) -> None:
    file = tmp_path / "waterfall.csv"
    write_waterfalls([a_fall()], RUN, file)
    lines = lines_of(file)
    assert list(lines[0]) == [column.name for column in COLUMNS]
    assert [(line["order"], line["step"]) for line in lines] == [
        *(("forward", str(step)) for step in range(3)),
        *(("reversed", str(step)) for step in range(3)),
    ]
    assert lines[1]["words"] == "one client"
    assert lines[1]["case"] == CLIENT.slug
    assert float(lines[1]["rps_ratio"]) == pytest.approx(80 / 60, rel=1e-4)
    assert float(lines[1]["rps_low"]) < 80 < float(lines[1]["rps_high"])
    assert lines[1]["rps_verdict"] == "better"
    assert lines[1]["app_cpu_ms_per_view_verdict"] == "not comparable"
    assert lines[1]["bound_by"] == "api"
    assert lines[0]["rps_ratio"] == lines[0]["remark"] == ""


def test_a_stage_says_how_far_it_was_from_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "waterfall.csv"
    places = {START.slug: 5, CLIENT.slug: 4, API.slug: 8, END.slug: 3}
    write_waterfalls(
        [a_fall()], [row | {"position": places[str(row["case"])]} for row in RUN], file
    )
    assert [line["apart"] for line in lines_of(file)] == ["", "1", "1", "", "3", "5"]
