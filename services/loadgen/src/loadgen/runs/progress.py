"""Live progress: one moving line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadgen.documents.words import decimals
from loadgen.duets.duet import Duet, Measurement
from loadgen.duets.rows import MeasuredDuet
from loadgen.errors import TrialError
from loadgen.records.columns import GIVEN_UP, Row
from loadgen.suites.cases import plain
from loadgen.suites.labels import Labels
from loadgen.suites.pairs import CPU_METRIC
from loadgen.suites.timing import duration
from loadgen.trials.trial import Trial

#: Without a terminal a long phase is reported this often.
PLAIN_EVERY_S = 10.0


class Progress:
    """Tells which trial of how many runs, the time left, and the current throughput.

    Args:
        console: where to.
        trials: the trials to be measured, for the time left.
        count: those of the whole run; a resumed one has some already.
        labels: what its cases are called.
    """

    def __init__(
        self, console: Console, trials: Sequence[Measurement], count: int, labels: Labels
    ) -> None:
        self._console = console
        self._count = count
        self._labels = labels
        self._left_s = _by_position(trials)
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._trial: Measurement | None = None
        self._position = 0
        self._trial_began = self._said_at = 0.0
        self._answered: tuple[float, int] | None = None
        self._rate_rps: float | None = None

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, sentence: str) -> None:
        """A line between trials; none where it is empty."""
        if sentence:
            self.say(sentence)

    @property
    def left_s(self) -> float:
        """About how long the trials take that have not ended."""
        return sum(self._left_s.values())

    def begin(self, trial: Measurement) -> None:
        """A trial begins."""
        if trial.position != self._position:
            self._left_s.pop(self._position, None)  # a search was done sooner than usual
            self._position = trial.position
        if trial.attempt > 1 or self._left_s.get(trial.position) == 0:
            self._left_s[trial.position] = trial.expected_s  # nobody knew of it beforehand
        self._trial = trial
        self._trial_began = self._said_at = time.monotonic()
        self._answered = self._rate_rps = None
        self.observe("calibrating", None, None)

    def observe(self, phase: str, left_s: float | None, answered: int | None) -> None:
        """What the protocol does now with the trial that has begun; about once a second."""
        trial = self._trial
        if trial is None:
            return
        now = time.monotonic()
        self._measure_rate(now, answered)
        run_left_s = self._run_left_s(trial, now - self._trial_began, phase, left_s)
        parts = [f"{self._place(trial)} {phase}"]
        if left_s is not None:
            parts[0] += f", {duration(left_s)} left"
        if self._rate_rps is not None:
            parts.append(f"{self._rate_rps:.0f} views/s now")
        parts.append(f"run: about {duration(run_left_s)} left")
        parts.append(self._name(trial))  # last, for a narrow terminal cuts it
        line = " · ".join(parts)
        if self._console.is_terminal:
            self._live.update(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
        elif now - self._said_at >= PLAIN_EVERY_S:
            self._said_at = now
            self.say(line)

    def measured(self, trial: Trial, row: Row) -> None:
        """A trial's row, in a line of the console."""
        figures = f"  {decimals(row.number('rps'), 1)} views/s"
        figures += f", p50 {decimals(row.number('p50_ms'), 0)} ms"
        figures += f", p95 {decimals(row.number('p95_ms'), 0)} ms"
        self._say_in_a_line(trial, self._name(trial), figures, row.caveats)
        self._end(trial)

    def measured_duet(self, duet: Duet, measured: MeasuredDuet, load: float) -> None:
        """What a view of each side costs, in a line."""
        a, b = (row.number(CPU_METRIC) or 0.0 for row in measured.rows)
        figures = f"  CPU/view {a:.2f} and {b:.2f} ms, ×{b / a:.3f}"
        name = f"{self._name(duet)}, {plain(load)}/s each"
        names = dict.fromkeys(name for row in measured.rows for name in row.caveats)
        self._say_in_a_line(duet, name, figures, list(names))
        self._end(duet)

    def _say_in_a_line(
        self, of: Measurement, name: str, figures: str, caveats: Sequence[str]
    ) -> None:
        """What was measured: its figures whole, name and caveats as far as there is room."""
        place = self._place(of)
        room = self._console.width - len(f"{place} {figures}")
        if len(name) > room:
            name = f"{name[: max(0, room - 1)]}…"
        self.say(f"{place} {name}{figures}{_in_room(caveats, room - len(name))}")

    def failed(self, trial: Measurement, error: TrialError) -> None:
        """A trial could not be measured: why, and what the server or driver said last."""
        words = f"FAILED, {error.outcome}: {error}"
        if error.outcome in GIVEN_UP:
            words = f"no duet: {error}. The two are measured one after the other instead."
        self.say(f"{self._place(trial)} {self._name(trial)}  {words}")
        for line in error.details:
            self.say(f"    | {line}")
        self._end(trial)

    def _end(self, trial: Measurement) -> None:
        left_s = self._left_s.get(trial.position, 0.0) - trial.expected_s
        self._left_s[trial.position] = max(0.0, left_s)

    def _place(self, trial: Measurement) -> str:
        place = f"[{trial.position}/{self._count}]"
        return place if trial.attempt == 1 else f"{place}, again"

    def _name(self, trial: Measurement) -> str:
        if isinstance(trial, Duet):
            a, b = (side.case for side in trial.sides)
            return self._labels.pair(a, b)
        name = self._labels.short(trial.case)
        if trial.repeat is None:
            return name
        return f"{name}, window {trial.repeat} at {plain(trial.case.rate_rps or 0)}/s"

    def _run_left_s(
        self, trial: Measurement, took_s: float, phase: str, left_s: float | None
    ) -> float:
        """About how long the run takes yet; a trial that outlasts its time takes none of others'.

        Args:
            trial: the one that has begun.
            took_s: what it has taken so far.
            phase: where it is; a warm-up has the whole window before it.
            left_s: of the phase, where that is known.
        """
        to_come_s = (trial.window_s or 0.0) if phase == "warm-up" else 0.0
        own_s = max(trial.expected_s - took_s, to_come_s + (left_s or 0.0))
        return max(0.0, self.left_s - trial.expected_s) + own_s

    def _measure_rate(self, now: float, answered: int | None) -> None:
        if answered is None:
            return
        if self._answered is not None:
            since, count = self._answered
            if now - since < 0.5:
                return
            if answered >= count:  # else another load has begun, on the way to a duet's
                self._rate_rps = (answered - count) / (now - since)
        self._answered = (now, answered)

    def say(self, line: str) -> None:
        """A line of its own."""
        self._console.print(line, soft_wrap=True)


def _in_room(caveats: Sequence[str], room: int) -> str:
    """`  (at-ceiling, +2)`: as many of a row's caveats as so many letters hold; empty of none."""
    for count in range(len(caveats), 0, -1):
        more = [f"+{len(caveats) - count}"] if count < len(caveats) else []
        words = f"  ({', '.join([*caveats[:count], *more])})"
        if len(words) <= room:
            return words
    words = f"  (+{len(caveats)})"
    return words if caveats and len(words) <= room else ""


def _by_position(trials: Iterable[Measurement]) -> dict[int, float]:
    """About how many seconds each place of the run takes; a search, its usual windows too."""
    left_s: dict[int, float] = {}
    for trial in trials:
        ahead = trial.ahead
        search_s = ahead.usual * ahead.window_s if ahead else 0.0
        left_s[trial.position] = left_s.get(trial.position, 0.0) + trial.expected_s + search_s
    return left_s
