"""The page of a run that goes on."""

from itertools import pairwise
from pathlib import Path

import pytest

from loadgen.records.columns import Row
from loadgen.reports import live_page
from loadgen.reports.live_page import TIMES_AS_LONG, LivePage
from tests.kept_run import keep_run
from tests.make import a_case, a_suite, a_trial
from tests.whole_run import answered

CASE = a_case(server="uvicorn")
SUITE = a_suite(cases=(CASE,))


def rows(count: int) -> list[Row]:
    """The first trials of a run."""
    return [answered(a_trial(case=CASE, round=number), 100.0) for number in range(1, count + 1)]


@pytest.fixture
def folder(tmp_path: Path, project: Path) -> Path:
    keep_run(tmp_path / "run", project, rows(1), outcome="unfinished: at trial 2 of 9")
    return tmp_path / "run"


class Clock:
    """Stands still, but for a drawing, which takes so many seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Drawings:
    """Counts what is drawn instead of drawing it; each takes its time."""

    def __init__(self, clock: Clock, takes_s: float) -> None:
        self.clock = clock
        self.takes_s = takes_s
        self.drawn_at: list[float] = []
        self.fails = False

    def __call__(self, *_: object) -> None:
        self.drawn_at.append(self.clock.now_s)
        self.clock.now_s += self.takes_s
        if self.fails:
            raise ZeroDivisionError("no share of nothing")


def test_a_drawing_waits_for_thirty_times_as_long_as_the_last_one_took(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    drawings = Drawings(clock, takes_s=2.0)
    monkeypatch.setattr(live_page, "write_live_page", drawings)
    page = LivePage(folder, [SUITE], pytest.fail, clock=clock)
    for _ in range(20):  # trials of ten seconds
        page.draw("trial 2 of 21", 60.0)
        clock.now_s += 10.0
    assert drawings.drawn_at[0] == 100.0, "after the first trial at once"
    gaps = [after - before for before, after in pairwise(drawings.drawn_at)]
    assert len(gaps) == 3
    assert min(gaps) >= 2.0 + TIMES_AS_LONG * 2.0
    assert max(gaps) < 2.0 + TIMES_AS_LONG * 2.0 + 10.0, "after the next trial that ends then"


def test_a_quick_drawing_is_drawn_after_each_trial(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    drawings = Drawings(clock, takes_s=0.1)
    monkeypatch.setattr(live_page, "write_live_page", drawings)
    page = LivePage(folder, [SUITE], pytest.fail, clock=clock)
    for _ in range(5):
        page.draw("trial 2 of 6", 60.0)
        clock.now_s += 10.0
    assert len(drawings.drawn_at) == 5


def test_a_drawing_that_fails_is_said_once_and_costs_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, said = Clock(), list[str]()
    drawings = Drawings(clock, takes_s=0.1)
    drawings.fails = True
    monkeypatch.setattr(live_page, "write_live_page", drawings)
    page = LivePage(folder, [SUITE], said.append, clock=clock)
    for _ in range(3):
        page.draw("trial 2 of 4", 60.0)
        clock.now_s += 10.0
    assert len(drawings.drawn_at) == 3, "what was wrong may be gone"
    (words,) = said
    assert words.startswith("The page of the run so far could not be drawn (ZeroDivisionError: no ")
    assert words.endswith("The run goes on.")


def test_a_folder_that_takes_no_page_costs_nothing_either(folder: Path) -> None:
    said: list[str] = []
    (folder / "report.html.new").mkdir()
    LivePage(folder, [SUITE], said.append).draw("trial 2 of 9", 60.0)
    assert len(said) == 1
    assert not (folder / "report.html").exists()


def test_it_says_how_far_the_run_is_and_loads_itself_anew(folder: Path) -> None:
    LivePage(folder, [SUITE], pytest.fail).draw("trial 2 of 9", 384.0)
    html = (folder / "report.html").read_text()
    assert "The run goes on: trial 2 of 9, 6 min 24 s left, as of " in html
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in html
    assert "location.reload" in html
    assert 'id="trials"' in html
    assert 'id="over-time"' not in html, "what is made of samples takes long"
    assert not (folder / "charts").exists()
