"""One trial, step by step, against a small lab over real sockets, with the real drivers."""

import math
import os
import signal
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from loadgen.drivers import driver
from loadgen.drivers import hey as hey_driver
from loadgen.errors import ConfigurationError, TrialError
from loadgen.lab import network
from loadgen.lab.cpus import Roles
from loadgen.records.columns import Row, cell_text
from loadgen.suites import lengths
from loadgen.trials import accounting, instruments, protocol, rows, settling, watch
from loadgen.trials.instruments import HttpApi
from loadgen.trials.protocol import Observer, Protocol
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial
from tests.make import a_case, a_case_of_a_page, a_page, a_server, a_timing, a_trial
from tests.stand_ins import (
    CALLS_PER_VIEW,
    CPU_SECONDS_PER_VIEW,
    LOOPBACK,
    Behaviour,
    Served,
    StandInLab,
    View,
    http_client,
    send,
)

ROLES = Roles(app=frozenset({0}), api=frozenset({0}), loadgen=frozenset({0}))
SERVER = a_server(name="localhost", title="Local", slots=None)


def nobody(_phase: str, _left_s: float | None, _answered: int | None) -> None:
    """An observer who does not care."""


def once_in(phase: str, happen: Callable[[], object]) -> Observer:
    """An observer who lets something happen as soon as a phase has come."""
    to_come = [happen]

    def observe(now: str, _left_s: float | None, _answered: int | None) -> None:
        if now == phase and to_come:
            to_come.pop()()

    return observe


def timed(window_s: float = 2.25, **axes: Any) -> Trial:
    """Some seconds of load, by Locust if nothing else is said."""
    return a_trial(
        case=a_case(server="localhost", users=4, delays_ms=(20.0, 50.0, 10.0), **axes),
        server=SERVER,
        warm_up_s=0.5,
        window_s=window_s,
        timing=a_timing(warm_up_s=0.5, drain_s=1.0),
    )


def timed_at_leisure() -> Trial:
    """The own driver, for so long that a busy machine looks at it within the window."""
    return timed(window_s=4.25, driver="own")


def counted(**axes: Any) -> Trial:
    """hey: its process begins only with the load, so a trial that fails before costs no time."""
    axes = {"users": 4, "planned_requests": 40} | axes
    return a_trial(
        case=a_case(server="localhost", driver="hey", delays_ms=(50.0,), **axes),
        server=SERVER,
        warm_up_s=0.0,
        window_s=None,
        timing=a_timing(accounting="answered"),
    )


@pytest.fixture(scope="module")
def module_patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def measure(
    lab: StandInLab,
    trial: Trial,
    folder: Path,
    patch: pytest.MonkeyPatch,
    observer: Observer = nobody,
) -> Recording:
    patch.setattr(network, "APP_PORT", lab.app_port)
    patch.setattr(network, "LAUNCHER_PORT", lab.launcher_port)
    with http_client() as http:
        api = HttpApi(f"http://127.0.0.1:{lab.api_port}", http)
        return Protocol(api, http, ROLES, observer).run(trial, folder)


@pytest.fixture
def lab() -> Iterator[StandInLab]:
    with StandInLab() as stand_in:
        yield stand_in


