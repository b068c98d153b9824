"""A run that has been made: its rows, its environment, and its suites as they were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen import environment
from loadgen.columns import Row
from loadgen.environment_differences import Surroundings
from loadgen.lab import Lab
from loadgen.results import read_rows
from loadgen.suite import Suite


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

    @property
    def by_case(self) -> dict[str, list[Row]]:
        """The rows of each case; windows of a search are no rounds of one."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if row["repeat"] is None:
                found.setdefault(str(row["case"]), []).append(row)
        return found

    def of(self, cases: Iterable[str]) -> Surroundings:
        """The run around the rows of some cases."""
        asked = set(cases)
        rows = [row for row in self.rows if row["case"] in asked and row["repeat"] is None]
        return Surroundings(self.folder, self.environment, rows)


def read_run(lab: Lab, directory: Path) -> Run:
    """A run with its suites as they were when it began.

    Args:
        lab: the lab around us.
        directory: as a reader of the project writes it, or the run's name alone.

    Raises:
        ConfigurationError: it is no run, or cannot be read.
    """
    in_project, in_results = lab.project / directory, lab.results / directory
    folder = in_results if not in_project.is_dir() and in_results.is_dir() else in_project
    rows = read_rows(folder)
    described = environment.read(folder)
    library = lab.as_of(folder).suites
    suites = {
        suite.name: suite
        for name in described["arguments"]["suites"]
        for suite in library.load(name)
    }
    return Run(folder, list(suites.values()), rows, described)
