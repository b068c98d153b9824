"""README and docs/ as a whole: all their pages, and the committed runs that they quote."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from loadgen.documents.run_material import for_text
from loadgen.errors import ConfigurationError
from loadgen.findings.earlier_run import Run, read_run
from loadgen.lab.lab import Lab
from loadgen.lab.run_folders import REFERENCE, RESULTS
from loadgen.quotes.checked_driver import CHECK_CSV, checked_driver
from loadgen.quotes.pages import FIGURE, Filled, filled
from loadgen.quotes.quoted import Quoted, quoted
from loadgen.quotes.quotes_file import QUOTES, Quote, read_quotes, read_settings
from loadgen.quotes.unquoted import unquoted
from loadgen.records import environment
from loadgen.reports.run_report import markdown_report

#: Written from the code: what it says of numbers are the code's own.
GENERATED = "docs/columns.md"
#: Pages that say how comparisons came out. The others explain what a verdict means.
JUDGING = ("README.md", "docs/results.md", "docs/articles.md")
#: A change in a report, as an item of a numbered list.
CHANGE = re.compile(r"^1\. (.+)$", re.MULTILINE)
#: The folder of a committed run, wherever a page names it; and the suites of the run.
LINK = re.compile(rf"{RESULTS}/{REFERENCE}/\d{{8}}T\d{{6}}Z-([^/\s)]+)")


class Book:
    """The pages of a project.

    Args:
        lab: where they and the runs are.

    Raises:
        ConfigurationError: docs/quotes.toml or docs/settings.toml cannot be read.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._quotes = read_quotes(lab.project)
        self._settings = read_settings(lab.project)
        self._run = cache(self._read)
        self._report = cache(lambda folder: markdown_report(for_text(self._run(folder))))

    @property
    def pages(self) -> list[str]:
        """The names of the pages, as one writes them from the project's folder."""
        project = self._lab.project
        listed = [project / "README.md", *sorted((project / "docs").glob("*.md"))]
        return [str(page.relative_to(project)) for page in listed]

    def filled(self, page: str) -> Filled:
        """A page as it should be.

        Raises:
            ConfigurationError: there is no such page.
        """
        made = filled(self._text(page), self._known[0], self._newest_report)
        return replace(made, text=LINK.sub(self._to_the_newest, made.text))

    def _to_the_newest(self, link: re.Match[str]) -> str:
        """A link into a run, to the newest one of the same suites."""
        return f"{RESULTS}/{REFERENCE}/{self._newest(link[1])}"

    def problems(self) -> Iterator[str]:
        """A line for each figure or word that is wrong, or of which nobody knows whence it is."""
        known, mistakes = self._known
        yield from mistakes
        shown = set[str]()
        for page in self.pages:
            text = self._text(page)
            shown |= {mark[1] for mark in FIGURE.finditer(text)}
            yield from (f"{page}: {problem}" for problem in self._of_page(page, text))
        yield from (f"{QUOTES}: no page shows {name}" for name in sorted(known.keys() - shown))

    def _of_page(self, page: str, text: str) -> Iterator[str]:
        made = self.filled(page)
        yield from made.problems
        for number, (is_now, should_be) in enumerate(
            zip(text.splitlines(), made.text.splitlines(), strict=False), start=1
        ):
            if is_now != should_be:
                yield f"line {number} should be: {should_be}"
        if page == GENERATED:
            return
        without, unused = unquoted(text, self._settings.get(page, ()), verdicts=page in JUDGING)
        yield from map(str, without)
        yield from (f'its setting "{phrase}" stands nowhere' for phrase in unused)

    @cached_property
    def _known(self) -> tuple[dict[str, Quoted], list[str]]:
        """What each quote says, by name; and what is wrong with those that say nothing."""
        known: dict[str, Quoted] = {}
        mistakes: list[str] = []
        for name, quote in self._quotes.items():
            try:
                known[name] = self._said(name, quote)
            except ConfigurationError as error:
                mistakes.append(str(error))
        return known, mistakes

    def _said(self, name: str, quote: Quote) -> Quoted:
        """What a quote says.

        Raises:
            ConfigurationError: its run does not say it.
        """
        newest = self._newest(quote.run)
        if quote.kind == "driver":
            return checked_driver(self._committed / newest, quote.driver)
        if quote.kind == "change":
            changes = CHANGE.findall(self._report(newest))
            if quote.change > len(changes):
                raise ConfigurationError(f"{name}: {newest} has {len(changes)} changes to judge")
            return Quoted({"change": changes[quote.change - 1]})
        return quoted(name, quote, self._run(newest))

    @property
    def _committed(self) -> Path:
        return self._lab.project / RESULTS / REFERENCE

    def _newest_report(self, folder: str) -> tuple[str, str]:
        newest = self._newest(_name_of(Path(folder)))
        return newest, self._report(newest)

    def _newest(self, suites: str) -> str:
        """The folder's name of the newest committed run of these suites that is finished; that of
        one run stands for itself.

        Raises:
            ConfigurationError: there is none.
        """
        if (self._committed / suites).is_dir():
            return suites
        alike = (each for each in self._committed.glob("*Z-*") if _name_of(each) == suites)
        finished = [each.name for each in alike if _is_finished(each)]
        if finished:
            return max(finished)
        raise ConfigurationError(f"{RESULTS}/{REFERENCE} has no finished run of {suites}")

    def _read(self, folder: str) -> Run:
        return read_run(self._lab, f"{RESULTS}/{REFERENCE}/{folder}")

    def _text(self, page: str) -> str:
        file = self._lab.project / Path(page)
        try:
            return file.read_text("utf-8")
        except OSError as error:
            raise ConfigurationError(f"{page} cannot be read: {error.strerror}") from error


def _name_of(run: Path) -> str:
    """The suites of a run, joined with +."""
    return run.name.partition("Z-")[2]


def _is_finished(run: Path) -> bool:
    """Whether nothing of it is missing; a `check` is written whole or not at all."""
    if (run / CHECK_CSV).is_file():
        return True
    return environment.read(run).get("outcome") == environment.FINISHED
