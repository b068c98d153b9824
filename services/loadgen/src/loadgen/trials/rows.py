"""What a trial recorded → its row."""

from dataclasses import asdict

from loadgen.generators.request_log import DROPPED
from loadgen.records.columns import Row, row
from loadgen.theory.laws import UNEXPLAINED, slots_ceiling_rps, users_ceiling_rps
from loadgen.trials import accounting, unexplained
from loadgen.trials.caveats import Facts, caveats_of
from loadgen.trials.recording import CpuUse, Recording, cpu_use
from loadgen.trials.throughput import Throughput, throughput_of
from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign
from loadgen.trials.window_account import WindowAccount, window_account

MIB = 1024 * 1024


def failed_row(trial: Trial, outcome: str) -> Row:
    """The row of a trial that could not be measured."""
    return row(_planned(trial) | {"outcome": outcome, "ranked": "no"})


def measured_row(trial: Trial, recording: Recording) -> Row:
    """The row of a trial that was measured.

    Raises:
        TrialError: it made more than can be.
    """
    account = window_account(trial, recording)
    use = cpu_use(recording, trial.case.driver)
    made, signs = _throughput(trial, recording, account, use)
    measured = row(
        _planned(trial)
        | {"outcome": "measured"}
        | _load(trial, recording, account)
        | _counters(recording)
        | asdict(use)
        | asdict(made)
    )
    warnings = caveats_of(Facts(measured, trial, recording, account, signs))
    return measured | {
        "ranked": "no" if any(caveat.unranks for caveat in warnings) else "yes",
        "caveats": " ".join(caveat.name for caveat in warnings),
    }


def _throughput(
    trial: Trial, recording: Recording, account: WindowAccount, use: CpuUse
) -> tuple[Throughput, frozenset[Sign]]:
    """What the trial made, and what its samples show where nothing bounds that.

    Where users move in waves that nothing explains, only what ended in the window is sure to be of
    it, so answers do not count by parts.
    """
    made = throughput_of(trial, recording, account, use, by_parts=account.by_parts)
    if made.bound_by != UNEXPLAINED:
        return made, frozenset()
    signs = unexplained.signs(trial, recording.samples, recording.window)
    if account.by_parts and "in-step" in signs:
        made = throughput_of(trial, recording, account, use, by_parts=False)
    return made, signs


def _planned(trial: Trial) -> dict[str, object]:
    server, service_s = trial.server, trial.service_time_s
    return trial.case.cells() | {
        "round": trial.round,
        "repeat": trial.repeat,
        "attempt": trial.attempt,
        "partner": trial.partner,
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


def _load(trial: Trial, recording: Recording, account: WindowAccount) -> dict[str, object]:
    """What the load was, and its latency."""
    samples, (start_s, end_s), length_s = recording.samples, recording.window, recording.length_s
    is_open = trial.case.load == "open"
    due, latency = account.due, account.latency
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
        "sent_p95_ms": latency.sent_p95_ms if known else None,
        "lag_p99_ms": accounting.percentile(lag_ms, 0.99),
        **percentiles,
    }


def _counters(recording: Recording) -> dict[str, object]:
    """The server's process tree, and the API's own record."""
    app, api, memory = recording.after.app, recording.after.api, recording.memory
    return {
        "app_processes": app.processes,
        "app_threads": app.threads,
        "app_pss_mib": _mib(memory.pss_bytes),
        "app_peak_mib": _mib(memory.peak_bytes),
        "calibration_ms": recording.calibration_ms,
        "api_calls": api.calls,
        "api_late_p99_ms": api.lateness_ms.p99,
        "api_lag_p99_ms": api.loop_lag_ms.p99,
    }


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB
