"""The articles' tables beside ours."""

from markupsafe import Markup

from loadgen.documents.blocks import Block, Column, Section, Table, TableRow, Text
from loadgen.documents.lines import bound_by
from loadgen.documents.material import Entry, Group, Material
from loadgen.documents.words import figure
from loadgen.suites.labels import WRITTEN


def section(material: Material) -> Section | None:
    """A table per suite that has an article's figures."""
    groups = [group for group in material.groups if group.suite.published]
    if not groups:
        return None
    words = (
        "The article's figures are from its own machine and day; ours have its load and "
        "concurrency, equal settings, and today's versions. Compare the order of the rows and "
        "their ratios, not the figures."
    )
    blocks: list[Block] = [Text([words])]
    blocks.extend(_table(group) for group in groups)
    return Section("articles", "The articles' figures beside ours", blocks)


def _table(group: Group) -> Table:
    metrics = list(dict.fromkeys(name for one in group.suite.published for name in one.figures))
    columns = [Column("Configuration", numeric=False)]
    for metric in metrics:
        columns += [Column(f"{WRITTEN[metric][0]}, article"), Column("ours")]
    columns.append(Column("Bound by", numeric=False))
    rows = [TableRow(tuple(_cells(entry, metrics)), entry.state) for entry in group.entries]
    return Table(group.suite.question, columns, rows)


def _cells(entry: Entry, metrics: list[str]) -> list[str | Markup]:
    cells: list[str | Markup] = [entry.line.label]
    for metric in metrics:
        _, digits = WRITTEN[metric]
        published = entry.line.published.get(metric)
        theirs = "–" if published is None else f"{published:.{digits}f}".removesuffix(".0")
        cells += [theirs, Markup("<b>{}</b>").format(figure(entry, metric))]
    return [*cells, bound_by(entry.line)]
