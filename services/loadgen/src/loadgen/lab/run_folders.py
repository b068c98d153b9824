"""Where runs lie, and how a reader names one."""

import re
from collections.abc import Iterator
from pathlib import Path

from loadgen.errors import ConfigurationError, unwritable
from loadgen.lab.lab import Lab
from loadgen.records.trials_csv import TRIALS_CSV

LATEST = "latest"
#: The folder of runs as a reader of the project knows it, and in it that of committed ones.
RESULTS, REFERENCE = "results", Path("reference")
#: How a reader names a run, for `--help`; after `named`.
HOW_TO_NAME = "by its path (results/…), by its folder's name, or as latest."
_BEGAN = re.compile(r"\d{8}T\d{6}Z-.*")


def find_run(lab: Lab, named: str) -> Path:
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
            raise ConfigurationError(f"there is no run in results/ yet, so none is {LATEST}")
        return newest
    inside = _inside_results(Path(named))
    in_homes = [home / where for home in _homes(lab) for where in (inside, REFERENCE / inside)]
    for folder in (*in_homes, lab.project / named):
        if _is_run(folder):
            return folder
    raise ConfigurationError(
        f"{named} is not a run: it has no {TRIALS_CSV}. Name a run by its path (results/…), by its "
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
