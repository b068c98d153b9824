"""report.html in a real browser: Debian's chromium, wide and on a phone, light and dark."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from chromium import LOOKS, PHONE, WIDE, Scheme, Size, opened
from commands.conftest import RESULTS, Loadgen
from lab import ROOT

#: A reference run with an article's figures, comparisons, and trials that are not ranked.
REFERENCE = "results/reference/20261122T211853Z-articles+article-b-delays"
SECTIONS = [
    *("answer", "claims", "comparisons", "throughput", "latency", "cost", "over-time", "caveats"),
    *("articles", "trials", "environment"),
]


@pytest.fixture(scope="module")
def report(loadgen: Loadgen) -> Path:
    """The report of the reference run."""
    return drawn(loadgen, REFERENCE)


def drawn(loadgen: Loadgen, folder: str) -> Path:
    """A run's report, as `loadgen report` draws it into results/ of the tests."""
    done = loadgen("report", folder)
    assert done.returncode == 0, done.stderr
    page = RESULTS.parent / folder / "report.html"
    assert f"Report: {folder}/report.html" in done.stdout
    return page


@pytest.fixture(scope="module")
def page(browser: Browser, report: Path) -> Page:
    """The report in a wide window; a test leaves it as it found it, or opens it afresh."""
    return opened(browser, report).page


def afresh(page: Page) -> None:
    """The page as it was before anybody touched it: without what its address keeps."""
    page.evaluate("history.replaceState(null, '', location.pathname)")
    page.reload()


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_it_opens_from_disk_without_a_word_a_request_or_a_sideways_scroll(
    browser: Browser, report: Path, size: Size, scheme: Scheme
) -> None:
    watched = opened(browser, report, size, scheme)
    page = watched.page
    headings = page.locator("main > section").evaluate_all("all => all.map(one => one.id)")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert headings == SECTIONS
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert sum(map(int, re.findall(r"\d+", background)[:3])) > 384 or scheme == "dark"
    assert sum(map(int, re.findall(r"\d+", background)[:3])) < 384 or scheme == "light"
    assert (watched.said, watched.requests) == ([], [report.as_uri()])
    page.context.close()


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_charts_are_drawn_and_nothing_of_them_is_cut_off(
    browser: Browser, report: Path, size: Size
) -> None:
    page = opened(browser, report, size).page
    drawings: list[dict[str, Any]] = page.locator("figure svg").evaluate_all(
        """all => all.map(svg => {
            const frame = svg.getBoundingClientRect();
            const inside = one => {
                const box = one.getBoundingClientRect();
                return box.left >= frame.left - 2 && box.right <= frame.right + 2;
            };
            const texts = [...svg.querySelectorAll("text")];
            const lines = Map.groupBy(texts, one => Math.round(one.getBoundingClientRect().top));
            const clashes = [...lines.values()].flatMap(line => {
                const boxes = line.map(one => [one.getBoundingClientRect(), one.textContent]);
                boxes.sort(([a], [b]) => a.left - b.left);
                return boxes.slice(1).filter(([box], at) => box.left < boxes[at][0].right - 1)
                    .map(([, words]) => words);
            });
            return {
                width: frame.width,
                marks: svg.querySelectorAll("path, line").length,
                words: texts.length,
                clashes,
                outside: texts.filter(one => !inside(one)).map(one => one.textContent),
                unseen: texts.filter(one => getComputedStyle(one).fill === "none").length,
                smallest: Math.min(...texts.map(one => one.getBoundingClientRect().height)),
            };
        })"""
    )

    assert len(drawings) > 30
    for drawing in drawings:
        assert drawing["width"] > 200
        assert drawing["marks"] > 5
        assert drawing["words"] > 5
        assert drawing["outside"] == []
        assert drawing["clashes"] == [], "words run into each other"
        assert drawing["unseen"] == 0
        assert drawing["smallest"] > 8
    page.context.close()


def trials_of(page: Page) -> Locator:
    return page.locator("#trials table.filtered tbody tr:not(.opened)")


def column(page: Page, index: int) -> list[str]:
    cells = page.locator(f"#trials table.filtered tbody tr > :nth-child({index})")
    return [text.strip() for text in cells.all_text_contents()]


def test_the_table_sorts_by_number_with_the_unknown_last(page: Page) -> None:
    afresh(page)
    heading = page.locator("#trials thead th", has_text="p99 (ms)")
    assert heading.get_attribute("aria-sort") is None
    for direction, sign in (("ascending", 1), ("descending", -1)):
        heading.get_by_role("button").click()
        shown = column(page, 6)
        known = [float(text) for text in shown if text != "–"]

        assert heading.get_attribute("aria-sort") == direction
        assert known == sorted(known, key=lambda value: sign * value)
        assert set(shown[len(known) :]) == {"–"}
        assert len(shown) == 120


