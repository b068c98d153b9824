"""Debian's chromium, and pages in it that are watched: wide and on a phone, light and dark."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

type Size = tuple[int, int]
type Scheme = Literal["light", "dark"]

WIDE: Size = (1280, 900)
PHONE: Size = (390, 844)
_SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
LOOKS = [(size, scheme) for size in (WIDE, PHONE) for scheme in _SCHEMES]


@dataclass
class Watched:
    """A page, and what it should not do.

    Attributes:
        page: as opened.
        said: on the console, and errors that nobody caught.
        requests: addresses that it asked for.
    """

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; root in a container has no sandbox to offer it, and 64 MB of /dev/shm."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


def opened(
    browser: Browser,
    file: Path,
    size: Size = WIDE,
    scheme: Scheme = "light",
    *,
    script: bool = True,
) -> Watched:
    """The page in a window of its own."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=script,
    )
    context.set_default_timeout(5_000)
    watched = Watched(context.new_page())
    watched.page.on("console", lambda message: watched.said.append(message.text))
    watched.page.on("pageerror", lambda error: watched.said.append(str(error)))
    watched.page.on("request", lambda request: watched.requests.append(request.url))
    watched.page.goto(file.as_uri())
    return watched
