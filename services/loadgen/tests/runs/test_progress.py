"""What is told while a run goes on."""

from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest

from loadgen.documents import terminal
from loadgen.duets.load import GivenUpError
from loadgen.duets.rows import measured_duet
from loadgen.errors import TrialError
from loadgen.records import columns
from loadgen.records.columns import LOAD_TOO_SMALL
from loadgen.runs import progress
from loadgen.runs.progress import Progress
from loadgen.suites.labels import Labels
from loadgen.suites.timing import duration
from loadgen.trials.trial import Ahead
from tests.duets.test_rows import a_duet, recorded
from tests.make import a_case, a_trial

CASES = (a_case(users=10), a_case(driver="hey", planned_requests=50))
TRIALS = [a_trial(position=at, case=case) for at, case in enumerate(CASES, start=1)]
LABELS = Labels(CASES, {})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3600, "1 h 00 min"),
        (4200, "1 h 10 min"),
    ],
)
def test_a_duration_is_said_as_a_person_does(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_without_a_terminal_every_trial_is_a_plain_line() -> None:
    said = StringIO()
    with Progress(terminal.console(file=said, width=100), TRIALS, 2, LABELS) as told:
        told.begin(TRIALS[0])
        told.observe("window", 5.0, 10)
        told.measured(
            TRIALS[0],
            columns.row({"rps": 12.34, "p50_ms": 610.4, "caveats": "at-ceiling failures"}),
        )
        told.begin(TRIALS[1])
        told.failed(TRIALS[1], TrialError("no-answer", "[all] lost", ("its last [words]",)))
    assert said.getvalue().splitlines() == [
        "[1/2] uvicorn, locust, 10 users  12.3 views/s, p50 610 ms, p95 – ms"
        "  (at-ceiling, failures)",
        "[2/2] uvicorn, hey, 50/100  FAILED, no-answer: [all] lost",
        "    | its last [words]",
    ]


def test_a_trial_that_is_measured_again_says_so_and_takes_its_time_again() -> None:
    said = StringIO()
    with Progress(terminal.console(file=said), TRIALS, 2, LABELS) as told:
        for trial in TRIALS:
            told.begin(trial)
            told.measured(trial, columns.row({}))
        again = replace(TRIALS[0], attempt=2)
        told.begin(again)
        assert told.left_s == pytest.approx(again.expected_s)
        told.measured(again, columns.row({}))
    assert said.getvalue().splitlines()[-1].startswith("[1/2], again uvicorn, locust, 10 users")


@pytest.mark.parametrize(
    ("server", "caveats", "line"),
    [
        (
            "uvicorn",
            "at-ceiling",
            "[1/1] uvicorn, no-http  12.3 views/s, p50 610 ms, p95 – ms  (at-ceiling)",
        ),
        (
            "uvicorn",
            "at-ceiling unsteady cpu-drift",
            "[1/1] uvicorn, no-http  12.3 views/s, p50 610 ms, p95 – ms  (at-ceiling, +2)",
        ),
        (
            "a-server-of-the-readers-own-with-a-long-name",
            "at-ceiling",
            "[1/1] a-server-of-the-readers-own-with-a-lo…  12.3 views/s, p50 610 ms, p95 – ms",
        ),
    ],
)
def test_a_trial_is_one_line_of_80_columns_with_its_figures_whole(
    server: str, caveats: str, line: str
) -> None:
    cases = [a_case(server=server, http_client=client) for client in ("no-http", "other")]
    trial = a_trial(case=cases[0])
    said = StringIO()
    console = terminal.console(file=said, width=80)
    with Progress(console, [trial], 1, Labels(cases, {})) as told:
        told.begin(trial)
        told.measured(trial, columns.row({"rps": 12.34, "p50_ms": 610.4, "caveats": caveats}))
    assert said.getvalue().splitlines() == [line]
    assert len(line) <= 80


def test_a_name_says_no_more_than_its_server_leaves_open() -> None:
    cases = [
        a_case(server=server, http_client=client, users=users)
        for server, client in (("uvicorn", "aiohttp-shared"), ("uwsgi-gevent", "urllib3-shared"))
        for users in (10, 20)
    ]
    trial = a_trial(case=cases[0])
    said = StringIO()
    with Progress(terminal.console(file=said), [trial], 4, Labels(cases, {})) as told:
        told.begin(trial)
        told.measured(trial, columns.row({"rps": 12.34, "p50_ms": 610.4, "p95_ms": 640.0}))
    assert said.getvalue().startswith("[1/4] uvicorn, 10 users  12.3 views/s")


def test_without_a_terminal_a_long_phase_is_reported_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 0.0, *range(1, 25)])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    said = StringIO()
    told = Progress(terminal.console(file=said), TRIALS, 2, LABELS)
    told.begin(TRIALS[0])
    for second in range(1, 25):
        told.observe("window", 30.0 - second, 80 * second)
    lines = said.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("[1/2] window, 20 s left · 80 views/s now · run: about ")
    assert lines[0].endswith(" · uvicorn, locust, 10 users")


