"""Cases, rounds, searches and order → trials."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from loadgen.errors import ConfigurationError
from loadgen.findings.holds import judge_window
from loadgen.lab.servers import Server
from loadgen.records.columns import Row
from loadgen.runs.order import Orders
from loadgen.suites.cases import Case
from loadgen.suites.lengths import lengths_s
from loadgen.suites.search import Rules, Window, next_step
from loadgen.suites.suite import Suite
from loadgen.suites.timing import Timing
from loadgen.trials.trial import Ahead, Trial

#: What a plan yields, is sent, and (of a search) ends with.
type Trials[T] = Generator[Trial, Row | None, T]


class Plan:
    """All trials of a run, in order.

    Args:
        suites: what is asked.
        servers: the servers that the cases name.
        rounds: how often each case is measured; None: as each suite says.
        seed: of the order of each round, and of open loads' arrivals.
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
        self._many_cpus = frozenset().union(*(suite.many_cpus for suite in listed))
        self._seed = seed
        self._asked = _merge(listed, rounds)
        self._pairs = [pair for suite in listed for pair in suite.pairs]

    @property
    def trial_count(self) -> int:
        """How many places the plan has; a search has one for all its trials."""
        return sum(asked.rounds for asked in self._asked.values())

    @property
    def cases(self) -> list[Case]:
        """The cases, as the suites order them."""
        return list(self._asked)

    def certain(self) -> list[Trial]:
        """The trials that are known beforehand: all but the windows of searches."""
        return list(self.trials())

    def play(self, answer: Callable[[Trial], Row | None]) -> None:
        """Go through the trials; each is answered before the next one is known."""
        trials = self.trials()
        trial = next(trials, None)
        while trial:
            row = answer(trial)
            try:
                trial = trials.send(row)
            except StopIteration:
                return

    def trials(self) -> Trials[None]:
        """Yield trials; each is answered by its row, or by None where it is not measured.

        The first round keeps the suites' order when it is the only one; several rounds have each
        an order of its own, so that drift of the machine falls on all cases alike. Cases that are
        compared stay next to each other (order.Orders): what is minutes apart differs by more.

        A case with a search is followed by its windows, as the rows before them demand. It ends
        where one of them is answered by None.
        """
        start_shares: dict[Case, float] = {}
        position = 0
        for round_number, cases in enumerate(self._rounds, start=1):
            for case in cases:
                position += 1
                trial = self._trial(case, round_number, position)
                rules = self._asked[case].search
                if rules is None:
                    yield trial
                    continue
                start_share = start_shares.get(case, rules.start_share)
                found = yield from self._search(trial, rules, start_share)
                start_shares[case] = found or start_share

    def _search(self, trial: Trial, rules: Rules, start_share: float) -> Trials[float | None]:
        """A trial that says what a view costs, then windows until the capacity is found.

        Args:
            trial: the stack under its users.
            rules: of the search.
            start_share: of C / D, where it begins.

        Returns:
            The share of C / D that holds, where the next round begins: so each round goes by its
            own C / D, and does not climb again what the round before has climbed.
        """
        usual = rules.usual_windows if trial.round == 1 else rules.fewest_windows
        row = yield replace(trial, ahead=self._ahead(trial, rules, usual, 0))
        ceiling_rps = row["cpu_ceiling_rps"] if row else None
        if not isinstance(ceiling_rps, float):
            return None
        start = rules.step_below(start_share * ceiling_rps)
        windows: list[Window] = []
        while isinstance(step := next_step(start, windows, rules), int):
            window = self._window(trial, rules, step, windows)
            row = yield replace(window, ahead=self._ahead(trial, rules, usual, len(windows) + 1))
            if row is None:
                return None
            windows.append(judge_window(step, row, rules))
        return None if step.low is None else rules.rate_rps(step.low) / ceiling_rps

    def _ahead(self, trial: Trial, rules: Rules, usual: int, taken: int) -> Ahead:
        """What a search takes besides, once it has taken so many windows."""
        usual, most = (max(0, count - taken) for count in (usual, rules.most_windows))
        return Ahead(usual, most, self._window(trial, rules, 0, ()).expected_s)

    def _window(self, trial: Trial, rules: Rules, step: int, windows: Sequence[Window]) -> Trial:
        """A stack under arrivals at a rate, at the place of the search; after these windows."""
        timing = replace(trial.timing, warm_up_s=rules.warm_up_s, window_s=rules.window_s)
        case = rules.offered(trial.case, rules.rate_rps(step))
        warm_up_s, window_s = lengths_s(case, trial.server, timing)
        return replace(
            trial,
            case=case,
            warm_up_s=warm_up_s,
            window_s=window_s,
            timing=timing,
            repeat=1 + sum(window.step == step for window in windows),
        )

    @cached_property
    def _rounds(self) -> list[list[Case]]:
        """The cases of each round, in its order."""
        count = max(asked.rounds for asked in self._asked.values())
        rounds = [
            [case for case, asked in self._asked.items() if number <= asked.rounds]
            for number in range(1, count + 1)
        ]
        orders = Orders(self._pairs, self._seed)
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
    found: dict[Case, _Asked] = {}
    for suite in suites:
        wanted = rounds or suite.rounds
        for case in suite.cases:
            if case not in found:
                found[case] = _Asked((suite.name,), suite.timing, wanted, suite.search)
                continue
            asked = found[case]
            if asked.timing != suite.timing:
                raise _differ(asked, suite, case, "time")
            if asked.search and suite.search and asked.search != suite.search:
                raise _differ(asked, suite, case, "search with")
            found[case] = _Asked(
                (*asked.suites, suite.name),
                asked.timing,
                max(asked.rounds, wanted),
                asked.search or suite.search,
            )
    if not found:
        raise ConfigurationError("no case is left: --servers or --only matches none")
    _check_stacks(found)
    return found


def _check_stacks(found: Mapping[Case, _Asked]) -> None:
    """A search offers rates to a stack, so two cases that differ in users alone are one stack."""
    stacks: dict[Case, Case] = {}
    for case, asked in found.items():
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
