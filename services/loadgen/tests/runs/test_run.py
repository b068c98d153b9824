"""The trials of a run, one after the other."""

from pathlib import Path
from typing import Any

import pytest

from loadgen.documents import terminal
from loadgen.lab.lab import read_lab
from loadgen.reports.live_page import LivePage
from loadgen.runs.plan import Plan
from loadgen.runs.progress import Progress
from loadgen.runs.results import create
from loadgen.runs.run import one_by_one
from loadgen.suites.labels import Labels
from tests.make import a_case, a_server, a_suite, no_duets
from tests.whole_run import answered

SUITE = a_suite(cases=tuple(a_case(users=users) for users in (1, 2, 3)))
PLAN = Plan([SUITE], {"uvicorn": a_server()}, None, 1)


class Told(LivePage):
    """Keeps what it is told instead of drawing it."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(Path(), [SUITE], events.append)
        self.events = events

    def draw(self, at: str, left_s: float) -> None:
        self.events.append(f"drawn before {at}, {left_s:.0f} s left")


@pytest.mark.parametrize("earlier", [0, 1])
def test_the_page_is_drawn_between_trials_from_the_first_row_on_and_never_within_one(
    in_project: Path, earlier: int
) -> None:
    """Of a resumed run, which has a row already, before its first trial too."""
    assert in_project.is_dir()
    description: dict[str, Any] = {"arguments": {"suites": ["a-suite"]}}
    results = create(read_lab(), [SUITE], description, PLAN.trial_count)
    results.rows += [answered(trial, 100.0) for trial in no_duets(PLAN.certain())[:earlier]]
    missing = PLAN.missing(results.rows)
    labels = Labels(SUITE.cases, {})
    events: list[str] = []
    with Progress(terminal.console(quiet=True), missing, 3, labels) as progress:
        for following in one_by_one(PLAN, results, progress, Told(events)):
            (trial,) = no_duets([following])
            events.append(f"trial {trial.position} begins")
            progress.begin(trial)
            progress.measured(trial, answered(trial, 100.0))
            events.append(f"trial {trial.position} has ended")
            results.rows.append(answered(trial, 100.0))
    each_s = missing[0].expected_s
    whole: list[str] = []
    for number in (1, 2, 3)[earlier:]:
        if number > 1:
            whole.append(f"drawn before trial {number} of 3, {each_s * (4 - number):.0f} s left")
        whole += [f"trial {number} begins", f"trial {number} has ended"]
    assert events == whole
