"""Altair draws, vl-convert makes an SVG of it without a browser; here it is made small."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode

from loadgen.charts.palette import GRID, SOFT, fixed_stylesheet

_SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", _SVG)

#: What a still picture has no use for: the figure around it says what it shows, the table below
#: it is for those who do not see it, and fonts are the page's.
_NEEDLESS = {
    *("role", "class", "pointer-events", "stroke-miterlimit", "font-family", "version"),
    *("aria-hidden", "aria-label", "aria-roledescription"),
}
#: What a group can say once for all in it.
_SHARED = {
    *("fill", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity"),
    *("font-size", "text-anchor"),
}
_NEUTRAL = {
    *(("opacity", "1"), ("stroke-width", "1"), ("stroke-width", "0"), ("x2", "0"), ("y2", "0")),
    *(("text-anchor", "start"), ("font-weight", "normal")),
}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_NO_MOVE = re.compile(r"translate\(0,0\) ?")
FONTS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
#: Set as it is: Altair's `configure` copies the whole chart each time.
STYLE = alt.Config(
    background="transparent",
    padding=2,
    font="DejaVu Sans",
    view=alt.ViewConfig(stroke=None),
    axis=alt.AxisConfig(
        labelColor=SOFT.variable,
        titleColor=SOFT.variable,
        labelFontSize=11,
        titleFontSize=11,
        titleFontWeight="normal",
        gridColor=GRID.variable,
        gridOpacity=0.45,
        domain=False,
        ticks=False,
        labelPadding=5,
    ),
)


#: What can be drawn.
type Chart = alt.LayerChart | alt.VConcatChart | alt.FacetChart
#: A record of a chart's data.
type Datum = dict[str, Any]


@dataclass
class Data:
    """The data of a chart, apart from it: Altair copies and checks whatever it holds, often."""

    sets: dict[str, list[Datum]] = field(default_factory=dict)

    def named(self, values: list[Datum]) -> alt.NamedData:
        """Keep values, under a name that a chart can take for them."""
        name = f"data-{len(self.sets)}"
        self.sets[name] = values
        return alt.NamedData(name)


def draw(make: Callable[[Data], Chart], *, check: bool = False) -> str:
    """A chart as a small SVG, in colours that are variables.

    Args:
        make: builds the chart with the data it is given to fill.
        check: whether Altair checks the chart against its schema, which takes longer than all else.
    """
    data = Data()
    with debug_mode(check):
        chart = make(data)
        chart.config = STYLE
        specification = chart.to_dict(validate=check)
    return minified(vl_convert.vegalite_to_svg(specification | {"datasets": data.sets}))


def minified(svg: str) -> str:
    """The same picture in a quarter of the bytes."""
    root = ElementTree.fromstring(svg)
    for element in list(root):
        if element.tag == f"{{{_SVG}}}rect" and element.get("fill") == "transparent":
            root.remove(element)
    _prune(root)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element) -> None:
    """Drop what is not seen, below an element."""
    kept: list[ElementTree.Element] = []
    for child in element:
        if _unseen(child):
            continue
        _prune(child)
        _strip(child)
        if child.tag != f"{{{_SVG}}}g":
            kept.append(child)
        elif len(child) and not child.attrib:
            kept.extend(child)
        elif len(child):
            kept.append(child)
    element[:] = _grouped(kept)


def _grouped(elements: Iterable[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    """Three or more alike in a row say in a group what they share."""
    for (tag, *_), run in groupby(elements, lambda element: (element.tag, element.get("fill"))):
        alike = list(run)
        shared = dict(set.intersection(*(set(element.items()) for element in alike)))
        shared = {name: shared[name] for name in sorted(_SHARED & shared.keys())}
        if len(alike) < 3 or not shared or tag == f"{{{_SVG}}}g":
            yield from alike
            continue
        for element in alike:
            for name in shared:
                del element.attrib[name]
        group = ElementTree.Element(f"{{{_SVG}}}g", shared)
        group.extend(alike)
        yield group


def _unseen(element: ElementTree.Element) -> bool:
    backdrop = element.get("class") in ("background", "foreground")
    painted = element.get("fill", "none") != "none" or element.get("stroke", "none") != "none"
    return element.get("display") == "none" or (backdrop and not painted)


def _strip(element: ElementTree.Element) -> None:
    moved = _NO_MOVE.sub("", element.attrib.pop("transform", "")).strip()
    if moved:
        element.set("transform", moved)
    if "stroke" not in element.attrib:
        element.attrib.pop("stroke-width", None)
    for name, value in element.items():
        element.set(name, _LONG_NUMBER.sub(_shortened, value))
    for name in list(element.attrib):
        if name in _NEEDLESS or (name, element.attrib[name]) in _NEUTRAL:
            del element.attrib[name]


def _shortened(number: re.Match[str]) -> str:
    """A tenth of a pixel is as fine as it needs to be."""
    return f"{float(number[0]):.1f}".removesuffix(".0")


def standalone(svg: str, title: str) -> str:
    """The drawing as a file of its own, with fonts, colours and a title."""
    root = ElementTree.fromstring(svg)
    root.set("font-family", FONTS)
    root.set("role", "img")
    for place, (name, text) in enumerate((("title", title), ("style", fixed_stylesheet(svg)))):
        element = ElementTree.Element(f"{{{_SVG}}}{name}")
        element.text = text
        root.insert(place, element)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
