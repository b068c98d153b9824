"""What a trial recorded → its row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from loadgen import caveats, measures
from loadgen.columns import Row, row
from loadgen.drivers.request_log import DROPPED
from loadgen.errors import TrialError
from loadgen.instruments import AppStats, Snapshot
from loadgen.laws import (
    TOLERANCE,
    bound,
    cpu_ceiling_kind,
    cpu_ceiling_rps,
    little_holds,
    slots_ceiling_rps,
    usable_cpus,
    users_ceiling_rps,
)
from loadgen.trial import Trial

MIB = 1024 * 1024
#: By how many answers a count by parts may be off.
HALF_AN_ANSWER = 0.5


@dataclass(frozen=True)
class Recording:
    """All that the protocol brought home from one trial.

    Attributes:
        samples: every request of the load, seconds from its start.
        start_ns: the load's start on the monotonic clock.
        started_at: the same in UTC.
        window: (start, end) of the window, seconds from the load's start.
        before, after: the counters at the window's edges.
        memory: the server's memory after the window.
        calibration_ms: the fixed loop before the trial; None where there is no launcher to run it.
        smt_shared: the app and the load run on threads of one core.
        app_cpu_count, api_cpu_count, loadgen_cpu_count: CPUs of each role's set.
        api_shared_cpu_count: CPUs that the API shares with the load generator.
    """

    samples: pl.DataFrame
    start_ns: int
    started_at: datetime
    window: tuple[float, float]
    before: Snapshot
    after: Snapshot
    memory: AppStats
    calibration_ms: float | None
    smt_shared: bool
    app_cpu_count: int
    api_cpu_count: int
    loadgen_cpu_count: int
    api_shared_cpu_count: int


def failed_row(trial: Trial, outcome: str) -> Row:
    """The row of a trial that could not be measured."""
    return row(_planned(trial) | {"outcome": outcome, "ranked": "no"})


def measured_row(trial: Trial, recording: Recording) -> Row:
    """The row of a trial that was measured."""
    cells = _planned(trial) | {"outcome": "measured"}
    cells |= _load(trial, recording)
    cells |= _app(trial, recording)
    cells |= _others(recording)
    cells |= _bounds(trial, recording, cells)
    facts = _facts(trial, recording, cells)
    found = caveats.find(row(cells), trial, facts)
    cells["ranked"] = "no" if any(caveat.unranks for caveat in found) else "yes"
    cells["caveats"] = " ".join(caveat.name for caveat in found)
    return row(cells)


def _planned(trial: Trial) -> dict[str, object]:
    server, service_s = trial.server, trial.service_time_s
    return trial.case.cells() | {
        "round": trial.round,
        "repeat": trial.repeat,
        "position": trial.position,
        "suite": trial.suites,
        "title": server.title,
        "interface": server.interface,
        "processes": server.processes,
        "slots": server.slots,
        "arrivals_seed": trial.arrivals_seed,
        "service_time_ms": service_s * 1000,
        "users_ceiling_rps": users_ceiling_rps(trial.case.users, service_s),
        "slots_ceiling_rps": slots_ceiling_rps(server.slots, service_s),
        "pool_ceiling_rps": trial.pool_ceiling_rps,
    }


def _load(trial: Trial, recording: Recording) -> dict[str, object]:
    samples, (start_s, end_s) = recording.samples, recording.window
    length_s = end_s - start_s
    accounting = trial.timing.accounting
    due = measures.in_window(samples, start_s, end_s, "due_s")
    requests = measures.counted(samples, start_s, end_s, accounting)
    latency = measures.latency(requests)
    lag_ms = ((due["sent_s"] - due["due_s"]) * 1000).drop_nulls().sort().to_numpy()
    dropped = due.filter(due["failure"] == DROPPED).height
    good = measures.good_count(samples, start_s, end_s, _by_parts(trial))
    return {
        "started_at": recording.started_at.isoformat(timespec="seconds"),
        "warm_up_s": trial.warm_up_s,
        "window_s": length_s,
        "requests": requests.height,
        "failures": requests.filter(requests["failure"].is_not_null()).height,
        "unanswered": due["answered_s"].null_count() - dropped,
        "dropped": dropped if trial.case.load == "open" else None,
        "offered_rps": due.height / length_s,
        "rps": good / length_s,
        "max_rps": measures.best_rate_rps(samples, start_s, end_s),
        "inflight_mean": measures.inflight_mean(samples, start_s, end_s),
        "inflight_growth": measures.inflight_growth(samples, start_s, end_s)
        if trial.case.load == "open"
        else None,
        "min_ms": latency.min_ms,
        "avg_ms": latency.avg_ms,
        "max_ms": latency.max_ms,
        "sent_p95_ms": measures.sent_percentile_ms(requests, 0.95),
        "lag_p99_ms": measures.percentile(lag_ms, 0.99),
        **latency.percentiles,
    }


def _by_parts(trial: Trial) -> bool:
    """Whether an answer that lies partly between two instants counts by that part.

    Not of an open load: where the server cannot keep up, its queue grows all the time.
    """
    return trial.timing.accounting == "due" and trial.case.load == "closed"


def _bounds(trial: Trial, recording: Recording, cells: dict[str, object]) -> dict[str, object]:
    """The ceilings, and which of them held the trial back."""
    rps, busy, per_view_ms = cells["rps"], cells.get("app_cpu_share"), _cpu_per_view_ms(cells)
    assert isinstance(rps, float)
    cpus = usable_cpus(recording.app_cpu_count, trial.server.processes)
    service_s = trial.service_time_s
    # The mean over a ramp can reach no more than the ramp's mean users ask for.
    users = users_ceiling_rps(trial.case.mean_users, service_s)
    slots = slots_ceiling_rps(trial.server.slots, service_s)
    pool = trial.pool_ceiling_rps
    shares = {
        "users": rps / users if users else None,
        "slots": rps / slots if slots else None,
        "pool": rps / pool if pool else None,
        "cpu": min(busy * recording.app_cpu_count / cpus, 1.0) if isinstance(busy, float) else None,
        "api": _api_share(recording, cells),
        "rate": _served_share(trial, cells),
    }
    tolerance = TOLERANCE
    start_s, end_s = recording.window
    length_s = end_s - start_s
    if trial.case.load == "open":
        # Whole answers are counted: in a window of T, a slot may end one more than its T / S.
        tolerance += service_s / length_s
    elif rps:
        # Parts of answers are counted at the window's edges, as if they were served all along: that
        # matters where there are few.
        tolerance += HALF_AN_ANSWER / (rps * length_s)
    try:
        held = bound(shares, tolerance)
    except ValueError as error:
        what = f"{rps:.2f} views/s are {error}"
        if trial.server.page:
            what += "; does the view wait for less than lab.service_time_ms?"
        raise TrialError("above-ceiling", what) from error
    cpu_ceiling = cpu_ceiling_rps(cpus, per_view_ms / 1000) if per_view_ms else None
    used = shares["cpu"]
    return {
        "cpu_ceiling_rps": cpu_ceiling,
        "cpu_ceiling_kind": cpu_ceiling_kind(used) if cpu_ceiling and used is not None else None,
        "bound_by": held.by if held else None,
        "ceiling_share": held.share if held else None,
    }


def _served_share(trial: Trial, cells: dict[str, object]) -> float | None:
    """Good answers by arrivals, 1 at most: an open load asks for no more than its rate."""
    rps, offered_rps = cells["rps"], cells["offered_rps"]
    assert isinstance(rps, float)
    assert isinstance(offered_rps, float)
    return min(rps / offered_rps, 1.0) if trial.case.load == "open" and offered_rps else None


def _api_share(recording: Recording, cells: Mapping[str, object]) -> float | None:
    """The API's busy time by the time that it could have had.

    It is one process, which uses one CPU at a time, and of CPUs that it shares it has what the
    load generator leaves.
    """
    busy, loadgen = cells.get("api_cpu_share"), cells.get("loadgen_cpu_share")
    if not isinstance(busy, float):
        return None
    taken = loadgen * recording.loadgen_cpu_count if isinstance(loadgen, float) else 0.0
    left = recording.api_cpu_count - min(taken, recording.api_shared_cpu_count)
    return min(busy * recording.api_cpu_count / min(left, 1.0), 1.0) if left > 0 else None


def _cpu_per_view_ms(cells: dict[str, object]) -> float | None:
    value = cells.get("app_cpu_ms_per_view")
    return value if isinstance(value, float) else None


def _facts(trial: Trial, recording: Recording, cells: dict[str, object]) -> caveats.Facts:
    """What the caveats need to know beside the row."""
    steady = trial.timing.accounting == "due" and trial.window_s is not None
    in_flight, users = cells["inflight_mean"], trial.case.users
    assert isinstance(in_flight, float)
    return caveats.Facts(
        censored=_censored(recording) or bool(cells["dropped"]),
        app_cpu_count=recording.app_cpu_count,
        smt_shared=recording.smt_shared,
        little_holds=not (steady and users) or little_holds(in_flight, users),
        unsteady_by=_unsteady_by(trial, recording) if steady else 0.0,
        idle_share=measures.idle_share(recording.samples, *recording.window) if steady else 0.0,
    )


def _unsteady_by(trial: Trial, recording: Recording) -> float:
    """How far the window is from being the same all over, as a share.

    By the good answers of its halves; an open load's halves differ by chance, so there it is asked
    whether the requests in flight have grown.
    """
    samples, (start_s, end_s) = recording.samples, recording.window
    if trial.case.load == "open":
        return abs(measures.inflight_growth(samples, start_s, end_s))
    half_s = (start_s + end_s) / 2
    halves = (
        measures.good_between(samples, start_s, half_s),
        measures.good_between(samples, half_s, end_s),
    )
    return abs(halves[0] - halves[1]) / max(*halves) if any(halves) else 0.0


def _censored(recording: Recording) -> bool:
    """Whether a percentile of the requests due in the window lands on one without an answer.

    Asked of the requests *due*, also where the row counts those answered: a tool that forgets its
    queue at the end reports the latency of the lucky.
    """
    due = measures.counted(recording.samples, *recording.window, accounting="due")
    return measures.latency(due).censored


def _app(trial: Trial, recording: Recording) -> dict[str, object]:
    before, after = recording.before.app, recording.after.app
    memory = recording.memory
    cells: dict[str, object] = {
        "app_processes": after.processes,
        "app_threads": after.threads,
        "app_pss_mib": _mib(memory.pss_bytes),
        "app_peak_mib": _mib(memory.peak_bytes),
        "calibration_ms": recording.calibration_ms,
    }
    if before.cpu_seconds is None or after.cpu_seconds is None:
        return cells
    cpu_seconds = after.cpu_seconds - before.cpu_seconds
    seconds = (after.monotonic_ns - before.monotonic_ns) / 1e9
    views = measures.good_count(
        recording.samples,
        (before.monotonic_ns - recording.start_ns) / 1e9,
        (after.monotonic_ns - recording.start_ns) / 1e9,
        _by_parts(trial),
    )
    return cells | {
        "app_cpu_seconds": cpu_seconds,
        "app_cpu_ms_per_view": cpu_seconds / views * 1000 if views else None,
        "app_cpu_share": cpu_seconds / seconds / recording.app_cpu_count,
    }


def _others(recording: Recording) -> dict[str, object]:
    before, after = recording.before, recording.after
    api_s = (after.api.monotonic_ns - before.api.monotonic_ns) / 1e9
    api_cpu_s = after.api.cpu_seconds - before.api.cpu_seconds
    cells: dict[str, object] = {
        "api_calls": after.api.calls,
        "api_cpu_share": api_cpu_s / api_s / recording.api_cpu_count,
        "api_late_p99_ms": after.api.lateness_ms.p99,
        "api_lag_p99_ms": after.api.loop_lag_ms.p99,
    }
    if before.loadgen_cpu_s is not None and after.loadgen_cpu_s is not None:
        loadgen_s = (after.loadgen_ns - before.loadgen_ns) / 1e9
        used_s = after.loadgen_cpu_s - before.loadgen_cpu_s
        cells["loadgen_cpu_share"] = used_s / loadgen_s / recording.loadgen_cpu_count
    ticks = after.all_ticks - before.all_ticks
    if ticks:
        cells["steal_share"] = (after.steal_ticks - before.steal_ticks) / ticks
    return cells


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB
