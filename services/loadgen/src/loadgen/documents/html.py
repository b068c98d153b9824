"""A document as a page: one file with all that it needs inside."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadgen.charts import palette
from loadgen.documents.document import Cell, Code, Document, Outcome, Picture, cell_words

TEMPLATES = Path(__file__).parent / "templates"


def html(document: Document, title: str) -> str:
    """The whole page.

    Args:
        document: what it shows.
        title: of the browser's tab.
    """
    return (
        _templates()
        .get_template("page.html")
        .render(
            title=title,
            document=document,
            palette=Markup(palette.stylesheet()),
            style=Markup((TEMPLATES / "page.css").read_text()),
            script=Markup((TEMPLATES / "page.js").read_text()),
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
    templates.filters |= {"cell": _cell, "drawn": _drawn}
    return templates


def _cell(cell: Cell) -> str | Markup:
    if isinstance(cell, Outcome):
        return Markup('<b class="{}">{}</b>').format(cell.tone, cell.words)
    if isinstance(cell, Code):
        return Markup("<code>{}</code>").format(cell.text)
    return cell if isinstance(cell, Markup) else cell_words(cell, "page")


def _drawn(picture: Picture) -> Markup:
    return Markup(picture.drawing.svg)
