"""A duet: two cases measured at once, with the same rate each, on the same CPUs."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from loadgen.lab.compose import SPARE
from loadgen.lab.servers import Server
from loadgen.suites.cases import Case, plain
from loadgen.suites.lengths import OVERHEAD_S, service_time_s
from loadgen.suites.pairs import DuetPair
from loadgen.suites.timing import PATIENCE_S, Timing
from loadgen.theory.laws import users_ceiling_rps
from loadgen.trials.trial import Trial

#: So many stretches are compared, one after the other, each at least so long, seconds,
SLICES = 5
LEAST_SLICE_S = 4.0
#: and of so many service times: the fewer views are cut by its edges, the better they are counted.
SLICE_SERVICES = 5
#: Where time is limited there are no fewer slices than so many.
LEAST_SLICES = 3
#: Warm-up, and what a step on the way to the load takes: at least so long, seconds,
LEAST_WARM_UP_S = 3.0
#: and so many service times.
WARM_UP_SERVICES = 3
#: As many steps as it usually takes to find a load.
USUAL_STEPS = 2


@dataclass(frozen=True)
class Duet:
    """Two cases to be measured at once.

    Attributes:
        sides: a and b, as trials of one place and round; their cases have no load.
        most: arrivals a second each, at most.
        slices: how many stretches are compared.
        load: arrivals a second each, as an earlier round has found them; None: it is to find them.
    """

    sides: tuple[Trial, Trial]
    most: float
    slices: int = SLICES
    load: float | None = None

    #: Of a search: a duet is none.
    ahead = None
    #: What an instrument does it does to both sides at once, so a duet is not measured again.
    attempt = 1

    @property
    def first(self) -> Trial:
        """The side that things which are of both are named after."""
        return self.sides[0]

    @property
    def name(self) -> str:
        """Key of the files that are of both."""
        return self.first.name

    @property
    def called(self) -> str:
        """What a list of trials calls it."""
        a, b = self.sides
        return f"{a.case.slug}.r{a.round} against {b.case.slug}"

    @property
    def round(self) -> int:
        """1, 2, …"""
        return self.first.round

    @property
    def position(self) -> int:
        """Its place in the run, which both sides have together."""
        return self.first.position

    @property
    def hosts(self) -> tuple[str, str]:
        """The container of each side: of one server twice, b's is the spare one."""
        a, b = (side.server.name for side in self.sides)
        return a, SPARE if a == b else b

    @property
    def in_order(self) -> tuple[int, int]:
        """The sides by number, in the order in which this round takes them."""
        return (0, 1) if self.round % 2 else (1, 0)

    @property
    def service_time_s(self) -> float:
        """The longer one of the two sides, seconds."""
        return max(side.service_time_s for side in self.sides)

    @property
    def slice_s(self) -> float:
        """How long a slice is."""
        return slice_of(self.service_time_s)

    @property
    def warm_up_s(self) -> float:
        """How long the load is on before the first slice."""
        return _warm_up_s(self.service_time_s)

    @property
    def step_s(self) -> float:
        """How long a step on the way to the load is on: until all have come, and as long again."""
        return self.service_time_s + self.warm_up_s

    @property
    def window_s(self) -> float:
        """How long all slices are together."""
        return self.slices * self.slice_s

    @property
    def expected_s(self) -> float:
        """About how long it takes: two servers start; the first round finds the load as well."""
        if self.load is not None or self.round > 1:
            return self.measuring_s
        finding_s = 2 * OVERHEAD_S + USUAL_STEPS * (self.step_s + self.service_time_s)
        return self.measuring_s + finding_s

    @property
    def measuring_s(self) -> float:
        """The same where its load is known."""
        return 2 * OVERHEAD_S + self.warm_up_s + self.window_s + self.service_time_s

    def apart(self, load: float) -> tuple[Trial, Trial]:
        """Both sides one after the other under that load, in the order of the round: what is
        measured in the place of a duet that was given up. Each has half of the slices' time.
        """
        first, second = (self._alone(number, load) for number in self.in_order)
        return first, second

    def _alone(self, number: int, load: float) -> Trial:
        side = self.sides[number]
        timing = replace(side.timing, window_s=self.window_s / 2)
        case = with_load(side.case, load)
        return replace(side, case=case, partner=None, window_s=self.window_s / 2, timing=timing)

    def under(self, load: float) -> tuple[Trial, Trial]:
        """Both sides with that load."""
        a, b = (replace(side, case=with_load(side.case, load)) for side in self.sides)
        return a, b


#: What a run measures one after the other.
type Measurement = Trial | Duet


def demanding(measurements: Iterable[Measurement]) -> list[Trial]:
    """The trials whose views may ask most of the API; those of a duet ask at once, so each side
    stands for both.
    """
    return [
        _for_both(side, each.most) if isinstance(each, Duet) else side
        for each in measurements
        for side in each.sides
    ]


def _for_both(side: Trial, most: float) -> Trial:
    slots = side.server.slots
    server = replace(side.server, slots=None if slots is None else 2 * slots)
    return replace(side, case=with_load(side.case, 2 * most), server=server)


def with_load(case: Case, load: float) -> Case:
    """A case of a duet under so many arrivals a second."""
    return replace(case, rate_rps=load)


def load_in_words(load: float) -> str:
    """`22 views/s each`."""
    return f"{plain(load)} views/s each"


def slices_in(share: float) -> int:
    """How many slices there are where time is limited to this share of whole windows."""
    return max(LEAST_SLICES, math.floor(share * SLICES))


def side_timing(a: Case, of_a: Server, b: Case, of_b: Server, slices: int) -> Timing:
    """How both sides of a duet are timed, whatever their suites say of trials."""
    service_s = max(service_time_s(a, of_a), service_time_s(b, of_b))
    window_s = slices * slice_of(service_s)
    return Timing(_warm_up_s(service_s), window_s, PATIENCE_S, "due")


def duet_of(pair: DuetPair, a: Trial, b: Trial, slices: int = SLICES) -> Duet:
    """Two trials as the sides of one duet."""
    # So many users ask for at most so much; where nothing waits, for as much as there is.
    service_s = max(a.service_time_s, b.service_time_s)
    unlimited = math.inf if pair.most_users else 0.0
    of_users = users_ceiling_rps(pair.most_users, service_s) or unlimited
    return Duet(
        sides=(replace(a, partner=b.case.slug), replace(b, partner=a.case.slug)),
        most=max(pair.most_rps, of_users),
        slices=slices,
    )


def slice_of(service_s: float) -> float:
    """How long a slice is where the longer one of two views takes so long, seconds."""
    return max(LEAST_SLICE_S, SLICE_SERVICES * service_s)


def _warm_up_s(service_s: float) -> float:
    return max(LEAST_WARM_UP_S, WARM_UP_SERVICES * service_s)
