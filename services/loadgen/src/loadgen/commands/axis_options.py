"""An option for each axis: `run clients --users 50 --delays-ms 800,400`."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from loadgen.errors import ConfigurationError
from loadgen.suites.axes import LIST_AXES, check_loads, option
from loadgen.suites.suite_file import Axes

NAMES = tuple(Axes.model_fields)


def with_axes[R](command: Callable[..., R]) -> Callable[..., R]:
    """Give a command an option for each axis; it receives those that are set as `axes`.

    Raises:
        ConfigurationError: (the command) a value cannot be read, or two loads are asked for.
    """
    signature = inspect.signature(command)
    own = [each for each in signature.parameters.values() if each.name != "axes"]

    @functools.wraps(command)
    def wrapper(**words: Any) -> R:
        texts = {axis: words.pop(axis, None) for axis in NAMES}
        axes = {axis: _values(axis, given) for axis, given in texts.items() if given}
        check_loads(axes)
        return command(**words, axes=axes)

    wrapper.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *map(_parameter, NAMES)]
    )
    return wrapper


def _parameter(axis: str) -> inspect.Parameter:
    metavar, several = {
        0: ("VALUE,…", "Several values are separated by commas."),
        1: ("MS,…", "Give one for each call, separated by commas; repeat it for several views."),
        2: ("S:USERS,…", "Give its corners, separated by commas; repeat it for several ramps."),
    }[LIST_AXES.get(axis, 0)]
    words = typer.Option(option(axis), metavar=metavar, help=f"Set {axis} of all cases. {several}")
    return inspect.Parameter(
        axis,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, words],
    )


def _values(axis: str, texts: Sequence[str]) -> list[Any]:
    """What an option says, in all its places on the command line."""
    parts = [[part.strip() for part in text.split(",")] for text in texts]
    if not all(part for text in parts for part in text):
        raise ConfigurationError(f"{option(axis)} {','.join(texts)!r}: a value is missing")
    match LIST_AXES.get(axis, 0):
        case 0:
            return [_scalar(part) for text in parts for part in text]
        case 1:
            return [[_scalar(part) for part in text] for text in parts]
        case _:
            return [[[_scalar(end) for end in part.split(":")] for part in text] for text in parts]


def _scalar(text: str) -> int | float | str:
    """A value as TOML would have it: 50, 0.5 or a text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
