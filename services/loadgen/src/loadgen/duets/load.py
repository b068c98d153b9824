"""The load of a duet: as much as leaves the CPUs that both share well below saturation.

It is looked for with both servers up, from few users upwards. CPU per view falls with load, so a
load that is scaled by what a smaller one used is on the safe side.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen.duets.duet import SLICES, Duet
from loadgen.errors import TrialError
from loadgen.records.columns import COSTS_TOO_UNLIKE, Row
from loadgen.suites.pairs import LEAST_USERS
from loadgen.theory.laws import EQUAL_LOAD_SHARE, slots_ceiling_rps, usable_cpus

#: How busy the app's CPUs may be, and what of them a process can use.
BUSY_SHARE = 0.6
#: The first step: users each, and no more steps than so many.
FIRST_USERS = 4
MOST_STEPS = 3
#: A step this near to what it asks for has found the load.
NEAR_SHARE = 0.2
#: While the load is found the rates may differ by EQUAL_LOAD_SHARE, in later rounds by this, for
#: else a pair that just passed would be cut by chance in these. It moves CPU per view by no more
#: than the margin of 3 % (bounds.CPU_BY_LOAD), and that is in the comparison's bound.
KEPT_EQUAL_SHARE = 0.075
#: Chance makes Poisson counts differ by so many standard deviations at most, as good as always.
BY_CHANCE_SDS = 3.0
#: The outcome of a round whose sides were not under one load, where other rounds' were.
UNEQUAL_LOAD = "unequal-load"
#: A slice counts so many good answers a side at least, or says too little.
LEAST_ANSWERS = 30


class TooUnlikeError(TrialError):
    """No load is right for both sides: they are measured one after the other instead.

    Attributes:
        load: users each, or arrivals a second each, that was too little, or too much; each can
            have it alone.
    """

    def __init__(self, message: str, load: float) -> None:
        super().__init__(COSTS_TOO_UNLIKE, message)
        self.load = load


@dataclass(frozen=True)
class Limits:
    """What a duet's load may be.

    Attributes:
        most: users each, or arrivals a second each, at most.
        because: what `most` comes of, in words.
        first: the first step.
        whole: whether a load is a whole number, of users.
        cpus: those of the app.
        cpus_of_a, cpus_of_b: those that each server can use.
        slice_s: the length of a slice, seconds.
        slices: how many there are.
    """

    most: float
    first: float
    whole: bool
    cpus: int
    cpus_of_a: int
    cpus_of_b: int
    slice_s: float
    slices: int = SLICES
    because: str = "no more is asked"


@dataclass(frozen=True)
class LoadStep:
    """What a load was found to do.

    Attributes:
        load: users each, or arrivals a second each.
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


@dataclass(frozen=True)
class Proposal:
    """A load, and whether it is the one that was looked for, or the next step."""

    load: float
    is_found: bool


def limits_of(duet: Duet, app_cpus: int) -> Limits:
    """The limits of a duet on so many CPUs.

    No user waits for a slot, or for a connection of the client's pool.
    """
    is_open = duet.first.case.load == "open"
    shared = [(duet.most, f"the suite asks for {_each(duet.most, is_open=is_open)}")]
    for side in duet.sides:
        name, slots = side.server.name, side.server.slots
        if slots_rps := slots_ceiling_rps(slots, side.service_time_s):
            load = BUSY_SHARE * slots_rps if is_open else float(slots or 0)
            words = f"{name} has {slots} slots, so it holds {_each(load, is_open=is_open)}"
            shared.append((load, words))
        if pool_rps := side.pool_ceiling_rps:
            load = BUSY_SHARE * pool_rps * (1 if is_open else side.service_time_s)
            words = f"the pool of {name}'s client holds {_each(load, is_open=is_open)}"
            shared.append((load, words))
    a, b = (
        usable_cpus(app_cpus, side.server.processes, many_each=side.many_cpus)
        for side in duet.sides
    )
    first = FIRST_USERS / duet.service_time_s if is_open else FIRST_USERS
    most, because = min(shared)
    return Limits(
        most=most,
        first=min(first, most),
        whole=not is_open,
        cpus=app_cpus,
        cpus_of_a=a,
        cpus_of_b=b,
        slice_s=duet.slice_s,
        slices=duet.slices,
        because=because,
    )


