"""report.html of a run: its topics in their order, and the charts beside it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from loadgen.charts.drawing import standalone
from loadgen.documents.blocks import Gallery, Section, Text, charts
from loadgen.documents.html import fill
from loadgen.documents.material import Material
from loadgen.records.files import replace_text
from loadgen.topics.order import ORDER

PAGE, CHARTS = "report.html", "charts"
MOST_BYTES = 1_000_000


def write_report(material: Material, folder: Path) -> Path:
    """Write report.html and charts/*.svg into a folder.

    Args:
        material: the run.
        folder: where to; it exists.

    Returns:
        The page.

    Raises:
        OSError: the folder cannot be written.
    """
    sections = [made for make in ORDER if (made := make(material))]
    (folder / CHARTS).mkdir(exist_ok=True)
    for section in sections:
        for name, title, svg in charts(section.blocks):
            replace_text(folder / CHARTS / f"{name}.svg", standalone(svg, title))
    page = folder / PAGE
    html = render(material, sections)
    if len(html.encode()) > MOST_BYTES:
        html = render(material, [_without_galleries(section) for section in sections])
    replace_text(page, html)
    return page


def _without_galleries(section: Section) -> Section:
    """A section with its small pictures left to the files beside the page."""
    words = Text(
        [Markup("With these pictures the page would be over 1 MB: see <code>charts/</code>.")]
    )
    blocks = [words if isinstance(block, Gallery) else block for block in section.blocks]
    return replace(section, blocks=blocks)


def render(material: Material, sections: Sequence[Section]) -> str:
    """The page as HTML, with all that it needs inside."""
    return fill(
        "report.html",
        sections,
        material=material,
        questions=[group.suite.question for group in material.groups],
    )
