"""Your own load: sliders over the laws, for every stack of the run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from markupsafe import Markup

from loadgen.documents.document import PAGE, Block, Medium, Text
from loadgen.documents.html import TEMPLATES
from loadgen.documents.run_material import Material
from loadgen.prediction.measured_stacks import Measured, measured
from loadgen.prediction.stack import Stack
from loadgen.suites.labels import titles

SCRIPTS = ("predict_laws.js", "predict.js")
HOW = (
    "What each server and client of this run would do under another load, computed from its CPU "
    "per view by exact mean value analysis and refused outside what was measured. These laws give "
    "means, no percentiles; docs/predictions.md says what goes into them and how far off they are."
)


@dataclass(frozen=True)
class Field:
    """Something that a reader sets: its name in the script, its words, unit and range."""

    name: str
    words: str
    unit: str
    least: int
    most: int


FIELDS = (
    Field("users", "Users at once", "users", 1, 5000),
    Field("delay_ms", "Longest upstream delay (ms)", "ms", 10, 20_000),
    Field("cpus", "CPUs, a process each", "CPUs", 1, 16),
)


@dataclass(frozen=True)
class Panel(Block):
    """The sliders with what they need.

    Attributes:
        fields: what can be set.
        data: JSON of the stacks and of where the sliders start, for a script element.
        script: the laws and the sliders.
    """

    fields: Sequence[Field]
    data: Markup
    script: Markup
    shown: frozenset[Medium] = field(default=PAGE, kw_only=True)


def blocks(material: Material) -> Iterator[Block]:
    """The sliders; none where no row of the run is one that the laws speak of."""
    stacks = measured(material.rows)
    if not stacks:
        return
    script = "\n".join((TEMPLATES / name).read_text() for name in SCRIPTS)
    yield Text([HOW], shown=PAGE)
    yield Panel(FIELDS, _data(stacks), Markup(script))


def _data(stacks: Sequence[Measured]) -> Markup:
    level = max(
        (level for stack in stacks for level in stack.levels), key=lambda level: level.users
    )
    start = {"users": level.users, "delay_ms": round(level.service_s * 1000), "cpus": 1}
    titled = titles(stack.first for stack in stacks)
    known = [stack.stack(stack.levels) for stack in stacks]
    labelled = [asdict(stack) | {"label": _label(stack, titled[stack.server])} for stack in known]
    text = json.dumps({"stacks": labelled, "start": start})
    return Markup(text.replace("<", "\\u003c"))


def _label(stack: Stack, title: str) -> str:
    return ", ".join(filter(None, (title, stack.http_client, stack.axes)))
