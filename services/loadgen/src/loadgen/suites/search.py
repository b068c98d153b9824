"""The search for a stack's capacity: the highest arrival rate that it carries without delay.

Pure: what the windows came to goes in, the next rate or the bracket comes out. So a search can be
replayed from its rows, and tested on servers that do not exist.

Up and down on a fixed grid after W. J. Dixon & A. M. Mood, "A Method for Obtaining and Analyzing
Sensitivity Data", Journal of the American Statistical Association 43(241), 1948: one window says
where to look next, and only the two rates of the bracket are asked again until enough windows
agree.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from loadgen.lab.toml_tables import TomlTable
from loadgen.suites.cases import Arrivals, Case

Share = Annotated[float, Field(gt=0, le=1)]


class Rules(TomlTable):
    """How a suite searches: its table `[search]`.

    Attributes:
        ratio: of neighbouring rates. The grid is its powers, so all stacks, rounds and runs try
            the same rates.
        start_share: the first round starts at this share of C / D.
        arrivals: how arrivals are spaced.
        windows: a rate holds where the majority of so many windows hold.
        warm_up_s: load before each window; None: the protocol's own rule.
        window_s: length of each.
        most_windows: a search that takes more is given up.
        p95_by_service_time: a window holds if p95 is at most so many service times,
        least_answered: good answers are at least this share of what arrived, but for what happens
            to be in flight at the window's ends,
        most_growth: and at most this share of what arrives stays in flight. A failed or dropped
            request is one too many.
    """

    ratio: Annotated[float, Field(gt=1, le=2)] = 1.05
    start_share: Share = 0.8
    arrivals: Arrivals = "poisson"
    windows: Annotated[int, Field(ge=1)] = 3
    warm_up_s: Annotated[float, Field(ge=0)] | None = None
    window_s: Annotated[float, Field(gt=0)] = 15
    most_windows: Annotated[int, Field(ge=2)] = 16
    p95_by_service_time: Annotated[float, Field(ge=1)] = 1.5
    least_answered: Share = 0.99
    most_growth: Annotated[float, Field(ge=0)] = 0.02

    @property
    def majority(self) -> int:
        """So many windows that agree decide about a rate."""
        return self.windows // 2 + 1

    @property
    def fewest_windows(self) -> int:
        """What a search takes that starts at the bracket."""
        return 2 * self.majority

    @property
    def usual_windows(self) -> int:
        """What a search takes that climbs from `start_share` to all of C / D."""
        climb = math.ceil(math.log(1 / self.start_share) / math.log(self.ratio))
        return min(self.most_windows, climb + self.fewest_windows)

    def rate_rps(self, step: int) -> float:
        """The rate at a place of the grid, to four digits."""
        return float(f"{self.ratio**step:.4g}")

    def step_below(self, rate_rps: float) -> int:
        """The highest place of the grid whose rate is at most this."""
        step = math.ceil(math.log(rate_rps) / math.log(self.ratio))
        while self.rate_rps(step) > rate_rps:
            step -= 1
        return step

    def offered(self, case: Case, rate_rps: float) -> Case:
        """A stack's case under arrivals at a rate, instead of its users."""
        return replace(case, load="open", users=None, rate_rps=rate_rps, arrivals=self.arrivals)


@dataclass(frozen=True)
class Window:
    """What one window of a search came to.

    Attributes:
        step: the place of its rate on the grid.
        held: whether the stack carried the rate; None: the window says nothing about the stack.
        reasons: what it failed, or why it says nothing; empty where it held.
    """

    step: int
    held: bool | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bracket:
    """What a search found.

    Attributes:
        low: place of the last rate that holds; None: not found.
        high: place of the first that does not; None: not found.
        reason: why one of them was not found, or is not next to the other; empty where it is.
    """

    low: int | None
    high: int | None
    reason: str = ""


@dataclass(frozen=True)
class _Standing:
    """What the windows of one rate say so far.

    Attributes:
        verdict: whether it holds, by the windows there are; None: none says so, or they disagree.
        decided: no further window can change that.
        mute: so many windows said nothing that no further one is tried.
        reasons: of the windows that said nothing.
    """

    verdict: bool | None
    decided: bool
    mute: bool
    reasons: tuple[str, ...]


def _standing(step: int, windows: Iterable[Window], rules: Rules) -> _Standing:
    here = [window for window in windows if window.step == step]
    held = sum(window.held is True for window in here)
    broken = sum(window.held is False for window in here)
    silent = [window for window in here if window.held is None]
    decided = max(held, broken) >= rules.majority
    return _Standing(
        verdict=None if held == broken else held > broken,
        decided=decided,
        mute=not decided and len(silent) >= rules.windows,
        reasons=tuple(dict.fromkeys(reason for window in silent for reason in window.reasons)),
    )


def next_step(start: int, windows: Sequence[Window], rules: Rules) -> int | Bracket:
    """The place of the grid to try next, or what the search found.

    From the start up while rates hold, down while they do not; a single window is enough to pass
    by. Between a rate that holds and the next one that does not, both are asked again until a
    majority has decided about each; should that turn one of them round, the walk goes on.

    Args:
        start: where it begins.
        windows: all windows of this search, in their order.
        rules: the suite's.
    """
    here = start
    while True:
        standing = _standing(here, windows, rules)
        if standing.mute:
            return _as_far_as_known(windows, rules, _lab_was_the_limit(here, standing, rules))
        if standing.verdict is None:
            break
        beyond = here + 1 if standing.verdict else here - 1
        there = _standing(beyond, windows, rules)
        if there.mute:
            if not standing.decided:
                break
            return _as_far_as_known(windows, rules, _lab_was_the_limit(beyond, there, rules))
        if there.verdict is None:
            here = beyond
            break
        if there.verdict != standing.verdict:
            if standing.decided and there.decided:
                return Bracket(min(here, beyond), max(here, beyond))
            here = beyond if standing.decided else here
            break
        here = beyond
    if len(windows) >= rules.most_windows:
        reason = f"{rules.most_windows} windows were not enough to find the limit"
        return _as_far_as_known(windows, rules, reason)
    return here


def _lab_was_the_limit(step: int, standing: _Standing, rules: Rules) -> str:
    return f"{', '.join(standing.reasons)} at {rules.rate_rps(step):g}/s"


def _as_far_as_known(windows: Iterable[Window], rules: Rules, reason: str) -> Bracket:
    """The ends that have been decided, of a search that ends without a bracket."""
    listed = list(windows)
    decided = {
        step: standing.verdict
        for step in sorted({window.step for window in listed})
        if (standing := _standing(step, listed, rules)).decided
    }
    low = max((step for step, holds in decided.items() if holds), default=None)
    above = [step for step, holds in decided.items() if not holds and (low is None or step > low)]
    high = min(above, default=None)
    if low is not None and high == low + 1:
        return Bracket(low, high)
    return Bracket(low, high, reason)