class Measured:
    """A trial that was measured, and what happened on the way."""

    def __init__(self, trial: Trial, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.trial = trial
        self.folder = folder
        self.phases: list[str] = []
        with StandInLab() as lab:
            self.recording = measure(lab, trial, folder, patch, self._observe)
            self.lab = lab
            self.ran_on = lab.runs
        self.row = rows.measured_row(trial, self.recording)

    def _observe(self, phase: str, _left_s: float | None, _answered: int | None) -> None:
        if phase not in self.phases:
            self.phases.append(phase)


class TestATimedTrial:
    @pytest.fixture(scope="class")
    @staticmethod
    def measured(
        tmp_path_factory: pytest.TempPathFactory, module_patch: pytest.MonkeyPatch
    ) -> Measured:
        folder = tmp_path_factory.mktemp("timed") / "raw" / "trial"
        return Measured(timed(), folder, module_patch)

    def test_happens_in_the_order_of_its_design(self, measured: Measured) -> None:
        first = measured.lab.first
        # The first stop is for a server that a killed run may have left.
        order = ["calibrate", "stop", "start", "probe", "load", "reset"]
        assert sorted(order, key=first) == order
        assert measured.lab.events[-1] == "stop"

    def test_reads_the_counters_at_both_edges_of_the_window(self, measured: Measured) -> None:
        since_reset = measured.lab.events[measured.lab.first("reset") :]
        assert since_reset == [
            "reset",
            *("app-stats", "api-stats"),
            *("app-stats", "api-stats"),
            "app-stats",
            "api-stats",  # whether it is still the same API
            "stop",
        ]

    def test_ends_with_a_server_that_runs_no_more(self, measured: Measured) -> None:
        assert not measured.ran_on

    def test_starts_the_server_as_the_case_says(self, measured: Measured) -> None:
        assert measured.lab.queries == [
            {"settings": "startproject", "preload": "httpx-per-request"}
        ]

    def test_keeps_no_connection_of_its_own_at_the_server(self, measured: Measured) -> None:
        # A kept one would hold one of the greenlets of gunicorn's gevent worker.
        assert measured.lab.probe_headers["Connection"] == "close"

    def test_cuts_its_window_out_of_the_samples(self, measured: Measured) -> None:
        assert measured.recording.window == (0.5, 2.75)
        assert measured.row["window_s"] == 2.25
        due = measured.recording.samples["due_s"]
        assert measured.row["requests"] == ((due >= 0.5) & (due < 2.75)).sum()
        assert measured.row["failures"] == measured.row["unanswered"] == 0

    def test_reads_the_edges_of_the_window_after_they_came(self, measured: Measured) -> None:
        recording = measured.recording
        for edge_s, snapshot in zip(
            recording.window, (recording.before, recording.after), strict=True
        ):
            assert snapshot.app.monotonic_ns >= recording.start_ns + edge_s * 1e9

    def test_knows_the_servers_cpu_per_view(self, measured: Measured) -> None:
        # The stand-in counts a view when it begins, loadgen by its part in the window: 4 users
        # differ by at most 4 at each edge, and by some more where the machine pauses there.
        seconds = measured.row["app_cpu_seconds"]
        per_view_ms = measured.row["app_cpu_ms_per_view"]
        assert isinstance(seconds, float)
        assert isinstance(per_view_ms, float)
        views_begun = seconds / CPU_SECONDS_PER_VIEW
        assert per_view_ms == pytest.approx(
            CPU_SECONDS_PER_VIEW * 1000, rel=16 / (views_begun - 16)
        )

    def test_knows_memory_and_calibration(self, measured: Measured) -> None:
        assert measured.row["app_pss_mib"] == 32
        assert measured.row["app_peak_mib"] == 40
        assert measured.row["calibration_ms"] == 50.5

    def test_reads_the_api_since_the_windows_begin(self, measured: Measured) -> None:
        # The reset lies between the window's begin and the first reading; 4 users may be on their
        # way at each edge.
        recording, calls = measured.recording, measured.row["api_calls"]
        assert isinstance(calls, int)
        first, last = (
            (snapshot.api.monotonic_ns - recording.start_ns) / 1e9
            for snapshot in (recording.before, recording.after)
        )
        sent = recording.samples["sent_s"]
        at_least = sent.is_between(first, last).sum() - 8
        at_most = sent.is_between(recording.window[0], last).sum() + 8
        assert CALLS_PER_VIEW * at_least <= calls <= CALLS_PER_VIEW * at_most

    def test_no_answer_is_faster_than_the_view(self, measured: Measured) -> None:
        assert measured.row["min_ms"] >= 50  # type: ignore[operator]

    def test_leaves_the_drivers_files_in_its_folder(self, measured: Measured) -> None:
        assert (measured.folder / "locust_stats.csv").exists()

    def test_tells_an_observer_its_phases(self, measured: Measured) -> None:
        assert measured.phases[0] == "starting the server"
        assert measured.phases[-1] == "drain"


@pytest.fixture
def soon_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load that needs less than in life: stretches of a quarter of a second, a second at most."""
    monkeypatch.setattr(settling, "LEAST_STRETCH_S", 0.25)
    monkeypatch.setattr(lengths, "ENOUGH_S", 1.5)
    monkeypatch.setattr(lengths, "MOST_S", 1.5)


def until_steady(window_s: float = 1.0, delay_ms: float = 50.0, **timing: Any) -> Trial:
    """The own driver, without a fixed warm-up; planned are 0.75 s."""
    return a_trial(
        case=a_case(server="localhost", driver="own", users=4, delays_ms=(delay_ms,)),
        server=SERVER,
        warm_up_s=0.75,
        window_s=window_s,
        timing=a_timing(drain_s=1.0, **timing),
    )


@pytest.mark.usefixtures("soon_steady")
class TestATrialThatSettles:
    def test_begins_its_window_when_the_load_is_steady(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for bound in ("ENOUGH_S", "MOST_S"):  # on a busy machine it is steady later
            monkeypatch.setattr(lengths, bound, 20.0)
        trial = until_steady()
        recording = measure(lab, trial, tmp_path / "raw", monkeypatch)
        begin_s, end_s = recording.window
        assert recording.settled
        assert begin_s >= 2 * 0.25
        assert end_s - begin_s == pytest.approx(1.0)
        assert rows.measured_row(trial, recording)["warm_up_s"] == begin_s

    def test_measures_a_server_that_starves_a_user_once_its_time_is_over(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The first request is the one before the load.
        lab.behaviour = lambda number: Behaviour.SILENCE if number == 3 else Behaviour.RIGHT
        trial = until_steady(window_s=2.5)  # so long that a busy machine answers all others in it
        recording = measure(lab, trial, tmp_path / "raw", monkeypatch)
        row = rows.measured_row(trial, recording)
        assert not recording.settled
        assert row["warm_up_s"] >= 1.5  # type: ignore[operator]
        assert (row["starved"], row["unanswered"], row["outcome"]) == (1, 1, "measured")
        assert {"starved", "unsteady"} <= set(str(row["caveats"]).split())

    def test_measures_a_server_that_answers_nobody(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.behaviour = lambda number: Behaviour.SILENCE if number > 1 else Behaviour.RIGHT
        trial = until_steady()
        monkeypatch.setattr(rows, "MARGIN", math.inf)  # a busy machine steals time
        row = rows.measured_row(trial, measure(lab, trial, tmp_path / "raw", monkeypatch))
        assert (row["outcome"], row["rps"], row["ranked"]) == ("measured", 0, "yes")
        assert (row["requests"], row["failures"], row["starved"]) == (4, 4, 4)

    def test_has_a_window_of_three_response_times_as_they_are_seen(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The stand-in takes 50 ms, whatever it is asked for.
        recording = measure(lab, until_steady(window_s=0.1), tmp_path / "raw", monkeypatch)
        begin_s, end_s = recording.window
        assert 0.15 <= end_s - begin_s < 1

    def test_has_a_window_that_its_row_states_to_the_last_digit(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trial = until_steady(window_s=1.2345678)
        recording = measure(lab, trial, tmp_path / "raw", monkeypatch)
        begin_s, end_s = recording.window
        stated_s = float(cell_text(rows.measured_row(trial, recording)["window_s"]))
        assert stated_s == pytest.approx(end_s - begin_s, abs=1e-9)

    def test_takes_no_longer_than_was_planned_where_time_is_limited(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.behaviour = lambda number: Behaviour.SILENCE if number == 3 else Behaviour.RIGHT
        trial = until_steady(window_s=0.1, is_limited=True)
        recording = measure(lab, trial, tmp_path / "raw", monkeypatch)
        begin_s, end_s = recording.window
        assert 0.75 <= begin_s < 1.5
        assert end_s - begin_s == pytest.approx(0.1)
        assert recording.settled  # nothing says that it is not steady


def over_django() -> Trial:
    """The lab's own driver, for a moment, on a server whose views call article A's own API."""
    return a_trial(
        case=a_case(
            server="localhost", upstream="django", driver="own", users=4, delays_ms=(50.0,)
        ),
        server=SERVER,
        warm_up_s=0.25,
        window_s=3.0,
        timing=a_timing(warm_up_s=0.25, drain_s=1.0),
    )


@pytest.fixture
def django_api(lab: StandInLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInLab]:
    """What is at the name api-django."""
    monkeypatch.setattr("socket.gethostbyname", lab.resolve)
    with StandInLab(beside=lab) as stand_in:
        yield stand_in


class TestATrialOverArticleAsOwnApi:
    def test_has_a_fresh_process_of_it_before_the_servers_start(
        self,
        lab: StandInLab,
        django_api: StandInLab,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        was_up: list[bool] = []
        lab.on_start = lambda: was_up.append(django_api.runs)
        measure(lab, over_django(), tmp_path / "raw", monkeypatch)
        assert was_up == [True]
        assert django_api.queries == [{"settings": "article", "preload": "no-http"}]
        assert django_api.events[:3] == ["stop", "start", "probe"]
        assert django_api.events[-1] == "stop"
        assert not django_api.runs

    def test_knows_its_cpu_share_and_nothing_else_of_it(
        self,
        lab: StandInLab,
        django_api: StandInLab,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        trial = over_django()
        row = rows.measured_row(trial, measure(lab, trial, tmp_path / "raw", monkeypatch))
        assert row["outcome"] == "measured"
        assert row["api_cpu_share"] == 0  # nobody calls the stand-in
        assert row["api_calls"] is row["api_late_p99_ms"] is row["api_lag_p99_ms"] is None
        assert not {"reset", "api-stats"} & {*lab.events, *django_api.events}

    @pytest.mark.parametrize("when", ["start", "window"])
    def test_is_lost_with_it(
        self,
        when: str,
        lab: StandInLab,
        django_api: StandInLab,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        crash = once_in(when, django_api.crash)
        django_api.starts = when == "window"
        with pytest.raises(TrialError, match="exit code 3") as error:
            measure(lab, over_django(), tmp_path / "raw", monkeypatch, crash)
        assert error.value.outcome == ("api-lost" if when == "window" else "api-did-not-start")
        assert error.value.details[-1] == "no such module"
        assert not lab.runs
        assert django_api.events[-1] == "stop"

    def test_is_not_loaded_where_it_answers_wrongly(
        self,
        lab: StandInLab,
        django_api: StandInLab,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        django_api.behaviour = lambda _: Behaviour.ERROR
        with pytest.raises(TrialError, match="api-django answers 500: something broke") as error:
            measure(lab, over_django(), tmp_path / "raw", monkeypatch)
        assert error.value.outcome == "api-did-not-start"
        assert "start" not in lab.events

    def test_is_refused_where_its_container_is_not_up(
        self, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.unknown_names.add("api-django")
        monkeypatch.setattr("socket.gethostbyname", lab.resolve)
        with pytest.raises(ConfigurationError, match="docker compose up -d api-django"):
            measure(lab, over_django(), tmp_path / "raw", monkeypatch)


class TestACountedTrial:
    @pytest.fixture(scope="class")
    @staticmethod
    def measured(
        tmp_path_factory: pytest.TempPathFactory, module_patch: pytest.MonkeyPatch
    ) -> Measured:
        return Measured(counted(), tmp_path_factory.mktemp("counted") / "raw", module_patch)

    def test_happens_in_the_order_of_its_design(self, measured: Measured) -> None:
        order = ["calibrate", "stop", "start", "probe", "load"]
        assert sorted(order, key=measured.lab.first) == order
        assert measured.lab.events[-1] == "stop"

    def test_lasts_from_the_first_request_to_the_last_answer(self, measured: Measured) -> None:
        samples = measured.recording.samples
        assert measured.recording.window == pytest.approx(
            (samples["sent_s"].min(), samples["answered_s"].max())
        )

    def test_counts_what_was_planned(self, measured: Measured) -> None:
        assert measured.row["requests"] == measured.row["planned_requests"] == 40
        assert measured.row["failures"] == 0
        assert accounting.good(measured.recording.samples).height == 40

    def test_is_marked_since_hey_looks_at_no_body(self, measured: Measured) -> None:
        assert "bodies-unchecked" in str(measured.row["caveats"]).split()


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.starts = False
    with pytest.raises(TrialError, match="ended with exit code 3") as error:
        measure(lab, counted(), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "server-did-not-start"
    assert error.value.details[-1] == "no such module"
    assert "load" not in lab.events
    assert lab.events[-1] == "stop"


def test_a_server_that_never_listens_is_given_up(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.starts = False
    lab.pretends = True
    monkeypatch.setattr(watch, "PATIENCE_S", 0.3)
    with pytest.raises(TrialError, match=r"no answer within 0\.35 s") as error:
        measure(lab, counted(), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "server-did-not-start"
    assert error.value.details
    assert lab.events[-1] == "stop"


def of_a_page(port: int, server: str = "mine", **labels: Any) -> Trial:
    """The lab's own driver, for a moment, on a view that is not the lab's."""
    labels = {"expected_text": "Iceland", "service_time_s": 0.05} | labels
    return a_trial(
        case=a_case_of_a_page(server=server, driver="own", users=4),
        server=a_server(name=server, page=a_page(port=port, **labels)),
        warm_up_s=0.25,
        window_s=1.5,
        timing=a_timing(warm_up_s=0.25, drain_s=1.0),
    )


class TestAServerThatTheLabDoesNotStart:
    @pytest.fixture(scope="class")
    @staticmethod
    def lab() -> Iterator[StandInLab]:
        with StandInLab() as stand_in:
            yield stand_in

    @pytest.fixture(scope="class")
    @staticmethod
    def paths() -> set[str]:
        """The paths that its view was asked for."""
        return set()

    @pytest.fixture(scope="class")
    @staticmethod
    def row(
        lab: StandInLab,
        paths: set[str],
        tmp_path_factory: pytest.TempPathFactory,
        module_patch: pytest.MonkeyPatch,
    ) -> Row:
        def note(handler: BaseHTTPRequestHandler) -> None:
            paths.add(handler.path)

        with View(0.05, on_request=note) as view:
            trial = of_a_page(view.port)
            folder = tmp_path_factory.mktemp("page") / "trial"
            return rows.measured_row(trial, measure(lab, trial, folder, module_patch))

    def test_is_measured_at_its_own_page(self, row: Row, paths: set[str]) -> None:
        assert row["outcome"] == "measured"
        assert row["rps"] > 0  # type: ignore[operator]
        assert row["failures"] == 0
        assert paths == {"/report/?year=2026"}

    def test_is_neither_started_nor_stopped_nor_asked_for_counters(
        self, row: Row, lab: StandInLab
    ) -> None:
        assert row["outcome"] == "measured"
        assert lab.events == ["reset", *["api-stats"] * 3]

    def test_has_ceilings_by_its_declared_service_time(self, row: Row) -> None:
        assert (row["service_time_ms"], row["users_ceiling_rps"]) == (50, 80)

    def test_has_no_cell_that_its_launcher_would_know(self, row: Row) -> None:
        unknown = [name for name in row if name.startswith(("app_", "cpu_ceiling_"))]
        assert len(unknown) == 12
        assert {row[name] for name in [*unknown, "calibration_ms"]} == {None}

    def test_is_not_fresh(self, row: Row) -> None:
        assert "not-fresh" in str(row["caveats"]).split()


def test_a_page_that_the_labs_launcher_runs_is_fresh_and_its_cpu_is_known(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = of_a_page(lab.app_port, server=LOOPBACK, host=LOOPBACK, launcher=True)
    row = rows.measured_row(trial, measure(lab, trial, tmp_path / "raw", monkeypatch))
    assert (row["outcome"], row["failures"], row["service_time_ms"]) == ("measured", 0, 50)
    assert lab.events[:3] == ["calibrate", "stop", "start"]
    assert lab.queries == [{}]  # it knows nothing of the lab's settings and clients
    assert not lab.runs
    assert "not-fresh" not in str(row["caveats"]).split()
    assert row["app_cpu_ms_per_view"] > 0  # type: ignore[operator]
    assert (row["app_pss_mib"], row["calibration_ms"]) == (32, 50.5)


def test_a_page_that_answers_with_another_text_is_not_loaded(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with View(0) as view, pytest.raises(TrialError, match=r"/report/.* lacks 'Norway'") as error:
        measure(lab, of_a_page(view.port, expected_text="Norway"), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "wrong-answer"
    assert view.received == 1


def test_a_page_that_nobody_serves_costs_its_trial(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE_S", 0.1)
    with pytest.raises(TrialError, match="no answer within") as error:
        measure(lab, of_a_page(lab.app_port), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "server-not-up"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [(Behaviour.WRONG_BODY, "lacks 'id=\"country\"'"), (Behaviour.ERROR, "answers 500: something")],
)
def test_a_view_that_answers_wrongly_is_not_loaded(
    behaviour: Behaviour,
    words: str,
    lab: StandInLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab.behaviour = lambda _: behaviour
    with pytest.raises(TrialError, match=words) as error:
        measure(lab, counted(), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "wrong-answer"
    assert "/async/fanout/httpx-per-request/?delays_ms=50&upstream=http" in str(error.value)
    assert "load" not in lab.events
    assert lab.events[-1] == "stop"


def test_a_driver_that_refuses_its_load_costs_the_trial_and_the_server_is_stopped(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrialError, match="hey ended with exit code 1") as error:
        measure(lab, counted(users=4, planned_requests=2), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "driver-failed"
    assert lab.events[-1] == "stop"


def test_a_driver_that_is_killed_costs_the_trial_and_the_server_is_stopped(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill() -> None:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)

    trial, killed = timed_at_leisure(), once_in("window", kill)
    with pytest.raises(TrialError, match="own ended with exit code -9") as error:
        measure(lab, trial, tmp_path / "raw", monkeypatch, killed)
    assert error.value.outcome == "driver-failed"
    assert lab.events[-1] == "stop"


def test_a_server_that_dies_under_the_load_costs_the_trial(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, crash = timed_at_leisure(), once_in("window", lab.crash)
    with pytest.raises(TrialError, match="exit code 3") as error:
        measure(lab, trial, tmp_path / "raw", monkeypatch, crash)
    assert error.value.outcome == "server-died"
    assert error.value.details[-1] == "no such module"
    assert lab.events[-1] == "stop"


def test_a_counted_load_does_not_outlive_its_server(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, crash = counted(users=2, planned_requests=2000), once_in("window", lab.crash)
    with pytest.raises(TrialError) as error:
        measure(lab, trial, tmp_path / "raw", monkeypatch, crash)
    assert error.value.outcome == "server-died"


@pytest.mark.parametrize("dies", [True, False])
def test_a_server_that_the_kernel_kills_was_out_of_memory(
    dies: bool, lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill() -> None:
        lab.oom_kills = 1
        if dies:  # else it was a worker, and the server goes on
            lab.crash()

    trial, killed = timed_at_leisure(), once_in("window", kill)
    with pytest.raises(TrialError, match=r"over its memory limit of 64 MiB") as error:
        measure(lab, trial, tmp_path / "raw", monkeypatch, killed)
    assert error.value.outcome == "out-of-memory"


def test_an_api_that_was_restarted_costs_the_trial(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart() -> None:
        lab.api_started_ns = 2

    trial, restarted = timed(driver="own"), once_in("drain", restart)
    with pytest.raises(TrialError, match="the API was restarted") as error:
        measure(lab, trial, tmp_path / "raw", monkeypatch, restarted)
    assert error.value.outcome == "api-restarted"


def test_a_load_without_one_answer_costs_the_trial(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.behaviour = lambda number: Behaviour.RIGHT if number == 1 else Behaviour.SILENCE
    monkeypatch.setattr(hey_driver, "TIMEOUT_S", 1)
    monkeypatch.setattr(driver, "PATIENCE_S", 0)
    with pytest.raises(TrialError, match="no answer at all") as error:
        measure(lab, counted(users=2, planned_requests=2), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "no-answer"
    assert lab.events[-1] == "stop"


def test_a_counted_load_that_does_not_end_is_given_up(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.behaviour = lambda number: Behaviour.RIGHT if number == 1 else Behaviour.SILENCE
    monkeypatch.setattr(protocol, "COUNTED_PATIENCE", 0.1)
    with pytest.raises(TrialError, match=r"hey has not finished after 0\.1 times") as error:
        measure(lab, counted(users=2, planned_requests=2), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "driver-failed"
    assert lab.events[-1] == "stop"


def test_a_server_whose_container_is_not_up_is_named_with_the_remedy(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.unknown_names.add("localhost")
    monkeypatch.setattr("socket.gethostbyname", lab.resolve)
    with pytest.raises(ConfigurationError, match="docker compose up -d localhost"):
        measure(lab, counted(), tmp_path / "raw", monkeypatch)
    assert lab.events == []


def test_a_launcher_that_does_not_answer_is_lost(lab: StandInLab) -> None:
    with http_client() as http:
        launcher = instruments.HttpLauncher(f"http://127.0.0.1:{lab.app_port}", http)
        with pytest.raises(TrialError, match="does not answer") as error:
            launcher.stats()
    assert error.value.outcome == "launcher-lost"


def test_the_probe_is_asked_for_a_stretch_of_time(lab: StandInLab) -> None:
    with http_client() as http:
        launcher = instruments.HttpLauncher(f"http://127.0.0.1:{lab.launcher_port}", http)
        reading = launcher.probe(5 * 10**9, 8 * 10**9)
    assert reading
    assert (reading.mean_ms, reading.means_ms) == (0.4, [0.4] * 3)
    assert [second.since_ns for second in reading.seconds] == [n * 10**9 for n in (5, 6, 7)]


def test_a_launcher_of_before_there_was_a_probe_knows_nothing_of_it() -> None:
    def refuse(handler: BaseHTTPRequestHandler) -> None:
        send(handler, 404, '{"error": "no such path"}')

    served = Served(refuse)
    try:
        with http_client() as http:
            launcher = instruments.HttpLauncher(f"http://127.0.0.1:{served.port}", http)
            assert launcher.probe(0, 10**9) is None
    finally:
        served.close()


def test_an_answer_that_is_no_json_is_an_error_of_the_trial() -> None:
    with (
        View(0) as view,
        http_client() as http,
        pytest.raises(TrialError, match="not in JSON") as error,
    ):
        instruments.HttpApi(view.origin, http).stats()
    assert error.value.outcome == "api-lost"


def test_an_answer_that_cannot_be_read_is_a_wrong_one_and_costs_its_trial_only(
    lab: StandInLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garble(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"text")
        raise ConnectionAbortedError

    with (
        View(0, on_request=garble) as view,
        pytest.raises(TrialError, match=r"the answer of .* cannot be read") as error,
    ):
        measure(lab, of_a_page(view.port), tmp_path / "raw", monkeypatch)
    assert error.value.outcome == "wrong-answer"
