"""What the report's scripts do, on a small page: copying, the address, loading anew."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from chromium import opened
from lab import ROOT

TEMPLATES = ROOT / "services/loadgen/src/loadgen/documents/templates"

ROWS = [
    ("uvicorn, aiohttp_shared", "73.5", "<code>a|b `c`</code>"),
    ("<details data-opens='refute-1'><summary>gunicorn *x*</summary><a href='#refute-1'>How to"
     " refute it</a></details>", "9.0", "<b class='good'>better</b>"),
    ("granian [0.1](s)", "160.0", "<a href='a%20run/report.html'>a_run_</a>"),
    ("uwsgi", "–", "<svg role='img' aria-label='1.0 → 2.0'></svg>"),
]  # fmt: skip
TABLE = """
<div class="filter" data-rows="trials" hidden><label>Filter <input type="search"></label>
<output></output></div>
<div class="scroll"><table class="filtered"><caption>Views a second; *not* ranked.</caption>
<thead><tr><th scope="col">Server</th><th scope="col" class="n">Views/s</th><th scope="col">What
</th></tr></thead><tbody>{rows}</tbody></table></div>
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><style>section {{ min-height: 1500px }}</style></head>
<body><p id="now">{now}</p>{progress}<nav><a href="#answer">answer</a><a href="#trials">trials</a>
</nav><script>{address}</script><main><section id="answer"><details><summary>more</summary>x
</details></section><section id="trials">{table}<details class="refutation"><summary>a case
</summary><div id="refute-1">Repeat it so.</div></details></section></main>
<script>{page}{copy}{reload}</script></body></html>
"""
#: It is loaded anew every ten seconds of a clock that a test moves.
PROGRESS = '<p data-reload-s="10">The run goes on: trial 2 of 3.</p>'
SERVERS = "#trials tbody tr:not(.opened):not([hidden]) > th"


def script(name: str) -> str:
    return (TEMPLATES / f"{name}.js").read_text()


def write(file: Path, now: str = "", progress: str = "") -> Path:
    rows = "".join(
        f"<tr><th scope='row'>{name}</th><td>{rps}</td><td class='w'>{what}</td></tr>"
        for name, rps, what in ROWS
    )
    text = PAGE.format(
        now=now,
        progress=progress,
        table=TABLE.format(rows=rows),
        address=script("address"),
        page=script("page"),
        copy=script("copy"),
        reload=script("reload") if progress else "",
    )
    draft = file.with_suffix(".new")
    draft.write_text(text)
    return draft.replace(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "report.html")


def servers(page: Page) -> list[str]:
    """The first words of the rows that are shown."""
    return [text.split(",")[0].split()[0] for text in page.locator(SERVERS).all_text_contents()]


def again(browser: Browser, page: Page, file: Path) -> Page:
    """The address of a page, opened by somebody else."""
    fragment = page.evaluate("location.hash")
    elsewhere = browser.new_context().new_page()
    elsewhere.goto(f"{file.as_uri()}{fragment}")
    return elsewhere


# ------------------------------------------------------------------------------------------- copy


def copied(page: Page) -> str:
    """What is in the clipboard after the button was pressed, as a field receives it."""
    page.get_by_role("button", name="Copy as Markdown").click()
    page.get_by_role("button", name="Copied").wait_for()
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('textarea'), {id: 'p'}))"
    )
    page.locator("#p").focus()
    page.keyboard.press("Control+V")
    return page.locator("#p").input_value()


MARKDOWN = r"""| Server | Views/s | What |
| --- | ---: | --- |
| uvicorn, aiohttp_shared | 73.5 | ``` a\|b `c` ``` |
| gunicorn \*x\* | 9.0 | better |
| granian [0.1]\(s) | 160.0 | [a_run\_](<a%20run/report.html>) |
| uwsgi | – | 1.0 → 2.0 |

