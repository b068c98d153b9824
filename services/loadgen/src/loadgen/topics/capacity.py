"""Capacity: the highest rate that each stack carries before its views get slow."""

from collections.abc import Iterator, Sequence

from loadgen.charts.canvas import Canvas, RowWords, from_zero
from loadgen.charts.palette import CPU, TRACK, USERS
from loadgen.documents.document import (
    TERMINAL,
    WIDE,
    Block,
    Cell,
    Figure,
    Picture,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.run_material import Group, Material
from loadgen.documents.words import UNKNOWN, decimals, listing, with_bounds
from loadgen.findings.capacity import Capacity, StackCapacity, stacks
from loadgen.suites.search import Rules

#: Of suites that search a server without any HTTP call too.
OF_NO_HTTP = TableColumn(
    "of no-http", meaning="share of what the server carries without any HTTP call"
)
INTRODUCTION = (
    "The thick bar is the answer, in views/s per core. At its left end the server still kept up in "
    "every round, at its right end in none. The ticks below it are the ends of each round. The "
    "upright tick is C / D: the number of CPUs divided by the CPU time of a view. The CPU allows "
    "no more."
)


def blocks(material: Material, group: Group) -> Iterator[Block]:
    """What each stack carries, the best first; none where the suite searches nothing."""
    if group.suite.search and (listed := stacks(group.suite, material.rows)):
        yield Text(list(carries(listed)))
    yield from brief_blocks(material, group)


def brief_blocks(material: Material, group: Group) -> Iterator[Block]:
    """The same without the sentence, which stands in the answer."""
    rules = group.suite.search
    listed = stacks(group.suite, material.rows)
    if not rules or not listed:
        return
    yield Figure(
        name=f"capacity-{group.suite.name}",
        picture=Picture(f"Capacity per core: {group.suite.question}", _chart(listed).chart),
        caption="",
        table=capacity_table(rules, listed),
    )
    if notes := list(_notes(listed)):
        yield Text(notes, "note")


def carries(listed: Sequence[StackCapacity]) -> Iterator[str]:
    """Which stack carries the most, and whose range overlaps its own."""
    calling = [stack for stack in listed if stack.calls] or listed
    best = calling[0] if calling else None
    if not best or not best.low_rps_per_cpu:
        return
    alike = [
        _called(stack)
        for stack in calling[1:]
        if (stack.high_rps_per_cpu or 0) >= best.low_rps_per_cpu
    ]
    overlap = f" {listing(alike)} may carry as much: the ranges overlap." if alike else ""
    yield f"Highest: {_called(best)}, {_bracket(best)} views/s per core.{overlap}"
    if share := best.share_of_no_http:
        yield (
            f"{_called(best)} carries {with_bounds(share, 2)} of what the same server carries "
            "without HTTP calls."
        )


def _called(stack: StackCapacity) -> str:
    """Its name within a sentence: `uvicorn (aiohttp-shared)`."""
    server, _, apart = stack.name.partition(", ")
    return f"{server} ({apart})" if apart else server


def capacity_table(rules: Rules, listed: Sequence[StackCapacity]) -> Table:
    """A row for each stack."""
    columns = (
        TableColumn("Stack", numeric=False, shown=TERMINAL),
        TableColumn("Configuration", numeric=False, shown=WIDE),
        TableColumn(
            "Views/s per core",
            meaning="from the last rate that held to the first that did not, over all rounds",
        ),
        TableColumn("of C/D", meaning="share of the CPU ceiling, C / D"),
        OF_NO_HTTP,
        TableColumn("CPU/view", meaning="ms, at the rate that held"),
        TableColumn("MiB/view", meaning="the server's memory / views in flight"),
        TableColumn("PSS (MiB)", shown=WIDE),
        TableColumn("Gave way", numeric=False),
        TableColumn("Rounds", shown=WIDE),
        TableColumn("Caveats", numeric=False, shown=WIDE),
    )
    rows = [
        TableRow(tuple(_cells(stack)), state="" if stack.bracketed else "failed")
        for stack in listed
    ]
    caption = (
        f"A rate holds if {rules.majority} of {rules.windows} windows ({rules.window_s:g} s each) "
        f"meet all of these: p95 is at most {rules.p95_by_service_time:g} times what a view must "
        f"wait; no request fails; {rules.least_answered:.0%} are answered; no queue grows."
    )
    table = Table(caption, columns, rows, folded="The same as a table")
    known = any(stack.share_of_no_http for stack in listed)
    return table if known else table.without(OF_NO_HTTP)


def _cells(stack: StackCapacity) -> Iterator[Cell]:
    fewer = len(stack.bracketed) < len(stack.rounds)
    yield f"{stack.name} ({_rounds(stack)})" if fewer else stack.name
    yield stack.label
    yield _bracket(stack)
    yield decimals(stack.mean("share_of_ceiling"), 2)
    yield with_bounds(stack.share_of_no_http, 2) if stack.share_of_no_http else ""
    yield decimals(stack.mean("app_cpu_ms_per_view"), 1)
    yield decimals(stack.mean("memory_mib_per_view"), 2)
    yield decimals(stack.mean("app_pss_mib"), 0)
    yield ", ".join(stack.gave_way) or UNKNOWN
    yield _rounds(stack).removesuffix(" rounds")
    yield ", ".join(dict.fromkeys(name for each in stack.bracketed for name in each.caveats))


def _notes(listed: Sequence[StackCapacity]) -> Iterator[str]:
    """Of which rounds something was not found, and why."""
    for stack in listed:
        for each in stack.rounds:
            if each.reason:
                low = "" if each.low_rps is None else f"; {each.low_rps:g}/s holds"
                high = "" if each.high_rps is None else f"; {each.high_rps:g}/s does not hold"
                yield f"{stack.name}, round {each.round}: {each.reason}{low}{high}."


def _rounds(stack: StackCapacity) -> str:
    return f"{len(stack.bracketed)} of {len(stack.rounds)} rounds"


def _bracket(stack: StackCapacity) -> str:
    low, high = stack.low_rps_per_cpu, stack.high_rps_per_cpu
    return UNKNOWN if low is None or high is None else f"{_rate(low)}–{_rate(high)}"


def _rate(rate_rps: float) -> str:
    return f"{rate_rps:.0f}" if rate_rps >= 100 else f"{rate_rps:.1f}"


def _chart(listed: Sequence[StackCapacity]) -> Canvas:
    highest = [
        value
        for stack in listed
        for each in stack.rounds
        for value in (each.high_rps_per_cpu, _ceiling(each))
        if value
    ]
    top = max(highest, default=1.0) * 1.04
    legend = [(USERS, "last that holds to first that does not"), (CPU, "C / D")]
    words = [RowWords(stack.name, _result(stack), not stack.bracketed) for stack in listed]
    canvas = Canvas(words, from_zero(top, "views/s per core"), legend)
    for row, stack in enumerate(listed):
        low, high = stack.low_rps_per_cpu, stack.high_rps_per_cpu
        if low and high:
            canvas.box(row, (0, low), TRACK, opacity=0.8)
            canvas.box(row, (low, high), USERS)
        ends = [(each.low_rps_per_cpu, each.high_rps_per_cpu) for each in stack.bracketed]
        canvas.rounds(row, [end for pair in ends for end in pair if end], top)
        for each in stack.rounds:
            if ceiling := _ceiling(each):
                canvas.tick(row, ceiling, CPU)
    return canvas


def _ceiling(each: Capacity) -> float | None:
    """C / D per core."""
    return each.cpu_ceiling_rps / each.cpus if each.cpu_ceiling_rps and each.cpus else None


def _result(stack: StackCapacity) -> str:
    if not stack.bracketed:
        return "not found"
    words = f"{_bracket(stack)} · {', '.join(stack.gave_way) or UNKNOWN}"
    fewer = len(stack.bracketed) < len(stack.rounds)
    return f"{words} · {_rounds(stack)}" if fewer else words
