"""A suite's file → what is written in it."""

from pathlib import Path

from pydantic import ValidationError

from loadgen.errors import ConfigurationError
from loadgen.lab.toml_tables import first_mistake, read_toml
from loadgen.suites.mistakes import mistake
from loadgen.suites.suite_file import SuiteFile


def suite_names(folder: Path) -> list[str]:
    """All suites of a folder, by name."""
    return sorted(file.stem for file in folder.glob("*.toml"))


def read_suite(folder: Path, name: str) -> SuiteFile:
    """The file of a suite, each of its keys by itself in order.

    Raises:
        ConfigurationError: there is no such suite, or its file is wrong.
    """
    names = suite_names(folder)
    if name not in names:
        raise ConfigurationError(f"there is no suite {name!r}; the suites are {', '.join(names)}")
    path = folder / f"{name}.toml"
    try:
        return SuiteFile.model_validate(read_toml(path, path.name))
    except ValidationError as error:
        raise mistake(name, *first_mistake("", SuiteFile, error)) from error
