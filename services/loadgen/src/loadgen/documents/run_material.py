"""What the document of a run is made of: its rows and environment, and the suites that asked."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loadgen.documents.few_rounds import KnownScatter, is_early, is_far, told_of
from loadgen.documents.flags import reasons
from loadgen.findings import summary
from loadgen.findings.answers_nobody import always_silent
from loadgen.findings.comparisons import (
    HIGHER_IS_BETTER,
    Comparison,
    compare_cases,
    of_suite,
)
from loadgen.findings.earlier_run import Run
from loadgen.findings.summary import case_caveats, over_rounds, that_count
from loadgen.findings.waterfalls import MeasuredWaterfall, waterfalls
from loadgen.lab.servers import Server, read_servers
from loadgen.records.columns import Row, rows_by_case
from loadgen.records.trials_csv import name_of
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels, titles
from loadgen.suites.suite import Suite, native_views
from loadgen.theory.statistics import Interval
from loadgen.trials.caveats import blamed


@dataclass(frozen=True)
class Entry:
    """A case that has rows: a line of a table, a row of a chart.

    Attributes:
        key: of its anchors, unlike any other in the document.
        case: what was measured.
        name: its server, with what else tells it apart: short, for a terminal or a chart.
        label: the server's title, with the same.
        short: its server, with no more than it takes to tell it from the others.
        rows: its rows, one per round.
        published: an article's figures, by column; empty where there are none.
        most_rounds: how many rounds count of the case of its table that has most.
    """

    key: str
    case: Case
    name: str
    label: str
    short: str
    rows: tuple[Row, ...]
    published: Mapping[str, float]
    most_rounds: int

    @property
    def has_fewer_rounds(self) -> bool:
        """Whether its figures rest on fewer rounds than those of others beside it."""
        return 0 < len(self.measured) < self.most_rounds

    @property
    def fewer_rounds(self) -> str:
        """`2 of 3 rounds` where that is so; else empty."""
        words = f"{len(self.measured)} of {self.most_rounds} rounds"
        return words if self.has_fewer_rounds else ""

    def with_rounds(self, words: str) -> str:
        """One of its names in a table: `uvicorn (2 of 3 rounds)`, where these are fewer."""
        return f"{words} ({self.fewer_rounds})" if self.fewer_rounds else words

    @property
    def called(self) -> str:
        """Its name within a sentence: `uvicorn (aiohttp-shared)`."""
        server, _, apart = self.name.partition(", ")
        return f"{server} ({apart})" if apart else server

    @property
    def measured(self) -> list[Row]:
        """Its rows that count: ranked ones where there are any."""
        return that_count(self.rows)

    @property
    def is_ranked(self) -> bool:
        """Whether some round speaks of the server and not of the lab."""
        return any(row.is_ranked for row in self.rows)

    @property
    def caveats(self) -> list[str]:
        """Names of its warnings."""
        return case_caveats(self.rows)

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
            return f"failed: {', '.join(dict.fromkeys(row.text('outcome') for row in self.rows))}"
        if not self.is_ranked:
            return f"not ranked: {', '.join(blamed(self.rows)) or 'see its caveats'}"
        return ""

    @property
    def bound_by(self) -> str:
        """What held it back, in every round where they differ; – where nothing is known."""
        return summary.what_bound(self.measured).replace(" / ", "/") or "–"

    @property
    def mostly_bound_by(self) -> str:
        """What held it back in most of its rounds."""
        bounds = Counter(bound for row in self.measured if (bound := row.text("bound_by")))
        return bounds.most_common(1)[0][0] if bounds else "unexplained"

    def mean(self, metric: str) -> Interval | None:
        """A metric over the rounds that count; None where one of them could not state it."""
        return over_rounds(self.rows, metric)

    def value(self, metric: str) -> float | None:
        """The same without its interval."""
        mean = self.mean(metric)
        return mean.mean if mean else None

    def known(self, column: str) -> list[float]:
        """A column's values in the rounds that count, those that are known."""
        values = (row.number(column) for row in self.measured)
        return [value for value in values if value is not None]

    def first(self, column: str) -> float | None:
        """A column that all rounds share, from the first that knows it."""
        return next(iter(self.known(column)), None)


@dataclass(frozen=True)
class Group:
    """A suite with its cases that have rows: by its `sort`, the best first; else in its order.

    Attributes:
        suite: what was asked.
        entries: all of them.
        apart: those that no waterfall and no search has, which show them in a way of their own.
        spared: by server: the words that `Entry.short` leaves out, where it does.
        comparisons: those that the suite asks for, of three rounds or more.
        early: those of fewer.
        far: of these, those that are told all the same.
    """

    suite: Suite
    entries: Sequence[Entry]
    apart: Sequence[Entry]
    spared: Mapping[str, str]
    comparisons: Sequence[Comparison]
    early: Sequence[Comparison]
    far: Sequence[Comparison]

    @property
    def is_measured(self) -> bool:
        """Whether something of it was measured or tried; what only duets ask has no entries."""
        return bool(self.entries or self.comparisons or self.early)

    @property
    def metric(self) -> str:
        """The throughput that the suite is about: an article may have published its maximum."""
        published = {name for entry in self.suite.published for name in entry.figures}
        return "max_rps" if "max_rps" in published and "rps" not in published else "rps"


