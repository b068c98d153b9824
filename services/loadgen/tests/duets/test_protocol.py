"""One duet, step by step, against two small labs over real sockets, with the real driver."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loadgen.duets import duet as duet_module
from loadgen.duets import load as load_module
from loadgen.duets.duet import SLICES, Duet, duet_of
from loadgen.duets.protocol import DuetProtocol
from loadgen.duets.recording import DuetRecording
from loadgen.duets.rows import MeasuredDuet, measured_duet
from loadgen.errors import TrialError
from loadgen.lab import network
from loadgen.lab.compose import SPARE
from loadgen.lab.cpus import Roles
from loadgen.suites.pairs import CPU_METRIC, DuetPair
from loadgen.trials.instruments import HttpApi
from tests.make import a_case, a_server, a_trial
from tests.stand_ins import ANOTHER, LOOPBACK, StandInLab, http_client

ROLES = Roles(app=frozenset({0}), api=frozenset({0}), loadgen=frozenset({0}))
ADDRESSES = {"one": LOOPBACK, "other": ANOTHER, SPARE: ANOTHER}
MOST_RPS = 40.0


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Short slices; and a busy machine is no reason to find loads unequal."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(duet_module, "LEAST_SLICE_S", 0.6)
        patched.setattr(duet_module, "LEAST_WARM_UP_S", 0.4)
        patched.setattr(load_module, "LEAST_ANSWERS", 5)
        patched.setattr(load_module, "EQUAL_LOAD_SHARE", 2.0)
        patched.setattr("socket.gethostbyname", ADDRESSES.__getitem__)
        yield patched


@dataclass(frozen=True)
class Labs:
    """Two labs side by side: what a view of the second costs is twice as much."""

    a: StandInLab
    b: StandInLab

    def measure(self, duet: Duet, folder: Path, patch: pytest.MonkeyPatch) -> DuetRecording:
        patch.setattr(network, "APP_PORT", self.a.app_port)
        patch.setattr(network, "LAUNCHER_PORT", self.a.launcher_port)
        with http_client() as http:
            api = HttpApi(f"http://127.0.0.1:{self.a.api_port}", http)
            protocol = DuetProtocol(api, http, ROLES, lambda *_: None)
            return protocol.run(duet, [folder / side.name for side in duet.sides])


@pytest.fixture
def labs() -> Iterator[Labs]:
    with two_labs() as both:
        yield both


@contextmanager
def two_labs() -> Iterator[Labs]:
    with StandInLab() as a, StandInLab(a) as b:
        a.cpu_seconds_per_view, b.cpu_seconds_per_view = 0.001, 0.002
        yield Labs(a, b)


def a_duet(b: str = "other", load: float | None = None) -> Duet:
    sides = [
        a_trial(
            case=a_case(server=name, driver="own", delays_ms=(50.0,), http_client=client).in_a_duet,
            server=a_server(name=name),
        )
        for name, client in (("one", "httpx-per-request"), (b, "no-http"))
    ]
    pair = DuetPair(sides[0].case, sides[1].case, most_rps=MOST_RPS)
    return replace(duet_of(pair, sides[0], sides[1]), load=load)


class TestADuet:
    @dataclass(frozen=True)
    class Played:
        labs: Labs
        duet: Duet
        recording: DuetRecording
        measured: MeasuredDuet

    @pytest.fixture(scope="class")
    @classmethod
    def played(
        cls, tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch
    ) -> Iterator[Played]:
        with two_labs() as labs:
            duet = a_duet()
            recording = labs.measure(duet, tmp_path_factory.mktemp("duet"), patch)
            yield cls.Played(labs, duet, recording, measured_duet(duet, recording))

    def test_finds_its_load_and_then_begins_with_fresh_servers(self, played: Played) -> None:
        for lab in (played.labs.a, played.labs.b):
            assert lab.events.count("start") == 2
            assert lab.events[-1] == "stop"
            assert not lab.runs
        assert played.recording.load == MOST_RPS

    def test_reads_both_launchers_at_every_edge_of_a_slice(self, played: Played) -> None:
        for edges in played.recording.edges:
            assert len(edges) == SLICES + 1
            instants = [stats.monotonic_ns for stats in edges]
            assert instants == sorted(instants)

    def test_asks_the_one_first_and_then_the_other(self, played: Played) -> None:
        a, b = played.recording.edges
        a_first = [of_a.monotonic_ns < of_b.monotonic_ns for of_a, of_b in zip(a, b, strict=True)]
        assert a_first == [True, False, True, False, True, False]

    def test_finds_what_a_view_of_each_side_costs(self, played: Played) -> None:
        a, b = played.measured.rows
        assert b.number(CPU_METRIC) == pytest.approx(2 * (a.number(CPU_METRIC) or 0), rel=0.15)
        assert a.number(CPU_METRIC) == pytest.approx(1, rel=0.15)

    def test_has_a_slice_for_each_stretch_with_both_sides(self, played: Played) -> None:
        slices = played.measured.slices
        assert [each.number for each in slices] == [1, 2, 3, 4, 5]
        ratios = [each.b.cpu_ms_per_view / each.a.cpu_ms_per_view for each in slices]
        assert sum(ratios) / SLICES == pytest.approx(2, rel=0.15)

    def test_says_in_its_rows_with_whom_and_under_what_load(self, played: Played) -> None:
        a, b = played.measured.rows
        assert (a.case, a["partner"]) == (b["partner"], b.case)
        assert a.case.endswith("_own_duet")
        assert a["rate_rps"] == b["rate_rps"] == MOST_RPS
        assert a["users"] is b["users"] is None
        assert a["arrivals_seed"] != b["arrivals_seed"]
        assert a["slices"] == SLICES

    def test_has_no_throughput_and_no_latency_of_its_own(self, played: Played) -> None:
        for row in played.measured.rows:
            assert {row[name] for name in ("rps", "p50_ms", "p95_ms", "avg_ms", "bound_by")} == {
                None
            }
            assert row["failures"] == 0

    def test_both_sides_are_loaded_at_the_same_time(self, played: Played) -> None:
        a, b = played.recording.sides
        assert a.start_ns == b.start_ns
        asked = MOST_RPS * played.duet.window_s
        assert min(a.samples.height, b.samples.height) > asked


def test_a_load_that_is_known_is_not_looked_for(
    labs: Labs, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    recording = labs.measure(a_duet(load=20.0), tmp_path, patch)
    assert labs.a.events.count("start") == labs.b.events.count("start") == 1
    assert recording.load == 20
    assert labs.a.queries == [{"settings": "startproject", "preload": "httpx-per-request"}]


def test_one_server_twice_runs_its_command_in_the_spare_container(
    labs: Labs, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    duet = a_duet(b="one", load=20.0)
    assert duet.hosts == ("one", SPARE)
    recording = labs.measure(duet, tmp_path, patch)
    assert json.loads(labs.b.queries[0]["command"]) == ["serve", "--fast"]
    assert "command" not in labs.a.queries[0]
    rows = measured_duet(duet, recording).rows
    assert [row["server"] for row in rows] == ["one", "one"]


def test_a_side_that_dies_costs_the_duet_and_both_servers_are_stopped(
    labs: Labs, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    labs.b.starts = False
    with pytest.raises(TrialError) as error:
        labs.measure(a_duet(load=20.0), tmp_path, patch)
    assert error.value.outcome == "server-did-not-start"
    assert not labs.a.runs
    assert labs.a.events[-1] == "stop"
