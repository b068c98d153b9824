"""Rows under overload: recomputed from their samples, of servers that leave users unanswered."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from lab import ROOT, Compose
from runs import Finished, Row, Run, disagreeing, folder_in
from scratch.scratch_lab import ScratchLab

USERS = 30
SERVICE_TIME_MS = 1000
CEILING_RPS = USERS / 1.0
#: What instruments, or a machine that takes CPU time away, may have done to a row that is ranked.
MARGIN = 0.03
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


@pytest.fixture(scope="module")
def begun(compose: Compose, scratch_lab: ScratchLab) -> Iterator[subprocess.Popen[str]]:
    """A run of 100 users who wait 20 s each, with results of its own: five views a second, which
    disturb nobody, so the other run of this module goes on beside it.
    """
    up = compose(*scratch_lab.files, "up", "--detach", "--no-deps", "patient")
    assert up.returncode == 0, up.stderr
    options = ["--rm", "-T", *scratch_lab.results_on("small")]
    with subprocess.Popen(
        ["docker", "compose", "run", *options, "loadgen", "run", "patient"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
    compose(*scratch_lab.files, "rm", "--force", "--stop", "patient")


@pytest.fixture(scope="module")
def overload(
    compose: Compose, scratch_lab: ScratchLab, begun: subprocess.Popen[str]
) -> Iterator[Finished]:
    """A run of an honest server beside three that leave requests or users unanswered."""
    del begun  # it is under way
    odd = ("starving", "resetting", "mute")
    up = compose(*scratch_lab.files, "up", "--detach", "--no-deps", *odd)
    assert up.returncode == 0, up.stderr
    done = compose("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "overload")
    yield Finished(done, Run(scratch_lab.results / folder_in(done.stdout + done.stderr)))
    compose(*scratch_lab.files, "rm", "--force", "--stop", *odd)


@pytest.fixture(scope="module")
def rows(overload: Finished) -> dict[str, Row]:
    """The rows by server."""
    return {row["server"]: row for row in overload.run.rows}


def test_rows_of_servers_that_do_not_answer_agree_with_their_samples(overload: Finished) -> None:
    assert disagreeing(overload.run) == []


def test_a_server_that_does_not_answer_is_measured_all_the_same(
    overload: Finished, rows: dict[str, Row]
) -> None:
    assert overload.done.returncode == 0, overload.done.stdout + overload.done.stderr
    assert {row["outcome"] for row in rows.values()} == {"measured"}
    # On a busy machine its instruments may unrank a row; that it does not answer does not.
    unranked = [row for row in rows.values() if row["ranked"] != "yes"]
    assert [row for row in unranked if float(row["rps_bound"]) <= MARGIN] == []
    assert overload.run.environment["outcome"] == "finished"


def test_users_who_are_never_answered_are_counted(rows: dict[str, Row]) -> None:
    row = rows["starving"]

    assert row["starved"] == "10"
    # On a busy machine one of the others may be given up too, beyond the drain.
    assert 10 <= int(row["unanswered"]) <= int(row["failures"])
    assert {"starved", "failures"} <= set(row["caveats"].split())
    # The other twenty are served, and ask for two thirds of the ceiling; each may have one answer
    # more in the window than fits into it.
    most_rps = CEILING_RPS * 2 / 3 * (1 + 1 / float(row["window_s"]))
    assert CEILING_RPS / 3 < float(row["rps"]) <= most_rps


def test_users_who_are_never_answered_rank_as_infinitely_slow(rows: dict[str, Row]) -> None:
    row = rows["starving"]

    # They are ten of 150 requests at most: over 5 %, and far from half.
    assert float(row["p50_ms"]) >= SERVICE_TIME_MS
    assert (row["p95_ms"], row["p99_ms"]) == ("", "")


def test_a_connection_that_is_reset_is_a_failure_of_the_server_not_of_the_lab(
    rows: dict[str, Row],
) -> None:
    row = rows["resetting"]
    caveats = row["caveats"].split()

    # Every hundredth of some 180.
    assert int(row["failures"]) > 0
    assert row["starved"] == "0"
    assert "failures" in caveats
    assert "loadgen-saturated" not in caveats
    assert float(row["p50_ms"]) >= SERVICE_TIME_MS


def test_a_server_that_answers_nobody_says_so_in_every_column(rows: dict[str, Row]) -> None:
    row = rows["mute"]

    assert float(row["rps"]) == 0
    counts = (row["requests"], row["failures"], row["unanswered"], row["starved"])
    assert counts == (str(USERS),) * 4
    assert [row[name] for name in PERCENTILES] == [""] * 3


def test_a_server_that_answers_nobody_stands_last(overload: Finished) -> None:
    table = overload.done.stdout.rpartition("Bound by")[2].partition("\n\n")[0]
    order = re.findall(r"^(uvicorn|starving|resetting|mute) ", table, re.MULTILINE)

    assert sorted(order) == ["mute", "resetting", "starving", "uvicorn"], overload.done.stdout
    assert order[-1] == "mute"


def test_a_server_that_answers_nobody_loses_with_its_reason(overload: Finished) -> None:
    told = {
        row["metric"]: (row["ratio"], row["verdict"], row["reason"])
        for row in overload.run.comparisons
    }

    lost = ("", "worse", "mute answered nobody")
    assert told == {"rps": lost, "p95_ms": lost}


def test_a_delay_of_20_s_is_measured_with_all_users_and_no_failure(
    overload: Finished, begun: subprocess.Popen[str], scratch_lab: ScratchLab
) -> None:
    del overload  # it went on meanwhile
    output, _ = begun.communicate(timeout=180)
    assert begun.returncode == 0, output
    run = Run(scratch_lab.small / folder_in(output))
    (row,) = run.rows

    assert (row["outcome"], row["failures"], row["unanswered"]) == ("measured", "0", "0")
    assert row["starved"] == "0"
    assert int(row["requests"]) >= 100
    assert 20_000 <= float(row["min_ms"]) <= float(row["p50_ms"]) < 22_000
    assert disagreeing(run) == []
