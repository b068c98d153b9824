"""How far off predictions are: each load that a run measured, predicted from its other loads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from loadgen.errors import ConfigurationError
from loadgen.prediction.measured_stacks import Level, Measured
from loadgen.prediction.stack import Prediction, Stack, predict_stack
from loadgen.theory.laws import cpu_ceiling_rps, slots_ceiling_rps, users_ceiling_rps
from loadgen.theory.mva import flow

#: From this utilisation on a queue decides, and below it the delay.
BUSY_SHARE = 0.6
BANDS: dict[str, Callable[[float], bool]] = {
    "0.6 to 1": lambda utilisation: utilisation >= BUSY_SHARE,
    "below 0.6": lambda utilisation: utilisation < BUSY_SHARE,
}


@dataclass(frozen=True)
class LeftOut:
    """A load that was measured, beside what the stack's other loads say of it.

    Attributes:
        level: as measured.
        predicted: from the other loads of the stack.
        cpu_alone_rps: the same law where a view holds the process for its CPU time D only.
        bounds_rps: min(N / S, slots / S, C / D), with the same D.
    """

    level: Level
    predicted: Prediction
    cpu_alone_rps: float
    bounds_rps: float


@dataclass(frozen=True)
class Accuracy:
    """All of a run.

    Attributes:
        loads: those that could be predicted.
        refused: how many loads could not, being the lightest or heaviest of their stack.
    """

    loads: tuple[LeftOut, ...]
    refused: int


def accuracy_of(stacks: Iterable[Measured]) -> Accuracy:
    """Leave out each load of each stack in turn, and predict it.

    Raises:
        ConfigurationError: no stack has three loads, so that one lies between two.
    """
    loads, refused = [], 0
    for measured in stacks:
        for level in measured.levels:
            rest = [other for other in measured.levels if other is not level]
            load = _left_out(measured.stack(rest), level) if rest else None
            if load:
                loads.append(load)
            else:
                refused += 1
    if not loads:
        raise ConfigurationError(
            "no load of the run can be predicted from its others: that takes three or more loads "
            "of a stack, e.g. the suite users"
        )
    return Accuracy(tuple(loads), refused)


def _left_out(stack: Stack, level: Level) -> LeftOut | None:
    """None where the load lies outside the others."""
    predicted = predict_stack(stack, level.users, level.service_s, level.cpus)
    if not isinstance(predicted, Prediction):
        return None
    slots = None if stack.slots is None else stack.slots * level.cpus
    cpu_s = predicted.cpu_ms_per_view / 1000
    bounds = (
        users_ceiling_rps(level.users, level.service_s),
        slots_ceiling_rps(slots, level.service_s),
        cpu_ceiling_rps(level.cpus, cpu_s),
    )
    in_service = stack.in_service(round(level.users / level.cpus))
    return LeftOut(
        level=level,
        predicted=predicted,
        cpu_alone_rps=level.cpus * flow(in_service, level.service_s, cpu_s).rps,
        bounds_rps=min(bound for bound in bounds if bound),
    )


@dataclass(frozen=True)
class Errors:
    """How far off the predictions of some loads are, as shares with their sign.

    Attributes:
        band: of utilisation, in words.
        loads: how many.
        law: of throughput, by this law.
        cpu_alone: of throughput, by CPU time alone.
        bounds: of throughput, by the plain bounds.
        cpu: of CPU per view.
        memory: of memory, where it is known.
    """

    band: str
    loads: int
    law: Sequence[float]
    cpu_alone: Sequence[float]
    bounds: Sequence[float]
    cpu: Sequence[float]
    memory: Sequence[float]


def errors_by_band(accuracy: Accuracy) -> list[Errors]:
    """By band of utilisation."""
    return [
        _errors(band, [load for load in accuracy.loads if holds(load.level.utilisation)])
        for band, holds in BANDS.items()
    ]


def _errors(band: str, loads: Sequence[LeftOut]) -> Errors:
    return Errors(
        band=band,
        loads=len(loads),
        law=[load.predicted.rps / load.level.rps - 1 for load in loads],
        cpu_alone=[load.cpu_alone_rps / load.level.rps - 1 for load in loads],
        bounds=[load.bounds_rps / load.level.rps - 1 for load in loads],
        cpu=[load.predicted.cpu_ms_per_view / 1000 / load.level.cpu_s - 1 for load in loads],
        memory=[
            load.predicted.memory_mib / load.level.pss_mib - 1
            for load in loads
            if load.predicted.memory_mib and load.level.pss_mib
        ],
    )
