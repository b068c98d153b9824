"""How far off predictions are: each load that a run measured, predicted from its other loads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from loadgen.errors import ConfigurationError
from loadgen.prediction.measured_stacks import Level, Measured
from loadgen.prediction.stack import Prediction, Stack, predict
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
    predicted = predict(stack, level.users, level.service_s, level.cpus)
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


def accuracy_lines(accuracy: Accuracy) -> Iterator[str]:
    """Two tables: throughput against the plain bounds; CPU per view and memory."""
    yield "| CPU busy | Loads | This law | With CPU time alone | Plain bounds |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for band, loads in _by_band(accuracy):
        cells = [
            _error([load.predicted.rps / load.level.rps - 1 for load in loads]),
            _error([load.cpu_alone_rps / load.level.rps - 1 for load in loads]),
            _error([load.bounds_rps / load.level.rps - 1 for load in loads]),
        ]
        yield f"| {band} | {len(loads)} | {' | '.join(cells)} |"
    yield ""
    yield "| CPU busy | CPU/view | Memory |"
    yield "| --- | ---: | ---: |"
    for band, loads in _by_band(accuracy):
        cpu = [load.predicted.cpu_ms_per_view / 1000 / load.level.cpu_s - 1 for load in loads]
        memory = [
            load.predicted.memory_mib / load.level.pss_mib - 1
            for load in loads
            if load.predicted.memory_mib and load.level.pss_mib
        ]
        yield f"| {band} | {_error(cpu)} | {_error(memory)} |"
    yield ""
    total = len(accuracy.loads) + accuracy.refused
    yield f"{accuracy.refused} of {total} loads lie outside the others of their stack: refused."


def _by_band(accuracy: Accuracy) -> Iterator[tuple[str, list[LeftOut]]]:
    for band, holds in BANDS.items():
        yield band, [load for load in accuracy.loads if holds(load.level.utilisation)]


def _error(errors: Sequence[float]) -> str:
    """Mean and largest, without their signs: `3.7 % (9.5 %)`."""
    if not errors:
        return "–"
    sizes = [abs(error) for error in errors]
    return f"{sum(sizes) / len(sizes):.1%} ({max(sizes):.1%})".replace("%", " %")
