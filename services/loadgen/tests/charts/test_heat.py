"""Answers by time and by latency."""

from functools import partial
from pathlib import Path

import pytest

from loadgen.charts import heat, series
from loadgen.charts.drawing import draw
from loadgen.charts.panels import HeatPanel, panels_chart
from loadgen.records.samples import write_samples
from tests.make import Request, some_samples

WINDOW_S = 10.0
EDGES_MS = heat.row_edges(100, 10_000)


def heat_of(requests: list[Request], folder: Path) -> heat.Heat:
    file = folder / "some.csv.gz"
    write_samples(some_samples(requests), 0.0, file)
    return heat.answers_by_time(series.read_requests(file), WINDOW_S, EDGES_MS)


def when(answers: heat.Heat) -> list[int]:
    """Answers by column, whatever their latency."""
    return [sum(column) for column in zip(*answers.counts, strict=True)]


def taking(latency_s: float, *dues_s: float) -> list[Request]:
    """Requests that were due then, each answered after so long."""
    return [(due_s, due_s + latency_s, None) for due_s in dues_s]


def every(seconds: float) -> list[Request]:
    """A request now and then, answered after half a second each."""
    return taking(0.5, *(at * seconds for at in range(int(20 / seconds))))


def test_every_good_answer_of_the_window_is_counted_once(tmp_path: Path) -> None:
    failed: list[Request] = [(1.0, 0.5, "status 500"), (2.0, None, "lost")]
    answers = heat_of([*every(0.1), *failed], tmp_path)
    assert len(answers.counts) == heat.ROWS
    assert sum(when(answers)) == pytest.approx(95, abs=1)  # the first comes after 0.5 s


def test_a_stall_is_a_gap_in_time(tmp_path: Path) -> None:
    stalled = [one for one in every(0.1) if not 3 <= one[0] < 6]
    counted = when(heat_of(stalled, tmp_path))
    before, gap, after = counted[3:16], counted[18:31], counted[33:]  # columns of 0.2 s
    assert all(before)
    assert not any(gap)
    assert all(after)


def test_waves_are_stripes(tmp_path: Path) -> None:
    answers = heat_of(taking(0.5, *range(10)) * 20, tmp_path)
    assert sorted(set(when(answers))) == [0, 20]
    assert len(answers.stretches()) == 10


def test_a_growing_queue_climbs_from_row_to_row(tmp_path: Path) -> None:
    queue = [one for at in range(75) for one in taking(0.2 * 1.05**at, at / 50)]
    stretches = sorted(heat_of(queue, tmp_path).stretches(), key=lambda one: one.from_s)
    rows = [one.row for one in stretches]
    assert rows == sorted(rows)
    assert rows[-1] - rows[0] > heat.ROWS / 2


def test_what_lies_beyond_the_rows_is_in_the_nearest(tmp_path: Path) -> None:
    answers = heat_of([*taking(0.01, 1), *taking(25, -20)], tmp_path)
    assert (sum(answers.counts[0]), sum(answers.counts[-1])) == (1, 1)


def test_equal_cells_beside_each_other_are_one_stretch_and_the_fullest_is_the_darkest(
    tmp_path: Path,
) -> None:
    answers = heat_of([*every(0.02), *taking(2.0, *range(8))], tmp_path)
    by_row: dict[int, list[heat.Stretch]] = {}
    for one in answers.stretches():
        by_row.setdefault(one.row, []).append(one)
    usual, rare = (by_row[row] for row in sorted(by_row))
    assert usual[-1].to_s == pytest.approx(WINDOW_S)
    assert len(usual) <= 3
    assert {one.shade for one in usual[1:]} == {len(heat.SHADES) - 1}
    assert {one.shade for one in rare} < set(range(len(heat.SHADES) - 1))


def test_a_trial_without_an_answer_has_an_empty_map(tmp_path: Path) -> None:
    answers = heat_of([(0.0, None, "unanswered")], tmp_path)
    assert answers.stretches() == []
    assert "answers, ms" in draw(partial(panels_chart, [HeatPanel("answers, ms", answers)], 10.0))


def test_a_map_is_a_path_for_each_shade_whatever_it_holds(tmp_path: Path) -> None:
    ragged = [one for at in range(70) for one in taking(0.1 * (1 + at % 40), at / 7)]
    chart = partial(panels_chart, [HeatPanel("answers, ms", heat_of(ragged, tmp_path))], 10.0)
    assert draw(chart, check=True) == draw(chart)
    assert draw(chart).count("<path") <= len(heat.SHADES) + 1


@pytest.mark.parametrize("latency_ms", [1.0, 500.0])
def test_rows_have_some_room_where_all_latencies_are_the_same(latency_ms: float) -> None:
    edges = heat.row_edges(latency_ms, latency_ms)
    assert edges[-1] > edges[0] == pytest.approx(latency_ms)
