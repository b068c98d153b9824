"""What a trial recorded → its row."""

import math
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from loadgen.drivers.hey import Hey
from loadgen.drivers.own import Own
from loadgen.errors import TrialError
from loadgen.generators.request_log import DROPPED
from loadgen.records.columns import Row, row
from loadgen.records.samples import in_window
from loadgen.theory.laws import (
    TOLERANCE,
    UNEXPLAINED,
    bound,
    cpu_ceiling_kind,
    cpu_ceiling_rps,
    full_share,
    little_holds,
    slots_ceiling_rps,
    usable_cpus,
    users_ceiling_rps,
)
from loadgen.trials import accounting, caveats, unexplained
from loadgen.trials.caveats import UNSTEADY_SHARE
from loadgen.trials.instruments import AppStats, Snapshot
from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign

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
        settled: False where the load had its time to become steady, and did not.
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
    settled: bool
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
    """The row of a trial that was measured.

    Where a load is steady, answers count by parts: that is exact. Where it is not, or its users
    move in waves that nothing explains, only what ended in the window is sure to be of it.
    """
    account = _account(trial, recording)
    cells = _planned(trial) | {"outcome": "measured"}
    cells |= _load(trial, recording, account)
    cells |= _app(recording)
    cells |= _others(trial, recording)
    steady = account.by_parts and not account.unsteady
    rates = _rates(recording, account, by_parts=steady)
    held = _bounds(trial, recording, cells | rates, by_parts=steady)
    signs: frozenset[Sign] = frozenset()
    if held["bound_by"] == UNEXPLAINED:
        signs = unexplained.signs(trial, recording.samples, recording.window)
    if steady and "in-step" in signs:
        rates = _rates(recording, account, by_parts=False)
        held = _bounds(trial, recording, cells | rates, by_parts=False)
    cells |= rates | held
    facts = _facts(trial, recording, account, signs)
    found = caveats.find(row(cells), trial, facts)
    cells["ranked"] = "no" if any(caveat.unranks for caveat in found) else "yes"
    cells["caveats"] = " ".join(caveat.name for caveat in found)
    return row(cells)


@dataclass(frozen=True)
class _Account:
    """What a trial's requests come to, as far as more than one cell needs it.

    Attributes:
        due: the requests due in the window.
        requests: those that the row speaks of.
        starved: how many waited through the whole window.
        answers: the good ones.
        latency: of the requests that the row speaks of.
        censored: a percentile of the requests *due* lands on one without an answer, also where the
            row counts those answered: a tool that forgets its queue at the end reports the latency
            of the lucky.
        users: as Little's law finds them; None where it cannot be asked.
        by_parts: whether answers may count by parts at all. Not of an open load, whose queue grows
            all the time where the server cannot keep up, nor where a row counts as its tool does.
        times_add_up: Little's law holds of the response times, or cannot be asked.
        unsteady: the window is not of one piece.
    """

    due: pl.DataFrame
    requests: pl.DataFrame
    starved: int
    answers: accounting.Answers
    latency: accounting.Latency
    censored: bool
    users: accounting.Users | None
    by_parts: bool
    times_add_up: bool
    unsteady: bool


def _account(trial: Trial, recording: Recording) -> _Account:
    samples, window = recording.samples, recording.window
    timing, case = trial.timing, trial.case
    due = in_window(samples, *window, "due_s")
    requests = accounting.counted(samples, *window, timing.accounting)
    starved = accounting.starved(samples, *window).height
    answers = accounting.answers(samples, *window)
    of_due = accounting.latency(due, starved)
    by_the_protocol = timing.accounting == "due" and trial.window_s is not None
    closed = by_the_protocol and case.load == "closed" and case.ramp is None
    users = None
    if closed:
        pauses = case.driver == Own.name
        users = accounting.users_by_little(samples, *window, pauses=pauses)
    times_add_up = not (users and case.users) or users.times_add_up(case.users)
    unsteady = by_the_protocol and (
        not recording.settled
        or _unsteady_by(trial, recording) > UNSTEADY_SHARE
        or not times_add_up
        or not answers.agree(case.users or accounting.inflight_mean(samples, *window))
    )
    return _Account(
        due=due,
        requests=requests,
        starved=starved,
        answers=answers,
        latency=of_due if timing.accounting == "due" else accounting.latency(requests),
        censored=of_due.censored,
        users=users,
        by_parts=closed,
        times_add_up=times_add_up,
        unsteady=unsteady,
    )


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


