"""What a run will be able to see: how small a difference its rounds can tell on this machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from loadgen.documents.words import listing
from loadgen.errors import ConfigurationError
from loadgen.findings.comparisons import compare_cases
from loadgen.findings.first_change import NAMES
from loadgen.findings.scatter import BUSY_FROM, Scatter, scatter_of, spreads_of
from loadgen.lab.lab import Lab
from loadgen.lab.machine import machine_name
from loadgen.records.columns import Row
from loadgen.records.scatter_file import SCATTER_FILE, keep_spreads, read_spreads
from loadgen.suites.labels import metric_name
from loadgen.suites.pairs import CPU_METRIC
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import LEAST_ROUNDS, detectable_ratio

#: So many rounds show how much a machine scatters, where nothing is kept of it.
ROUNDS_THAT_SHOW = 2
#: Between the ends of a range.
TO = " to "
#: Metric, and how it is measured: `trials` or `duet`.
type Asked = tuple[str, str]


class Sight:
    """What a run will be able to see, before it starts or after its second round.

    Args:
        suites: as they are measured, with their rounds.
        kept: what the machine has shown before.

    Attributes:
        kept: the same.
    """

    def __init__(self, suites: Sequence[Suite], kept: Scatter) -> None:
        self._suites = suites
        self.kept = kept
        #: What is compared in three rounds at least → the fewest rounds of those who ask.
        self._rounds: dict[Asked, int] = {}
        for suite in suites:
            for asked in _asked(suite):
                self._rounds[asked] = min(suite.rounds, self._rounds.get(asked, suite.rounds))
        self._unknown = [asked for asked in self._rounds if not _knows(kept, asked)]

    def before(self) -> str:
        """What is said before the first trial; empty where nothing is compared."""
        known = [asked for asked in self._rounds if asked not in self._unknown]
        later = f"is known after {ROUNDS_THAT_SHOW} rounds" if self._unknown else ""
        if not known:
            return f"What this run can see {later}." if later else ""
        sentence = self._sentence(known, self.kept)
        if later:
            sentence += f" What it can see in {listing(map(_name, self._unknown))} {later}."
        return sentence

    def after(self, rows: Sequence[Row], next_round: int) -> str:
        """What is said once the rounds that show it have been measured, of what was not known.

        It is said once; empty where there is nothing to say.

        Args:
            rows: those so far.
            next_round: that of the trial to come.
        """
        if next_round <= ROUNDS_THAT_SHOW or not self._unknown:
            return ""
        shown = scatter_of({"this run": spreads_of(compared_pairs(self._suites, rows), rows)})
        known = [asked for asked in self._unknown if _knows(shown, asked)]
        self._unknown = []
        return self._sentence(known, shown) if known else ""

    def _sentence(self, known: Sequence[Asked], scatter: Scatter) -> str:
        parts = [f"{self._smallest(asked, scatter)} in {_name(asked)}" for asked in known]
        sentence = f"This run will see differences over {listing(parts, most=len(parts))}"
        ranges = any(TO in part for part in parts)
        return f"{sentence}, by how busy the CPU is." if ranges else f"{sentence}."

    def _smallest(self, asked: Asked, scatter: Scatter) -> str:
        """The smallest difference that shows, or from where to where by how busy the CPU was."""
        metric, by = asked
        spreads = [scatter.sd_log(metric, busy, by) for busy in BUSY_FROM]
        rounds = self._rounds[asked]
        ratios = [detectable_ratio(sd_log, rounds) for sd_log in spreads if sd_log is not None]
        least, most = percent_over(min(ratios)), percent_over(max(ratios))
        return most if least == most else f"{least.removesuffix(' %')}{TO}{most}"


def _asked(suite: Suite) -> Iterator[Asked]:
    """The metrics that a suite compares, where its rounds are enough for an interval."""
    if suite.rounds < LEAST_ROUNDS:
        return
    for entry in suite.compare:
        if next(entry.pairs(suite.cases), None):
            for metric in entry.metrics:
                yield metric, "duet" if entry.duet and metric == CPU_METRIC else "trials"


def _knows(scatter: Scatter, asked: Asked) -> bool:
    metric, by = asked
    return scatter.sd_log(metric, None, by) is not None


def _name(asked: Asked) -> str:
    metric, by = asked
    name = NAMES.get(metric) or metric_name(metric)
    return f"{name} by duets" if by == "duet" else name


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


def read_sight(lab: Lab, suites: Sequence[Suite], console: Console) -> Sight:
    """What a run will be able to see by what this machine has shown; it is said where that cannot
    be read.
    """
    try:
        kept = scatter_of(read_spreads(_file(lab), machine_name(lab)))
    except ConfigurationError as error:
        console.print(str(error), soft_wrap=True)
        kept = Scatter()
    return Sight(suites, kept)


def keep_sight(lab: Lab, suites: Sequence[Suite], run: Path, rows: Sequence[Row]) -> str:
    """Keep what a run has shown of this machine for those after it.

    Returns:
        Why it could not be kept, which costs the run nothing; empty where it was.
    """
    spreads = spreads_of(compared_pairs(suites, rows), rows)
    if not spreads:
        return ""
    try:
        keep_spreads(_file(lab), machine_name(lab), run.name, spreads)
    except (OSError, ConfigurationError) as error:
        return f"How much this run scattered is not kept for the next one: {error}"
    return ""


def _file(lab: Lab) -> Path:
    return lab.results / SCATTER_FILE
