"""Cases, rounds and order → trials."""

import random
from collections.abc import Generator, Iterable

from loadgen.cases import Case
from loadgen.columns import Row
from loadgen.errors import ConfigurationError
from loadgen.pairs import blocks
from loadgen.servers import Server
from loadgen.suite import Suite, Timing
from loadgen.trial import Trial, lengths_s


class Plan:
    """All trials of a run, in order.

    Args:
        suites: what is asked.
        servers: the servers that the cases name.
        rounds: how often each case is measured; None: as each suite says.
        seed: of the order of each round after shuffling, and of open loads' arrivals.
    """

    def __init__(
        self,
        suites: Iterable[Suite],
        servers: dict[str, Server],
        rounds: int | None,
        seed: int,
    ) -> None:
        listed = list(suites)
        self._servers = servers
        self._pools = {name: count for suite in listed for name, count in suite.pools.items()}
        self._seed = seed
        self._asked = _merge(listed, rounds)
        self._pairs = [pair for suite in listed for pair in suite.pairs]

    @property
    def trial_count(self) -> int:
        """How many trials the plan holds."""
        return sum(rounds for _, _, rounds in self._asked.values())

    @property
    def cases(self) -> list[Case]:
        """The cases, as the suites order them."""
        return list(self._asked)

    def trials(self) -> Generator[Trial, Row | None]:
        """Yield trials; each is answered by its row, which a search (a later plan) reads.

        The first round keeps the suites' order when it is the only one; several rounds are each
        shuffled afresh, so that drift of the machine falls on all cases alike. Cases that are
        compared stay next to each other, in random order: what is minutes apart differs by more.
        """
        shuffle = random.Random(self._seed)
        rounds = max(rounds for _, _, rounds in self._asked.values())
        position = 0
        for round_number in range(1, rounds + 1):
            cases = [case for case, (_, _, wanted) in self._asked.items() if round_number <= wanted]
            if rounds > 1:
                cases = self._shuffled(cases, shuffle)
            for case in cases:
                position += 1
                yield self._trial(case, round_number, position)

    def _shuffled(self, cases: list[Case], shuffle: random.Random) -> list[Case]:
        compared = blocks(cases, self._pairs)
        shuffle.shuffle(compared)
        for block in compared:
            shuffle.shuffle(block)
        return [case for block in compared for case in block]

    def _trial(self, case: Case, round_number: int, position: int) -> Trial:
        suites, timing, _ = self._asked[case]
        server = self._servers[case.server]
        warm_up_s, window_s = lengths_s(case, server, timing)
        return Trial(
            case=case,
            server=server,
            suites="+".join(suites),
            round=round_number,
            position=position,
            warm_up_s=warm_up_s,
            window_s=window_s,
            timing=timing,
            seed=self._seed,
            connections=self._pools.get(case.http_client),
        )


_Asked = dict[Case, tuple[list[str], Timing, int]]


def _merge(suites: Iterable[Suite], rounds: int | None) -> _Asked:
    """Each case once, also where several suites ask for it."""
    asked: _Asked = {}
    for suite in suites:
        for case in suite.cases:
            if case not in asked:
                asked[case] = ([suite.name], suite.timing, rounds or suite.rounds)
                continue
            names, timing, wanted = asked[case]
            if timing != suite.timing:
                raise ConfigurationError(
                    f"{names[0]} and {suite.name} time {case.slug} differently: run them apart"
                )
            asked[case] = ([*names, suite.name], timing, max(wanted, rounds or suite.rounds))
    if not asked:
        raise ConfigurationError("no case is left: --servers or --only matches none")
    return asked
