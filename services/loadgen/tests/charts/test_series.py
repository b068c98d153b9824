"""Samples → distributions and courses."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loadgen.charts import series
from loadgen.errors import ConfigurationError
from loadgen.records.samples import write_samples
from tests.make import Request, constant_users, some_samples

HEADER = b"due_s,lag_ms,latency_ms,status,failure,ended_s\n"


@pytest.fixture
def steady(tmp_path: Path) -> pl.DataFrame:
    """Ten users with a latency of 0.5 s, after 2 s of warm-up."""
    file = tmp_path / "steady.csv.gz"
    write_samples(constant_users(users=10, latency_s=0.5, until_s=14), 2.0, file)
    return series.read_requests(file)


def read(requests: list[Request], folder: Path) -> pl.DataFrame:
    write_samples(some_samples(requests), 0.0, folder / "some.csv.gz")
    return series.read_requests(folder / "some.csv.gz")


def test_a_steady_load_has_the_same_rate_and_flight_in_every_second(
    steady: pl.DataFrame,
) -> None:
    course = series.course(steady, 10.0)
    assert course.step_s == 1
    assert list(course.seconds) == [second + 0.5 for second in range(10)]
    assert course.rate_rps == pytest.approx([20] * 10, abs=1)
    assert course.in_flight == pytest.approx([10] * 10, abs=0.01)
    assert not any(course.failure_rps)


def test_p95_speaks_of_stretches_with_a_hundred_answers(steady: pl.DataFrame) -> None:
    course = series.course(steady, 10.0)
    assert len(course.p95_ms) == 2  # 20 a second for 10 s
    assert course.p95_ms == pytest.approx([500, 500])
    assert course.p95_seconds == pytest.approx([2.5, 7.5], abs=1)


def test_a_long_trial_has_longer_steps(steady: pl.DataFrame) -> None:
    course = series.course(steady, 150.0)
    assert course.step_s == 3
    assert len(course.seconds) == 50


def test_failures_are_apart_and_the_unanswered_stay_in_flight(tmp_path: Path) -> None:
    lost: list[Request] = [(0.0, 0.5, "status 500"), (0.0, None, "lost"), (0.0, 0.25, None)]
    course = series.course(read(lost, tmp_path), 4.0)
    assert course.failure_rps == [1, 0, 0, 0]
    assert course.rate_rps == [1, 0, 0, 0]
    assert course.in_flight == pytest.approx([1.75, 1, 1, 1])


def test_a_request_that_its_tool_lost_has_no_instant_and_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "lost.csv.gz"
    with gzip.open(file, "wt") as stream:
        stream.write("due_s,lag_ms,latency_ms,status,failure\n,,,,lost\n0.5,0.0,20.0,200,\n")
    assert series.read_requests(file)["latency_ms"].to_list() == [20]


def test_a_load_that_nobody_answered_stays_in_flight(tmp_path: Path) -> None:
    silent = read([(0.0, None, "unanswered"), (1.0, None, "unanswered")], tmp_path)
    assert silent["latency_ms"].to_list() == [np.inf, np.inf]
    assert series.course(silent, 4.0).in_flight == pytest.approx([1, 2, 2, 2])


def test_a_distribution_counts_the_good_answers_due_in_the_window(steady: pl.DataFrame) -> None:
    edges = series.bin_edges(100, 1000)
    counts = series.distribution([steady, steady], [10.0, 5.0], "due", edges)
    assert counts.sum() == pytest.approx(20 * 15, abs=2)
    assert edges[np.argmax(counts)] <= 500 <= edges[np.argmax(counts) + 1]


def test_an_article_counts_the_answers_of_its_window_whenever_they_were_due(
    tmp_path: Path,
) -> None:
    requests = read([(0.0, 0.5, None), (9.75, 10.25, None)], tmp_path)
    edges = series.bin_edges(100, 1000)
    assert series.distribution([requests], [10.0], "due", edges).sum() == 2
    assert series.distribution([requests], [10.0], "answered", edges).sum() == 1


def test_what_lies_beyond_the_bins_is_counted_in_the_last(tmp_path: Path) -> None:
    requests = read([(0.0, 0.01, None), (0.0, 9.0, None), (0.0, 9.0, "wrong")], tmp_path)
    counts = series.distribution([requests], [10.0], "due", series.bin_edges(100, 1000))
    assert counts[[0, -1]].tolist() == [1, 1]
    assert counts.sum() == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip, and no samples",
        gzip.compress(HEADER + b"soon,0,1,200,,1\n"),
        gzip.compress(b"second,rate\n1,2\n"),
        gzip.compress(HEADER + b"0,0,1,200,,1\n" * 9)[:-20],
    ],
    ids=["empty", "no gzip", "a text for a time", "other columns", "cut short"],
)
def test_a_broken_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.csv.gz"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"broken\.csv\.gz cannot be read .*remove it"):
        series.read_requests(file)


def test_a_pause_and_a_median_by_thirds_say_what_a_picture_shows(tmp_path: Path) -> None:
    """Twelve seconds: answers after 0.1 s, none for three seconds, then answers after 0.4 s."""
    early: list[Request] = [(at / 10, at / 10 + 0.1, None) for at in range(40)]
    late: list[Request] = [(7 + at / 10, 7.4 + at / 10, None) for at in range(60)]
    requests = read([*early, *late], tmp_path)
    assert series.longest_pause_s(requests, 12.0) == pytest.approx(7.4 - 4.0)
    first, second, last = series.p50_by_thirds(requests, 12.0)
    assert first == pytest.approx(100)
    assert second is None  # too few answers to say
    assert last == pytest.approx(400)


def test_where_nothing_came_the_whole_window_is_a_pause(tmp_path: Path) -> None:
    silent = read([(0.0, None, "unanswered")], tmp_path)
    assert series.longest_pause_s(silent, 4.0) == 4
    assert series.p50_by_thirds(silent, 4.0) == [None, None, None]
