"""Axes that the command line sets, in the place of those that a suite has."""

from collections.abc import Mapping
from typing import Any

from loadgen.lab.lab import SetAxes

#: What makes a load, in ways that exclude each other: who sets one way gives up the others.
LOADS = (frozenset({"users"}), frozenset({"ramp"}), frozenset({"load", "rate_rps", "arrivals"}))


def option(axis: str) -> str:
    """How the command line names an axis: `--delays-ms`."""
    return f"--{axis.replace('_', '-')}"


def replaced(entry: Mapping[str, Any], axes: SetAxes) -> dict[str, Any]:
    """An entry of a suite file with these axes in the place of its own."""
    gone = {axis for way in LOADS if not way.isdisjoint(axes) for axis in _other_loads(way)}
    if "driver" in axes and "hey" not in axes["driver"]:
        gone.add("planned_requests")
    return {axis: value for axis, value in entry.items() if axis not in gone} | dict(axes)


def _other_loads(way: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*LOADS) - way