def test_the_table_sorts_by_words(page: Page) -> None:
    afresh(page)
    page.locator("#trials thead th", has_text="Bound by").get_by_role("button").click()
    found = column(page, 11)
    assert found == sorted(found)
    assert {"cpu", "slots", "unexplained"} <= set(found)


def test_the_table_filters_by_words_and_by_state(page: Page) -> None:
    afresh(page)
    said = page.locator(".filter output")
    assert said.text_content() == "120 of 120 trials"
    page.get_by_role("searchbox").fill("uvicorn async cpu-drift")
    shown = trials_of(page).filter(visible=True)
    assert 0 < shown.count() < 120
    assert said.text_content() == f"{shown.count()} of 120 trials"
    assert all("cpu-drift" in text for text in shown.all_text_contents())
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("unranked")
    assert said.text_content() == "26 of 120 trials"
    assert all("not ranked: " in text for text in shown.all_text_contents())


def test_a_row_opens_on_what_refutes_it_by_keyboard_too(page: Page) -> None:
    afresh(page)
    row = trials_of(page).first
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#trials tr.opened")
    panel.wait_for()
    text = panel.inner_text()
    case = re.search(r"scripts/bench run article-a --only (\S+) --rounds 5", text)

    assert case, text
    assert case[1].startswith("uwsgi-2-threads_startproject_sync_fanout_httpx-per-request_http_")
    assert "uwsgi --http :8000 --http-keepalive=30" in text
    assert "Why these flags: uWSGI. Article A: one process; 2 threads" in text
    assert "LAB_AUTOSTART=1 docker compose up -d api uwsgi-2-threads" in text
    assert "--entrypoint hey loadgen -z 15s" in text
    page.keyboard.press("Enter")
    panel.wait_for(state="detached")


