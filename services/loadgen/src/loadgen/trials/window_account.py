"""What the requests of one trial come to, by the definitions of `loadgen.trials.accounting`."""

from dataclasses import dataclass

import polars as pl

from loadgen.drivers.own import Own
from loadgen.generators.request_log import DROPPED
from loadgen.records.samples import in_window
from loadgen.theory.laws import little_holds
from loadgen.trials import accounting
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial

#: What differs by more within the window is not of one piece.
UNSTEADY_SHARE = 0.05


@dataclass(frozen=True)
class WindowAccount:
    """What a trial's requests come to, as far as more than one cell needs it.

    Attributes:
        due: the requests due in the window.
        requests: those that the row speaks of.
        starved: how many waited through the whole window.
        answers: the good ones.
        latency: of the requests that the row speaks of.
        censored: a percentile of the requests *due* lands on one without an answer, or some were
            dropped. It is so too where the row counts those answered: a tool that forgets its queue
            at the end reports the latency of the lucky.
        by_parts: whether answers count by parts: that is exact where the load is steady. Not of an
            open load, whose queue grows all the time where the server cannot keep up, nor where a
            row counts as its tool does.
        little_holds: requests in flight are as many as users; True where that cannot be asked.
        missing_users: by what share of the users that is off; 0 where it cannot be asked.
        ranked_ms, from_sending_ms: latencies of the requests that the row speaks of, in order, from
            the instants due and sent; infinite where they are not good.
        times_add_up: response times are those of all users, or that cannot be asked.
        unsteady: the window is not of one piece.
    """

    due: pl.DataFrame
    requests: pl.DataFrame
    starved: int
    answers: accounting.Answers
    latency: accounting.Latency
    censored: bool
    by_parts: bool
    little_holds: bool
    missing_users: float
    ranked_ms: accounting.Ordered
    from_sending_ms: accounting.Ordered
    times_add_up: bool
    unsteady: bool


def window_account(trial: Trial, recording: Recording) -> WindowAccount:
    """The account of a trial that was measured."""
    samples, window = recording.samples, recording.window
    timing, case = trial.timing, trial.case
    due = in_window(samples, *window, "due_s")
    requests = accounting.requests_of(samples, *window, timing.accounting)
    starved = accounting.starved(samples, *window).height
    answers = accounting.answers(samples, *window)
    of_due = accounting.latency(due, starved)
    by_the_protocol = timing.accounting == "due" and trial.window_s is not None
    constant_users = by_the_protocol and case.load == "closed" and case.ramp is None
    all_in_flight = times_add_up = True
    missing_users = 0.0
    if constant_users and case.users:
        pauses = case.driver == Own.name
        users = accounting.users_by_little(samples, *window, pauses=pauses)
        all_in_flight = little_holds(users.in_flight, case.users)
        missing_users = abs(1 - users.in_flight / case.users)
        times_add_up = users.times_add_up(case.users)
    unsteady = by_the_protocol and (
        not recording.settled
        or _unsteady_by(trial, recording) > UNSTEADY_SHARE
        or not times_add_up
        or not answers.agree(case.users or accounting.inflight_mean(samples, *window))
    )
    spoken_of = (due, starved) if timing.accounting == "due" else (requests, 0)
    return WindowAccount(
        due=due,
        requests=requests,
        starved=starved,
        answers=answers,
        latency=of_due if timing.accounting == "due" else accounting.latency(requests),
        ranked_ms=accounting.ranked_ms(*spoken_of),
        from_sending_ms=accounting.ranked_ms(*spoken_of, since="sent_s"),
        censored=of_due.censored or DROPPED in due["failure"],
        by_parts=constant_users and not unsteady,
        little_holds=all_in_flight,
        missing_users=missing_users,
        times_add_up=times_add_up,
        unsteady=unsteady,
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
