"""Time is the budget: as many rounds as fit into it, with windows as long as they may be."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loadgen.documents.words import count_of
from loadgen.duets.duet import Measurement, demanding
from loadgen.errors import ConfigurationError
from loadgen.lab.servers import Server
from loadgen.runs.outlook import usual_s
from loadgen.runs.plan import Plan
from loadgen.suites.mistakes import mistake
from loadgen.suites.suite import Suite
from loadgen.suites.suite_file import MOST_ROUNDS
from loadgen.suites.time_limit import SHARES, limited, shortened, windows_in_words
from loadgen.suites.timing import duration
from loadgen.theory.statistics import LEAST_ROUNDS
from loadgen.trials.self_check import demands

#: What a run takes besides its trials, twice to three times what was measured on two cores: until
#: loadgen has begun and found its servers (1.5 s),
BEGIN_S = 4.0
#: the first attempt of the self-check over each upstream (it is as long as its windows),
CHECK_S = 6.0
#: and its tables and its report (1.5 s), which reads the samples of each trial (0.02 s).
END_S = 5.0
END_S_PER_TRIAL = 0.05
#: Where cases may be left out, a window is not cut to less than this before they are.
LEAST_PERCENT = 50


@dataclass(frozen=True)
class Fit:
    """What fits into the time that a run may take.

    Attributes:
        suites: with the rounds, the windows and the cases that fit.
        words: sentences that say which; none where no time was set.
        spare_s: what is left for trials that are measured again.
    """

    suites: tuple[Suite, ...]
    words: tuple[str, ...] = ()
    spare_s: float = math.inf


@dataclass(frozen=True)
class _Cost:
    """What a run takes, seconds: all rounds after the first take the same."""

    first_s: float
    further_s: float

    def of(self, rounds: int) -> float:
        return self.first_s + (rounds - 1) * self.further_s

    def rounds_in(self, seconds: float) -> int:
        if seconds < self.first_s:
            return 0
        return 1 + math.floor((seconds - self.first_s) / self.further_s)


def in_time(
    suites: Sequence[Suite],
    servers: Mapping[str, Server],
    minutes: float | None = None,
    rounds: int | None = None,
) -> Fit:
    """The suites as a run measures them.

    With minutes, all suites together take at most so long, with all that begins and ends a run:
    as many rounds as fit with whole windows. If fewer than three do, warm-ups and windows are cut
    until three fit. Without, each suite goes by its own minutes if it has some, and no rounds are
    asked for.

    Args:
        suites: narrowed, as they are asked for.
        minutes: that the whole run may take; None: as each suite says.
        rounds: how often each case is measured; with minutes, at most so often.

    Raises:
        ConfigurationError: three rounds do not fit, or as many as are asked for where that is
            fewer.
    """
    if minutes is not None:
        asked = f"--minutes {minutes:g}"
        try:
            return _fitted(suites, servers, minutes, rounds or MOST_ROUNDS, asked)
        except _TooShortError as short:
            raise ConfigurationError(f"{asked}: {short}") from None
    fits = [_by_itself(suite, servers, rounds) for suite in suites]
    return Fit(
        tuple(suite for fit in fits for suite in fit.suites),
        tuple(words for fit in fits for words in fit.words),
        min((fit.spare_s for fit in fits), default=math.inf),
    )


class _TooShortError(Exception):
    """The time is too short, and what would be enough."""


def _by_itself(suite: Suite, servers: Mapping[str, Server], rounds: int | None) -> Fit:
    """A suite with the rounds that are asked for; else with its own, or in its own minutes."""
    if rounds or suite.minutes is None or not suite.cases:
        return Fit((replace(suite, rounds=rounds or suite.rounds),))
    most = suite.most_rounds or MOST_ROUNDS
    try:
        return _fitted([suite], servers, suite.minutes, most, suite.name)
    except _TooShortError as short:
        raise mistake(suite.name, "minutes", str(short)) from None


def _fitted(
    suites: Sequence[Suite],
    servers: Mapping[str, Server],
    minutes: float,
    most_rounds: int,
    asked: str,
) -> Fit:
    """The suites with the rounds, windows and cases that fit.

    Args:
        asked: what has set the time.
    """
    if not any(suite.cases for suite in suites):
        return Fit(tuple(suites))
    budget_s, least = 60 * minutes, min(LEAST_ROUNDS, most_rounds)
    choices = list(_with_fewer_cases(limited(suites, servers), minutes))
    for kept in choices:
        last = kept is choices[-1]
        cost = _cost(kept, servers)
        rounds = min(most_rounds, cost.rounds_in(budget_s))
        if rounds >= least:
            return _fit(kept, servers, rounds, cost, budget_s, asked)
        for percent in SHARES:
            if percent < LEAST_PERCENT and not last:
                break
            tried = shortened(kept, percent)
            cost = _cost(tried, servers)
            if cost.of(least) <= budget_s:
                return _fit(tried, servers, least, cost, budget_s, asked)
    needed = math.ceil(cost.of(least) / 60)
    cases = sum(len(suite.cases) for suite in choices[-1])
    raise _TooShortError(
        f"{count_of(least, 'round')} of {count_of(cases, 'case')} take at least "
        f"{needed} minutes, with the shortest windows. Give --minutes {needed}, or ask for less: "
        "fewer cases, or shorter delays"
    )


def _fit(
    suites: Sequence[Suite],
    servers: Mapping[str, Server],
    rounds: int,
    cost: _Cost,
    budget_s: float,
    asked: str,
) -> Fit:
    words = f"{asked}: {count_of(rounds, 'round')} with {windows_in_words(suites, servers)}, "
    words += f"{duration(cost.of(rounds))} with the start and the end of the run"
    measured = tuple(replace(suite, rounds=rounds) for suite in suites)
    return Fit(measured, (words,), budget_s - cost.of(rounds))


def _with_fewer_cases(suites: Sequence[Suite], minutes: float) -> Iterator[Sequence[Suite]]:
    """The suites, then without the last case of those that may lose one, and so on.

    Something to compare is left to each.
    """
    while True:
        yield suites
        fewer = [_without_the_last_case(suite, minutes) for suite in suites]
        if not any(fewer):
            return
        suites = [less or suite for less, suite in zip(fewer, suites, strict=True)]


def _without_the_last_case(suite: Suite, minutes: float) -> Suite | None:
    if not suite.fewer_cases or not suite.cases:
        return None
    *cases, last = suite.cases
    reason = f"{last.slug}: no time for it in {duration(60 * minutes)}"
    less = replace(
        suite,
        cases=tuple(cases),
        narrowed_from=suite.whole,
        left_out=(*suite.left_out, reason),
    )
    return less if less.pairs or less.duets else None


def _cost(suites: Sequence[Suite], servers: Mapping[str, Server]) -> _Cost:
    first_s, two_s = (
        run_s(Plan(suites, servers, rounds, seed=0, ordered=False).certain()) for rounds in (1, 2)
    )
    return _Cost(first_s, two_s - first_s)


def run_s(trials: Sequence[Measurement]) -> float:
    """About how long a run of these trials takes, from its begin to its end, seconds."""
    checks_s = CHECK_S * len(demands(demanding(trials), app_cpus=1))
    return BEGIN_S + checks_s + usual_s(trials) + END_S + END_S_PER_TRIAL * len(trials)
