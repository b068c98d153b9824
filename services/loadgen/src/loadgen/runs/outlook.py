"""How many trials are to come and how long they take, in words."""

from collections.abc import Sequence

from loadgen.documents.words import count_of, listing
from loadgen.duets.duet import Duet, Measurement
from loadgen.suites.cases import plain
from loadgen.suites.timing import duration


def count_in_words(trials: Sequence[Measurement]) -> str:
    """How many trials; about how many where some are of searches."""
    searches = sum(trial.ahead is not None for trial in trials)
    duets = sum(isinstance(each, Duet) for each in trials)
    counts = ((usual_count(trials) - duets, "trial"), (duets, "duet"))
    words = " and ".join(count_of(count, what) for count, what in counts if count)
    words = words or count_of(0, "trial")
    if not searches:
        return words
    return f"about {words} in {count_of(searches, 'search', 'searches')}"


def usual_count(trials: Sequence[Measurement]) -> int:
    """How many trials, with the usual number of those that searches will add."""
    return len(trials) + sum(trial.ahead.usual for trial in trials if trial.ahead)


def usual_time(trials: Sequence[Measurement]) -> str:
    """About how long trials take, with the usual number of those that searches add."""
    return duration(usual_s(trials))


def usual_s(trials: Sequence[Measurement]) -> float:
    """The same in seconds."""
    windows_s = sum(each.ahead.usual * each.ahead.window_s for each in trials if each.ahead)
    return windows_s + sum(trial.expected_s for trial in trials)


def time_in_words(trials: Sequence[Measurement]) -> str:
    """The same, and the most that it can be where some are of searches."""
    if not any(trial.ahead for trial in trials):
        return usual_time(trials)
    windows_s = sum(each.ahead.most * each.ahead.window_s for each in trials if each.ahead)
    most_s = windows_s + sum(trial.expected_s for trial in trials)
    return f"{usual_time(trials)}, {duration(most_s)} at most"


#: More users or rates than this are not told one by one.
MOST_SIZES = 5
#: How arrivals are spaced, in words.
SPACED = {
    "poisson": "at random",
    "constant": "evenly spaced",
    "jittered": "evenly spread with some jitter",
}


def who_asks(trials: Sequence[Measurement]) -> str:
    """Who asks: `200 users, who each wait for an answer`; `40 arrivals a second, at random`."""
    kinds = []
    cases = [each.case for each in trials if not isinstance(each, Duet)]
    if users := sorted({case.users for case in cases if case.users}):
        kinds.append(f"{_sizes(users)} users, who each wait for an answer")
    for arrivals, how in SPACED.items():
        if rates := sorted({case.rate_rps or 0 for case in cases if case.arrivals == arrivals}):
            kinds.append(f"{_sizes(rates)} arrivals a second, {how}")
    alone = "; ".join(kinds)
    if len(cases) == len(trials):
        return alone
    duets = "duets (two servers at once) each server gets a load that leaves the CPUs partly idle."
    return f"{alone}. In {duets}" if alone else f"in {duets}"


def _sizes(sizes: Sequence[float]) -> str:
    """`30, 50 or 100`; of too many the first and the last."""
    if len(sizes) > MOST_SIZES:
        return f"{plain(sizes[0])} to {plain(sizes[-1])}"
    return listing(map(plain, sizes), most=MOST_SIZES, joined="or")
