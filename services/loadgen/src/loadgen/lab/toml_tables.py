"""Files of TOML tables: how they are read, and how their writer is told of a mistake."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from loadgen.errors import ConfigurationError


class TomlTable(BaseModel):
    """A table with the keys that it may have, and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def read_toml(file: Path, called: str) -> dict[str, Any]:
    """What a file says, by key; a mistake names it as it is called.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{called} is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{called} is not UTF-8: {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{called} cannot be read: {error.strerror}") from error


def first_mistake(where: str, table: type[TomlTable], error: ValidationError) -> tuple[str, str]:
    """What pydantic found first, for a reader of TOML.

    Args:
        where: the table it was found in, e.g. `cases[1]`; empty: the whole file.
        table: what that may hold.
        error: as pydantic raised it.

    Returns:
        The key, lists counted from one, and what is wrong with it.
    """
    first = error.errors()[0]
    key = (where + "".join(map(_step, first["loc"]))).removeprefix(".")
    match first["type"], first["input"]:
        case "extra_forbidden", _:
            allowed = _table_at(table, first["loc"][:-1]).model_fields
            return key, f"unknown key; allowed: {', '.join(allowed)}"
        case "missing", _:
            return key, "is missing"
        case "tuple_type", dict():
            return key, f"must be a list of tables: write [[{key}]]"
        case _, value:
            what = _in_our_words(first["msg"])
            return key, what if isinstance(value, dict | list) else f"{what}, not {written(value)}"


def _table_at(table: type[TomlTable], place: Sequence[int | str]) -> type[TomlTable]:
    """The table at a place within another."""
    for key in place:
        if isinstance(key, str):
            table = next(_tables(table.model_fields[key].annotation))
    return table


def _tables(annotation: Any) -> Iterator[type[TomlTable]]:
    """The tables in the annotation of a key: of `tuple[TomlTable, ...]`, of `TomlTable | None`."""
    if isinstance(annotation, type) and issubclass(annotation, TomlTable):
        yield annotation
    for part in get_args(annotation):
        yield from _tables(part)


def _step(step: int | str) -> str:
    return f"[{step + 1}]" if isinstance(step, int) else f".{step}"


def _in_our_words(message: str) -> str:
    message = message.removeprefix("Value error, ").replace(" after validation", "")
    message = message.replace("Input should", "must").replace("Tuple should", "must")
    message = message.partition(" or instance of ")[0].replace("a valid integer", "a whole number")
    message = message.replace("a valid ", "a ")
    return message.replace("a dictionary", "a table").replace("a tuple", "a list")


def written(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else repr(value)
