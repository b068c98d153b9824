"""Capacity: the highest rate that each stack carries before its views get slow."""

from collections.abc import Iterator, Sequence

import altair as alt

from loadgen.charts.canvas import Canvas, RowWords
from loadgen.charts.palette import CPU, TRACK, USERS
from loadgen.documents.blocks import Block, Column, Figure, Heading, Section, Table, TableRow, Text
from loadgen.documents.material import Material
from loadgen.documents.words import UNKNOWN, number
from loadgen.findings.capacity import Capacity, StackCapacity, stacks
from loadgen.suites.search import Rules
from loadgen.suites.suite import Suite


def section(material: Material) -> Section | None:
    """A chart per suite that searches."""
    found = [(suite, stacks(suite, material.rows)) for suite in material.suites if suite.search]
    blocks: list[Block] = []
    for suite, its_stacks in found:
        if not its_stacks or not suite.search:
            continue
        if len(material.suites) > 1:
            blocks.append(Heading(suite.question))
        blocks.append(Text(list(_sentences(suite.search, its_stacks))))
        blocks.append(_figure(suite, its_stacks))
    return Section("capacity", "What one core carries", blocks) if blocks else None


def carries(found: Sequence[StackCapacity]) -> Iterator[str]:
    """Which stack carries the most, and whose bracket overlaps its own."""
    best = found[0] if found else None
    if not best or not best.low_rps_per_cpu:
        return
    alike = [one.name for one in found[1:] if (one.high_rps_per_cpu or 0) >= best.low_rps_per_cpu]
    said = f"{best.name} carries the most: {_bracket(best)} views/s per core."
    yield said + (f" Its bracket overlaps that of {'; '.join(alike)}." if alike else "")


def _sentences(rules: Rules, found: Sequence[StackCapacity]) -> Iterator[str]:
    yield from carries(found)
    yield (
        f"A rate holds where {rules.majority} of {rules.windows} windows of {rules.window_s:g} s "
        f"keep p95 within {rules.p95_by_service_time:g} service times without a failure, with "
        f"{rules.least_answered:.0%} answered and none piling up."
    )
    for stack in found:
        for each in stack.rounds:
            if each.reason:
                yield f"{stack.label}, round {each.round}: {each.reason}."


def _figure(suite: Suite, found: Sequence[StackCapacity]) -> Figure:
    return Figure(
        name=f"capacity-{suite.name}",
        title=f"Capacity per core: {suite.question}",
        svg=_chart(found),
        caption=(
            "From the last rate that holds to the first that does not, per core: the thick bar is "
            "the widest over rounds, the ticks below it are the ends of each round. The upright "
            "tick is C / D, what the CPU would allow if nobody minded waiting."
        ),
        table=_table(found),
    )


def _chart(found: Sequence[StackCapacity]) -> str:
    highest = [
        value
        for stack in found
        for each in stack.rounds
        for value in (each.high_rps_per_cpu, _ceiling(each))
        if value
    ]
    top = max(highest, default=1.0) * 1.04
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(title="views/s per core", tickCount=6),
    )
    legend = [(USERS, "last that holds to first that does not"), (CPU, "C / D")]
    words = [RowWords(stack.name, _result(stack), not stack.found) for stack in found]
    canvas = Canvas(words, x, legend)
    for row, stack in enumerate(found):
        low, high = stack.low_rps_per_cpu, stack.high_rps_per_cpu
        if low and high:
            canvas.box(row, (0, low), TRACK, opacity=0.8)
            canvas.box(row, (low, high), USERS)
        ends = [(each.low_rps_per_cpu, each.high_rps_per_cpu) for each in stack.found]
        canvas.rounds(row, [end for pair in ends for end in pair if end], top)
        for each in stack.rounds:
            if ceiling := _ceiling(each):
                canvas.tick(row, ceiling, CPU)
    return canvas.svg()


def _ceiling(each: Capacity) -> float | None:
    """C / D per core."""
    return each.cpu_ceiling_rps / each.cpus if each.cpu_ceiling_rps and each.cpus else None


def _result(stack: StackCapacity) -> str:
    if not stack.found:
        return "not found"
    return f"{_bracket(stack)} · {', '.join(stack.gave_way) or UNKNOWN}"


def _bracket(stack: StackCapacity) -> str:
    return f"{number(stack.low_rps_per_cpu, 1)}–{number(stack.high_rps_per_cpu, 1)}"


def _table(found: Sequence[StackCapacity]) -> Table:
    columns = (
        Column("Stack", False),
        Column("Views/s per core"),
        Column("of C/D"),
        Column("CPU/view (ms)"),
        Column("PSS (MiB)"),
        Column("MiB per view"),
        Column("Gave way", False),
        Column("Rounds"),
    )
    rows = [
        TableRow(
            (
                stack.label,
                _bracket(stack),
                number(stack.mean("share_of_ceiling"), 2),
                number(stack.mean("app_cpu_ms_per_view"), 2),
                number(stack.mean("app_pss_mib"), 0),
                number(stack.mean("memory_mib_per_view"), 2),
                ", ".join(stack.gave_way) or UNKNOWN,
                f"{len(stack.found)} of {len(stack.rounds)}",
            ),
            "" if stack.found else "failed",
        )
        for stack in found
    ]
    caption = (
        "CPU and memory at the rate that holds; MiB per view: the whole server's memory by the "
        "views in flight."
    )
    return Table(caption, columns, rows, folded="The same as a table")
