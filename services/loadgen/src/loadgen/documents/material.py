"""What a report is made of: a run's rows, samples and environment, and the suites that asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from loadgen.documents.flags import reasons
from loadgen.documents.lines import Line, is_ranked, labels_of, lines
from loadgen.findings.claims import Claim, judge_claims
from loadgen.findings.comparisons import Comparison, compare, of_suite
from loadgen.findings.summary import case_caveats, over_rounds, that_count
from loadgen.findings.waterfalls import MeasuredWaterfall, waterfalls
from loadgen.lab.servers import Server, read_servers
from loadgen.records import environment
from loadgen.records.columns import Row
from loadgen.records.trials_csv import read_rows, trial_name
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels, titles
from loadgen.suites.suite import Suite


@dataclass(frozen=True)
class Entry:
    """A case that has rows, and how it is called.

    Attributes:
        key: of its anchors, unlike any other in the report.
        case: what was measured.
        line: its rows with their names.
    """

    key: str
    case: Case
    line: Line

    @property
    def called(self) -> str:
        """Its name within a sentence: `uvicorn (aiohttp-shared)`."""
        server, _, apart = self.line.name.partition(", ")
        return f"{server} ({apart})" if apart else server

    @property
    def measured(self) -> list[Row]:
        """Its rows that count: ranked ones where there are any."""
        return that_count(self.line.rows)

    @property
    def is_ranked(self) -> bool:
        """Whether some round speaks of the server and not of the lab."""
        return is_ranked(self.line)

    @property
    def caveats(self) -> list[str]:
        """Names of its warnings."""
        return case_caveats(self.line.rows)

    @property
    def state(self) -> str:
        """Empty; `failed` where no round could be measured, `unranked` where none is ranked."""
        if not self.measured:
            return "failed"
        return "" if self.is_ranked else "unranked"

    @property
    def outcome(self) -> str:
        """Why it is failed or unranked, in words."""
        if not self.measured:
            reasons = dict.fromkeys(str(row["outcome"]) for row in self.line.rows)
            return f"failed: {', '.join(reasons)}"
        if not self.is_ranked:
            blame = [name for name in self.caveats if name.endswith("-saturated")]
            return f"not ranked: {', '.join(blame) or 'see its caveats'}"
        return ""

    def mean(self, metric: str) -> float | None:
        """A metric over the rounds that count; None where one of them could not state it."""
        found = over_rounds(self.line.rows, metric)
        return found.mean if found else None

    def known(self, column: str) -> list[float]:
        """A column's values in the rounds that count, those that are known."""
        values = [row[column] for row in self.measured]
        return [float(value) for value in values if isinstance(value, int | float)]

    def first(self, column: str) -> float | None:
        """A column that all rounds share, from the first that knows it."""
        return next(iter(self.known(column)), None)


@dataclass(frozen=True)
class Group:
    """A suite with the cases of it that have rows: by its `sort`, else in its order."""

    suite: Suite
    entries: Sequence[Entry]
    comparisons: Sequence[Comparison]

    @property
    def metric(self) -> str:
        """The throughput that the suite is about: an article may have published its maximum."""
        published = {name for entry in self.suite.published for name in entry.figures}
        return "max_rps" if "max_rps" in published and "rps" not in published else "rps"


@dataclass(frozen=True)
class Material:
    """A run, for a report of it.

    Attributes:
        folder: with trials.csv, samples/ and environment.json.
        suites: what was asked.
        rows: all of trials.csv.
        environment: all of environment.json.
        servers: as they were declared when the run began.
        reasons: by server, what compose.yaml says of its flags.
    """

    folder: Path
    suites: Sequence[Suite]
    rows: Sequence[Row]
    environment: Mapping[str, Any]
    servers: Mapping[str, Server]
    reasons: Mapping[str, str]

    @cached_property
    def labels(self) -> Labels:
        """What cases are called where those of all suites stand in one table."""
        return labels_of(self.suites)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each server is called in tables."""
        return titles(self.rows)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """All of them."""
        return compare(self.suites, self.rows)

    @cached_property
    def waterfalls(self) -> list[MeasuredWaterfall]:
        """What the run says of its suites' waterfalls."""
        return waterfalls(self.suites, self.rows)

    @cached_property
    def claims(self) -> list[Claim]:
        """What the run says of its suites' claims."""
        return judge_claims(self.suites, self.comparisons)

    @cached_property
    def groups(self) -> list[Group]:
        """The suites of which something was measured or tried."""
        found = []
        for suite in self.suites:
            by_slug = {case.slug: case for case in suite.cases}
            entries = [
                Entry(f"{suite.name}-{number}", by_slug[str(line.rows[0]["case"])], line)
                for number, line in enumerate(lines(suite, self.rows, every=True), start=1)
            ]
            if entries:
                found.append(Group(suite, entries, of_suite(suite, self.comparisons)))
        return found

    @property
    def name(self) -> str:
        """The run's folder, without the path."""
        return self.folder.name

    @property
    def path(self) -> str:
        """The run's folder as a reader of the project writes it."""
        parts = self.folder.parts
        inside = parts[parts.index("results") + 1 :] if "results" in parts else parts[-1:]
        return "/".join(("results", *inside))

    def samples(self, row: Row) -> Path:
        """The samples of a trial."""
        name = trial_name(row["case"], row["round"], row["repeat"])
        return self.folder / "samples" / f"{name}.csv.gz"


def material(folder: Path, suites: Sequence[Suite]) -> Material:
    """What there is of a run.

    Args:
        folder: the run's.
        suites: what it asked.

    Raises:
        ConfigurationError: the folder is no run, or cannot be read.
    """
    return Material(
        folder=folder,
        suites=suites,
        rows=read_rows(folder),
        environment=environment.read(folder),
        servers=read_servers(folder),
        reasons=reasons(folder),
    )
