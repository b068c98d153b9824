"""The program that recomputes a run from its samples, on a run that was made up by hand."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import recompute

Row = dict[str, str]
Line = dict[str, str]
Run = Callable[..., Path]

# Seventeen users, and a window of 4 s.
WINDOW_S = 4.0


def answer(due_s: float, latency_s: float) -> Line:
    """A request that got a right answer."""
    return _line(due_s, f"{latency_s * 1000:.3f}", "200", "", due_s + latency_s)


def failure(due_s: float, ended_s: float, why: str = "no answer: ConnectionLost") -> Line:
    """A request that got no answer."""
    return _line(due_s, "", "", why, ended_s)


def given_up(due_s: float) -> Line:
    """A request that was still waiting when the load ended, 3 s after the window."""
    return failure(due_s, WINDOW_S + 3, "unanswered")


def _line(due_s: float, latency_ms: str, status: str, why: str, ended_s: float) -> Line:
    return {
        "due_s": f"{due_s:.6f}",
        "lag_ms": "0.000",
        "latency_ms": latency_ms,
        "status": status,
        "failure": why,
        "ended_s": f"{ended_s:.6f}",
    }


def asking(first_s: float, latency_s: float, until_s: float) -> list[Line]:
    """A user who is answered after the same time again and again."""
    count = round((until_s - first_s) / latency_s)
    return [answer(first_s + number * latency_s, latency_s) for number in range(count)]


SAMPLES: list[Line] = [
    # Nine whom 0.2 s serve: 20 of each one's requests are due in the window, and as many end in it.
    *(line for user in range(9) for line in asking(-1 + 0.01 + user / 50, 0.2, WINDOW_S + 1)),
    # One whom 0.8 s serve: 5 are due in it, 5 end in it.
    *asking(-0.7, 0.8, WINDOW_S + 1),
    # One whose request reaches over the window's begin (3 of its 4 s are in it), and whose next one
    # reaches over its end (1 of 2 s). So 1.25 answers by parts, of which 1 has ended in it.
    answer(-1, 4),
    answer(3, 2),
    # One whose requests fail after 0.9 s; a pause of 0.1 s follows. Four are due in the window.
    *(failure(number, number + 0.9) for number in range(-1, 5)),
    # Five who wait through the window. Two of them are answered afterwards, for which 4 of 5 s are
    # in it: 1.6 answers by parts.
    *(given_up(-0.5) for _ in range(3)),
    answer(-0.6, 5),
    answer(-0.1, 5),
]

# What these are, worked out by hand.
ROW: Row = {
    "case": "uvicorn_17u",
    "round": "1",
    "repeat": "",
    "outcome": "measured",
    "suite": "overload",
    "driver": "own",
    "load": "closed",
    "users": "17",
    "planned_requests": "",
    "window_s": "4",
    # 9 × 20 + 5 + 1 + 4 are due in the window, and 5 wait through it.
    "requests": "195",
    "failures": "7",
    "unanswered": "3",
    "starved": "5",
    # (180 + 5 + 1) / 4 and (180 + 5 + 1.25 + 1.6) / 4
    "ended_rps": "46.5",
    "parts_rps": "46.9625",
    "rps": "46.9625",
    # (180 × 200 + 5 × 800 + 2000) / 186
    "min_ms": "200",
    "avg_ms": "225.806",
    "max_ms": "2000",
    # Ranks 98, 186 and 194 of 195, of which the last 9 are infinite.
    "p50_ms": "200",
    "p95_ms": "2000",
    "p99_ms": "",
    "ranked": "yes",
    "caveats": "censored starved failures",
}

# 20 users who were asked for 4 s each and are answered just after the window begins, then never:
# 20 answers ended in it, half a one is in it by parts.
WAVE: list[Line] = [
    *(answer(-3.9, 4) for _ in range(20)),
    *(given_up(0.1) for _ in range(20)),
]
WAVE_ROW = ROW | {
    "users": "20",
    "requests": "20",
    "failures": "20",
    "unanswered": "20",
    "starved": "0",
    "ended_rps": "5",
    "parts_rps": "0.125",
    "rps": "0.125",
    **dict.fromkeys(("min_ms", "avg_ms", "max_ms", "p50_ms", "p95_ms"), ""),
    "ranked": "no",
    "caveats": "censored failures",
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(rows, samples)`: a run's folder; the samples are those of every row."""

    def make(rows: Iterable[Row] = (ROW,), samples: Iterable[Line] = SAMPLES) -> Path:
        folder = tmp_path / "20260102T030405Z-overload"
        (folder / "suites").mkdir(parents=True)
        (folder / "suites" / "overload.toml").write_text('question = "?"\n')
        (folder / "suites" / "article-a.toml").write_text('accounting = "answered"\n')
        write(folder / "trials.csv", rows)
        (folder / "samples").mkdir()
        for row in rows:
            write(folder / "samples" / f"{recompute.name_of(row)}.csv.gz", samples)
        return folder

    return make


