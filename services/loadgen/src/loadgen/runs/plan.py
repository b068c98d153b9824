"""Cases, duets, rounds, searches and order → trials."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby

from loadgen.duets.duet import Duet, Measurement, duet_of, side_timing, slices_in
from loadgen.errors import ConfigurationError
from loadgen.lab.http_clients import ANYTHING
from loadgen.lab.servers import Server
from loadgen.records.columns import Row
from loadgen.records.trials_csv import name_of
from loadgen.runs.attempts import again, compared_in
from loadgen.runs.order import Item, RoundOrders
from loadgen.runs.places import Place, RowsByName, in_place_of, place_of_duet, place_of_search
from loadgen.suites.cases import Case
from loadgen.suites.lengths import lengths_s
from loadgen.suites.pairs import CPU_METRIC, DuetPair, merged
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
        ordered: whether each round has an order of its own; without, all keep the suites' order,
            which is enough to tell how long they take and needs no search.
        spare_s: how long all that is measured again may take.

    Raises:
        ConfigurationError: suites want different things of a case, or no case is left.
    """

    def __init__(
        self,
        suites: Iterable[Suite],
        servers: Mapping[str, Server],
        rounds: int | None,
        seed: int,
        *,
        ordered: bool = True,
        spare_s: float = math.inf,
    ) -> None:
        listed = list(suites)
        self._suites_of = _suites_by_case(listed)
        self._duets_of = _suites_by_duet(listed)
        if not (self._suites_of or self._duets_of):
            raise ConfigurationError("no case is left: --servers or --only matches none")
        self._pairs = [pair for suite in listed for pair in suite.pairs]
        self._compared = compared_in(listed)
        self._servers = servers
        self._rounds = rounds
        self._seed = seed
        self._ordered = ordered
        self._spare_s = spare_s

    @property
    def trial_count(self) -> int:
        """How many places the plan has; a search has one for all its trials."""
        return len(self._first_trials)

    def places(self, rows: RowsByName) -> Iterator[Place]:
        """The places in their order, as far as these rows have come; in the place of a duet that
        was given up, its sides by themselves; at the end of each round, the trials of it that are
        measured again.

        A search begins where that of the round before has ended.
        """
        start_shares: dict[Case, float] = {}
        spare_s = self._spare_s
        for _, of_round in groupby(self._first_trials, lambda each: each.round):
            listed = list(of_round)
            alone = list[Trial]()
            for place in self._first_places(listed, start_shares, rows):
                yield place
                alone += [
                    each for each in place.known if isinstance(each, Trial) and not each.ahead
                ]
            compared = self._compared
            for duet in (each for each in listed if isinstance(each, Duet)):
                if apart := in_place_of(duet, rows):
                    spare_s -= sum(trial.expected_s for trial in apart) - duet.measuring_s
                    a, b = (trial.case for trial in apart)
                    compared = compared.and_pairs([(a, b)], [CPU_METRIC])
            for trial in again(alone, compared, rows, spare_s):
                spare_s -= trial.expected_s
                yield Place((trial,))

    def _first_places(
        self, measurements: Iterable[Measurement], start_shares: dict[Case, float], rows: RowsByName
    ) -> Iterator[Place]:
        """The places of a round but for those measured again; start_shares are kept up."""
        measured = set(self._suites_of)
        for trial in measurements:
            if isinstance(trial, Duet):
                if place := place_of_duet(trial, rows):
                    yield place
                for side in in_place_of(trial, rows):
                    if side.case not in measured:
                        measured.add(side.case)
                        yield Place((side,))
                continue
            rules = _search_of(self._suites_of[trial.case])
            if rules is None:
                yield Place((trial,))
                continue
            start_share = start_shares.get(trial.case, rules.start_share)
            place = place_of_search(trial, rules, start_share, rows)
            start_shares[trial.case] = place.start_share or start_share
            yield place

    @property
    def round_count(self) -> int:
        """How many rounds there are, of the case that has most."""
        return max(trial.round for trial in self._first_trials)

    def certain(self) -> list[Measurement]:
        """The trials that are known beforehand: all but the windows of searches."""
        return self.missing(())

    def missing(self, rows: Iterable[Row]) -> list[Measurement]:
        """The next trial of each place that is not done, in their order.

        What a search asks for after it is known only once it has been measured.
        """
        return list(self._missing(rows))

    def may_come(self, rows: Iterable[Row]) -> list[Measurement]:
        """All of each round that still lacks something, in their order: what is measured already
        may be measured again.
        """
        listed = list(rows)
        rounds = {each.round for each in self._missing(listed)}
        by_name = {name_of(row): row for row in listed}
        last = [place.known[-1] for place in self.places(by_name)]
        return [each for each in last if each.round in rounds]

    def next_trial(self, rows: Iterable[Row]) -> Measurement | None:
        """The trial to be measured after these rows; None: there is none."""
        return next(self._missing(rows), None)

    def _missing(self, rows: Iterable[Row]) -> Iterator[Measurement]:
        by_name = {name_of(row): row for row in rows}
        for place in self.places(by_name):
            if not all(side.name in by_name for side in place.known[-1].sides):
                yield place.known[-1]

    @cached_property
    def _first_trials(self) -> list[Measurement]:
        """The trial or duet that each place begins with."""
        in_order = [
            (item, round_number)
            for round_number, items in enumerate(self._items_by_round(), start=1)
            for item in items
        ]
        return [
            self._duet(item, round_number, position)
            if isinstance(item, DuetPair)
            else self._trial(item, round_number, position)
            for position, (item, round_number) in enumerate(in_order, start=1)
        ]

    def _items_by_round(self) -> list[list[Item]]:
        """The cases and duets of each round, in its order."""
        asked: list[tuple[Item, list[Suite]]] = [
            *self._suites_of.items(),
            *self._duets_of.items(),
        ]
        counts = {
            item: self._rounds or max(suite.rounds for suite in suites) for item, suites in asked
        }
        rounds = [
            [item for item, count in counts.items() if number <= count]
            for number in range(1, max(counts.values()) + 1)
        ]
        if len(rounds) == 1 or not self._ordered:
            return rounds
        return list(map(RoundOrders(self._pairs, self._seed).next, rounds))

    def _trial(self, case: Case, round_number: int, position: int) -> Trial:
        suites = self._suites_of[case]
        return self._trial_as(case, suites, suites[0].timing, round_number, position)

    def _duet(self, pair: DuetPair, round_number: int, position: int) -> Duet:
        a, b = pair.a, pair.b
        slices = slices_in(min(suite.timing.share for suite in self._duets_of[pair]))
        timing = side_timing(a, self._servers[a.server], b, self._servers[b.server], slices)
        of_a, of_b = (
            self._trial_as(case, self._duets_of[pair], timing, round_number, position)
            for case in (a, b)
        )
        return duet_of(pair, of_a, of_b, slices)

    def _trial_as(
        self,
        case: Case,
        suites: Sequence[Suite],
        timing: Timing,
        round_number: int,
        position: int,
    ) -> Trial:
        server = self._servers[case.server]
        client = suites[0].http_clients.get(case.http_client, ANYTHING)
        warm_up_s, window_s = lengths_s(case, server, timing)
        return Trial(
            case=case,
            server=server,
            suites="+".join(suite.name for suite in suites),
            round=round_number,
            position=position,
            warm_up_s=warm_up_s,
            window_s=window_s,
            timing=timing,
            seed=self._seed,
            connections=client.connections,
            many_cpus=server.many_cpus or client.many_cpus,
        )


