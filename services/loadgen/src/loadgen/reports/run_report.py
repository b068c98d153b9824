"""The document of a run: its topics, in the order in which each reader looks for them.

A page is read topic by topic, each with all suites of the run; text is read suite by suite, and
ends with what to do. Both are arrangements of the same blocks (loadgen.topics).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from loadgen.charts.drawing import standalone
from loadgen.documents.document import (
    PAGE,
    Block,
    Document,
    Gallery,
    Heading,
    Section,
    Text,
    pictures,
)
from loadgen.documents.html import html
from loadgen.documents.markdown import markdown
from loadgen.documents.run_material import Group, Material
from loadgen.documents.sessions import in_sessions
from loadgen.documents.terminal import print_document
from loadgen.documents.words import count_of
from loadgen.records.files import replace_text
from loadgen.topics import (
    answer,
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
    results,
    throughput,
    trials,
    waterfall,
)

PAGE_FILE, CHARTS = "report.html", "charts"
MOST_BYTES = 1_000_000
NOT_MEASURED = "None of this was measured."

type OfRun = Callable[[Material], Iterable[Block]]
type OfSuite = Callable[[Material, Group], Iterable[Block]]


@dataclass(frozen=True)
class Topic:
    """A section of the page.

    Attributes:
        key: of its anchor.
        heading: as in the contents.
        blocks: what it says of a run.
        introduction: how to read what follows, once.
        of_samples: whether it reads samples, which takes more time than all else.
    """

    key: str
    heading: str
    blocks: OfRun
    introduction: str = ""
    of_samples: bool = False

    def section(self, material: Material) -> Section:
        """What a page shows of it; nothing where there is nothing but its introduction."""
        blocks = _on_page(self.blocks(material))
        if blocks and self.introduction:
            blocks = [Text([self.introduction], "note"), *blocks]
        return Section(self.key, self.heading, blocks)


def by_suite(of_suite: OfSuite) -> OfRun:
    """What a page shows of each suite, below its question where there is something of several."""

    def blocks(material: Material) -> Iterator[Block]:
        shown = [(group, _on_page(of_suite(material, group))) for group in material.groups]
        spoken = [(group.suite.question, said) for group, said in shown if said]
        for question, said in spoken:
            if len(spoken) > 1:
                yield Heading(question)
            yield from said

    return blocks


def by_group(of_group: Callable[[Group], Iterable[Block]]) -> OfRun:
    """The same of what needs nothing of the run but the suite's part."""
    return by_suite(lambda _, group: of_group(group))


def _of_claims(material: Material) -> Iterable[Block]:
    return claims.blocks(material.claims)


#: The sections of the page, in their order.
TOPICS = (
    Topic("answer", "The answer", answer.blocks),
    Topic(
        "first-change",
        first_change.HEADING,
        by_suite(first_change.blocks),
        first_change.INTRODUCTION,
    ),
    Topic(
        "waterfall", "What each change brings", by_suite(waterfall.blocks), waterfall.INTRODUCTION
    ),
    Topic("capacity", "What one core carries", by_suite(capacity.blocks), capacity.INTRODUCTION),
    Topic("claims", claims.HEADING, _of_claims, claims.INTRODUCTION),
    Topic(
        "comparisons", "What was compared", by_group(comparisons.blocks), comparisons.INTRODUCTION
    ),
    Topic(
        "throughput",
        "Throughput and its ceilings",
        by_group(throughput.blocks),
        throughput.INTRODUCTION,
    ),
    Topic("latency", "Latency", by_suite(latency.blocks), latency.INTRODUCTION, of_samples=True),
    Topic("cost", "CPU per view, and memory", by_group(cost.blocks), cost.INTRODUCTION),
    Topic(
        "over-time",
        "Over time",
        by_suite(over_time.blocks),
        over_time.INTRODUCTION,
        of_samples=True,
    ),
    Topic("caveats", caveats.HEADING, caveats.blocks),
    Topic(
        "articles",
        "The articles' figures beside ours",
        by_group(results.blocks),
        results.INTRODUCTION,
    ),
    Topic("predict", "Your own load", predict.blocks),
    Topic("trials", "Trials", trials.blocks),
    Topic("environment", "Machine, versions, commands", environment.blocks),
)


def run_heading(material: Material) -> str:
    """What a run is called: the question of its one suite, or the names of those that it has."""
    questions = [group.suite.question for group in material.groups]
    asked = material.environment.get("arguments", {}).get("suites", ())
    return questions[0] if len(questions) == 1 else ", ".join(asked).capitalize()


def page_document(material: Material) -> Document:
    """The run topic by topic, for the page."""
    return Document(
        heading=run_heading(material),
        facts=_facts(material),
        sections=[topic.section(material) for topic in TOPICS],
    )