def write(file: Path, lines: Iterable[Row]) -> None:
    """A CSV file, gzipped where its name says so."""
    lines = list(lines)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, lines[0])
    table.writeheader()
    table.writerows(lines)
    data = text.getvalue().encode()
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)


def differences(folder: Path) -> list[str]:
    """What the only row of a run says otherwise than its samples."""
    (finding,) = recompute.audit(folder)
    assert not finding.skipped, finding
    return list(finding.differences)


def columns(finding: recompute.Finding) -> list[str]:
    """Which columns a row has wrong."""
    return [words.partition(":")[0] for words in finding.differences]


def test_a_row_that_says_what_its_samples_say_agrees(run: Run) -> None:
    assert differences(run()) == []


def test_a_row_is_told_with_what_was_recomputed(run: Run) -> None:
    (finding,) = recompute.audit(run())

    # (180 × 0.2 + 5 × 0.8 + 2 + 4 × 0.9) / 4 users ask, 5 starve, 0.1 pause: 16.5 of 17.
    assert list(finding.lines) == [
        "agrees   uvicorn_17u.r1: 17 users, 5 starved; 46.5/s ended, 46.9625/s by parts; "
        "X·R̄/N 0.971 ± 0.060; p50 200, p95 2000, p99 – ms"
    ]


