"""Which pairs a suite measures as duets, and which of its cases it still measures by themselves.

Of a `[[compare]]` entry with `duet = true` CPU per view is measured with both sides under load at
once. A duet finds a load of its own, so pairs that differ in nothing but the load are one duet.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loadgen.lab.lab import Lab
from loadgen.lab.servers import Server
from loadgen.suites.cases import Case
from loadgen.suites.make_cases import CaseMaker
from loadgen.suites.pairs import Compare, Pair

#: What a duet measures.
CPU_METRIC = "app_cpu_ms_per_view"
#: A load of fewer users tells more of chance than of the servers.
LEAST_USERS = 3


@dataclass(frozen=True)
class DuetPair:
    """Two cases that are under load at once.

    Attributes:
        a, b: the cases, without their loads.
        most: users each, or arrivals a second each, at most.
    """

    a: Case
    b: Case
    most: float

    @property
    def key(self) -> frozenset[str]:
        """The same for both directions: one duet answers both."""
        return frozenset((self.a.slug, self.b.slug))


def is_in_a_duet(entry: Compare, pair: Pair, always_on: Collection[str]) -> bool:
    """Whether CPU per view of a pair is asked of a duet; not of a server that is always on, which
    tells nobody its CPU time.
    """
    return entry.duet and not any(case.server in always_on for case in pair)


def by_trials(entry: Compare, pair: Pair, always_on: Collection[str]) -> list[str]:
    """The metrics of a pair that its cases' own trials are asked for."""
    in_a_duet = is_in_a_duet(entry, pair, always_on)
    return [metric for metric in entry.metrics if metric != CPU_METRIC or not in_a_duet]


def duet_pairs(
    compare: Iterable[Compare], cases: Sequence[Case], always_on: Collection[str]
) -> list[DuetPair]:
    """The duets of a suite, each once."""
    return merged(
        DuetPair(a.in_a_duet, b.in_a_duet, _most(a, b))
        for entry in compare
        for a, b in entry.pairs(cases)
        if is_in_a_duet(entry, (a, b), always_on)
    )


def merged(pairs: Iterable[DuetPair]) -> list[DuetPair]:
    """Each duet once, with the largest load that any asks for."""
    known: dict[frozenset[str], DuetPair] = {}
    for pair in pairs:
        first = known.setdefault(pair.key, pair)
        known[pair.key] = replace(first, most=max(first.most, pair.most))
    return list(known.values())


def only_in_duets(
    compare: Iterable[Compare], cases: Sequence[Case], always_on: Collection[str]
) -> set[Case]:
    """The cases that are compared, and only in duets: nothing asks for trials of their own."""
    in_duets: set[Case] = set()
    asked: set[Case] = set()
    for entry in compare:
        for pair in entry.pairs(cases):
            (asked if by_trials(entry, pair, always_on) else in_duets).update(pair)
    return in_duets - asked


def check_duets(maker: CaseMaker, compare: Sequence[Compare], cases: Sequence[Case]) -> list[str]:
    """Whether all that is asked as a duet can be one.

    Returns:
        Sentences that say which are measured one after the other instead, and why.

    Raises:
        ConfigurationError: a duet is asked for that cannot be.
    """
    left_out: list[str] = []
    for number, entry in enumerate(compare, start=1):
        if not entry.duet:
            continue
        where = f"compare[{number}].duet"
        for pair in entry.pairs(cases):
            if always_on := [
                case.server for case in pair if maker.lab.servers[case.server].always_on
            ]:
                left_out.append(
                    f"duets of {always_on[0]}: it is always on and tells nobody its CPU time, so "
                    "its cases are measured one after the other"
                )
                continue
            for axis, what in _faults(pair, maker.lab.servers):
                raise maker.wrong(where, what, axis)
    return list(dict.fromkeys(left_out))


def always_on_servers(lab: Lab, cases: Iterable[Case]) -> frozenset[str]:
    """Those of the cases' servers that the lab cannot start anew."""
    names = {case.server for case in cases}
    return frozenset(name for name in names if lab.servers[name].always_on)


def _faults(pair: Pair, servers: Mapping[str, Server]) -> Iterator[tuple[str, str]]:
    """What keeps a pair from being a duet, with the axis that is to blame."""
    a, b = pair
    for case in pair:
        if case.driver != "own" or case.ramp:
            yield "driver", f"a duet needs driver own and no ramp, unlike {case.slug}"
        if case.users is not None and case.users < LEAST_USERS:
            yield "users", f"a duet has at least {LEAST_USERS} users a side, unlike {case.slug}"
    if (a.load, a.arrivals) != (b.load, b.arrivals):
        yield "load", f"a duet has one load for both, unlike {a.slug} and {b.slug}"
    if a.in_a_duet == b.in_a_duet:
        yield (
            "users",
            f"a duet has one load for both, but {a.slug} and {b.slug} differ in nothing else",
        )
    if a.server == b.server and not servers[a.server].has_spare:
        yield (
            "server",
            f"{a.server} cannot run twice at once, since it is not the app's image as it is: "
            "declare a second service that extends it, and name that as the other side "
            "(docs/your-own-django.md)",
        )


def _most(a: Case, b: Case) -> float:
    """The load that both may have."""
    return min(case.rate_rps or case.users or 0 for case in (a, b))
