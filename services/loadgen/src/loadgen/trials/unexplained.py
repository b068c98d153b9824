"""Why a server made less than any ceiling allows: what its samples show of it.

Only a row that nothing explains is asked. Each reason has a sign of its own in the samples, and is
a caveat (loadgen.trials.caveats) with its words.
"""

from typing import Literal

import numpy as np
import polars as pl

from loadgen.records.samples import in_window
from loadgen.theory.laws import BINDING_SHARE, users_ceiling_rps
from loadgen.trials import accounting
from loadgen.trials.trial import Trial

Sign = Literal["in-step", "uneven-processes", "ramp-in-mean", "one-at-a-time"]

#: Share of a window without answers from which users are said to move in step.
IDLE_SHARE = 0.25
#: An answer within this many service times did not wait for a slot; beyond the other it did.
AT_ONCE, WAITED = 1.25, 1.5
#: At least this share of the answers must have done the one, and this share the other.
SOME_SHARE = 0.1
#: Views that run one at a time end a service time apart, but for this share of them.
APART_SHARE = 0.9
#: Fewer answers than this show no pattern.
LEAST_ANSWERS = 5


def signs(trial: Trial, samples: pl.DataFrame, window: tuple[float, float]) -> frozenset[Sign]:
    """The reasons that a window's samples show; none where there are none."""
    shown: dict[Sign, bool] = {
        "in-step": _in_step(trial, samples, window),
        "uneven-processes": _uneven(trial, samples, window),
        "ramp-in-mean": _ramp(trial, samples, window),
        "one-at-a-time": _one_at_a_time(trial, samples, window),
    }
    return frozenset(sign for sign, is_shown in shown.items() if is_shown)


def _in_step(trial: Trial, samples: pl.DataFrame, window: tuple[float, float]) -> bool:
    """Users of a closed load are answered in waves, and wait together in between."""
    steady = trial.timing.accounting == "due" and trial.window_s is not None
    closed = trial.case.load == "closed" and trial.case.ramp is None
    return steady and closed and accounting.idle_share(samples, *window) > IDLE_SHARE


def _uneven(trial: Trial, samples: pl.DataFrame, window: tuple[float, float]) -> bool:
    """There are slots for all users, in several processes; and yet some are answered at once, and
    others have waited for a slot: more connections have come to one process than it has slots for.
    """
    server, users = trial.server, trial.case.users
    if server.processes < 2 or not server.slots or not users or users > server.slots:
        return False
    if not trial.service_time_s:
        return False
    due = accounting.good(in_window(samples, *window, "due_s"))
    times = (due["answered_s"] - due["due_s"]).to_numpy() / trial.service_time_s
    if times.size < LEAST_ANSWERS:
        return False
    at_once, waited = (times <= AT_ONCE).mean(), (times >= WAITED).mean()
    return bool(at_once >= SOME_SHARE and waited >= SOME_SHARE)


def _ramp(trial: Trial, samples: pl.DataFrame, window: tuple[float, float]) -> bool:
    """The mean is over a ramp, and the best ten seconds of it made what its plateau can ask for."""
    ceiling_rps = users_ceiling_rps(trial.case.users, trial.service_time_s)
    best_rps = accounting.best_rate_rps(samples, *window)
    if trial.case.ramp is None or not ceiling_rps or best_rps is None:
        return False
    return best_rps >= BINDING_SHARE * ceiling_rps


def _one_at_a_time(trial: Trial, samples: pl.DataFrame, window: tuple[float, float]) -> bool:
    """Views on an event loop end a service time apart, as many at once as there are processes: each
    holds up its loop while it waits.
    """
    server, users = trial.server, trial.case.users
    if server.concurrency != "asyncio" or (users is not None and users <= server.processes):
        return False
    if not trial.service_time_s:
        return False
    ended = in_window(accounting.good(samples), *window, "answered_s")["answered_s"]
    instants_s = np.sort(ended.to_numpy())
    if instants_s.size < LEAST_ANSWERS + server.processes:
        return False
    apart_s = instants_s[server.processes :] - instants_s[: -server.processes]
    return bool((apart_s >= APART_SHARE * trial.service_time_s).mean() >= APART_SHARE)
