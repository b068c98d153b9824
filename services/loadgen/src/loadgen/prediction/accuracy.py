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


type _Errors = Sequence[float]


def markdown_lines(found: Check) -> Iterator[str]:
    """Two tables: throughput against the plain bounds; CPU per view and memory."""
    yield "| CPU busy | Loads | This law | With CPU time alone | Plain bounds |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for band, trials in _by_band(found):
        cells = [
            _error([trial.predicted.rps / trial.level.rps - 1 for trial in trials]),
            _error([trial.cpu_alone_rps / trial.level.rps - 1 for trial in trials]),
            _error([trial.bounds_rps / trial.level.rps - 1 for trial in trials]),
        ]
        yield f"| {band} | {len(trials)} | {' | '.join(cells)} |"
    yield ""
    yield "| CPU busy | CPU/view | Memory |"
    yield "| --- | ---: | ---: |"
    for band, trials in _by_band(found):
        cpu = [trial.predicted.cpu_ms_per_view / 1000 / trial.level.cpu_s - 1 for trial in trials]
        memory = [
            trial.predicted.memory_mib / trial.level.pss_mib - 1
            for trial in trials
            if trial.predicted.memory_mib and trial.level.pss_mib
        ]
        yield f"| {band} | {_error(cpu)} | {_error(memory)} |"
    yield ""
    of = len(found.trials) + found.refused
    yield f"{found.refused} of {of} loads lie outside the others of their stack: refused."


def _by_band(found: Check) -> Iterator[tuple[str, list[Trial]]]:
    for band, holds in BANDS.items():
        yield band, [trial for trial in found.trials if holds(trial.level.utilisation)]


def _error(errors: _Errors) -> str:
    """Mean and largest, without their signs: `3.7 % (9.5 %)`."""
    if not errors:
        return "–"
    sizes = [abs(error) for error in errors]
    return f"{sum(sizes) / len(sizes):.1%} ({max(sizes):.1%})".replace("%", " %")
