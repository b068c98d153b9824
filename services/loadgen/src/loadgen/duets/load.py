"""The load of a duet: as much as leaves the CPUs that both share well below saturation.

Both sides are asked at the same rate, whatever they answer. It is looked for with both servers up,
from few views upwards. CPU per view falls with load, so a rate that is scaled by what a smaller one
cost is on the safe side.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loadgen.duets.duet import Duet, slice_of
from loadgen.errors import TrialError
from loadgen.records.columns import (
    COSTS_TOO_HIGH,
    COSTS_TOO_UNLIKE,
    LOAD_TOO_SMALL,
    POOL_TOO_SMALL,
    TOO_FEW_SLOTS,
    Row,
)
from loadgen.suites.cases import plain
from loadgen.theory.laws import EQUAL_LOAD_SHARE, slots_ceiling_rps, usable_cpus

#: How busy the app's CPUs may be, and what of them a process can use.
BUSY_SHARE = 0.6
#: The first step asks for what so many users would, of a view that takes no less than this;
FIRST_USERS = 4
LEAST_SERVICE_S = 0.2
#: and there are no more steps than so many.
MOST_STEPS = 3
#: A step this near to what it asks for has found the load.
NEAR_SHARE = 0.2
#: So many answers more or fewer than a side was asked for come of where the slices begin and end;
#: what is more, and more than EQUAL_LOAD_SHARE, it could not answer.
CUT_ANSWERS = 3.0
#: What a view costs at least, seconds: a counter that has not moved says no less.
LEAST_COST_S = 1e-6
#: The outcome of a round whose sides were not under one load, where other rounds' were.
UNEQUAL_LOAD = "unequal-load"
#: A slice counts so many good answers a side at least, or says too little.
LEAST_ANSWERS = 30
#: Why a pair has no duet, by the outcome of its rows.
WHY_GIVEN_UP: Mapping[str, str] = {
    LOAD_TOO_SMALL: "the load asked for is too small",
    TOO_FEW_SLOTS: "a server has too few slots",
    POOL_TOO_SMALL: "the pool of a client is too small",
    COSTS_TOO_HIGH: "a view costs too much CPU",
    COSTS_TOO_UNLIKE: "no load suits both servers",
}


class GivenUpError(TrialError):
    """No load is right for both sides: they are measured one after the other instead.

    Args:
        outcome: why that is so, one of WHY_GIVEN_UP.
        reason: the same in figures: a sentence without its full stop.

    Attributes:
        load: arrivals a second each that were too few, or too many; each can have them alone.
    """

    def __init__(self, outcome: str, reason: str, load: float) -> None:
        super().__init__(outcome, f"{WHY_GIVEN_UP[outcome]}. {reason}")
        self.load = load


class _Limit(NamedTuple):
    """Arrivals a second each, at most; what they come of, in a sentence without its full stop; the
    outcome of a duet for which they are too few.
    """

    most: float
    because: str
    outcome: str


@dataclass(frozen=True)
class Limits:
    """What a duet's load may be.

    Attributes:
        most: arrivals a second each, at most.
        first: the first step.
        cpus: those of the app.
        cpus_of_a, cpus_of_b: those that each server can use.
        slice_s: the length of a slice, seconds.
        because: what `most` comes of, in a sentence without its full stop.
        outcome: of a duet for which `most` is too little.
    """

    most: float
    first: float
    cpus: int
    cpus_of_a: int
    cpus_of_b: int
    slice_s: float
    because: str = "No more is asked"
    outcome: str = LOAD_TOO_SMALL


@dataclass(frozen=True)
class LoadStep:
    """What a load was found to do.

    Attributes:
        load: arrivals a second each.
        busy: CPUs that each side kept busy.
        rates_rps: good answers a second of each side.
        seconds: in which they came.
    """

    load: float
    busy: tuple[float, float]
    rates_rps: tuple[float, float]
    seconds: float

    @property
    def answers(self) -> tuple[float, float]:
        """Good answers of each side."""
        a, b = self.rates_rps
        return a * self.seconds, b * self.seconds

    @property
    def costs_s(self) -> tuple[float, float]:
        """CPU seconds per good answer of each side: also where it could not answer all."""
        a, b = (
            max(LEAST_COST_S, busy / rate)
            for busy, rate in zip(self.busy, self.rates_rps, strict=True)
        )
        return a, b


@dataclass(frozen=True)
class Proposal:
    """A load, and whether it is the one that was looked for, or the next step."""

    load: float
    is_found: bool


def limits_of(duet: Duet, app_cpus: int) -> Limits:
    """The limits of a duet on so many CPUs.

    No view waits for a slot, or for a connection of the client's pool.
    """
    asked = f"The suite asks for {_on_each(_rounded(duet.most))}"
    shared = [_Limit(duet.most, asked, LOAD_TOO_SMALL)]
    for side in duet.sides:
        name, slots = side.server.name, side.server.slots
        if slots_rps := slots_ceiling_rps(slots, side.service_time_s):
            load = BUSY_SHARE * slots_rps
            words = f"{name} has {slots} slots, so it holds {_views(_rounded(load))}"
            shared.append(_Limit(load, words, TOO_FEW_SLOTS))
        if pool_rps := side.pool_ceiling_rps:
            load = BUSY_SHARE * pool_rps
            words = f"The pool of {name}'s client holds {_views(_rounded(load))}"
            shared.append(_Limit(load, words, POOL_TOO_SMALL))
    a, b = (
        usable_cpus(app_cpus, side.server.processes, many_each=side.many_cpus)
        for side in duet.sides
    )
    least = _least(shared)
    return Limits(
        most=least.most,
        first=min(FIRST_USERS / max(duet.service_time_s, LEAST_SERVICE_S), least.most),
        cpus=app_cpus,
        cpus_of_a=a,
        cpus_of_b=b,
        slice_s=duet.slice_s,
        because=least.because,
        outcome=least.outcome,
    )


def next_load(steps: Sequence[LoadStep], limits: Limits) -> Proposal:
    """The load after these steps.

    Raises:
        GivenUpError: what is left of a load says too little.
    """
    if not steps:
        return Proposal(_rounded(limits.first), is_found=False)
    step = steps[-1]
    if min(step.rates_rps) <= 0:
        answered = "A server answered nobody while the load was looked for"
        raise GivenUpError(COSTS_TOO_UNLIKE, answered, step.load)
    cost_a, cost_b = step.costs_s
    of_cpus = BUSY_SHARE * min(
        limits.cpus / (cost_a + cost_b), limits.cpus_of_a / cost_a, limits.cpus_of_b / cost_b
    )
    room = f"The CPUs have room for {_on_each(_rounded(of_cpus))}"
    limit = _least(
        [
            _Limit(limits.most, limits.because, limits.outcome),
            _Limit(of_cpus, room, COSTS_TOO_HIGH),
        ]
    )
    # What a side cannot answer does not always show in its CPU time. The first step is too small
    # to judge that by.
    halved = len(steps) > 1 and not are_all(step.answers, step.load * step.seconds)
    if halved:
        half = step.load / 2
        cannot = f"A server cannot answer {_views(step.load)}. Half of that is {_views(half)}"
        limit = _least([limit, _Limit(half, cannot, COSTS_TOO_UNLIKE)])
    load = _rounded(limit.most)
    if load * limits.slice_s < LEAST_ANSWERS:
        raise GivenUpError(limit.outcome, f"{limit.because}, which is too few", load)
    near = abs(load - step.load) <= NEAR_SHARE * step.load
    return Proposal(load, is_found=near or halved or len(steps) == MOST_STEPS)


def known_load(duet: Duet, rows: Iterable[Row]) -> float | None:
    """The load that the first measured round of this pair has found; None: none was measured."""
    a = duet.first
    found = [
        (row.number("position") or 0.0, load_of(row))
        for row in rows
        if row.is_measured and row.case == a.case.slug and row["partner"] == a.partner
    ]
    return min(found)[1] if found else None


def given_up_in(duet: Duet, rows: Iterable[Row]) -> Row | None:
    """The row of this round or an earlier one that has found no load for both of this pair."""
    a = duet.first
    found = [
        row
        for row in rows
        if row.is_given_up
        and row.case == a.case.slug
        and row["partner"] == a.partner
        and (row.number("round") or 0) <= duet.round
    ]
    return min(found, key=lambda row: row.number("round") or 0, default=None)


def why_given_up(rows: Iterable[Row]) -> str:
    """Why a pair has no duet, by the rows of its sides: `no duet: a view costs too much CPU. A duet
    needs 7.5 views/s on each server, and only 6.2 were possible`; empty where it was not given up.
    """
    given_up = [row for row in rows if row.is_given_up]
    if not given_up:
        return ""
    outcome, load = given_up[0].text("outcome"), load_of(given_up[0])
    services_ms = filter(None, (row.number("service_time_ms") for row in given_up))
    why = f"no duet: {WHY_GIVEN_UP[outcome]}"
    if outcome == COSTS_TOO_UNLIKE or not load:
        return why
    takes = least_load(slice_of(max(services_ms, default=0.0) / 1000))
    return f"{why}. A duet needs {_on_each(takes)}, and only {plain(load)} were possible"


def least_load(slice_s: float) -> float:
    """Arrivals a second each below which a slice of that length says too little."""
    return _to_two_digits(LEAST_ANSWERS / slice_s, lambda digits: math.ceil(digits - 1e-9))


def load_of(row: Row) -> float | None:
    """Arrivals a second each of a duet's row; None: it was given up before there was a load."""
    return row.number("rate_rps")