def _facts(material: Material) -> list[str]:
    environment = material.environment
    facts = (
        (environment.get("started_at") or "")[:10],
        environment.get("cpu_model") or environment.get("architecture") or "",
        _how_much(material),
        in_sessions(environment, material.rows),
        str(environment.get("outcome", "")),
        material.name,
    )
    return list(filter(None, facts))


def _how_much(material: Material) -> str:
    """`6 trials and 6 duets`: a duet that was measured has two rows."""
    trials = sum(not row.is_of_duet for row in material.rows)
    duets = sum(row.is_of_duet and row.is_measured for row in material.rows) // 2
    words = [count_of(trials, "trial")] if trials or not duets else []
    return " and ".join([*words, *([count_of(duets, "duet")] if duets else [])])


def _on_page(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if block.shown & PAGE]


def text_document(material: Material) -> Document:
    """The run suite by suite, for a terminal and for Markdown; at the end what to do."""
    suites = [
        Section(group.suite.name, group.suite.question, list(_of_suite(material, group)))
        for group in material.all_groups
    ]
    changes = [
        Section(f"first-change-{group.suite.name}", first_change.HEADING, blocks)
        for group in material.all_groups
        if (blocks := list(first_change.blocks(material, group)))
    ]
    of_run = (
        Section("claims", claims.HEADING, list(claims.blocks(material.claims))),
        Section("caveats", caveats.HEADING, list(caveats.blocks(material))),
    )
    return Document("", (), [*suites, *of_run, *changes])


def _of_suite(material: Material, group: Group) -> Iterator[Block]:
    if not group.is_measured:
        yield Text([NOT_MEASURED], "note")
    yield from waterfall.blocks(material, group)
    yield from capacity.blocks(material, group)
    yield from results.blocks(group)
    yield from comparisons.blocks(group)


def screen_document(material: Material) -> Document:
    """What fits a screen: the answer, the tables, the caveats that matter in a line each."""
    suites = [
        Section(group.suite.name, group.suite.question, list(_in_brief(material, group)))
        for group in material.all_groups
    ]
    sentences = answer.sentences(material)
    return Document(
        "",
        (),
        [
            Section("answer", "The answer" if sentences else "", [Text(sentences)]),
            *suites,
            Section("caveats", caveats.HEADING, list(caveats.brief_blocks(material))),
        ],
    )


def _in_brief(material: Material, group: Group) -> Iterator[Block]:
    if not group.is_measured:
        yield Text([NOT_MEASURED], "note")
    yield from waterfall.brief_blocks(material, group)
    yield from capacity.brief_blocks(material, group)
    yield from results.blocks(group)
    yield from first_change.brief_blocks(material, group)


def print_report(console: Console, material: Material, *, full: bool = False) -> None:
    """Print what a terminal shows of a run: a screen of it, or all."""
    print_document(console, text_document(material) if full else screen_document(material))


def markdown_report(material: Material) -> str:
    """A run as Markdown, for a README or a pull request."""
    return markdown(text_document(material))


def write_report(material: Material, folder: Path) -> Path:
    """Write report.html and charts/*.svg into a folder that exists; the page.

    Raises:
        OSError: the folder cannot be written.
    """
    document = page_document(material)
    (folder / CHARTS).mkdir(exist_ok=True)
    for section in document.sections:
        for name, picture in pictures(section.blocks):
            drawing = standalone(picture.svg, picture.title)
            replace_text(folder / CHARTS / f"{name}.svg", drawing)
    page = html(document, material.name)
    if len(page.encode()) > MOST_BYTES:
        slim = [_without_galleries(section) for section in document.sections]
        page = html(replace(document, sections=slim), material.name)
    replace_text(folder / PAGE_FILE, page)
    return folder / PAGE_FILE


def write_live_page(material: Material, folder: Path, progress: str) -> Path:
    """Write report.html of a run that goes on, without what takes long to draw.

    Args:
        material: the run so far.
        folder: where to; it exists.
        progress: how far the run has come.

    Raises:
        OSError: the folder cannot be written.
    """
    so_far = Document(
        heading=run_heading(material),
        facts=_facts(material),
        sections=[topic.section(material) for topic in TOPICS if not topic.of_samples],
        progress=progress,
    )
    replace_text(folder / PAGE_FILE, html(so_far, material.name))
    return folder / PAGE_FILE


def _without_galleries(section: Section) -> Section:
    """A section with its small pictures left to the files beside the page."""
    words = Text(["With these pictures the page would be over 1 MB: see charts/."])
    blocks: Sequence[Block] = [
        words if isinstance(block, Gallery) else block for block in section.blocks
    ]
    return replace(section, blocks=blocks)
