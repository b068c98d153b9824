"""Cases, rounds, searches and order → trials."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from loadgen.errors import ConfigurationError
from loadgen.lab.servers import Server
from loadgen.records.columns import Row
from loadgen.records.trials_csv import name_of
from loadgen.runs.order import RoundOrders
from loadgen.runs.places import Place, place_of_search, place_of_trial
from loadgen.suites.cases import Case
from loadgen.suites.lengths import lengths_s
from loadgen.suites.search import Rules
from loadgen.suites.suite import Suite
from loadgen.suites.timing import Timing
from loadgen.trials.trial import Trial


class Plan:
    """All places of a run, in order, and their trials.

    The first round keeps the suites' order when it is the only one; several rounds have each an
    order of its own, so that drift of the machine falls on all cases alike. Cases that are compared
    stay next to each other (order.RoundOrders): what is minutes apart differs by more.

    Args:
        suites: what is asked.
        servers: the servers that the cases name.
        rounds: how often each case is measured; None: as each suite says.
        seed: of the order of each round, and of open loads' arrivals.

    Raises:
        ConfigurationError: suites want different things of a case, or no case is left.
    """

    def __init__(
        self,
        suites: Iterable[Suite],
        servers: Mapping[str, Server],
        rounds: int | None,
        seed: int,
    ) -> None:
        listed = list(suites)
        self._servers = servers
        self._pools = {name: count for suite in listed for name, count in suite.pools.items()}
        self._many_cpus = frozenset().union(*(suite.many_cpus for suite in listed))
        self._seed = seed
        self._asked = _merge(listed, rounds)
        self._pairs = [pair for suite in listed for pair in suite.pairs]

    @property
    def trial_count(self) -> int:
        """How many places the plan has; a search has one for all its trials."""
        return len(self._first_trials)

    @property
    def cases(self) -> list[Case]:
        """The cases, as the suites order them."""
        return list(self._asked)

    def places(self, rows: Iterable[Row]) -> Iterator[Place]:
        """The places in their order, as far as these rows have come.

        A search begins where that of the round before has ended.
        """
        by_name = {name_of(row): row for row in rows}
        start_shares: dict[Case, float] = {}
        for trial in self._first_trials:
            rules = self._asked[trial.case].search
            if rules is None:
                yield place_of_trial(trial, by_name)
                continue
            start_share = start_shares.get(trial.case, rules.start_share)
            place = place_of_search(trial, rules, start_share, by_name)
            start_shares[trial.case] = place.start_share
            yield place

    def missing(self, rows: Iterable[Row]) -> Iterator[Trial]:
        """The next trial of each place that is not done, in their order.

        What a search asks for after it is known only once it has been measured.
        """
        return (place.missing for place in self.places(rows) if place.missing)

    def next_trial(self, rows: Iterable[Row]) -> Trial | None:
        """The trial to be measured after these rows; None: there is none."""
        return next(self.missing(rows), None)

    def certain(self) -> list[Trial]:
        """The trials that are known beforehand: all but the windows of searches."""
        return list(self.missing(()))

    @cached_property
    def _first_trials(self) -> list[Trial]:
        """The trial that each place begins with."""
        in_order = [
            (case, round_number)
            for round_number, cases in enumerate(self._rounds(), start=1)
            for case in cases
        ]
        return [
            self._trial(case, round_number, position)
            for position, (case, round_number) in enumerate(in_order, start=1)
        ]

    def _rounds(self) -> list[list[Case]]:
        """The cases of each round, in its order."""
        count = max(asked.rounds for asked in self._asked.values())
        rounds = [
            [case for case, asked in self._asked.items() if number <= asked.rounds]
            for number in range(1, count + 1)
        ]
        orders = RoundOrders(self._pairs, self._seed)
        return rounds if count == 1 else list(map(orders.next, rounds))

    def _trial(self, case: Case, round_number: int, position: int) -> Trial:
        asked = self._asked[case]
        server = self._servers[case.server]
        warm_up_s, window_s = lengths_s(case, server, asked.timing)
        return Trial(
            case=case,
            server=server,
            suites="+".join(asked.suites),
            round=round_number,
            position=position,
            warm_up_s=warm_up_s,
            window_s=window_s,
            timing=asked.timing,
            seed=self._seed,
            connections=self._pools.get(case.http_client),
            many_cpus=server.many_cpus or case.http_client in self._many_cpus,
        )


@dataclass(frozen=True)
class _Asked:
    """What the suites that ask for a case want of it."""

    suites: tuple[str, ...]
    timing: Timing
    rounds: int
    search: Rules | None


def _merge(suites: Iterable[Suite], rounds: int | None) -> dict[Case, _Asked]:
    """Each case once, also where several suites ask for it."""
    asked_of: dict[Case, _Asked] = {}
    for suite in suites:
        wanted = rounds or suite.rounds
        for case in suite.cases:
            if case not in asked_of:
                asked_of[case] = _Asked((suite.name,), suite.timing, wanted, suite.search)
                continue
            asked = asked_of[case]
            if asked.timing != suite.timing:
                raise _differ(asked, suite, case, "time")
            if asked.search and suite.search and asked.search != suite.search:
                raise _differ(asked, suite, case, "search with")
            asked_of[case] = _Asked(
                (*asked.suites, suite.name),
                asked.timing,
                max(asked.rounds, wanted),
                asked.search or suite.search,
            )
    if not asked_of:
        raise ConfigurationError("no case is left: --servers or --only matches none")
    _check_stacks(asked_of)
    return asked_of


def _check_stacks(asked_of: Mapping[Case, _Asked]) -> None:
    """A search offers rates to a stack, so two cases that differ in users alone are one stack."""
    stacks: dict[Case, Case] = {}
    for case, asked in asked_of.items():
        if asked.search:
            stack = asked.search.offered(case, 1.0)
            if stack in stacks:
                raise ConfigurationError(
                    f"{stacks[stack].slug} and {case.slug} are one stack to a search: leave one out"
                )
            stacks[stack] = case


def _differ(asked: _Asked, suite: Suite, case: Case, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{asked.suites[0]} and {suite.name} {what} {case.slug} differently: run them apart"
    )