def _suites_by_case(suites: Iterable[Suite]) -> dict[Case, list[Suite]]:
    """Each case once that has trials of its own, with the suites that ask for it; they want the
    same of it.
    """
    by_case: dict[Case, list[Suite]] = {}
    for suite in suites:
        for case in suite.alone:
            by_case.setdefault(case, []).append(suite)
    for case, asking in by_case.items():
        _check_agreement(case, asking)
    _check_stacks(by_case)
    return by_case


def _suites_by_duet(suites: Sequence[Suite]) -> dict[DuetPair, list[Suite]]:
    """Each duet once, with the suites that ask for it."""
    keys = [{pair.key for pair in suite.duets} for suite in suites]
    return {
        pair: [suite for suite, of_suite in zip(suites, keys, strict=True) if pair.key in of_suite]
        for pair in merged(pair for suite in suites for pair in suite.duets)
    }


def _check_agreement(case: Case, suites: Sequence[Suite]) -> None:
    first, rules = suites[0], _search_of(suites)
    for suite in suites:
        if suite.timing != first.timing:
            what = "times"
        elif suite.search not in (None, rules):
            what = "rules of a search"
        else:
            continue
        raise ConfigurationError(
            f"{first.name} and {suite.name} have different {what} for {case.slug}: make a run of "
            "each suite"
        )


def _search_of(suites: Iterable[Suite]) -> Rules | None:
    """How a case's stack is searched: as the first suite says that searches it."""
    return next((suite.search for suite in suites if suite.search), None)


def _check_stacks(suites_of: Mapping[Case, Iterable[Suite]]) -> None:
    """A search offers rates to a stack, so two cases that differ in users alone are one stack."""
    stacks: dict[Case, Case] = {}
    for case, suites in suites_of.items():
        if rules := _search_of(suites):
            stack = rules.offered(case, 1.0)
            if stack in stacks:
                raise ConfigurationError(
                    f"{stacks[stack].slug} and {case.slug} are the same stack, and a search takes "
                    "each stack once: leave one of them out"
                )
            stacks[stack] = case
