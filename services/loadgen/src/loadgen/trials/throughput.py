"""Throughput, the CPU of a view, the ceilings of a trial, and which of them held it back."""

from dataclasses import dataclass

from loadgen.errors import TrialError
from loadgen.theory.laws import (
    TOLERANCE,
    bound,
    cpu_ceiling_kind,
    cpu_ceiling_rps,
    slots_ceiling_rps,
    usable_cpus,
    users_ceiling_rps,
)
from loadgen.trials import accounting
from loadgen.trials.recording import CpuUse, Recording
from loadgen.trials.trial import Trial
from loadgen.trials.window_account import WindowAccount

#: By how many answers a count by parts may be off.
HALF_AN_ANSWER = 0.5


@dataclass(frozen=True)
class Throughput:
    """The columns of trials.csv that count answers; None where they cannot be known.

    Attributes:
        rps: good answers by the window's length.
        app_cpu_ms_per_view: CPU time of the server by good answers between the snapshots.
        cpu_ceiling_rps, cpu_ceiling_kind: what the usable CPUs allow, and how sure that is.
        bound_by, ceiling_share: what was used up, and how much of it.
    """

    rps: float
    app_cpu_ms_per_view: float | None
    cpu_ceiling_rps: float | None
    cpu_ceiling_kind: str | None
    bound_by: str | None
    ceiling_share: float | None


def throughput_of(
    trial: Trial, recording: Recording, account: WindowAccount, use: CpuUse, *, by_parts: bool
) -> Throughput:
    """What a trial made, by one count of answers, and what held it back.

    Args:
        trial, recording, account, use: of the trial.
        by_parts: whether an answer that lies partly in the window counts by that part, or those
            that ended in it count.

    Raises:
        TrialError: it made more than its users, slots or pool allow, which cannot be.
    """

    def counted(answers: accounting.Answers) -> float:
        return answers.parts if by_parts else float(answers.ended)

    between_snapshots = accounting.answers(
        recording.samples,
        (recording.before.app.monotonic_ns - recording.start_ns) / 1e9,
        (recording.after.app.monotonic_ns - recording.start_ns) / 1e9,
    )
    rps, views = counted(account.answers) / recording.length_s, counted(between_snapshots)
    cpu_s, service_s = use.app_cpu_seconds, trial.service_time_s
    cpu_ms = cpu_s * 1000 / views if cpu_s is not None and views else None
    app_cpus = len(recording.roles.app)
    used_cpus = None if use.app_cpu_share is None else use.app_cpu_share * app_cpus
    # One that uses more than a CPU for each process must have threads outside of Python.
    many_each = trial.many_cpus or (used_cpus or 0) > (1 + TOLERANCE) * trial.server.processes
    cpus = usable_cpus(app_cpus, trial.server.processes, many_each=many_each)
    # Of more CPUs than it was given the row has a caveat.
    cpu_share = None if used_cpus is None else min(used_cpus / cpus, 1.0)
    # The mean over a ramp can reach no more than the ramp's mean users ask for.
    users = users_ceiling_rps(trial.case.mean_users, service_s)
    slots = slots_ceiling_rps(trial.server.slots, service_s)
    pool = trial.pool_ceiling_rps
    # An open load asks for no more than its rate.
    asked_rps = account.due.height / recording.length_s if trial.case.load == "open" else 0.0
    shares = {
        "users": rps / users if users else None,
        "slots": rps / slots if slots else None,
        "pool": rps / pool if pool else None,
        "cpu": cpu_share,
        "api": use.api_full_share,
        "rate": min(rps / asked_rps, 1.0) if asked_rps else None,
    }
    tolerance = TOLERANCE + _inexactness(rps, service_s, recording.length_s, by_parts=by_parts)
    try:
        limit = bound(shares, tolerance)
    except ValueError as error:
        what = f"{rps:.2f} views/s is {error}"
        if trial.server.page:
            what += ". Is lab.service_time_ms larger than what the view really waits?"
        raise TrialError("above-ceiling", what) from error
    cpu_ceiling = cpu_ceiling_rps(cpus, cpu_ms / 1000) if cpu_ms else None
    return Throughput(
        rps=rps,
        app_cpu_ms_per_view=cpu_ms,
        cpu_ceiling_rps=cpu_ceiling,
        cpu_ceiling_kind=(
            cpu_ceiling_kind(cpu_share) if cpu_ceiling and cpu_share is not None else None
        ),
        bound_by=limit.by if limit else None,
        ceiling_share=limit.share if limit else None,
    )


def _inexactness(rps: float, service_s: float, length_s: float, *, by_parts: bool) -> float:
    """By how much a share of a ceiling may be too large, for the way in which answers count."""
    if not by_parts:
        # Whole answers are counted: in a window of T, a slot may end one more than its T / S.
        return service_s / length_s
    # Parts of answers are counted at the window's edges, as if they were served all along: that
    # matters where there are few.
    return HALF_AN_ANSWER / (rps * length_s) if rps else 0.0
