"""A run's rows → its stacks: what each server with each client was measured at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loadgen.findings.summary import over_rounds
from loadgen.lab.servers import native_view
from loadgen.prediction.stack import Memory, Point, Stack
from loadgen.records.columns import Cell, Row, last_attempts
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels
from loadgen.theory.mva import flow, held_s_of

#: What makes a stack: all that a view does, and who serves it. Load and delays are asked for.
AXES = ("server", "http_client", "settings", "view", "workload", "upstream", "cpu_ms")

#: What a row must know.
NEEDED = ("rps", "users", "service_time_ms", "app_cpu_ms_per_view", "cpu_ceiling_rps")


@dataclass(frozen=True)
class Level:
    """One load of a stack, over its rounds.

    Attributes:
        users: all of them.
        service_s: of a view.
        cpus: that the server could use, with a process for each as a rule.
        rps: of all processes.
        cpu_s: CPU time per view.
        pss_mib: memory of all processes; None where it is not known.
    """

    users: int
    service_s: float
    cpus: int
    rps: float
    cpu_s: float
    pss_mib: float | None

    @property
    def utilisation(self) -> float:
        """Share of the usable CPUs that was busy: X·D / C."""
        return self.rps * self.cpu_s / self.cpus


@dataclass(frozen=True)
class Measured:
    """A stack with its levels.

    Attributes:
        first: one of its rows, for its names.
        axes: what differs among the run's stacks besides server and client, in words.
        levels: at least one.
    """

    first: Row
    axes: str
    levels: tuple[Level, ...]

    def stack(self, levels: Sequence[Level]) -> Stack:
        """The stack as these of its levels know it; one at least."""
        cpus = levels[0].cpus
        slots = self.first.count("slots")
        slots_each = None if slots is None else slots // cpus
        served = [_in_service(level, slots_each) for level in levels]
        points = {
            point.queue: point
            for level, users in zip(levels, served, strict=True)
            for point in (_point(level, users),)
        }
        return Stack(
            server=self.first.text("server"),
            http_client=self.first.text("http_client"),
            title=self.first.text("title"),
            axes=self.axes,
            points=tuple(points[queue] for queue in sorted(points)),
            slots=slots_each,
            pool=_pool(self.first, cpus),
            memory=_memory(levels, served),
        )


def measured(rows: Iterable[Row]) -> list[Measured]:
    """The stacks of a run, in the order of its rows.

    Only constant closed loads that were timed, ranked and served without a failure: the laws speak
    of no other.
    """
    by_stack: dict[tuple[Cell, ...], list[Row]] = {}
    for row in last_attempts(rows):
        if _speaks(row):
            by_stack.setdefault(tuple(row[axis] for axis in AXES), []).append(row)
    firsts = [of_stack[0] for of_stack in by_stack.values()]
    native_views = {row.text("server"): native_view(row["interface"]) for row in firsts}
    labels = Labels(map(_case, firsts), native_views)
    return [
        Measured(of_stack[0], _apart(labels, _case(of_stack[0])), _levels(of_stack))
        for of_stack in by_stack.values()
    ]


def _speaks(row: Row) -> bool:
    return (
        row.is_measured
        and row.is_ranked
        and row["load"] == "closed"
        and row["planned_requests"] is None
        and "_ramp-" not in row.case
        and row["failures"] == 0
        and all((row.number(name) or 0) > 0 for name in NEEDED)
    )


def _case(row: Row) -> Case:
    """The stack of a row, without any load."""
    axes: dict[str, Any] = {axis: row[axis] or "" for axis in AXES}
    unasked: dict[str, Any] = {"delays_ms": (), "driver": "", "load": "closed"}
    return Case(**axes | unasked | {"cpu_ms": row["cpu_ms"]})


def _apart(labels: Labels, stack: Case) -> str:
    return ", ".join(word for word in labels.apart(stack) if word != stack.http_client)


def _levels(rows: Sequence[Row]) -> tuple[Level, ...]:
    by_load: dict[tuple[Cell, Cell], list[Row]] = {}
    for row in rows:
        by_load.setdefault((row["users"], row["service_time_ms"]), []).append(row)
    return tuple(_level(of_load) for of_load in by_load.values())


def _level(rows: Sequence[Row]) -> Level:
    first = rows[0]
    return Level(
        users=first.count("users") or 0,
        service_s=(first.number("service_time_ms") or 0) / 1000,
        cpus=_usable_cpus(first),
        rps=_mean(rows, "rps") or 0,
        cpu_s=(_mean(rows, "app_cpu_ms_per_view") or 0) / 1000,
        pss_mib=_mean(rows, "app_pss_mib"),
    )


def _mean(rows: Sequence[Row], metric: str) -> float | None:
    interval = over_rounds(rows, metric)
    return interval.mean if interval else None


def _usable_cpus(row: Row) -> int:
    """The row's CPU ceiling is C / D."""
    ceiling_rps, cpu_ms = row.number("cpu_ceiling_rps"), row.number("app_cpu_ms_per_view")
    return max(1, round((ceiling_rps or 0) * (cpu_ms or 0) / 1000))


def _in_service(level: Level, slots_each: int | None) -> int:
    """Views in flight in each process, all of which the users are split among."""
    users_each = max(1, round(level.users / level.cpus))
    return users_each if slots_each is None else min(users_each, slots_each)


def _point(level: Level, users: int) -> Point:
    """For how long a view holds the process: its CPU time, or more where the rate says so."""
    held_s = held_s_of(users, level.service_s, level.rps / level.cpus) or 0.0
    held_s = max(held_s, level.cpu_s)
    return Point(flow(users, level.service_s, held_s).queue, held_s, level.cpu_s)


def _pool(row: Row, cpus: int) -> float | None:
    ceiling_rps, service_ms = row.number("pool_ceiling_rps"), row.number("service_time_ms")
    if ceiling_rps is None or service_ms is None:
        return None
    return ceiling_rps * service_ms / 1000 / cpus


def _memory(levels: Sequence[Level], served: Sequence[int]) -> Memory | None:
    """A least-squares line through memory over views in flight; flat where all were the same."""
    known = [
        (users, level.pss_mib / level.cpus)
        for level, users in zip(levels, served, strict=True)
        if level.pss_mib is not None
    ]
    if not known:
        return None
    in_flight, mib = [users for users, _ in known], [pss_mib for _, pss_mib in known]
    if len(set(in_flight)) == 1:
        return Memory(float(np.mean(mib)), 0.0, in_flight[0], in_flight[0])
    per_view, base = np.polyfit(in_flight, mib, 1)
    return Memory(float(base), float(per_view), min(in_flight), max(in_flight))
