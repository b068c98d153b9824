"""A document as a page: one file with all that it needs inside."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadgen.charts import palette
from loadgen.documents.document import Cell, Code, Document, Outcome, cell_words

TEMPLATES = Path(__file__).parent / "templates"


def html(document: Document, title: str) -> str:
    """The whole page, with the title of its tab in the browser."""
    return (
        _templates()
        .get_template("page.html")
        .render(title=title, document=document, palette=Markup(palette.stylesheet()))
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
    return cell_words(cell, "page")