def _load(trial: Trial, recording: Recording, account: _Account) -> dict[str, object]:
    """What the load was, and its latency."""
    samples, (start_s, end_s) = recording.samples, recording.window
    length_s = end_s - start_s
    is_open = trial.case.load == "open"
    due, latency = account.due, account.latency
    # By `due` the starved ones are among the requests, and rank behind all that were due.
    behind = account.starved if trial.timing.accounting == "due" else 0
    requests = due if trial.timing.accounting == "due" else account.requests
    lag_ms = ((due["sent_s"] - due["due_s"]) * 1000).drop_nulls().sort().to_numpy()
    known = account.times_add_up
    percentiles = latency.percentiles if known else dict.fromkeys(latency.percentiles)
    return {
        "started_at": recording.started_at.isoformat(timespec="seconds"),
        "warm_up_s": start_s if trial.window_s is not None else 0.0,
        "window_s": length_s,
        "requests": account.requests.height,
        "failures": account.requests["failure"].count(),
        "unanswered": accounting.unanswered(samples, start_s, end_s).height,
        "starved": account.starved,
        "dropped": due.filter(due["failure"] == DROPPED).height if is_open else None,
        "offered_rps": due.height / length_s,
        "parts_rps": account.answers.parts / length_s,
        "ended_rps": account.answers.ended / length_s,
        "max_rps": accounting.best_rate_rps(samples, start_s, end_s),
        "inflight_mean": accounting.inflight_mean(samples, start_s, end_s),
        "inflight_growth": accounting.inflight_growth(samples, start_s, end_s) if is_open else None,
        "min_ms": latency.min_ms,
        "avg_ms": latency.avg_ms,
        "max_ms": latency.max_ms,
        "sent_p95_ms": accounting.sent_percentile_ms(requests, 0.95, behind) if known else None,
        "lag_p99_ms": accounting.percentile(lag_ms, 0.99),
        **percentiles,
    }


def _rates(recording: Recording, account: _Account, *, by_parts: bool) -> dict[str, object]:
    """Throughput, and CPU per view, by the same count of answers."""
    start_s, end_s = recording.window
    answers = account.answers.parts if by_parts else float(account.answers.ended)
    cells: dict[str, object] = {"rps": answers / (end_s - start_s)}
    before, after = recording.before.app, recording.after.app
    if before.cpu_seconds is None or after.cpu_seconds is None:
        return cells
    between = accounting.answers(
        recording.samples,
        (before.monotonic_ns - recording.start_ns) / 1e9,
        (after.monotonic_ns - recording.start_ns) / 1e9,
    )
    views = between.parts if by_parts else between.ended
    cpu_ms = (after.cpu_seconds - before.cpu_seconds) * 1000
    return cells | {"app_cpu_ms_per_view": cpu_ms / views if views else None}


def _bounds(
    trial: Trial, recording: Recording, cells: dict[str, object], *, by_parts: bool
) -> dict[str, object]:
    """The ceilings, and which of them held the trial back."""
    rps, busy, per_view_ms = cells["rps"], cells.get("app_cpu_share"), _cpu_per_view_ms(cells)
    assert isinstance(rps, float)
    used_cpus = busy * recording.app_cpu_count if isinstance(busy, float) else None
    # One that uses more than a CPU for each process must have threads outside of Python.
    many_each = trial.many_cpus or (used_cpus or 0) > (1 + TOLERANCE) * trial.server.processes
    cpus = usable_cpus(recording.app_cpu_count, trial.server.processes, many_each=many_each)
    service_s = trial.service_time_s
    # The mean over a ramp can reach no more than the ramp's mean users ask for.
    users = users_ceiling_rps(trial.case.mean_users, service_s)
    slots = slots_ceiling_rps(trial.server.slots, service_s)
    pool = trial.pool_ceiling_rps
    api = cells.get("api_full_share")
    shares: dict[str, float | None] = {
        "users": rps / users if users else None,
        "slots": rps / slots if slots else None,
        "pool": rps / pool if pool else None,
        # Of more CPUs than it was given the row has a caveat.
        "cpu": min(used_cpus / cpus, 1.0) if used_cpus is not None else None,
        "api": api if isinstance(api, float) else None,
        "rate": _served_share(trial, cells),
    }
    tolerance = TOLERANCE
    start_s, end_s = recording.window
    length_s = end_s - start_s
    if not by_parts:
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


