"""Your own load: sliders over the laws, for every stack of the run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadgen.documents.document import PAGE, Block, Medium, Text
from loadgen.documents.run_material import Material
from loadgen.prediction.measured_stacks import Measured, measured
from loadgen.prediction.stack import Stack
from loadgen.suites.labels import titles

HOW = (
    "What each server and client of this run would do under another load. A queueing law (exact "
    "mean value analysis) computes it from the measured CPU per view, and refuses loads outside "
    "what was measured. It gives means, not percentiles. docs/predictions.md says what goes into "
    "it and how far off it is."
)


@dataclass(frozen=True)
class Sliders(Block):
    """Sliders, with what their script reads: the stacks, and where the sliders start."""

    data: Mapping[str, Any]
    shown: frozenset[Medium] = field(default=PAGE, kw_only=True)


def blocks(material: Material) -> Iterator[Block]:
    """The sliders; none where no row of the run is one that the laws speak of."""
    stacks = measured(material.rows)
    if not stacks:
        return
    yield Text([HOW], shown=PAGE)
    yield Sliders(_data(stacks))


def _data(stacks: Sequence[Measured]) -> dict[str, Any]:
    level = max(
        (level for stack in stacks for level in stack.levels), key=lambda level: level.users
    )
    start = {"users": level.users, "delay_ms": round(level.service_s * 1000), "cpus": 1}
    titled = titles(stack.first for stack in stacks)
    known = [stack.stack(stack.levels) for stack in stacks]
    labelled = [asdict(stack) | {"label": _label(stack, titled[stack.server])} for stack in known]
    return {"stacks": labelled, "start": start}


def _label(stack: Stack, title: str) -> str:
    return ", ".join(filter(None, (title, stack.http_client, stack.axes)))
