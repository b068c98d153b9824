"""A run that has been made: where it is, its rows, its environment, its suites as they were."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.findings.claims import Claim, judge_claims
from loadgen.findings.comparisons import Comparison, compare_cases
from loadgen.lab.lab import Lab
from loadgen.lab.run_folders import find_run
from loadgen.records import environment
from loadgen.records.columns import Row, rows_by_case
from loadgen.records.trials_csv import read_rows
from loadgen.suites.load_suites import load_suites
from loadgen.suites.suite import Suite

#: Of environment.json: what a run has made of its suites.
AS_MEASURED = "suites"


@dataclass(frozen=True)
class Run:
    """A run that has been made.

    Attributes:
        folder: with trials.csv, environment.json and the copies of what was run.
        suites: what was asked.
        rows: all of trials.csv.
        environment: all of environment.json.
    """

    folder: Path
    suites: Sequence[Suite]
    rows: Sequence[Row]
    environment: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """All that its suites compare."""
        return compare_cases(self.suites, self.rows)

    @cached_property
    def claims(self) -> list[Claim]:
        """What it says of its suites' claims."""
        return judge_claims(self.suites, self.comparisons)

    @property
    def by_case(self) -> dict[str, list[Row]]:
        """The rows of each case; windows of a search are no rounds of one."""
        return rows_by_case(self.rows)

    def rows_of(self, cases: Container[str]) -> list[Row]:
        """The rows of some cases; windows of a search are none of theirs."""
        return [row for row in self.rows if row.case in cases and not row.is_window]


@dataclass(frozen=True)
class MeasuredSuite:
    """What a suite's file does not say of a run of it.

    Attributes:
        rounds: that were planned, as many as had time.
        without: slugs of the cases that the command line or the time left out.
        left_out: sentences that say what is left out, and why.
    """

    rounds: int
    without: tuple[str, ...]
    left_out: tuple[str, ...]


_MEASURED = TypeAdapter(dict[str, MeasuredSuite])


def as_measured(suites: Iterable[Suite]) -> dict[str, Any]:
    """What environment.json keeps of the suites as a run measures them, by name."""
    return {
        suite.name: asdict(
            MeasuredSuite(
                rounds=suite.rounds,
                without=tuple(case.slug for case in suite.whole if case not in suite.cases),
                left_out=suite.left_out,
            )
        )
        for suite in suites
    }


def run_of(folder: Path, suites: Sequence[Suite]) -> Run:
    """What a folder holds of a run whose suites are known.

    Raises:
        ConfigurationError: it is no run, or cannot be read.
    """
    return Run(folder, suites, read_rows(folder), environment.read(folder))


def read_run(lab: Lab, named: str) -> Run:
    """A run, named as `find_run` takes it, with its suites as they were measured.

    Of a run of before that was kept they are as they were when it began, with their own rounds and
    all their cases.

    Raises:
        ConfigurationError: it is no run, or cannot be read.
    """
    folder = find_run(lab, named)
    rows = read_rows(folder)
    described = environment.read(folder)
    asked = (described.get("arguments") or {}).get("suites")
    if not asked:
        raise ConfigurationError(f"{folder}/environment.json does not say which suites were run")
    kept = _kept(folder, described)
    then = lab.as_of(folder)
    suites = {suite.name: suite for name in asked for suite in load_suites(then, name)}
    measured = [_as_kept(suite, kept.get(suite.name)) for suite in suites.values()]
    return Run(folder, measured, rows, described)


def _kept(folder: Path, described: Mapping[str, Any]) -> Mapping[str, MeasuredSuite]:
    try:
        return _MEASURED.validate_python(described.get(AS_MEASURED) or {})
    except ValidationError as error:
        what = f"{AS_MEASURED}: {error.errors()[0]['msg']}"
        raise ConfigurationError(f"{folder}/environment.json cannot be read: {what}") from error


def _as_kept(suite: Suite, kept: MeasuredSuite | None) -> Suite:
    if kept is None:
        return suite
    return replace(
        suite,
        rounds=kept.rounds,
        cases=tuple(case for case in suite.cases if case.slug not in kept.without),
        narrowed_from=suite.whole,
        left_out=kept.left_out,
    )
