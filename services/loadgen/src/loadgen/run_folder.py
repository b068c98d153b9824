"""A run that has been made: where it is, its rows, its environment, its suites as they were."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen import environment
from loadgen.columns import Row
from loadgen.environment_differences import Surroundings
from loadgen.errors import ConfigurationError, unwritable
from loadgen.lab import Lab
from loadgen.suite import Suite
from loadgen.trials_table import TRIALS_CSV, read_rows

LATEST = "latest"
#: The folder of runs as a reader of the project knows it, and in it that of committed ones.
RESULTS, REFERENCE = "results", Path("reference")
#: How a reader names a run, for `--help`.
HOW_TO_NAME = "its path (results/…), its folder's name, or latest."
_BEGAN = re.compile(r"\d{8}T\d{6}Z-.*")


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


def find(lab: Lab, named: str) -> Path:
    """The folder of a run: the one rule by which every command finds it.

    Args:
        lab: where runs are.
        named: its path as a reader of the project writes it; or its folder's name alone, of
            results/ or results/reference/; or `latest`, the run of results/ that began last.

    Raises:
        ConfigurationError: there is no such run.
    """
    if named == LATEST:
        newest = next(runs_in(lab.results), None)
        if newest is None:
            raise ConfigurationError(f"there is no run in results/ yet, and so no {LATEST} one")
        return newest
    inside = _inside_results(Path(named))
    in_homes = [home / where for home in _homes(lab) for where in (inside, REFERENCE / inside)]
    for folder in (*in_homes, lab.project / named):
        if _is_run(folder):
            return folder
    raise ConfigurationError(
        f"{named} is no run: it has no {TRIALS_CSV}. Name a run by its path (results/…), by its "
        f"folder's name, or as {LATEST}"
    )


def every(lab: Lab) -> Iterator[Path]:
    """The reader's own runs, the one that began last first; then the committed ones, likewise."""
    yield from runs_in(lab.results)
    yield from runs_in(lab.project / RESULTS / REFERENCE)


def _homes(lab: Lab) -> tuple[Path, Path]:
    """The folder of runs, and that of the project: the same as a rule."""
    return lab.results, lab.project / RESULTS


def runs_in(folder: Path) -> Iterator[Path]:
    """The runs of a folder that have the name that a run gets; the one that began last first."""
    named = [path for path in folder.glob("*") if _BEGAN.fullmatch(path.name)]
    yield from filter(_is_run, sorted(named, key=lambda path: path.name, reverse=True))


def _is_run(folder: Path) -> bool:
    try:
        return (folder / TRIALS_CSV).is_file()
    except OSError:  # a name too long for a folder, or a folder that nobody may look into
        return False


def _inside_results(path: Path) -> Path:
    """What of a path lies inside the folder of runs, wherever the reader's project is."""
    parts = path.parts
    last = max((at for at, part in enumerate(parts) if part == RESULTS), default=-1)
    return Path(*parts[last + 1 :])


def place_for_files(lab: Lab, run: Path) -> Path:
    """Where files about a run go: beside its rows, or in results/ where they lie elsewhere.

    Raises:
        ConfigurationError: results/ cannot be written.
    """
    if run.is_relative_to(lab.results):
        return run
    inside = _inside_results(run)
    place = lab.results / (run.name if inside == run else inside)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    return place


def read_run(lab: Lab, named: str) -> Run:
    """A run with its suites as they were when it began.

    Args:
        lab: the lab around us.
        named: as `find` takes it.

    Raises:
        ConfigurationError: it is no run, or cannot be read.
    """
    folder = find(lab, named)
    rows = read_rows(folder)
    described = environment.read(folder)
    asked = (described.get("arguments") or {}).get("suites")
    if not asked:
        raise ConfigurationError(f"{folder}/environment.json does not say what suites were run")
    library = lab.as_of(folder).suites
    suites = {suite.name: suite for name in asked for suite in library.load(name)}
    return Run(folder, list(suites.values()), rows, described)
