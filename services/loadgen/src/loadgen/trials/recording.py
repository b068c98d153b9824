"""What the protocol brings home from one trial, and the CPU time that its counters tell of."""

import math
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from loadgen.drivers.hey import Hey
from loadgen.lab.cpus import Roles
from loadgen.records.columns import COUNT, NUMBER, Column
from loadgen.theory.laws import full_share
from loadgen.trials.instruments import AppStats, ProbeReading, Snapshot

#: Of the files in probe/.
PROBE_COLUMNS = (
    Column("since_s", NUMBER, "when the second began, from the window's start", unit="s"),
    Column("mean_ms", NUMBER, "mean CPU time of the probe's passes in that second", unit="ms"),
    Column("count", COUNT, "how many passes there were"),
)


@dataclass(frozen=True)
class Recording:
    """All that the protocol brought home from one trial.

    Attributes:
        samples: every request of the load, seconds from its start.
        start_ns: the load's start on the monotonic clock.
        started_at: the same in UTC.
        window: (start, end) of the window, seconds from the load's start.
        settled: False where the load had its time to become steady, and did not.
        before, after: the counters at the window's edges.
        memory: the server's memory after the window.
        calibration_ms: the fixed loop before the trial; None where there is no launcher to run it.
        probe: the app's CPU between the snapshots; None where no launcher watches it.
        roles: the CPUs of each.
        smt_shared: the app and the load run on threads of one core.
    """

    samples: pl.DataFrame
    start_ns: int
    started_at: datetime
    window: tuple[float, float]
    settled: bool
    before: Snapshot
    after: Snapshot
    memory: AppStats
    calibration_ms: float | None
    roles: Roles
    smt_shared: bool
    probe: ProbeReading | None = None

    @property
    def length_s(self) -> float:
        """How long the window is."""
        start_s, end_s = self.window
        return end_s - start_s

    @property
    def probe_lines(self) -> list[tuple[float, float, int]]:
        """What the probe said, second by second, in PROBE_COLUMNS."""
        begin_ns = self.start_ns + self.window[0] * 1e9
        return [
            (round((second.since_ns - begin_ns) / 1e9, 3), second.mean_ms, second.count)
            for second in (self.probe.seconds if self.probe else ())
            if second.mean_ms is not None
        ]


@dataclass(frozen=True)
class CpuUse:
    """CPU time between the snapshots, in columns of trials.csv; None where it cannot be known."""

    app_cpu_seconds: float | None
    app_cpu_share: float | None
    api_cpu_share: float
    api_full_share: float | None
    loadgen_cpu_share: float | None
    driver_full_share: float | None
    steal_share: float | None


def cpu_use(recording: Recording, driver: str) -> CpuUse:
    """Who used how much CPU time.

    Args:
        recording: with the counters.
        driver: the name of the one that made the load.
    """
    before, after, roles = recording.before, recording.after, recording.roles
    app_s = _seconds(before.app.monotonic_ns, after.app.monotonic_ns)
    api_s = _seconds(before.api.monotonic_ns, after.api.monotonic_ns)
    loadgen_s = _seconds(before.loadgen_ns, after.loadgen_ns)
    app_cpu_s = _used(before.app.cpu_seconds, after.app.cpu_seconds)
    loadgen_cpu_s = _used(before.loadgen_cpu_s, after.loadgen_cpu_s)
    driver_cpu_s = _used(before.driver_cpu_s, after.driver_cpu_s)
    # CPU seconds a second. Of CPUs that both may use, each has what the other leaves.
    api = (after.api.cpu_seconds - before.api.cpu_seconds) / api_s
    loadgen = None if loadgen_cpu_s is None else loadgen_cpu_s / loadgen_s
    shared = len(roles.api & roles.loadgen)
    driver_full_share = None
    if loadgen is not None and driver_cpu_s is not None:
        driver_alone = driver_cpu_s / loadgen_s
        driver_full_share = full_share(
            driver_alone,
            len(roles.loadgen),
            others=max(0.0, loadgen - driver_alone) + min(api, shared),
            # hey has native threads; the others are one process of Python each.
            at_most=math.inf if driver == Hey.name else 1,
        )
    ticks = after.all_ticks - before.all_ticks
    return CpuUse(
        app_cpu_seconds=app_cpu_s,
        app_cpu_share=None if app_cpu_s is None else app_cpu_s / app_s / len(roles.app),
        api_cpu_share=api / len(roles.api),
        api_full_share=full_share(
            api, len(roles.api), others=min(loadgen or 0.0, shared), at_most=1
        ),
        loadgen_cpu_share=None if loadgen is None else loadgen / len(roles.loadgen),
        driver_full_share=driver_full_share,
        steal_share=(after.steal_ticks - before.steal_ticks) / ticks if ticks else None,
    )


def _seconds(begin_ns: int, end_ns: int) -> float:
    return (end_ns - begin_ns) / 1e9


def _used(before_s: float | None, after_s: float | None) -> float | None:
    """CPU seconds between two readings; None where one could not be read."""
    return None if before_s is None or after_s is None else after_s - before_s
