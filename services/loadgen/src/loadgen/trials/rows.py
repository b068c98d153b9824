"""What a trial recorded → its row."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from statistics import stdev

from loadgen.generators.request_log import DROPPED
from loadgen.records.columns import Row, row
from loadgen.suites.cases import NO_HTTP
from loadgen.theory import bounds
from loadgen.theory.laws import UNEXPLAINED, slots_ceiling_rps, users_ceiling_rps
from loadgen.theory.statistics import MARGIN
from loadgen.trials import accounting, unexplained
from loadgen.trials.caveats import BUSY_SHARE, Facts, caveats_of
from loadgen.trials.recording import CpuUse, Recording, cpu_use
from loadgen.trials.throughput import Throughput, throughput_of
from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign
from loadgen.trials.window_account import WindowAccount, window_account

MIB = 1024 * 1024
#: What the probe takes on a CPU of the speed that reference milliseconds are of.
REFERENCE_PROBE_MS = 0.2


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
        | _probe(recording, made)
        | asdict(use)
        | asdict(made)
    )
    measured |= _bounds(measured, trial, recording, account)
    warnings = caveats_of(Facts(measured, trial, recording, account, signs))
    unranked = any(caveat.unranks for caveat in warnings) or measured.bound("rps") > MARGIN
    return measured | {
        "ranked": "no" if unranked else "yes",
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
        "api_late_mean_ms": api.lateness_ms.mean,
        "api_late_p99_ms": api.lateness_ms.p99,
        "api_lag_p99_ms": api.loop_lag_ms.p99,
    }


def _probe(recording: Recording, made: Throughput) -> dict[str, object]:
    """How fast the app's CPU was in the window, and what a view costs on one of the reference."""
    probe, cpu_ms = recording.probe, made.app_cpu_ms_per_view
    if probe is None or not probe.mean_ms:
        return {}
    means_ms = probe.means_ms
    return {
        "probe_ms": probe.mean_ms,
        "probe_sd_ms": stdev(means_ms) if len(means_ms) > 1 else None,
        "app_cpu_reference_ms_per_view": (
            None if cpu_ms is None else cpu_ms * REFERENCE_PROBE_MS / probe.mean_ms
        ),
    }


# -------------------------------------------------------------------------- bounds of instruments


def _bounds(
    measured: Row, trial: Trial, recording: Recording, account: WindowAccount
) -> Mapping[str, float | None]:
    """The most that the instruments can have done to each metric of the row; empty cells where it
    is not known how late the API was.
    """
    rps = measured.number("rps") or 0.0
    instruments = _instruments(measured, trial, recording, account)
    if instruments is None:
        return {}
    avg_ms = measured.number("avg_ms")
    made = bounds.Made(
        rps=rps,
        service_ms=trial.service_time_s * 1000,
        avg_ms=avg_ms,
        most_rps=_most_rps(measured, trial),
        queue=_queue(measured, rps),
    )
    sent = account.from_sending_ms
    known = sent[sent < math.inf]
    of_avg = bounds.mean_bound(made, instruments, float(known.mean())) if known.size else None
    of_rps = bounds.rps_bound(made, instruments)
    of_cpu = bounds.cpu_bound(of_rps)
    cells = {"rps": of_rps, "avg_ms": of_avg}
    for metric, share in accounting.PERCENTILES.items():
        sent_ms = accounting.percentile(account.from_sending_ms, share)
        if measured.number(metric) is None or sent_ms is None:
            continue
        quantile_ms = partial(_quantile_ms, account.ranked_ms)
        cells[metric] = bounds.percentile_bound(made, instruments, share, quantile_ms, sent_ms)
    if measured.number("app_cpu_ms_per_view") is not None:
        cells["app_cpu_ms_per_view"] = of_cpu
        cells["app_cpu_reference_ms_per_view"] = _reference_bound(recording, of_cpu)
    return {f"{metric}_bound": bound for metric, bound in cells.items()}


def _instruments(
    measured: Row, trial: Trial, recording: Recording, account: WindowAccount
) -> bounds.Instruments | None:
    """What is known of them; None where the views call an API that does not tell how late it was.

    Article A's own API is a part of what its rows ask about, so it is no instrument there.
    """
    case, api = trial.case, recording.after.api
    calls = 0.0
    if case.http_client != NO_HTTP and measured["api_calls"]:
        views = max(1.0, account.answers.parts)
        calls = len(case.delays_ms) or (measured.number("api_calls") or 0.0) / views
    told = [record.lateness for record in (api.lateness_ms, api.loop_lag_ms)]
    late = tuple(lateness for lateness in told if lateness)
    if calls and len(late) < len(told):
        return None
    return bounds.Instruments(
        late=late if calls else (),
        calls=calls,
        missing_users=account.missing_users,
        stolen=measured.number("steal_share") or 0.0,
        driver_full=(measured.number("driver_full_share") or 0.0) > BUSY_SHARE,
    )


def _most_rps(measured: Row, trial: Trial) -> float | None:
    """The least that users, slots, pool, arrivals, or a CPU that was used up allow."""
    asked = measured.number("offered_rps") if trial.case.load == "open" else None
    used_up = measured["cpu_ceiling_kind"] == "measured"
    ceilings = (
        users_ceiling_rps(trial.case.mean_users, trial.service_time_s),
        *(measured.number(f"{name}_ceiling_rps") for name in ("slots", "pool")),
        measured.number("cpu_ceiling_rps") if used_up else None,
        asked,
    )
    return min(filter(None, ceilings), default=None)


def _queue(measured: Row, rps: float) -> float:
    """How a queue answers to what each of its places takes: see `bounds.Made`."""
    if measured["load"] == "closed":
        return 1.0
    ceilings = (measured.number(f"{name}_ceiling_rps") for name in ("slots", "pool"))
    least = min(filter(None, ceilings), default=None)
    if least is None:
        return 0.0
    return math.inf if rps >= least else 1 / (1 - rps / least)


def _reference_bound(recording: Recording, of_cpu: float) -> float | None:
    """That of CPU per view, and the error of the correction: two standard errors of the probe's
    mean over the seconds of the window.
    """
    probe = recording.probe
    if probe is None or not probe.mean_ms or len(probe.means_ms) < 2:
        return None
    means_ms = probe.means_ms
    return of_cpu + bounds.correction_error(probe.mean_ms, stdev(means_ms), len(means_ms))


def _quantile_ms(ranked_ms: accounting.Ordered, share: float) -> float | None:
    """Nearest rank, also where few lie above; None where it falls on one that is not good."""
    rank = math.ceil(round(share * ranked_ms.size, 9))
    value_ms = float(ranked_ms[rank - 1]) if rank >= 1 else math.inf
    return value_ms if math.isfinite(value_ms) else None


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB
