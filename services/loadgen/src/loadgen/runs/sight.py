"""What a run will be able to see: how small a difference its rounds can tell on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from loadgen.documents.words import listing
from loadgen.duets.duet import side_timing, slices_in
from loadgen.errors import ConfigurationError
from loadgen.findings.comparisons import compare_cases
from loadgen.findings.first_change import NAMES
from loadgen.findings.scatter import BUSY_FROM, Scatter, Windows, spreads_of
from loadgen.lab.lab import Lab
from loadgen.lab.machine import machine_name
from loadgen.lab.servers import Server
from loadgen.records.columns import Row
from loadgen.records.scatter_file import SCATTER_FILE, keep_spreads, read_spreads
from loadgen.suites.cases import Case
from loadgen.suites.labels import metric_name
from loadgen.suites.lengths import most_requests, planned_window_s
from loadgen.suites.pairs import CPU_METRIC, is_in_a_duet
from loadgen.suites.suite import Suite
from loadgen.suites.timing import Timing
from loadgen.theory.statistics import LEAST_ROUNDS, detectable_ratio
from loadgen.trials.accounting import PERCENTILES, least_samples

#: So many rounds show how much a machine scatters, where nothing is kept of it.
ROUNDS_THAT_SHOW = 2
#: What has scattered in windows longer than this many of a run's own tells nothing of it: shorter
#: ones scatter more, by how much nobody knows.
MOST_TIMES_AS_LONG = 1.25
#: Between the ends of a range.
TO = " to "
#: Metric, and how it is measured: `trials` or `duet`.
type Asked = tuple[str, str]


class Sight:
    """What a run will be able to see, before it starts or after its second round.

    Args:
        suites: as they are measured, with their rounds.
        kept: what the machine has shown before.
        servers: those of their cases.

    Attributes:
        kept: the same.
    """

    def __init__(
        self, suites: Sequence[Suite], kept: Scatter, servers: Mapping[str, Server]
    ) -> None:
        self._suites = suites
        self.kept = kept
        #: What is compared in three rounds at least → the fewest rounds of those who ask,
        self._rounds: dict[Asked, int] = {}
        #: and what was shown in windows as short as each length of theirs.
        self._usable: dict[Asked, dict[float, Scatter]] = {}
        #: Percentiles of which no window can hold enough requests.
        self._too_few: dict[Asked, None] = {}
        for suite in suites:
            for asked, window_s in _asked(suite, servers):
                if window_s is None:
                    self._too_few[asked] = None
                    continue
                self._rounds[asked] = min(suite.rounds, self._rounds.get(asked, suite.rounds))
                usable = self._usable.setdefault(asked, {})
                if window_s not in usable:
                    usable[window_s] = kept.within(MOST_TIMES_AS_LONG * window_s)
        self._unknown = [
            asked
            for asked, usable in self._usable.items()
            if not all(_knows(scatter, asked) for scatter in usable.values())
        ]

    def before(self) -> str:
        """What is said before the first trial; empty where nothing is compared."""
        known = {
            asked: list(usable.values())
            for asked, usable in self._usable.items()
            if asked not in self._unknown
        }
        sentences = [self._sentence(known)] if known else []
        longer = [asked for asked in self._unknown if self._was_longer(asked)]
        new = [asked for asked in self._unknown if asked not in longer]
        for later, why in ((new, ""), (longer, ": earlier runs had longer windows")):
            if later:
                where = f" in {_names(later)}" if len(later) < len(self._rounds) else ""
                what = f"How small a difference this run finds{where}"
                what = f"For {_names(later)} this" if sentences else what
                sentences.append(f"{what} is known after {ROUNDS_THAT_SHOW} rounds{why}.")
        if too_few := [asked for asked in self._too_few if asked not in self._rounds]:
            who = "It" if sentences else "This run"
            why = "its windows hold too few requests"
            sentences.append(f"{who} gives no {_names(too_few)}: {why}.")
        return " ".join(sentences)

    def after(self, rows: Sequence[Row], next_round: int) -> str:
        """What is said once the rounds that show it have been measured, of what was not known.

        It is said once; empty where there is nothing to say.

        Args:
            rows: those so far.
            next_round: that of the trial to come.
        """
        if next_round <= ROUNDS_THAT_SHOW or not self._unknown:
            return ""
        shown = Scatter({"this run": spreads_of(compared_pairs(self._suites, rows), rows)})
        known = {asked: [shown] for asked in self._unknown if _knows(shown, asked)}
        self._unknown = []
        return self._sentence(known) if known else ""

    def _was_longer(self, asked: Asked) -> bool:
        """Whether earlier runs have shown it, but in longer windows."""
        every = (spread for spreads in self.kept.runs.values() for spread in spreads)
        return any(each.window_s and (each.metric, each.by) == asked for each in every)

    def _sentence(self, known: Mapping[Asked, Sequence[Scatter]]) -> str:
        parts = [f"{self._smallest(*each)} in {_name(each[0])}" for each in known.items()]
        sentence = f"This run will find differences of {listing(parts, most=len(parts))}; "
        sentence += "smaller ones may stay undecided."
        if not any(TO in part for part in parts):
            return sentence
        lengths = any(len(shown) > 1 for shown in known.values())
        more = " and how long a window is" if lengths else ""
        return f"{sentence} How small depends on how busy the CPU is{more}."

    def _smallest(self, asked: Asked, shown: Sequence[Scatter]) -> str:
        """The smallest difference that shows, or from where to where it goes."""
        metric, by = asked
        spreads = [scatter.sd_log(metric, busy, by) for scatter in shown for busy in BUSY_FROM]
        rounds = self._rounds[asked]
        ratios = [detectable_ratio(sd_log, rounds) for sd_log in spreads if sd_log is not None]
        least, most = percent_over(min(ratios)), percent_over(max(ratios))
        return most if least == most else f"{least.removesuffix(' %')}{TO}{most}"


def _asked(suite: Suite, servers: Mapping[str, Server]) -> Iterator[tuple[Asked, float | None]]:
    """The metrics that a suite compares, where its rounds are enough for an interval; each with the
    length of a window in which it asks, None where that can hold too few requests.
    """
    if suite.rounds < LEAST_ROUNDS:
        return
    windows = windows_of([suite], servers)
    for entry in suite.compare:
        for pair in entry.pairs(suite.cases):
            for metric in entry.metrics:
                in_a_duet = metric == CPU_METRIC and is_in_a_duet(entry, pair, suite.always_on)
                cases = [case.in_a_duet if in_a_duet else case for case in pair]
                window_s = windows[frozenset(case.slug for case in cases)]
                told = all(
                    _can_state(metric, case, servers[case.server], suite.timing) for case in cases
                )
                yield (metric, "duet" if in_a_duet else "trials"), window_s if told else None


def _can_state(metric: str, case: Case, server: Server, timing: Timing) -> bool:
    """Whether its window can hold as many requests as a percentile takes; else it is none."""
    share = PERCENTILES.get(metric)
    return share is None or most_requests(case, server, timing) >= least_samples(share)


def windows_of(suites: Sequence[Suite], servers: Mapping[str, Server]) -> Windows:
    """How long the windows of all that is compared are planned to be, of two the shorter one."""
    found: dict[frozenset[str], float] = {}
    for suite in suites:
        timing = suite.timing
        planned = [
            (pair, min(planned_window_s(case, servers[case.server], timing) for case in pair))
            for pair in suite.pairs
        ]
        for duet in suite.duets:
            a, b = duet.a, duet.b
            slices = slices_in(timing.share)
            window_s = side_timing(a, servers[a.server], b, servers[b.server], slices).window_s
            planned.append(((a, b), window_s or 0.0))
        for pair, window_s in planned:
            names = frozenset(case.slug for case in pair)
            found[names] = min(window_s, found.get(names, window_s))
    return found


def _knows(scatter: Scatter, asked: Asked) -> bool:
    metric, by = asked
    return scatter.sd_log(metric, None, by) is not None


def _names(every: Sequence[Asked]) -> str:
    return listing(map(_name, every))


def _name(asked: Asked) -> str:
    metric, by = asked
    name = NAMES.get(metric) or metric_name(metric)
    return f"{name} (duets)" if by == "duet" else name


def percent_over(ratio: float) -> str:
    """By how much a ratio is over 1, with the digits that matter: `4 %`, `0.3 %`, `250 %`."""
    percent = 100 * (ratio - 1)
    return f"{percent:.1f} %" if percent < 0.95 else f"{percent:.0f} %"


def compared_pairs(suites: Sequence[Suite], rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """The slugs and the metric of all that these suites compare by trials and these rows can tell.

    Duets tell of themselves which cases they compare.
    """
    compared = [each for each in compare_cases(suites, rows) if not each.duet]
    return [(each.a, each.b, each.metric) for each in compared if each.difference]


def kept_scatter(lab: Lab, console: Console) -> Scatter:
    """What this machine has shown so far; it is said where that cannot be read."""
    try:
        return Scatter(read_spreads(_file(lab), machine_name(lab)))
    except ConfigurationError as error:
        console.print(str(error), soft_wrap=True)
        return Scatter()


def read_sight(lab: Lab, suites: Sequence[Suite], console: Console) -> Sight:
    """What a run will be able to see by what this machine has shown."""
    return Sight(suites, kept_scatter(lab, console), lab.servers)


def keep_sight(lab: Lab, suites: Sequence[Suite], run: Path, rows: Sequence[Row]) -> str:
    """Keep what a run has shown of this machine for those after it.

    Returns:
        Why it could not be kept, which costs the run nothing; empty where it was.
    """
    spreads = spreads_of(compared_pairs(suites, rows), rows, windows_of(suites, lab.servers))
    if not spreads:
        return ""
    try:
        keep_spreads(_file(lab), machine_name(lab), run.name, spreads)
    except (OSError, ConfigurationError) as error:
        return f"How much this run scattered is not kept for the next one: {error}"
    return ""


def _file(lab: Lab) -> Path:
    return lab.results / SCATTER_FILE
