"""How far off predictions are: each load that a run measured, predicted from its other loads."""

from collections.abc import Callable, Iterable
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
    """A load that was measured, and how far off it is what the stack's other loads say of it.

    Attributes:
        level: as measured.
        law: error of the predicted throughput, as a share of what was measured, with its sign.
        cpu_alone: the same where a view holds the process for its CPU time D only.
        bounds: the same of min(N / S, slots / S, C / D), with the same D.
        cpu: error of the CPU per view.
        memory: error of the memory; None where one of the two is not known.
    """

    level: Level
    law: float
    cpu_alone: float
    bounds: float
    cpu: float
    memory: float | None


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
            "Nothing can be checked: that takes one stack under three or more loads, as the suite "
            "users measures them"
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
    cpu_alone_rps = level.cpus * flow(in_service, level.service_s, cpu_s).rps
    memory_mib, pss_mib = predicted.memory_mib, level.pss_mib
    return LeftOut(
        level=level,
        law=predicted.rps / level.rps - 1,
        cpu_alone=cpu_alone_rps / level.rps - 1,
        bounds=min(bound for bound in bounds if bound) / level.rps - 1,
        cpu=cpu_s / level.cpu_s - 1,
        memory=memory_mib / pss_mib - 1 if memory_mib and pss_mib else None,
    )
