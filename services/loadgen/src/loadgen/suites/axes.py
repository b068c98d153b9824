"""Axes as they are written: those that the command line sets, and lists of values."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from loadgen.errors import ConfigurationError
from loadgen.lab.lab import SetAxes

#: Which axis values are lists by themselves: a list of these is several values of the axis.
LIST_AXES = {"delays_ms": 1, "ramp": 2}
#: What makes a load, in ways that exclude each other: who sets one way gives up the others.
LOADS = (frozenset({"users"}), frozenset({"ramp"}), frozenset({"load", "rate_rps", "arrivals"}))


def option(axis: str) -> str:
    """How the command line names an axis: `--delays-ms`."""
    return f"--{axis.replace('_', '-')}"


def are_set(when: Mapping[str, Any], axes: SetAxes) -> bool:
    """Whether the command line has set each of these axes to the value (one of the values) here."""
    return all(
        any(value in axes.get(axis, ()) for value in values_of(axis, written))
        for axis, written in when.items()
    )


def replaced(entry: Mapping[str, Any], axes: SetAxes) -> dict[str, Any]:
    """An entry of a suite file with these axes in the place of its own.

    A rate that is set asks for an open load: whoever names it need not say so.
    """
    if "rate_rps" in axes and "load" not in axes:
        axes = {**axes, "load": ["open"]}
    gone = {axis for way in LOADS if not way.isdisjoint(axes) for axis in _other_loads(way)}
    if "driver" in axes and "hey" not in axes["driver"]:
        gone.add("planned_requests")
    return {axis: value for axis, value in entry.items() if axis not in gone} | dict(axes)


def _other_loads(way: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*LOADS) - way


def check_loads(axes: SetAxes) -> None:
    """Whether the command line asks for one kind of load: users, or arrivals at a rate.

    Raises:
        ConfigurationError: it asks for both.
    """
    if "users" in axes and "rate_rps" in axes:
        raise ConfigurationError(
            "--users and --rate-rps exclude each other: give one of them. --users: so many users, "
            "who each wait for their answer. --rate-rps: so many arrivals a second, at random"
        )


def combinations(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Lists multiply: every combination of the values of every axis."""
    values = [values_of(axis, value) for axis, value in entry.items()]
    for combination in itertools.product(*values):
        yield dict(zip(entry, combination, strict=True))


def values_of(axis: str, value: object) -> list[Any]:
    """The values of an axis: a list is several, except where the axis is a list by itself."""
    depth, inner = 0, value
    while isinstance(inner, list | tuple) and inner:
        depth, inner = depth + 1, inner[0]
    several = isinstance(value, list | tuple) and depth > LIST_AXES.get(axis, 0)
    return list(value) if several else [value]  # type: ignore[call-overload]


def tuples(value: object) -> object:
    """Lists as a case holds them."""
    return tuple(map(tuples, value)) if isinstance(value, list) else value
