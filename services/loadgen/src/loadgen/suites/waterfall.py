"""A waterfall: from one case to another, one change per step, in two orders.

Steps interact: what a change brings depends on those before it. So the same steps are measured
from the same start in the reversed order too; both orders end at the same case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from loadgen.errors import ConfigurationError
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Pair
from loadgen.suites.suite_file import Axes, StepEntry, WaterfallEntry, written

type Order = Literal["forward", "reversed"]


@dataclass(frozen=True)
class Step:
    """A stage of a waterfall: the start, or what one more change makes of the stage before.

    Attributes:
        words: what has changed; of the start: what it is.
        case: what is measured.
    """

    words: str
    case: Case


@dataclass(frozen=True)
class Waterfall:
    """One change per step, from a start to an end.

    Attributes:
        title: what it is about.
        orders: the stages in each order, the start first; `reversed` is missing where it would be
            the same.
    """

    title: str
    orders: Mapping[Order, tuple[Step, ...]]

    @property
    def cases(self) -> list[Case]:
        """Its cases as a ring, each once: down the one order and back up the other."""
        forward, *others = ([step.case for step in steps] for steps in self.orders.values())
        return list(dict.fromkeys([*forward, *(case for way in others for case in reversed(way))]))

    @property
    def pairs(self) -> list[Pair]:
        """Each stage with the one that follows it."""
        return [(a.case, b.case) for steps in self.orders.values() for a, b in pairwise(steps)]


class Builder:
    """Makes waterfalls of what a suite file says.

    Args:
        case_of: a place in the file and the axes that it gives → the case, if it is possible.
        wrong: a place in the file and what is wrong there → the error.
    """

    def __init__(
        self,
        case_of: Callable[[str, Mapping[str, Any]], Case],
        wrong: Callable[[str, str], ConfigurationError],
    ) -> None:
        self._case_of = case_of
        self._wrong = wrong

    def build(self, where: str, entry: WaterfallEntry, start: Mapping[str, Any]) -> Waterfall:
        """The waterfall of an entry.

        Args:
            where: its place in the file.
            entry: as written.
            start: the axes of its start.

        Raises:
            ConfigurationError: a change has no effect or is not defined, a case is impossible, or
                the two orders end at different cases.
        """
        places = {id(step): f"{where}.steps[{at}]" for at, step in enumerate(entry.steps, start=1)}
        first = Step(entry.words, self._case_of(f"{where}.start", start))

        def stages(steps: Sequence[StepEntry]) -> Iterator[Step]:
            yield first
            axes = dict(start)
            for step in steps:
                place = places[id(step)]
                axes |= self._changed(place, step, axes)
                yield Step(step.words, self._case_of(place, axes))

        forward = tuple(stages(entry.steps))
        backward = tuple(stages(_reversed(entry.steps)))
        if backward == forward:
            return Waterfall(entry.title, {"forward": forward})
        if backward[-1].case != forward[-1].case:
            what = f"the steps end at {forward[-1].case.slug}, reversed at {backward[-1].case.slug}"
            raise self._wrong(where, what)
        return Waterfall(entry.title, {"forward": forward, "reversed": backward})

    def _changed(self, place: str, step: StepEntry, axes: Mapping[str, Any]) -> dict[str, Any]:
        """The new values of the axes that a step changes."""
        changed = {}
        for axis, change in step.change.items():
            where = f"{place}.change.{axis}"
            if axis not in Axes.model_fields:
                raise self._wrong(where, f"unknown axis; allowed: {', '.join(Axes.model_fields)}")
            value = axes.get(axis, Axes.model_fields[axis].default)
            becomes = change
            if isinstance(change, dict):
                if value not in change:
                    what = f"does not say what becomes of {value!r}, only of {', '.join(change)}"
                    raise self._wrong(where, what)
                becomes = change[value]
            if becomes == value:
                raise self._wrong(where, f"changes nothing: it is {written(value)} already")
            changed[axis] = becomes
        return changed


def _reversed(steps: Sequence[StepEntry]) -> list[StepEntry]:
    """The steps in reversed order, but those that build on one another as they are."""
    groups: list[list[StepEntry]] = []
    for step in steps:
        if step.builds_on_previous:
            groups[-1].append(step)
        else:
            groups.append([step])
    return [step for group in reversed(groups) for step in group]