def group_of(suite: Suite, run: "Material") -> Group:
    """A suite's part of a run.

    Cases are called as in a run of the whole suite, also where the command line has left some out.
    """
    elsewhere = {case for waterfall in suite.waterfalls for case in waterfall.cases}
    if suite.search:
        elsewhere = set(suite.whole)
    apart = [case for case in suite.whole if case not in elsewhere]
    return Group(
        suite=suite,
        entries=_entries(suite, run.rows, suite.whole),
        apart=_entries(suite, run.rows, apart),
        spared=Labels(apart, suite.native_views).spared,
        comparisons=of_suite(suite, run.comparisons),
        early=of_suite(suite, run.early),
        far=of_suite(suite, run.far),
    )


def _entries(suite: Suite, rows: Iterable[Row], cases: Sequence[Case]) -> list[Entry]:
    """Those of these cases that have rows, called by what differs among these cases."""
    by_case = rows_by_case(rows)
    titled = titles(row for listed in by_case.values() for row in listed)
    labels = Labels(cases, suite.native_views)
    counted = [len(that_count(by_case[case.slug])) for case in cases if case.slug in by_case]
    entries = [
        Entry(
            key=f"{suite.name}-{number}",
            case=case,
            name=labels.name(case),
            label=labels.name(case, titled[case.server]),
            short=labels.short(case),
            rows=tuple(by_case[case.slug]),
            published=_published(suite, by_case[case.slug][0]),
            most_rounds=max(counted, default=0),
        )
        for number, case in enumerate(suite.cases, start=1)
        if case in cases and case.slug in by_case
    ]
    if metric := suite.sort:
        entries.sort(key=lambda entry: _place(entry, metric))
    return entries


def _published(suite: Suite, row: Row) -> Mapping[str, float]:
    figures = (entry.figures for entry in suite.published if entry.describes(row))
    return next(figures, {})


def _place(entry: Entry, metric: str) -> tuple[bool, float]:
    """Where an entry stands: the ranked first; what is not known last of each, and who answers
    nobody last of all.
    """
    value = entry.value(metric)
    if always_silent(entry.rows):
        return True, math.inf
    if value is None:
        return not entry.is_ranked, math.inf
    return not entry.is_ranked, -value if metric in HIGHER_IS_BETTER else value


def labels_of(suites: Sequence[Suite]) -> Labels:
    """What cases are called where those of all these suites stand together."""
    return Labels((case for suite in suites for case in suite.whole), native_views(suites))


@dataclass(frozen=True)
class Material(Run):
    """A run, for a document of it.

    Attributes:
        servers: as they were declared when the run began.
        reasons: by server, what compose.yaml says of its flags.
        scatter: what rounds have scattered by on this machine; None: nothing is kept.
    """

    servers: Mapping[str, Server]
    reasons: Mapping[str, str]
    scatter: KnownScatter | None = None

    @cached_property
    def all_comparisons(self) -> list[Comparison]:
        """All that its suites compare, however few rounds there are."""
        return compare_cases(self.suites, self.rows)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Those of three rounds or more: no other is shown, nor is a claim judged by another."""
        return [each for each in self.all_comparisons if not is_early(each, self.by_case)]

    @cached_property
    def early(self) -> list[Comparison]:
        """Those of fewer rounds."""
        return [each for each in self.all_comparisons if is_early(each, self.by_case)]

    @cached_property
    def far(self) -> list[Comparison]:
        """Of these, those whose two cases are so far apart that one round tells."""
        return [each for each in self.early if is_far(each, self.by_case, self.scatter)]

    @cached_property
    def labels(self) -> Labels:
        """What cases are called where those of all suites stand in one table."""
        return labels_of(self.suites)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each server is called in tables."""
        return titles(self.rows)

    @cached_property
    def waterfalls(self) -> list[MeasuredWaterfall]:
        """What the run says of its suites' waterfalls."""
        found = waterfalls(self.suites, self.rows)
        return [told_of(fall, self.by_case, self.scatter) for fall in found]

    @cached_property
    def all_groups(self) -> list[Group]:
        """Every suite, with what there is of it."""
        return [group_of(suite, self) for suite in self.suites]

    @cached_property
    def groups(self) -> list[Group]:
        """The suites of which something was measured or tried."""
        return [group for group in self.all_groups if group.is_measured]

    @property
    def path(self) -> str:
        """The run's folder as a reader of the project writes it."""
        parts = self.folder.parts
        inside = parts[parts.index("results") + 1 :] if "results" in parts else parts[-1:]
        return "/".join(("results", *inside))

    def samples(self, row: Row) -> Path:
        """The samples of a trial."""
        return self.folder / "samples" / f"{name_of(row)}.csv.gz"


def of_rows(
    suites: Sequence[Suite], rows: Sequence[Row], scatter: KnownScatter | None = None
) -> Material:
    """A run that goes on: its rows so far."""
    return Material(Path(), suites, rows, {}, {}, {}, scatter)


def for_text(run: Run, scatter: KnownScatter | None = None) -> Material:
    """A run for text, which says nothing of how servers were declared."""
    return Material(run.folder, run.suites, run.rows, run.environment, {}, {}, scatter)


def material(run: Run, scatter: KnownScatter | None = None) -> Material:
    """A run with what its copies of the Compose files declare.

    Raises:
        ConfigurationError: they cannot be read.
    """
    return Material(
        folder=run.folder,
        suites=run.suites,
        rows=run.rows,
        environment=run.environment,
        servers=read_servers(run.folder),
        reasons=reasons(run.folder),
        scatter=scatter,
    )
