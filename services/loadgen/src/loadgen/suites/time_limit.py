"""A suite with a time limit: how long its trials may last, and how many rounds there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loadgen.errors import ConfigurationError
from loadgen.lab.servers import Server
from loadgen.suites.cases import Case
from loadgen.suites.lengths import expected_s, lengths_s, response_time_s, service_time_s
from loadgen.suites.timing import Timing, duration
from loadgen.theory.statistics import LEAST_ROUNDS

#: Shares of warm-up and window that are tried, in percent.
SHARES = range(100, 0, -5)
#: Where time is short, an overloaded server's queue is followed for no longer than this.
QUEUE_S = 3.0


@dataclass(frozen=True)
class Fit:
    """What a time limit leaves of a suite.

    Attributes:
        words: a sentence that says what was cut; empty: nothing.
    """

    timing: Timing
    rounds: int
    words: str = ""


def fitted(
    cases: Sequence[Case],
    servers: Mapping[str, Server],
    timing: Timing,
    rounds: int,
    at_most_s: float,
) -> Fit:
    """The longest windows, then the most rounds, with which all trials take at most that long.

    A window is cut down to one service time, a warm-up to one response time, before a round goes.

    Raises:
        ConfigurationError: a single round takes longer.
    """
    longest_queue_s = max(
        response_time_s(case, servers[case.server]) - service_time_s(case, servers[case.server])
        for case in cases
    )
    drain_s = min(timing.drain_s, longest_queue_s + QUEUE_S)
    within = replace(timing, drain_s=drain_s, is_limited=True)

    def round_s(timing: Timing) -> float:
        return sum(expected_s(case, servers[case.server], timing) for case in cases)

    for count in range(rounds, 0, -1):
        for percent in SHARES:
            tried = replace(within, share=percent / 100)
            if count * round_s(tried) <= at_most_s:
                cuts = [*_shorter_windows(cases, servers, tried), *_fewer_rounds(count, rounds)]
                words = f"{', '.join(cuts)}: it takes {duration(at_most_s)} at most" if cuts else ""
                return Fit(tried, count, words)
    least_s = round_s(replace(within, share=0.0))
    raise ConfigurationError(
        f"a round of its {len(cases)} cases takes {duration(least_s)} even with the shortest "
        f"windows, and {duration(at_most_s)} are allowed: name fewer servers or clients, or "
        "shorter delays"
    )


def _shorter_windows(
    cases: Sequence[Case], servers: Mapping[str, Server], timing: Timing
) -> Iterator[str]:
    """By how much the longest window was cut, if it was."""
    whole = replace(timing, share=1.0)
    windows = [
        tuple(lengths_s(case, servers[case.server], rule)[1] or 0.0 for rule in (whole, timing))
        for case in cases
    ]
    whole_s, left_s = max(windows)
    if left_s < whole_s:
        yield f"windows of {left_s:.1f} s instead of {whole_s:.1f} s"


def _fewer_rounds(count: int, wanted: int) -> Iterator[str]:
    """How many rounds are left, if some are gone."""
    if count < wanted:
        few = ", too few for intervals" if count < LEAST_ROUNDS else ""
        yield f"{count} round{'' if count == 1 else 's'} instead of {wanted}{few}"
