"""One duet, step by step: fresh servers, the load, slices between readings of both launchers."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from loadgen.drivers.driver import LoadPlan
from loadgen.drivers.own import Own
from loadgen.drivers.process import DriverProcess
from loadgen.drivers.target import Target, target_of
from loadgen.duets.duet import Duet
from loadgen.duets.load import Limits, LoadStep, limits_of, next_load
from loadgen.duets.recording import DuetRecording
from loadgen.duets.spare import SpareLauncher, command_of
from loadgen.errors import TrialError
from loadgen.generators.window_to_follow import Followed
from loadgen.lab import network
from loadgen.lab.compose import SPARE
from loadgen.lab.cpus import Roles
from loadgen.trials import accounting
from loadgen.trials.instruments import (
    Api,
    AppStats,
    Launcher,
    Snapshot,
    fresh_server,
    launcher_at,
    snapshot,
)
from loadgen.trials.protocol import FAREWELL_S, Observer
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial
from loadgen.trials.upstreams import upstream_of
from loadgen.trials.watch import Watch, death, wait_until_right

#: The load stays on for this long after the last slice, until its counters have been read.
READING_S = 0.5


@dataclass(frozen=True)
class _Server:
    """A side whose server is up.

    Attributes:
        target: where its requests go.
        launcher, watch: beside it, and over it.
        api: what its views call.
    """

    target: Target
    launcher: Launcher
    watch: Watch
    api: Api


class DuetProtocol:
    """Measures duets one after the other.

    Args:
        api: the upstream's record.
        http: the client for control calls.
        roles: CPU sets, for shares.
        observer: is told what happens, about once a second.
    """

    def __init__(self, api: Api, http: httpx.Client, roles: Roles, observer: Observer) -> None:
        self._api = api
        self._http = http
        self._roles = roles
        self._observe = observer

    def run(self, duet: Duet, folders: Sequence[Path]) -> DuetRecording:
        """Measure one duet; the drivers' raw files stay in the folders, one a side.

        Where its load is not known it is found first, with servers of its own: the measurement
        begins with fresh ones all the same.

        Raises:
            TrialError: it could not be measured; both servers are stopped all the same.
            ConfigurationError: a server is not up.
        """
        load = duet.load
        if load is None:
            load = self._find_load(duet, limits_of(duet, len(self._roles.app)))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        with self._servers(duet) as (servers, calibration_ms):
            loaded = duet.under(load)
            plans = [
                LoadPlan(side.case, server.target, None, side.drain_s, side.arrivals_seed)
                for side, server in zip(loaded, servers, strict=True)
            ]
            with _drivers(plans, folders) as processes:
                sides, edges = self._measure(duet, loaded, servers, processes, calibration_ms)
        return DuetRecording(load, sides, edges)

    # --------------------------------------------------------------------------------- the servers

    @contextmanager
    def _servers(self, duet: Duet) -> Iterator[tuple[list[_Server], float | None]]:
        """Both servers, fresh and answering, and the time of the fixed loop before they started."""
        reached = [self._reach(duet, number) for number in (0, 1)]
        calibration_ms = reached[0][1].calibrate_ms()
        self._observe("starting both servers", None, None)
        with ExitStack() as stack:
            apis = {
                side.case.upstream: stack.enter_context(
                    upstream_of(side.case, self._api, self._http)
                )
                for side in {side.case.upstream: side for side in duet.sides}.values()
            }
            watches: dict[int, Watch] = {}
            for number in duet.in_order:
                case, launcher = duet.sides[number].case, reached[number][1]
                stack.enter_context(fresh_server(launcher, case.settings, case.http_client))
                watches[number] = stack.enter_context(Watch(launcher))
            servers = [
                _Server(target, launcher, watches[number], apis[side.case.upstream])
                for number, (side, (target, launcher)) in enumerate(
                    zip(duet.sides, reached, strict=True)
                )
            ]
            for server in servers:
                wait_until_right(self._http, server.target, server.launcher, server.watch)
                server.watch.server_answers()
            yield servers, calibration_ms

    def _reach(self, duet: Duet, number: int) -> tuple[Target, Launcher]:
        """Where a side is, and its launcher; of one server twice, b is in the spare container."""
        side, host = duet.sides[number], duet.hosts[number]
        target = target_of(side.case, replace(side.server, name=host))
        if host != SPARE:
            return target, launcher_at(target, self._http)
        own = launcher_at(target_of(side.case, side.server), self._http)
        origin = f"http://{network.address_of(SPARE)}:{network.LAUNCHER_PORT}"
        return target, SpareLauncher(origin, self._http, command_of(own))

    # ------------------------------------------------------------------------------------ the load

    def _find_load(self, duet: Duet, limits: Limits) -> float:
        """With both servers up: from few views upwards, until their CPUs are busy enough."""
        with self._servers(duet) as (servers, _):
            return self._climb(duet, servers, limits)

    def _climb(self, duet: Duet, servers: Sequence[_Server], limits: Limits) -> float:
        steps: list[LoadStep] = []
        while not (proposal := next_load(steps, limits)).is_found:
            steps.append(self._try(duet, servers, proposal.load))
        return proposal.load

    def _try(self, duet: Duet, servers: Sequence[_Server], load: float) -> LoadStep:
        """What both servers use and make under a load."""
        service_s, drain_s = duet.service_time_s, duet.service_time_s + duet.warm_up_s
        plans = [
            LoadPlan(side.case, server.target, duet.step_s, drain_s, side.arrivals_seed)
            for side, server in zip(duet.under(load), servers, strict=True)
        ]
        with (
            TemporaryDirectory() as of_a,
            TemporaryDirectory() as of_b,
            _drivers(plans, [Path(of_a), Path(of_b)]) as processes,
        ):
            start_ns = _start(processes)
            self._pause_until(start_ns, service_s, "finding the load", servers, processes)
            before = [server.launcher.stats() for server in servers]
            self._pause_until(start_ns, duet.step_s, "finding the load", servers, processes)
            after = [server.launcher.stats() for server in servers]
            for process in processes:
                process.wait_for_end(drain_s + FAREWELL_S)
            samples = [process.samples(start_ns) for process in processes]
        busy, rates = [], []
        for begin, end, of_side in zip(before, after, samples, strict=True):
            seconds = (end.monotonic_ns - begin.monotonic_ns) / 1e9
            instants = ((stats.monotonic_ns - start_ns) / 1e9 for stats in (begin, end))
            if begin.cpu_seconds is None or end.cpu_seconds is None:
                raise TrialError("no-cpu-time", "the launcher cannot read its server's CPU time")
            busy.append((end.cpu_seconds - begin.cpu_seconds) / seconds)
            rates.append(accounting.answers(of_side, *instants).parts / seconds)
        return LoadStep(load, (busy[0], busy[1]), (rates[0], rates[1]), seconds)

    # ------------------------------------------------------------------------------ the measurement

    def _measure(
        self,
        duet: Duet,
        loaded: Sequence[Trial],
        servers: Sequence[_Server],
        processes: Sequence[DriverProcess],
        calibration_ms: float | None,
    ) -> tuple[tuple[Recording, Recording], tuple[list[AppStats], list[AppStats]]]:
        """Warm-up, and slices between the readings of both launchers."""
        start_ns, started_at = _start(processes), datetime.now(UTC)
        begin_ns = start_ns + int(duet.warm_up_s * 1e9)
        end_ns = begin_ns + int((duet.window_s + READING_S) * 1e9)
        for trial, process in zip(loaded, processes, strict=True):
            process.follow(Followed(begin_ns, end_ns, end_ns + int(trial.drain_s * 1e9)))
        self._pause_until(start_ns, duet.warm_up_s, "warm-up", servers, processes)
        for api in {id(server.api): server.api for server in servers}.values():
            api.reset()
        before = self._snapshots(duet.in_order, servers, processes)
        edges: tuple[list[AppStats], list[AppStats]] = ([before[0].app], [before[1].app])
        for number in range(1, duet.slices):
            edge_s = duet.warm_up_s + number * duet.slice_s
            self._pause_until(start_ns, edge_s, f"slice {number}/{duet.slices}", servers, processes)
            for side in _turned(duet.in_order, number):
                edges[side].append(servers[side].launcher.stats())
        last_s = duet.warm_up_s + duet.window_s
        self._pause_until(
            start_ns, last_s, f"slice {duet.slices}/{duet.slices}", servers, processes
        )
        after = self._snapshots(_turned(duet.in_order, duet.slices), servers, processes)
        for side, server in enumerate(servers):
            edges[side].append(after[side].app)
            if not after[side].app.running or after[side].app.oom_kills:
                raise death("server-died", after[side].app, server.launcher.log())
        memory = [server.launcher.stats(memory=True) for server in servers]
        probes = [
            server.launcher.probe(before[side].app.monotonic_ns, after[side].app.monotonic_ns)
            for side, server in enumerate(servers)
        ]
        self._observe("drain", None, None)
        for trial, process in zip(loaded, processes, strict=True):
            process.wait_for_end(READING_S + trial.drain_s + FAREWELL_S)
        for side, server in enumerate(servers):
            if server.api.stats().started_ns != before[side].api.started_ns:
                raise TrialError("api-restarted", "the API was restarted under the load")
        a, b = (
            Recording(
                samples=processes[side].samples(start_ns),
                start_ns=start_ns,
                started_at=started_at,
                window=_seconds_between(start_ns, before[side].app, after[side].app),
                settled=True,
                before=before[side],
                after=after[side],
                memory=memory[side],
                calibration_ms=calibration_ms,
                probe=probes[side],
                roles=self._roles,
                smt_shared=self._roles.smt_shared,
            )
            for side in (0, 1)
        )
        return (a, b), edges

    def _snapshots(
        self, order: Sequence[int], servers: Sequence[_Server], processes: Sequence[DriverProcess]
    ) -> dict[int, Snapshot]:
        """All counters of both sides, by its number; one side after the other."""
        return {
            side: snapshot(
                servers[side].launcher,
                servers[side].api,
                self._roles.app,
                processes[side].cpu_seconds,
            )
            for side in order
        }

    def _pause_until(
        self,
        start_ns: int,
        second: float,
        phase: str,
        servers: Sequence[_Server],
        processes: Sequence[DriverProcess],
    ) -> None:
        """Sleep until a second of the load, and look about each second."""
        until_ns = start_ns + int(second * 1e9)
        while (left_s := (until_ns - time.monotonic_ns()) / 1e9) > 0:
            if left_s > 1.0:
                for server in servers:
                    server.watch.check()
                answered = 0
                for process in processes:
                    process.check_alive()
                    answered += process.answered() or 0
                self._observe(phase, left_s, answered)
            time.sleep(min(1.0, max(0.0, (until_ns - time.monotonic_ns()) / 1e9)))


@contextmanager
def _drivers(plans: Sequence[LoadPlan], folders: Sequence[Path]) -> Iterator[list[DriverProcess]]:
    """A driver's process for each side; both could begin."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(DriverProcess(Own(), plan, folder))
            for plan, folder in zip(plans, folders, strict=True)
        ]
        for process in processes:
            process.wait_until_ready()
        yield processes


def _start(processes: Sequence[DriverProcess]) -> int:
    """Let both loads begin at one instant; returns it, monotonic ns."""
    start_ns = DriverProcess.soon()
    for process in processes:
        process.start(start_ns)
    return start_ns


def _turned(order: Sequence[int], times: int) -> Sequence[int]:
    """Who is asked first alternates, so that neither's slices are longer."""
    return order[::-1] if times % 2 else order


def _seconds_between(start_ns: int, begin: AppStats, end: AppStats) -> tuple[float, float]:
    return (begin.monotonic_ns - start_ns) / 1e9, (end.monotonic_ns - start_ns) / 1e9
