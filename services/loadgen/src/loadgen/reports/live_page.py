"""report.html of a run that goes on: drawn between its trials, and seldom enough to cost little."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from loadgen.documents.few_rounds import KnownScatter
from loadgen.documents.run_material import material
from loadgen.findings.earlier_run import run_of
from loadgen.reports.run_report import write_live_page
from loadgen.suites.suite import Suite
from loadgen.suites.timing import duration

#: Between two drawings passes this many times as long as the first of them took: drawing takes at
#: most about 3 % of a run's time. (On two cores a drawing of 120 to 270 trials takes 0.7 to 1.5 s
#: of CPU, and 4 to 6 s with what is made of samples, which is therefore left for the end.)
TIMES_AS_LONG = 30


class LivePage:
    """The page of one run, until its report takes its place.

    Args:
        folder: of the run; its rows are read from there.
        suites: what is asked.
        say: tells the reader, once, that the page cannot be drawn; the run goes on.
        scatter: what rounds have scattered by on this machine; None: nothing is kept.
        clock: seconds, as time.monotonic.
    """

    def __init__(
        self,
        folder: Path,
        suites: Sequence[Suite],
        say: Callable[[str], None],
        scatter: KnownScatter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._suites = suites
        self._say = say
        self._scatter = scatter
        self._clock = clock
        self._not_before = clock()
        self._has_failed = False

    def draw(self, at: str, left_s: float) -> None:
        """Draw it, unless the last drawing is too fresh; to be called while no trial runs.

        Args:
            at: the trial that comes next, such as `trial 17 of 36`.
            left_s: about how long the run takes yet.
        """
        began = self._clock()
        if began < self._not_before:
            return
        try:
            so_far = material(run_of(self._folder, self._suites), self._scatter)
            write_live_page(so_far, self._folder, _progress(at, left_s))
        except Exception as error:  # whatever it is, the run is worth more
            if not self._has_failed:
                self._say(
                    f"The page of the run so far could not be drawn ({type(error).__name__}: "
                    f"{error}). The run goes on."
                )
            self._has_failed = True
        ended = self._clock()
        self._not_before = ended + TIMES_AS_LONG * (ended - began)


def _progress(at: str, left_s: float) -> str:
    return (
        f"The run goes on: {at}, {duration(left_s)} left, as of {datetime.now(UTC):%H:%M:%S} UTC. "
        "This page reloads itself until the run ends. Then latency and charts over time join it."
    )