def test_on_a_phone_an_opened_row_can_be_read_without_scrolling_sideways(
    browser: Browser, report: Path
) -> None:
    page = opened(browser, report, PHONE).page
    trials_of(page).first.locator("summary").click()
    panel = page.locator("#trials tr.opened .inside")
    box = panel.bounding_box()
    assert box
    assert box["x"] + box["width"] <= PHONE[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.context.close()


def test_the_keyboard_skips_to_the_answer(page: Page) -> None:
    afresh(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    skip = page.locator(".skip").bounding_box()
    assert skip
    assert skip["x"] >= 0, "it is seen when it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"


def test_a_screen_reader_finds_names_headings_and_tables(page: Page) -> None:
    afresh(page)
    levels: list[int] = page.locator("h1, h2, h3, h4").evaluate_all(
        "all => all.map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.locator("[role=img]:not([aria-label])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("thead th:not([scope=col]), tbody th:not([scope=row])").count() == 0
    assert page.locator("nav[aria-label] a").count() == len(SECTIONS)
    assert page.get_by_role("region").count() > 0
    assert page.locator("html").get_attribute("lang") == "en"


def test_without_script_a_row_still_leads_to_what_refutes_it(
    browser: Browser, report: Path
) -> None:
    page = opened(browser, report, script=False).page
    row = trials_of(page).first
    row.locator("summary").click()
    row.get_by_role("link", name="How to refute it").click()
    refutation = page.locator("details.refutation").first.locator(".inside")
    refutation.wait_for()
    assert "scripts/bench run article-a --only" in refutation.inner_text()
    assert not page.locator(".filter").is_visible(), "fields that do nothing are not shown"
    page.context.close()


@pytest.fixture(scope="module")
def of_clients(loadgen: Loadgen) -> tuple[str, Path]:
    """The newest reference run with clients, and its report, which has sliders."""
    folder = max(str(one.relative_to(ROOT)) for one in ROOT.glob("results/reference/*clients*"))
    return folder, drawn(loadgen, folder)


def test_the_sliders_predict_what_the_command_line_does(
    browser: Browser, loadgen: Loadgen, of_clients: tuple[str, Path]
) -> None:
    folder, report = of_clients
    watched = opened(browser, report)
    panel = watched.page.locator("#predict-panel")
    panel.locator("[data-asks=users] [type=number]").fill("500")
    panel.locator("[data-asks=delay_ms] [type=number]").fill("600")
    asked = ("predict", folder, "--users", "500", "--delays-ms", "600", "--markdown")
    told = loadgen(*asked).stdout
    lines = [line.strip("| ").split(" | ") for line in told.splitlines() if line.startswith("|")]
    rows = panel.locator("tbody tr:not(.unranked)").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )

    assert [row[1] for row in rows] == [line[2] for line in lines[2:]]
    assert [row[-1] for row in rows] == [line[-1] for line in lines[2:]]
    assert panel.locator("tbody tr.unranked").count() == told.count("Not predicted: ")
    assert watched.said == []


def test_a_slider_moves_by_keyboard_and_says_its_value(
    browser: Browser, of_clients: tuple[str, Path]
) -> None:
    page = opened(browser, of_clients[1]).page
    cpus = page.locator("[data-asks=cpus] [type=range]")
    cpus.focus()
    page.keyboard.press("End")

    assert cpus.get_attribute("aria-valuetext") == "16 CPUs"
    assert page.locator("[data-asks=cpus] [type=number]").input_value() == "16"
    assert "Assumed, not measured: 16 CPUs " in page.locator("#predict-panel output").inner_text()


def test_what_is_copied_of_a_table_is_what_the_command_line_says_of_it(
    browser: Browser, loadgen: Loadgen
) -> None:
    """Of a run whose tables have the same columns in the page and in Markdown."""
    folder = max(str(one.relative_to(ROOT)) for one in ROOT.glob("results/reference/*capacity"))
    page = opened(browser, drawn(loadgen, folder)).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buttons = page.locator("button.copy")
    copied = ""
    for place in range(buttons.count()):
        buttons.nth(place).evaluate("button => button.click()")  # in what is folded, too
        page.wait_for_function(
            "at => document.querySelectorAll('button.copy')[at].textContent === 'Copied'", arg=place
        )
        copied += page.evaluate("navigator.clipboard.readText()")
    printed = loadgen("report", folder, "--markdown").stdout
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    assert len(lines) > 3
    assert set(lines) <= set(copied.splitlines())
    assert buttons.count() == page.locator("table").count()
    page.context.close()


def test_a_copied_address_shows_the_same(browser: Browser, of_clients: tuple[str, Path]) -> None:
    """What is open, sorted and filtered; and what the sliders ask."""
    _, report = of_clients
    page = opened(browser, report).page
    page.locator("#trials thead th", has_text="p95 (ms)").get_by_role("button").click()
    page.locator("#trials").get_by_role("searchbox").fill("granian")
    page.locator("#trials tbody tr:not([hidden]) summary").first.click()
    page.locator("tr.opened").wait_for()
    page.locator("[data-asks=users] [type=number]").fill("321")
    page.wait_for_function("location.hash.includes('open')")
    watched = opened(browser, report)
    watched.page.goto(page.url)
    watched.page.locator("tr.opened").wait_for()
    assert column(watched.page, 1) == column(page, 1)
    asked = watched.page.locator("[data-asks=users] [type=number]")
    assert asked.input_value() == "321"
    shown = watched.page.locator("#trials tbody tr:not(.opened)").filter(visible=True)
    assert 0 < shown.count() < len(column(page, 1))
    assert watched.said == []


def test_the_list_of_runs_has_the_looks_of_a_report(browser: Browser, loadgen: Loadgen) -> None:
    """Of a folder with a run that was copied there, and one that is broken."""
    name = Path(REFERENCE).name
    for file in ("trials.csv", "summary.csv", "environment.json", "compose.yaml"):
        (RESULTS / name).mkdir(exist_ok=True)
        shutil.copy(ROOT / REFERENCE / file, RESULTS / name)
    shutil.copytree(ROOT / REFERENCE / "suites", RESULTS / name / "suites", dirs_exist_ok=True)
    broken = RESULTS / "20260101T000000Z-broken"
    broken.mkdir(exist_ok=True)
    (broken / "trials.csv").write_text("?\n")
    done = loadgen("report", f"results/{name}")
    assert done.returncode == 0, done.stderr
    assert "\nAll runs: results/index.html\n" in done.stdout
    for size, scheme in LOOKS:
        watched = opened(browser, RESULTS / "index.html", size, scheme)
        page = watched.page
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert watched.said == []
        rows = page.locator("#runs tbody tr").all_text_contents()
        assert [name in rows[0], "20260101T000000Z-broken" in rows[-1]] == [True, True]
        page.get_by_role("link", name=name).click()
        page.wait_for_url(f"**/{name}/report.html")
        page.context.close()