# What a lab has done or might do that counts wrongly, with the row as it would then be, and the
# columns that must be found out.
FAULTS: dict[str, tuple[Row, list[str]]] = {
    "starved users are left out": (
        {"starved": "0", "requests": "190", "failures": "4", "caveats": "failures"},
        ["requests", "failures", "starved", "lacks the caveat starved"],
    ),
    "requests of the warm-up that get no answer are forgotten": (
        {"unanswered": "0"},
        ["unanswered"],
    ),
    "answers of the drain count": ({"ended_rps": "47.25"}, ["ended_rps"]),
    "an answer at the window's edge counts whole": (
        {"parts_rps": "47.0625", "rps": "47.0625"},
        ["parts_rps", "rps"],
    ),
    "the rate is that of the answers that ended": ({"rps": "46.5"}, ["rps"]),
    "a percentile ignores starved users": ({"p95_ms": "800"}, ["p95_ms"]),
    "a percentile lands on a request without an answer": ({"p99_ms": "2000"}, ["p99_ms"]),
    "a percentile that is known is missing": ({"p50_ms": ""}, ["p50_ms"]),
    "a starved user's answer counts as latency": ({"max_ms": "5000"}, ["max_ms"]),
    "a mean is rounded to whole milliseconds": ({"avg_ms": "226"}, ["avg_ms"]),
    "the least latency is the service time": ({"min_ms": "199.9"}, ["min_ms"]),
    "the caveat is missing": ({"caveats": "censored failures"}, ["lacks the caveat starved"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_that_says_something_else_is_found_out(run: Run, fault: str) -> None:
    changes, columns = FAULTS[fault]

    found = differences(run([ROW | changes]))

    assert [re.split("[:,]", difference)[0] for difference in found] == columns


def test_a_difference_is_told_with_both_values(run: Run) -> None:
    assert differences(run([ROW | {"p95_ms": "800", "p99_ms": "2000", "p50_ms": ""}])) == [
        "p50_ms: the row says nothing, its samples 200",
        "p95_ms: the row says 800, its samples 2000",
        "p99_ms: the row says 2000, its samples nothing",
    ]


def test_a_caveat_about_nobody_is_found_out(run: Run) -> None:
    found = differences(run([WAVE_ROW | {"caveats": "starved failures"}], WAVE))

    assert found == ["has the caveat starved, with 0 starved users"]


def test_users_who_are_missing_in_the_samples_are_found_out_by_percentiles(run: Run) -> None:
    (missing,) = recompute.audit(run([ROW | {"users": "30"}]))

    assert "X·R̄/N 0.550 ± 0.060" in missing.words
    assert missing.differences == (
        "p50_ms: the row says 200, its samples nothing",
        "p95_ms: the row says 2000, its samples nothing",
    )


def test_a_row_without_percentiles_agrees_where_users_are_missing(run: Run) -> None:
    assert differences(run([ROW | {"users": "30", "p50_ms": "", "p95_ms": ""}])) == []


def test_users_who_pause_after_a_failure_are_not_missing(run: Run) -> None:
    # Refused at once, again and again: hardly anything is ever in flight.
    refused = [failure(number / 10, number / 10) for number in range(-10, 50)]
    (finding,) = recompute.audit(
        run(
            [
                ROW
                | {"users": "1", "requests": "40", "failures": "40", "unanswered": "0"}
                | {"starved": "0", "caveats": "failures", "ended_rps": "0", "parts_rps": "0"}
                | {"rps": "0", "min_ms": "", "avg_ms": "", "max_ms": "", "p50_ms": "", "p95_ms": ""}
            ],
            refused,
        )
    )

    assert finding.differences == ()
    assert "X·R̄/N 1.000" in finding.words


def test_a_ranked_row_whose_two_counts_of_answers_differ_is_found_out(run: Run) -> None:
    assert differences(run([WAVE_ROW | {"ranked": "yes"}], WAVE)) == [
        "is ranked and neither unsteady nor in-step, though 20 answers ended in the window and "
        "0.5 are in it by parts"
    ]


def test_the_two_counts_may_differ_where_the_row_is_not_ranked(run: Run) -> None:
    assert differences(run([WAVE_ROW], WAVE)) == []


@pytest.mark.parametrize("caveat", ["unsteady", "in-step"])
def test_a_row_that_is_not_steady_states_what_ended(run: Run, caveat: str) -> None:
    row = WAVE_ROW | {"ranked": "yes", "caveats": f"{caveat} failures"}

    (by_parts, ended) = recompute.audit(run([row, row | {"round": "2", "rps": "5"}], WAVE))

    assert by_parts.differences == ("rps: the row says 0.125, its samples 5",)
    assert ended.differences == ()


def test_a_measured_row_without_samples_is_found_out(run: Run) -> None:
    folder = run()
    (folder / "samples" / "uvicorn_17u.r1.csv.gz").unlink()

    assert differences(folder) == ["it is measured, but has no samples"]


@pytest.mark.parametrize("cells", [{"ended_s": ""}, {"ended_s": "0.300000"}, {"latency_ms": ""}])
def test_lines_that_cannot_be_are_found_out(run: Run, cells: Line) -> None:
    found = differences(run(samples=[*SAMPLES, answer(-1, 0.2) | cells]))

    assert "1 lines of its samples have no end, or another than due_s + latency_ms" in found


def test_where_a_suite_counts_answers_only_those_and_the_starved_are_asked_for(run: Run) -> None:
    of_tools = ROW | {"suite": "article-a", "requests": "1", "p95_ms": "1", "rps": "46.5"}
    wrong = {"round": "2", "starved": "0", "ended_rps": "47", "rps": "47"}

    (agrees, differs) = recompute.audit(run([of_tools, of_tools | wrong]))

    assert agrees.differences == ()
    assert "counts what was answered" in agrees.words
    assert columns(differs) == [
        "starved",
        "ended_rps",
        "rps",
    ]


def test_a_ramp_is_no_steady_load_whatever_its_suite_says(run: Run) -> None:
    ramp = ROW | {"case": "uvicorn_ramp-0s0u-2s17u-4s17u", "requests": "1", "rps": "46.5"}

    assert differences(run([ramp])) == []


COUNTED = ROW | {
    "driver": "hey",
    "planned_requests": "10",
    "requests": "10",
    "failures": "2",
    "unanswered": "",
    "starved": "0",
    "window_s": "2",
    "ended_rps": "4",
    "parts_rps": "",
    "rps": "4",
}
LOST = dict.fromkeys(SAMPLES[0], "") | {"failure": "no answer recorded by hey (error or timeout)"}


def test_a_counted_load_is_all_in_its_window(run: Run) -> None:
    samples = [*asking(0, 0.25, 2), LOST, LOST]
    wrong = {"round": "2", "requests": "8", "failures": "0", "rps": "5", "ended_rps": "5"}

    (agrees, differs) = recompute.audit(run([COUNTED, COUNTED | wrong], samples))

    assert agrees.differences == ()
    assert "counted, not timed" in agrees.words
    assert columns(differs) == [
        "requests",
        "failures",
        "ended_rps",
        "rps",
    ]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"load": "open", "users": ""}, "an open load"),
        ({"outcome": "server-died", "window_s": ""}, "server-died"),
        ({"partner": "twin_duet"}, "a side of a duet, which counts by its slices"),
    ],
)
def test_what_is_skipped_is_said(run: Run, cells: Row, why: str) -> None:
    (finding,) = recompute.audit(run([ROW | cells]))

    assert list(finding.lines) == [f"skipped  uvicorn_17u.r1: {why}"]


def test_a_run_that_agrees_ends_with_0(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run([ROW, ROW | {"round": "2", "load": "open"}])

    assert recompute.main([str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"{folder}: 1 rows agree, 0 differ, 1 skipped"
    )


def test_a_run_that_does_not_agree_ends_with_1(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run([ROW, ROW | {"round": "2", "starved": "0"}])

    assert recompute.main([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("DIFFERS  uvicorn_17u.r2: ")
    assert lines[2:] == [
        "         starved: the row says 0, its samples 5",
        f"{folder}: 1 rows agree, 1 differ, 0 skipped",
    ]


def test_what_cannot_be_read_ends_with_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run([{name: cell for name, cell in ROW.items() if name != "ended_rps"}])

    assert recompute.main([str(folder)]) == 2
    assert "has no column ended_rps" in capsys.readouterr().err
    assert recompute.main([str(folder / "suites")]) == 2
    assert "is no run's folder" in capsys.readouterr().err


def test_a_suite_without_a_copy_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run()
    (folder / "suites" / "overload.toml").unlink()

    assert recompute.main([str(folder)]) == 2
    assert "suites/overload.toml is missing" in capsys.readouterr().err
