"""A document as a page: one file with all that it needs inside."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadgen.charts import palette
from loadgen.documents.document import (
    Cell,
    Code,
    Document,
    Link,
    Outcome,
    Trend,
    cell_words,
)

TEMPLATES = Path(__file__).parent / "templates"
#: The page of a run that goes on is loaded anew so often.
RELOAD_S = 10
#: The box of a small line, in its own unit.
TREND_WIDTH, TREND_HEIGHT = 120, 24


def html(document: Document, title: str) -> str:
    """The whole page, with the title of its tab in the browser."""
    return (
        _templates()
        .get_template("page.html")
        .render(
            title=title,
            document=document,
            palette=Markup(palette.stylesheet()),
            reload_s=RELOAD_S,
        )
    )


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["cell"] = _cell
    return templates


def _cell(cell: Cell) -> str | Markup:
    if isinstance(cell, Outcome):
        return Markup('<b class="{}">{}</b>').format(cell.tone, cell.words)
    if isinstance(cell, Code):
        return Markup("<code>{}</code>").format(cell.text)
    if isinstance(cell, Link):
        return Markup('<a href="{}">{}</a>').format(cell.address, cell.words)
    if isinstance(cell, Trend):
        return _trend(cell)
    return cell_words(cell, "page")


def _trend(trend: Trend) -> Markup:
    """A line from the first value to the last, a point at its end; the highest is at the top."""
    low, high = min(trend.values), max(trend.values)
    step = TREND_WIDTH / max(1, len(trend.values) - 1)
    corners = [
        (number * step, TREND_HEIGHT * (1 - (value - low) / (high - low) if high > low else 0.5))
        for number, value in enumerate(trend.values)
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    line = Markup('<polyline points="{}" fill="none" stroke="var(--users)" stroke-width="1.5"/>')
    end = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="var(--users)"/>')
    frame = Markup('<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>')
    return frame.format(
        TREND_WIDTH,
        TREND_HEIGHT,
        cell_words(trend, "page"),
        line.format(points) if len(corners) > 1 else "",
        end.format(*corners[-1]),
    )
