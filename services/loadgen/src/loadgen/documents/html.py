"""HTML: a document through a template, into one page with all that it needs inside."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadgen.charts import palette
from loadgen.documents.blocks import Section

TEMPLATES = Path(__file__).parent / "templates"


def fill(template: str, sections: Sequence[Section], **named: object) -> str:
    """A template of a page, filled: it extends base.html, which draws the sections."""
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["themed"] = lambda svg: Markup(palette.themed(svg))
    return templates.get_template(template).render(
        **named,
        sections=sections,
        palette=Markup(palette.stylesheet()),
        style=Markup((TEMPLATES / "report.css").read_text()),
        script=Markup((TEMPLATES / "report.js").read_text()),
    )
