"""Suites whose time is limited: trials end when they were planned to, with shorter windows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from loadgen.lab.servers import Server
from loadgen.suites.lengths import lengths_s, response_time_s, service_time_s
from loadgen.suites.suite import Suite

#: Shares of warm-up and window that are tried, in percent, after whole ones.
SHARES = range(95, 0, -5)
#: Where time is short, an overloaded server's queue is followed for no longer than this.
QUEUE_S = 3.0


def limited(suites: Sequence[Suite], servers: Mapping[str, Server]) -> list[Suite]:
    """The suites with whole windows, and trials that take no longer than planned."""
    longest_queue_s = max(
        response_time_s(case, servers[case.server]) - service_time_s(case, servers[case.server])
        for suite in suites
        for case in suite.cases
    )
    return [
        replace(
            suite,
            timing=replace(
                suite.timing,
                drain_s=min(suite.timing.drain_s, longest_queue_s + QUEUE_S),
                is_limited=True,
            ),
        )
        for suite in suites
    ]


def shortened(suites: Sequence[Suite], percent: int) -> list[Suite]:
    """The suites with so much of their warm-ups and windows (lengths.lengths_s)."""
    return [replace(suite, timing=replace(suite.timing, share=percent / 100)) for suite in suites]


def windows_in_words(suites: Sequence[Suite], servers: Mapping[str, Server]) -> str:
    """By how much the longest window was cut: `windows of 4.5 s instead of 30.0 s`."""
    whole_s, left_s = max(_windows(suites, servers))
    if left_s == whole_s:
        return "full-length windows"
    return f"windows of {left_s:.1f} s instead of {whole_s:.1f} s"


def _windows(
    suites: Sequence[Suite], servers: Mapping[str, Server]
) -> Iterator[tuple[float, float]]:
    """Of each case the whole window and what is left of it, seconds; 0 where it is counted."""
    for suite in suites:
        for case in suite.cases:
            server = servers[case.server]
            _, whole_s = lengths_s(case, server, replace(suite.timing, share=1.0))
            _, left_s = lengths_s(case, server, suite.timing)
            yield whole_s or 0.0, left_s or 0.0
