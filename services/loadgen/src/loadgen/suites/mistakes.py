"""A mistake in a suite, as its writer is told of it: file, key, and what is allowed there."""

from pydantic import BaseModel, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.suites.search import Rules
from loadgen.suites.suite_file import (
    Axes,
    CompareEntry,
    StepEntry,
    SuiteFile,
    WaterfallEntry,
    written,
)


def mistake(suite: str, key: str, what: str) -> ConfigurationError:
    """What is wrong at a key of a suite's file."""
    return ConfigurationError(f"{suite}.toml, {key}: {what}")


def first_mistake(where: str, error: ValidationError) -> tuple[str, str]:
    """What pydantic found first, for a reader of TOML.

    Args:
        where: the entry it was found in, e.g. `cases[1]`; empty: the whole file.
        error: as pydantic raised it.

    Returns:
        The key, lists counted from one, and what is wrong with it.
    """
    first = error.errors()[0]
    key = (where + "".join(map(_step, first["loc"]))).removeprefix(".")
    match first["type"], first["input"]:
        case "extra_forbidden", _:
            model = Axes if where else _model_of(first["loc"])
            return key, f"unknown key; allowed: {', '.join(model.model_fields)}"
        case "missing", _:
            return key, "is missing"
        case "tuple_type", dict():
            return key, f"must be a list of tables: write [[{key}]]"
        case kind, value:
            what = "must be a list" if kind == "tuple_type" else _in_our_words(first["msg"])
            table = isinstance(value, dict | list)
            return key, what if table else f"{what}, not {written(value)}"


def _model_of(loc: tuple[int | str, ...]) -> type[BaseModel]:
    """What a place in a suite file is written by."""
    match loc[:-1]:
        case ("compare", _):
            return CompareEntry
        case ("waterfall", _):
            return WaterfallEntry
        case ("waterfall", _, "steps", _):
            return StepEntry
        case ("search",):
            return Rules
        case _:
            return SuiteFile


def _in_our_words(message: str) -> str:
    message = message.removeprefix("Value error, ").replace(" after validation", "")
    message = message.replace("Input should", "must").replace("Tuple should", "must")
    message = message.replace("a valid integer", "a whole number")
    return message.replace("a valid ", "a ").replace("a dictionary", "a table")


def _step(step: int | str) -> str:
    return f"[{step + 1}]" if isinstance(step, int) else f".{step}"