def are_all(answers: tuple[float, float], asked: float) -> bool:
    """Whether both sides answered as many views as each was asked for: so they had one load."""
    allowed = max(EQUAL_LOAD_SHARE * asked, CUT_ANSWERS)
    return all(abs(of_side - asked) <= allowed for of_side in answers)


def check_equal_load(duet: Duet, answers: tuple[float, float], load: float) -> None:
    """Whether both sides answered what they were asked for under a load.

    Args:
        duet: that was measured.
        answers: good answers of each side over all slices.
        load: arrivals a second each.

    Raises:
        GivenUpError: where it is this round that has found the load.
        TrialError: unequal-load, which is this round's misfortune.
    """
    asked = load * duet.window_s
    if are_all(answers, asked):
        return
    names = tuple(side.server.name for side in duet.sides)
    first, second = names if len(set(names)) == 2 else ("the first", "the second")
    a, b = answers
    answered = f"{first} answered {a:.0f}, {second} {b:.0f}"
    reason = f"Each server was asked for {asked:.0f} views: {answered}"
    if duet.load is None:
        raise GivenUpError(COSTS_TOO_UNLIKE, reason, load)
    raise TrialError(UNEQUAL_LOAD, reason)


def _views(load: float) -> str:
    return f"{plain(load)} views/s"


def _on_each(load: float) -> str:
    return f"{_views(load)} on each server"


def _least(limits: Iterable[_Limit]) -> _Limit:
    """The first one of those that allow the least."""
    return min(limits, key=lambda limit: limit.most)


def _rounded(load: float) -> float:
    """Downwards, to two digits."""
    if load in (0.0, math.inf):
        return load
    return _to_two_digits(load, lambda digits: math.floor(digits + 1e-9))


def _to_two_digits(load: float, whole: Callable[[float], int]) -> float:
    digit = 10.0 ** (math.floor(math.log10(load)) - 1)
    return float(f"{whole(load / digit) * digit:.6g}")
