"""Charts, their colours, and what is left out of them."""

import re
from itertools import combinations
from xml.etree import ElementTree

import altair as alt
import pytest

from loadgen.charts import palette
from loadgen.charts.canvas import MOST_LETTERS, SECOND_LINE, WIDTH, Canvas, RowWords
from loadgen.charts.drawing import draw, minified, standalone
from loadgen.charts.palette import CPU, INK, TRACK, USERS, Colour
from loadgen.theory.statistics import Interval


def a_canvas() -> Canvas:
    """One of everything."""
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, 10]), axis=alt.Axis(title="views/s"))
    words = [RowWords("uvicorn, aiohttp-shared", "8.0 ±3%"), RowWords("another", "×1.42", True)]
    canvas = Canvas(words, x, legend=[(USERS, "users")])
    canvas.box(0, (0, 9), TRACK, opacity=0.5)
    canvas.box(0, (0, 8), CPU)
    canvas.box(1, (0, 5), CPU, hollow=True)
    canvas.interval(0, Interval(8, 7, 9))
    canvas.rounds(0, [7.5, 8.5, 99.0], top=10)
    canvas.hill(1, [1, 2, 3], [0, 1, 0], INK)
    canvas.dot(1, 4, USERS)
    return canvas


def a_drawing() -> str:
    return draw(a_canvas().chart)


def test_a_chart_is_what_its_schema_allows() -> None:
    assert draw(a_canvas().chart, check=True) == a_drawing()


def test_a_drawing_has_its_words_its_colours_and_nothing_from_elsewhere() -> None:
    svg = a_drawing()
    root = ElementTree.fromstring(svg)
    words = {element.text for element in root.iter() if element.tag.endswith("}text")}
    assert {"uvicorn, aiohttp-shared", "8.0 ±3%", "views/s", "users", "×1.42"} <= words
    assert {CPU.variable, TRACK.variable, USERS.variable} <= set(svg.replace('"', " ").split())
    assert "href" not in svg
    width = float(root.attrib["viewBox"].split()[2])
    assert WIDTH <= width <= WIDTH + 20


def test_every_colour_of_a_drawing_is_a_variable_that_the_page_declares() -> None:
    svg = a_drawing()
    assert "#" not in svg
    used = set(re.findall(r"var\((--\w+)\)", svg))
    assert used
    assert used <= set(re.findall(r"(--\w+):", palette.stylesheet()))


def test_a_file_of_its_own_has_a_title_and_its_colours() -> None:
    root = ElementTree.fromstring(standalone(a_drawing(), "What it shows"))
    assert f"--cpu: {CPU.fixed};" in (root[1].text or "")
    assert root[0].text == "What it shows"
    assert "sans-serif" in root.attrib["font-family"]


def test_no_word_of_what_a_row_is_gets_lost_however_many_lines_it_takes() -> None:
    words = RowWords("a-server-of-a-very-long-name, " * 6, "73.3 ±11% · unexplained")
    assert words.lines[0] == "a-server-of-a-very-long-name,"
    assert " ".join(words.lines).count("a-server-of-a-very-long-name,") == 6
    assert len(words.lines) == 4
    assert max(map(len, words.lines)) <= MOST_LETTERS


def test_words_that_find_no_room_take_a_second_line_and_push_the_rest_down() -> None:
    x = alt.X("x:Q")
    short, long = RowWords("uvicorn", "8.0"), RowWords("uvicorn, " * 10 + "bare", "8.0")
    one, other = Canvas([short, short], x), Canvas([long, short], x)
    assert "".join(long.lines).count("uvicorn") == 10
    assert other.middle(0) == one.middle(0) + SECOND_LINE
    assert other.height == one.height + SECOND_LINE


def test_what_cannot_be_seen_is_left_out_and_the_rest_stays() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" viewBox="0 0 9 9">'
        '<rect width="9" height="9" fill="transparent"/>'
        '<g><g aria-hidden="true" role="x"><path class="background" d="M0,0h0"/>'
        '<path d="M1.23456,-2.5L3,4" transform="translate(0,0)" stroke="#000"/></g><g/></g></svg>'
    )
    assert minified(svg) == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
        '<path d="M1.2,-2.5L3,4" stroke="#000" /></svg>'
    )


def test_no_two_colours_have_one_value() -> None:
    for one, other in combinations(palette.ALL, 2):
        assert one.fixed != other.fixed


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", [c for c in palette.ALL if c.name not in ("grid", "track")])
def test_words_and_marks_can_be_told_from_every_background(colour: Colour) -> None:
    assert contrast(colour.light, "#ffffff") >= 4.5
    assert contrast(colour.dark, "#14171b") >= 4.5
    assert contrast(colour.fixed, "#ffffff") >= 3
    assert contrast(colour.fixed, "#0d1117") >= 3