def _cpu_per_view_ms(cells: dict[str, object]) -> float | None:
    value = cells.get("app_cpu_ms_per_view")
    return value if isinstance(value, float) else None


def _facts(
    trial: Trial, recording: Recording, account: _Account, signs: frozenset[Sign]
) -> caveats.Facts:
    """What the caveats need to know beside the row."""
    in_flight, users = account.users, trial.case.users
    return caveats.Facts(
        censored=account.censored or DROPPED in account.due["failure"],
        too_few=account.latency.too_few,
        app_cpu_count=recording.app_cpu_count,
        smt_shared=recording.smt_shared,
        little_holds=not (in_flight and users) or little_holds(in_flight.in_flight, users),
        unsteady=account.unsteady,
        signs=signs,
        failed=not in_window(
            recording.samples.drop_nulls("failure"), *recording.window, "ended_s"
        ).is_empty(),
    )


def _unsteady_by(trial: Trial, recording: Recording) -> float:
    """How far the window is from being the same all over, as a share.

    By the good answers of its halves; an open load's halves differ by chance, so there it is asked
    whether the requests in flight have grown.
    """
    samples, (start_s, end_s) = recording.samples, recording.window
    if trial.case.load == "open":
        return abs(accounting.inflight_growth(samples, start_s, end_s))
    half_s = (start_s + end_s) / 2
    halves = (
        accounting.answers(samples, start_s, half_s).parts,
        accounting.answers(samples, half_s, end_s).parts,
    )
    return abs(halves[0] - halves[1]) / max(*halves) if any(halves) else 0.0


def _app(recording: Recording) -> dict[str, object]:
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
    return cells | {
        "app_cpu_seconds": cpu_seconds,
        "app_cpu_share": cpu_seconds / seconds / recording.app_cpu_count,
    }


def _others(trial: Trial, recording: Recording) -> dict[str, object]:
    """The API, the load generator and its driver, and what the hypervisor took."""
    before, after = recording.before, recording.after
    api_s = (after.api.monotonic_ns - before.api.monotonic_ns) / 1e9
    api = (after.api.cpu_seconds - before.api.cpu_seconds) / api_s
    loadgen_s = (after.loadgen_ns - before.loadgen_ns) / 1e9
    loadgen = _used(before.loadgen_cpu_s, after.loadgen_cpu_s, loadgen_s)
    driver = _used(before.driver_cpu_s, after.driver_cpu_s, loadgen_s)
    # Of CPUs that both may use, each has what the other leaves.
    shared = recording.api_shared_cpu_count
    cells: dict[str, object] = {
        "api_calls": after.api.calls,
        "api_cpu_share": api / recording.api_cpu_count,
        "api_full_share": full_share(
            api, recording.api_cpu_count, min(loadgen or 0.0, shared), at_most=1
        ),
        "api_late_p99_ms": after.api.lateness_ms.p99,
        "api_lag_p99_ms": after.api.loop_lag_ms.p99,
    }
    if loadgen is not None:
        cells["loadgen_cpu_share"] = loadgen / recording.loadgen_cpu_count
    if loadgen is not None and driver is not None:
        beside = max(0.0, loadgen - driver) + min(api, shared)
        cells["driver_full_share"] = full_share(
            driver,
            recording.loadgen_cpu_count,
            beside,
            # hey has native threads; the others are one process of Python each.
            at_most=math.inf if trial.case.driver == Hey.name else 1,
        )
    ticks = after.all_ticks - before.all_ticks
    if ticks:
        cells["steal_share"] = (after.steal_ticks - before.steal_ticks) / ticks
    return cells


def _used(before_s: float | None, after_s: float | None, seconds: float) -> float | None:
    """CPU seconds a second; None where they could not be read."""
    return None if before_s is None or after_s is None else (after_s - before_s) / seconds


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB
