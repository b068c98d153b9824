"""How far off predictions are: each load that a run measured, predicted from its other loads."""

from collections.abc import Callable, Iterable, Sequence
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
class Trial:
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
class Check:
    """All of a run.

    Attributes:
        trials: those that could be predicted.
        refused: how many loads could not, being the lightest or heaviest of their stack.
    """

    trials: tuple[Trial, ...]
    refused: int


def check(found: Iterable[Measured]) -> Check:
    """Leave out each load of each stack in turn, and predict it.

    Raises:
        ConfigurationError: no stack has three loads, so that one lies between two.
    """
    trials, refused = [], 0
    for stack in found:
        for level in stack.levels:
            rest = [other for other in stack.levels if other is not level]
            trial = _trial(stack.stack(rest), level) if rest else None
            if trial:
                trials.append(trial)
            else:
                refused += 1
    if not trials:
        raise ConfigurationError(
            "no load of the run can be predicted from its others: that takes three or more loads "
            "of a stack, e.g. the suite users"
        )
    return Check(tuple(trials), refused)


def _trial(stack: Stack, level: Level) -> Trial | None:
    """None where the load lies outside the others."""
    made = predict(stack, level.users, level.service_s, level.cpus)
    if not isinstance(made, Prediction):
        return None
    slots = None if stack.slots is None else stack.slots * level.cpus
    cpu_s = made.cpu_ms_per_view / 1000
    bounds = (
        users_ceiling_rps(level.users, level.service_s),
        slots_ceiling_rps(slots, level.service_s),
        cpu_ceiling_rps(level.cpus, cpu_s),
    )
    in_service = stack.in_service(round(level.users / level.cpus))
    return Trial(
        level=level,
        predicted=made,
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


def errors(checked: Check) -> list[Errors]:
    """By band of utilisation."""
    return [
        _errors(band, [trial for trial in checked.trials if holds(trial.level.utilisation)])
        for band, holds in BANDS.items()
    ]


def _errors(band: str, trials: Sequence[Trial]) -> Errors:
    return Errors(
        band=band,
        loads=len(trials),
        law=[trial.predicted.rps / trial.level.rps - 1 for trial in trials],
        cpu_alone=[trial.cpu_alone_rps / trial.level.rps - 1 for trial in trials],
        bounds=[trial.bounds_rps / trial.level.rps - 1 for trial in trials],
        cpu=[trial.predicted.cpu_ms_per_view / 1000 / trial.level.cpu_s - 1 for trial in trials],
        memory=[
            trial.predicted.memory_mib / trial.level.pss_mib - 1
            for trial in trials
            if trial.predicted.memory_mib and trial.level.pss_mib
        ],
    )
