"""How capacities are printed, in a terminal and as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.documents.markdown_text import literal
from loadgen.findings.capacity import StackCapacity
from loadgen.suites.search import Rules

HEADINGS = ("Stack", "Views/s per core", "of C/D", "CPU/view", "MiB/view", "Gave way")


def print_capacities(console: Console, rules: Rules, stacks: Sequence[StackCapacity]) -> None:
    """A suite's stacks, the best first, and what it means that a rate holds."""
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    # A server's name in one piece: on a narrow terminal the reasons stand below each other.
    longest = max((len(word) for stack in stacks for word in stack.name.split()), default=0)
    for number, heading in enumerate(HEADINGS):
        figures = 0 < number < len(HEADINGS) - 1
        built.add_column(
            heading,
            justify="right" if figures else "left",
            min_width=None if number else longest + 1,
            overflow="fold",
        )
    for stack in stacks:
        built.add_row(stack.name, *_figures(stack), ",\n".join(stack.gave_way) or "–")
    console.print(built)
    for sentence in (*_explanation(rules), *_notes(stacks)):
        console.print(sentence, style="dim")


def markdown(rules: Rules, stacks: Sequence[StackCapacity]) -> str:
    """The same as Markdown, with each stack's memory, rounds and caveats."""
    headings = ["Configuration", *HEADINGS[1:-1], "PSS (MiB)", "Gave way", "Rounds", "Caveats"]
    text = [_line(headings), _line(["---", *["---:"] * 5, "---", "---:", "---"])]
    for stack in stacks:
        caveats = dict.fromkeys(name for each in stack.found for name in each.caveats)
        cells = [literal(stack.label), *_figures(stack), _number(stack.mean("app_pss_mib"), 0)]
        cells += [", ".join(stack.gave_way) or "–", f"{len(stack.found)} of {len(stack.rounds)}"]
        text.append(_line([*cells, ", ".join(caveats)]))
    return "\n".join([*text, "", " ".join((*_explanation(rules), *_notes(stacks)))])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figures(stack: StackCapacity) -> list[str]:
    low, high = stack.low_rps_per_cpu, stack.high_rps_per_cpu
    return [
        f"{_rate(low)}–{_rate(high)}" if low is not None and high is not None else "–",
        _number(stack.mean("share_of_ceiling"), 2),
        _number(stack.mean("app_cpu_ms_per_view"), 1),
        _number(stack.mean("memory_mib_per_view"), 2),
    ]


def _explanation(rules: Rules) -> Iterator[str]:
    yield (
        "Views/s per core: from the last rate that holds to the first that does not, the widest "
        "over rounds."
    )
    yield (
        f"A rate holds if {rules.majority} of {rules.windows} windows of {rules.window_s:g} s keep "
        f"p95 within {rules.p95_by_service_time:g} service times, without a failure, "
        f"{rules.least_answered:.0%} answered, and none piling up."
    )
    yield "CPU/view in ms, and MiB of the server per view in flight: at the rate that holds."


def _notes(stacks: Iterable[StackCapacity]) -> Iterator[str]:
    """Of which rounds something was not found, and why."""
    for stack in stacks:
        for each in stack.rounds:
            if each.reason:
                low = "" if each.low_rps is None else f"; {each.low_rps:g}/s holds"
                high = "" if each.high_rps is None else f"; {each.high_rps:g}/s does not"
                yield f"{stack.name}, round {each.round}: {each.reason}{low}{high}."


def _rate(rate_rps: float) -> str:
    return f"{rate_rps:.0f}" if rate_rps >= 100 else f"{rate_rps:.1f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
