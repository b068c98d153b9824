"""What documents look like, for tests of what they say."""

from collections.abc import Iterable, Sequence
from io import StringIO

from loadgen.documents.document import Block, Document, Section
from loadgen.documents.markdown import markdown
from loadgen.documents.run_material import Group, Material, of_rows
from loadgen.documents.terminal import console, print_document
from loadgen.records.columns import Row
from loadgen.reports.run_report import print_report
from loadgen.suites.suite import Suite


def on_a_terminal(blocks: Iterable[Block], width: int = 80) -> str:
    """What a terminal shows of these blocks."""
    stream = StringIO()
    print_document(console(file=stream, width=width), a_document(blocks))
    return stream.getvalue()


def as_markdown(blocks: Iterable[Block]) -> str:
    """These blocks as Markdown."""
    return markdown(a_document(blocks))


def a_document(blocks: Iterable[Block]) -> Document:
    """A document of nothing else."""
    return Document("", (), [Section("section", "", list(blocks))])


def report_on_a_terminal(
    suites: Sequence[Suite], rows: Sequence[Row], width: int = 80, *, full: bool = True
) -> str:
    """What a terminal shows of a run: all, or a screen of it."""
    stream = StringIO()
    print_report(console(file=stream, width=width), of_rows(suites, rows), full=full)
    return stream.getvalue()


def a_group(suite: Suite, rows: Sequence[Row]) -> tuple[Material, Group]:
    """A suite's part of a run, with the run."""
    material = of_rows([suite], rows)
    (group,) = material.all_groups
    return material, group
