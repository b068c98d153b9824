"""The report's sections, each in a module of its own that says whether it applies to a run."""

from collections.abc import Callable

from loadgen.documents.blocks import Section
from loadgen.documents.material import Material
from loadgen.topics import (
    answer,
    articles,
    capacity,
    caveats,
    claims,
    comparisons,
    cost,
    environment,
    first_change,
    latency,
    over_time,
    predict,
    throughput,
    trials,
    waterfall,
)

#: None where there is nothing to say.
type MakeSection = Callable[[Material], Section | None]

#: In the order of the page.
ORDER: tuple[MakeSection, ...] = (
    answer.section,
    first_change.section,
    waterfall.section,
    capacity.section,
    claims.section,
    comparisons.section,
    throughput.section,
    latency.section,
    cost.section,
    over_time.section,
    caveats.section,
    articles.section,
    predict.section,
    trials.section,
    environment.section,
)