def next_load(steps: Sequence[LoadStep], limits: Limits) -> Proposal:
    """The load after these steps.

    Raises:
        TrialError: costs-too-unlike: what is left of a load says too little.
    """
    if not steps:
        return Proposal(_enough(_rounded(limits.first, limits), limits), is_found=False)
    step = steps[-1]
    room = [BUSY_SHARE * limits.cpus / max(sum(step.busy), 1e-9)]
    for busy, cpus in zip(step.busy, (limits.cpus_of_a, limits.cpus_of_b), strict=True):
        room.append(BUSY_SHARE * cpus / max(busy, 1e-9))
    load = min(step.load * min(room), limits.most)
    # What one side's views wait for the other's grows with the load. The first step is too small
    # to judge that by.
    unequal = _are_unequal(step.answers, EQUAL_LOAD_SHARE, at_random=not limits.whole)
    halved = unequal and len(steps) > 1
    if halved:
        load = min(load, step.load / 2)
    load = _enough(_rounded(load, limits), limits)
    # Of an open load as many as arrive: a few that were counted differ by chance.
    rate = min(step.rates_rps) / step.load if limits.whole else 1.0
    answers = load * rate * limits.slice_s
    if answers < LEAST_ANSWERS:
        raise _too_unlike(
            f"the load that both can have ({_each(load, is_open=not limits.whole)}) gives "
            f"{answers:.0f} answers a slice, and {LEAST_ANSWERS} are needed",
            load,
        )
    near = abs(load - step.load) <= NEAR_SHARE * step.load
    return Proposal(load, is_found=near or halved or len(steps) == MOST_STEPS)


def known_load(duet: Duet, rows: Iterable[Row]) -> float | None:
    """The load that the first measured round of this pair has found; None: none was measured."""
    a = duet.first
    found = [
        (row.number("position") or 0.0, row.number(_column(duet)))
        for row in rows
        if row.is_measured and row.case == a.case.slug and row["partner"] == a.partner
    ]
    return min(found)[1] if found else None


def given_up_in(duet: Duet, rows: Iterable[Row]) -> Row | None:
    """The row of this round or an earlier one that has found this pair too unlike for one load."""
    a = duet.first
    found = [
        row
        for row in rows
        if row["outcome"] == COSTS_TOO_UNLIKE
        and row.case == a.case.slug
        and row["partner"] == a.partner
        and (row.number("round") or 0) <= duet.round
    ]
    return min(found, key=lambda row: row.number("round") or 0, default=None)


def load_of(row: Row) -> float | None:
    """Users each, or arrivals a second each, of a duet's row; None: it was given up before there
    was one.
    """
    return row.number("rate_rps") or row.number("users")


def is_unequal(duet: Duet, answers: tuple[float, float]) -> bool:
    """Whether one side served more views than the other; of an open load, not by chance.

    Args:
        duet: that was measured; while its load is not known less is allowed.
        answers: good answers of each side over all slices.
    """
    share = EQUAL_LOAD_SHARE if duet.load is None else KEPT_EQUAL_SHARE
    return _are_unequal(answers, share, at_random=duet.first.case.load == "open")


def _are_unequal(answers: tuple[float, float], share: float, *, at_random: bool) -> bool:
    """Whether counts differ by more than a share; of arrivals at random, and than by chance.

    Two Poisson counts of the same mean differ by √(1/a + 1/b) of it, one standard deviation.
    """
    a, b = answers
    if min(a, b) <= 0:
        return True
    by_chance = BY_CHANCE_SDS * math.sqrt(1 / a + 1 / b) if at_random else 0.0
    return abs(math.log(a / b)) > max(math.log1p(share), by_chance)


def half_of(load: float, limits: Limits, answers: tuple[float, float]) -> float | None:
    """Half a load, under which the sides' views wait less for each other's; None where that would
    say too little.

    Args:
        load: that was measured.
        limits: of the duet.
        answers: good answers of each side over all slices.
    """
    half = _rounded(load / 2, limits)
    if limits.whole and half < LEAST_USERS:
        return None
    return half if min(answers) / limits.slices / 2 >= LEAST_ANSWERS else None


def check_equal_load(duet: Duet, answers: tuple[float, float], load: float) -> None:
    """Whether both sides served as many views under a load.

    Raises:
        TooUnlikeError: where no load was known, for the protocol has tried smaller ones.
        TrialError: unequal-load, which is this round's misfortune.
    """
    if not is_unequal(duet, answers):
        return
    a, b = answers
    reason = f"under one load the rates' ratio is {b / a:.2f}"
    raise _too_unlike(reason, load) if duet.load is None else TrialError(UNEQUAL_LOAD, reason)


def _enough(load: float, limits: Limits) -> float:
    if not limits.whole or load >= LEAST_USERS:
        return load
    needed = f"and a duet needs {LEAST_USERS}"
    if limits.most < LEAST_USERS and load >= math.floor(limits.most):
        raise TooUnlikeError(f"{limits.because}, {needed}", max(1.0, load))
    has = f"the load that both can have is {_each(load, is_open=False)}"
    raise _too_unlike(f"{has}, {needed}", max(1.0, load))


def _rounded(load: float, limits: Limits) -> float:
    """Downwards: whole users, or two digits of a rate."""
    if limits.whole:
        return float(math.floor(load))
    digit = 10.0 ** (math.floor(math.log10(load)) - 1)
    return float(f"{math.floor(load / digit) * digit:.6g}")


def _column(duet: Duet) -> str:
    return "rate_rps" if duet.first.case.load == "open" else "users"


def _each(load: float, *, is_open: bool) -> str:
    return f"{load:.2g}/s" if is_open else f"{load:.0f} users"


def _too_unlike(reason: str, load: float) -> TooUnlikeError:
    return TooUnlikeError(f"the costs are too unlike for one load: {reason}", load)
