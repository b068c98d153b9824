"""A waterfall: from one case to another, one change per step, in two orders.

Steps interact: what a change brings depends on those before it. So the same steps are measured
from the same start in the reversed order too; both orders end at the same case.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from loadgen.lab.toml_tables import written
from loadgen.suites.axes import combinations, replaced
from loadgen.suites.cases import Case
from loadgen.suites.make_cases import CaseMaker
from loadgen.suites.pairs import Pair
from loadgen.suites.suite_file import (
    Axes,
    StepEntry,
    SuiteFile,
    WaterfallEntry,
)

type Order = Literal["forward", "reversed"]
#: A step as written, with its place in the file.
type _PlacedStep = tuple[str, StepEntry]


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


def waterfalls_of(file: SuiteFile, maker: CaseMaker) -> list[Waterfall]:
    """The waterfalls of a suite's `[[waterfall]]`.

    Raises:
        ConfigurationError: a change has no effect or is not defined, a case is impossible, or the
            two orders end at different cases.
    """
    return [
        _waterfall(f"waterfall[{number}]", entry, file.defaults, maker)
        for number, entry in enumerate(file.waterfall, start=1)
    ]


def _waterfall(
    where: str, entry: WaterfallEntry, defaults: Mapping[str, Any], maker: CaseMaker
) -> Waterfall:
    changed = {axis for step in entry.steps for axis in step.change}
    for axis in maker.lab.axes:
        if axis in changed:
            what = f"cannot be set: {entry.title!r} of {maker.suite}.toml changes it step by step"
            raise maker.wrong(f"{where}.{axis}", what, axis)
    start, *others = combinations(replaced({**defaults, **entry.start}, maker.lab.axes))
    if others:
        what = "a waterfall has one start, so each axis can have one value only"
        raise maker.wrong(f"{where}.start", what)
    first = Step(entry.words, _possible_case(f"{where}.start", start, maker))
    steps = [(f"{where}.steps[{at}]", step) for at, step in enumerate(entry.steps, start=1)]
    forward = (first, *_stages(start, steps, maker))
    backward = (first, *_stages(start, _reversed(steps), maker))
    if backward == forward:
        return Waterfall(entry.title, {"forward": forward})
    if backward[-1].case != forward[-1].case:
        what = f"the steps end at {forward[-1].case.slug}, but reversed they end at "
        what += f"{backward[-1].case.slug}: both orders must end at the same case"
        raise maker.wrong(where, what)
    return Waterfall(entry.title, {"forward": forward, "reversed": backward})


def _stages(
    start: Mapping[str, Any], steps: Iterable[_PlacedStep], maker: CaseMaker
) -> Iterator[Step]:
    """What the steps make of a start, one after the other."""
    axes = dict(start)
    for where, step in steps:
        for axis, change in step.change.items():
            value = axes.get(axis, Axes.model_fields[axis].default)
            axes[axis] = _changed(f"{where}.change.{axis}", value, change, maker)
        yield Step(step.words, _possible_case(where, axes, maker))


def _changed(where: str, value: Any, change: Any, maker: CaseMaker) -> Any:
    """What a change makes of the value of an axis."""
    if isinstance(change, dict):
        key = value if isinstance(value, str) else written(value)  # a table's keys are texts
        if key not in change:
            what = f"does not say what becomes of {key!r}, only of {', '.join(change)}"
            raise maker.wrong(where, what)
        change = change[key]
    if change == value:
        raise maker.wrong(where, f"changes nothing: it is {written(value)} already")
    return change


def _possible_case(where: str, axes: Mapping[str, Any], maker: CaseMaker) -> Case:
    case = maker.case(where, axes)
    if reason := maker.why_impossible(case):
        raise maker.wrong(where, reason)
    return case


def _reversed(steps: Iterable[_PlacedStep]) -> list[_PlacedStep]:
    """The steps in reversed order, but those that build on one another as they are."""
    groups: list[list[_PlacedStep]] = []
    for where, step in steps:
        if step.builds_on_previous:
            groups[-1].append((where, step))
        else:
            groups.append([(where, step)])
    return [step for group in reversed(groups) for step in group]