def test_a_trial_that_outlasts_its_time_takes_none_from_the_window_or_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = TRIALS
    assert first.window_s
    clock = iter([0.0, 0.0, 1000.0, 2000.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    said = StringIO()
    told = Progress(terminal.console(file=said), TRIALS, 2, LABELS)
    told.begin(first)
    told.observe("warm-up", None, None)
    told.observe("window", 4.0, None)
    warm_up, window = said.getvalue().splitlines()
    left_s = duration(second.expected_s + first.window_s)
    assert f"run: about {left_s} left" in warm_up
    assert f"run: about {duration(second.expected_s + 4)} left" in window


def test_on_a_terminal_the_moving_line_leaves_nothing_behind_but_the_trials() -> None:
    said = StringIO()
    console = terminal.console(file=said, force_terminal=True, width=120)
    with Progress(console, TRIALS, 2, LABELS) as told:
        told.begin(TRIALS[0])
        told.observe("window", 5.0, 10)
        told.measured(TRIALS[0], columns.row({"rps": 12.34, "p50_ms": 610.4, "p95_ms": 640.0}))
    assert "12.3 views/s, p50 610 ms, p95 640 ms" in said.getvalue()


def test_what_a_long_name_leaves_of_a_narrow_terminal_is_the_time_left() -> None:
    said = StringIO()
    long = a_case(server="gunicorn-uvicorn-worker", http_client="requests-blocking-in-async")
    labels = Labels([long, *CASES], {})
    with Progress(
        terminal.console(file=said, force_terminal=True, width=60), [a_trial(case=long)], 1, labels
    ) as told:
        told.begin(a_trial(case=long))
        told.observe("window", 5.0, None)
    assert "window, 5 s left · run: about" in said.getvalue()


def test_a_window_of_a_search_is_named_by_its_rate_and_its_number() -> None:
    case = a_case(load="open", users=None, rate_rps=214.2, arrivals="poisson")
    stacks = (a_case(users=300), a_case(users=300, http_client="no-http"))
    window = a_trial(position=1, case=case, repeat=2)
    said = StringIO()
    console = terminal.console(file=said, width=100)
    with Progress(console, [window], 3, Labels(stacks, {})) as told:
        told.begin(window)
        told.measured(window, columns.row({"rps": 213.9, "p50_ms": 604.0, "p95_ms": 640.0}))
    assert said.getvalue().startswith(
        "[1/3] uvicorn, httpx-per-request, window 2 at 214.2/s  213.9 views/s, p50 604 ms"
    )


def test_the_time_left_counts_a_search_until_its_place_is_done() -> None:
    search = a_trial(position=1, ahead=Ahead(usual=10, most=16, window_s=100.0))
    with Progress(
        terminal.console(file=StringIO()), [search, a_trial(position=2)], 2, LABELS
    ) as told:
        told.begin(search)
        assert told.left_s > 10 * 100
        told.begin(a_trial(position=2))
        assert told.left_s < 60


def test_a_duet_is_a_line_with_its_load_and_what_a_view_of_each_side_costs() -> None:
    duet, recording = a_duet(), recorded([3.0] * 5, [4.5] * 5)
    said = StringIO()
    labels = Labels([side.case for side in duet.sides], {})
    with Progress(terminal.console(file=said, width=80), [duet], 1, labels) as told:
        told.begin(duet)
        assert told.left_s == duet.expected_s
        told.measured_duet(duet, measured_duet(duet, recording), recording.load)
        assert told.left_s == 0
    assert said.getvalue().splitlines() == [
        "[1/1] one → other, 20/s each  CPU/view 3.00 and 4.50 ms, ×1.500"
    ]


def test_a_duet_that_was_given_up_has_not_failed() -> None:
    duet = a_duet()
    said = StringIO()
    labels = Labels([side.case for side in duet.sides], {})
    with Progress(terminal.console(file=said, width=100), [duet], 1, labels) as told:
        told.begin(duet)
        told.failed(duet, GivenUpError(LOAD_TOO_SMALL, "The suite asks for 4 views/s", 4.0))
    assert said.getvalue().splitlines() == [
        "[1/1] one → other  no duet: the load asked for is too small. The suite asks for 4 views/s."
        " The two are measured one after the other instead."
    ]