Views a second; \*not\* ranked.
""".replace("```", "``")


def test_a_table_is_copied_as_markdown_with_nothing_of_it_read_as_a_sign(
    browser: Browser, file: Path
) -> None:
    watched = opened(browser, file)
    watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert copied(watched.page) == MARKDOWN
    assert watched.said == []


def test_where_the_clipboard_may_not_be_written_the_old_way_copies_it(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    assert copied(page) == MARKDOWN
    assert page.locator("textarea").count() == 1, "its own field is gone"


def test_where_nothing_may_copy_the_table_is_there_to_be_copied_by_hand(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false"
    )
    page.get_by_role("button", name="Copy as Markdown").click()
    field = page.get_by_label("The table as Markdown")
    assert field.input_value() == MARKDOWN
    assert page.evaluate("getSelection().toString()") == MARKDOWN
    assert page.get_by_role("button", name="Copy what is selected").is_visible()


def test_a_table_is_copied_as_it_is_sorted_and_filtered(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.get_by_role("button", name="Views/s").click()
    page.get_by_role("searchbox").fill("0")
    page.locator("#trials summary").first.click()
    page.locator("tr.opened").wait_for()
    lines = [line.split(" | ")[0] for line in copied(page).splitlines() if line.startswith("| ")]
    assert lines == ["| Server", "| ---", r"| gunicorn \*x\*", r"| granian [0.1]\(s)"]


# ---------------------------------------------------------------------------------------- address


def test_an_untouched_page_has_a_plain_address(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    assert page.url == file.as_uri()
    page.locator("nav a").last.click()
    assert page.url == f"{file.as_uri()}#trials"


@pytest.mark.parametrize(("clicks", "order"), [(1, "gunicorn"), (2, "granian")])
def test_the_address_keeps_the_order_of_a_table(
    browser: Browser, file: Path, clicks: int, order: str
) -> None:
    page = opened(browser, file).page
    for _ in range(clicks):
        page.get_by_role("button", name="Views/s").click()
    assert servers(page)[0] == order
    assert servers(again(browser, page, file)) == servers(page)


def test_the_address_keeps_the_words_of_a_filter(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.get_by_role("searchbox").fill("aiohttp_shared 73.5")
    shown = again(browser, page, file)
    assert servers(shown) == ["uvicorn"]
    assert shown.get_by_role("searchbox").input_value() == "aiohttp_shared 73.5"
    assert shown.locator("output").text_content() == "1 of 4 trials"
    page.get_by_role("searchbox").fill("")
    assert page.url == file.as_uri()


def test_the_address_keeps_what_is_open_whatever_the_order_of_rows(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    page.get_by_role("button", name="Server").click()
    page.locator("summary", has_text="more").click()
    page.locator("summary", has_text="gunicorn").click()
    page.locator("tr.opened").wait_for()
    shown = again(browser, page, file)
    shown.locator("tr.opened", has_text="Repeat it so.").wait_for()
    assert shown.locator("details[open] > summary").all_text_contents() == ["more", "gunicorn *x*"]
    assert servers(shown) == servers(page)
    shown.locator("summary", has_text="gunicorn").click()
    shown.locator("tr.opened").wait_for(state="detached")
    shown.locator("summary", has_text="more").click()
    shown.wait_for_function("!location.hash.includes('open')")


def test_a_link_to_a_section_keeps_the_state_and_its_address_leads_there(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    page.get_by_role("searchbox").fill("uwsgi")
    page.locator("nav a", has_text="trials").click()
    page.wait_for_function("location.hash.startsWith('#trials?')")
    shown = again(browser, page, file)
    assert servers(shown) == ["uwsgi"]
    shown.wait_for_function("document.getElementById('trials').getBoundingClientRect().top < 100")


def test_another_address_of_the_page_in_the_same_window_is_shown_too(
    browser: Browser, file: Path
) -> None:
    page = opened(browser, file).page
    page.get_by_role("searchbox").fill("uwsgi")
    fragment = page.evaluate("location.hash")
    other = opened(browser, file).page
    other.evaluate("fragment => { location.hash = fragment; }", fragment)
    other.wait_for_function("document.querySelector('output').textContent === '1 of 4 trials'")


def test_an_address_that_speaks_of_what_is_not_there_harms_nothing(
    browser: Browser, file: Path
) -> None:
    page = browser.new_context().new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{file.as_uri()}#trials?sort.trials-1=9a&open.gone-3=1&sort.answer-1=x&%ff=")
    assert (servers(page)[0], said) == ("uvicorn", [])


# ----------------------------------------------------------------------------------- loading anew


@pytest.fixture
def going_on(browser: Browser, tmp_path: Path) -> tuple[Page, Path]:
    """The page of a run that goes on, in a browser whose clock stands still; and its file."""
    file = write(tmp_path / "report.html", "one trial", PROGRESS)
    page = browser.new_context().new_page()
    page.set_default_timeout(5_000)
    page.clock.install()
    page.goto(file.as_uri())
    return page, file


def shows(page: Page, words: str) -> None:
    said = "words => document.getElementById('now').textContent === words"
    page.wait_for_function(said, arg=words)


def is_at(page: Page, place: int) -> None:
    """That many pixels down, or less by a line: what is in view stays where lines above go."""
    page.wait_for_function("place => Math.abs(scrollY - place) < 60", arg=place)


def test_the_page_of_a_run_that_goes_on_loads_itself_anew_until_the_end(
    going_on: tuple[Page, Path],
) -> None:
    """What was open, filtered and in view stays so."""
    page, file = going_on
    page.locator("summary", has_text="gunicorn").click()
    page.wait_for_function("location.hash.includes('open')")
    page.evaluate("scrollTo(0, 1234)")
    write(file, "two trials", PROGRESS)
    page.clock.run_for(10_000)
    shows(page, "two trials")
    page.locator("tr.opened").wait_for()
    is_at(page, 1234)
    write(file, "three trials")
    page.clock.run_for(10_000)
    shows(page, "three trials")
    is_at(page, 1234)
    page.evaluate("window.same = true")
    page.clock.run_for(60_000)
    assert page.evaluate("window.same")


def test_it_waits_while_a_reader_writes(going_on: tuple[Page, Path]) -> None:
    page, _ = going_on
    page.evaluate("window.same = true")
    page.get_by_role("searchbox").fill("uvi")
    page.clock.run_for(60_000)
    assert page.evaluate("window.same")
    page.get_by_role("searchbox").blur()
    page.clock.run_for(10_000)
    page.wait_for_function("!window.same")
    assert page.get_by_role("searchbox").input_value() == "uvi"
