"""How waterfalls are printed, in a terminal and as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.documents.markdown_text import literal
from loadgen.findings.comparisons import Comparison
from loadgen.findings.waterfalls import METRICS, MeasuredWaterfall, Stage, remark
from loadgen.suites.labels import WRITTEN, metric_name
from loadgen.suites.waterfall import Order
from loadgen.theory.statistics import Interval
from loadgen.topics.comparison_tables import each_once

TITLES: dict[Order, str] = {"forward": "one change per step", "reversed": "the same, reversed"}
HEADINGS = ("Step", "Metric", "Value", "Ratio", "95 %", "Verdict", "Bound by")
EXPLANATION = "ratio: by the stage before; CPU/view: ms of the server's CPU time, at equal load"


def print_waterfalls(console: Console, waterfalls: Sequence[MeasuredWaterfall]) -> None:
    """Each waterfall in both orders, and in a sentence what all its steps together bring."""
    for waterfall in waterfalls:
        for order, stages in waterfall.orders.items():
            console.print()
            title = f"{waterfall.title}: {TITLES[order]}"
            console.print(title, style="bold")
            console.print(_table(stages))
        for sentence in _sentences(waterfall):
            console.print(sentence)
    if waterfalls:
        console.print(EXPLANATION, style="dim")
        for note in _notes(waterfalls):
            console.print(note, style="dim")
        console.print()


def markdown(waterfall: MeasuredWaterfall) -> str:
    """The same as Markdown: a table per order, a line per stage."""
    per_metric = [(WRITTEN[metric][0], "Ratio", "95 %", "Verdict") for metric in METRICS]
    headings = ["Step", *(heading for of_metric in per_metric for heading in of_metric)]
    headings += ["Bound by", "Remark"]
    numbers = ("---:", "---:", "---:", "---")
    text = []
    for order, stages in waterfall.orders.items():
        text += [f"{literal(waterfall.title)}: {TITLES[order]}", ""]
        text.append("| " + " | ".join(headings) + " |")
        text.append("| " + " | ".join(["---", *numbers * len(METRICS), "---", "---"]) + " |")
        for stage in stages:
            cells = [literal(stage.words)]
            for metric in METRICS:
                cells += [_value(stage.values[metric]), *_change(stage.changes.get(metric))]
            cells += [stage.bound_by or "–", remark(stage)]
            text.append("| " + " | ".join(cells) + " |")
        text.append("")
    return "\n".join([*text, *_sentences(waterfall)]).rstrip("\n")


def _table(stages: Iterable[Stage]) -> Table:
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    for heading in HEADINGS:
        numeric = heading in ("Value", "Ratio", "95 %")
        built.add_column(
            heading,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=heading != "Step",
        )
    for stage in stages:
        step, *others = zip(*_lines(stage), strict=True)
        built.add_row("".join(step), *map("\n".join, others))
    return built


def _lines(stage: Stage) -> Iterator[list[str]]:
    """A line per metric; what is the same for all is on the first."""
    for metric in METRICS:
        first = metric == METRICS[0]
        yield [
            stage.words if first else "",
            metric_name(metric),
            _value(stage.values[metric]),
            *_change(stage.changes.get(metric)),
            _bound_by(stage) if first else "",
        ]


def _bound_by(stage: Stage) -> str:
    return stage.bound_by.replace(" / ", "/") or "–"


def _value(value: Interval | None) -> str:
    """A mean, and how far off it may be by the wider side of its 95 % interval."""
    if value is None:
        return "–"
    return f"{value.mean:.1f}" + (f" ±{value.high / value.mean - 1:.0%}" if value.high else "")


def _change(change: Comparison | None) -> list[str]:
    """Ratio, interval and verdict."""
    found = change.difference if change else None
    if not change or not found:
        return ["", "", ""] if not change else ["–", "–", "–"]
    interval = "–" if found.low is None else f"{found.low:.3f}–{found.high:.3f}"
    return [f"{found.ratio:.3f}", interval, change.verdict]


def _sentences(waterfall: MeasuredWaterfall) -> Iterator[str]:
    """What all steps together bring."""
    for metric, change in waterfall.whole.items():
        if found := change.difference:
            interval = "" if found.low is None else f" [{found.low:.2f}–{found.high:.2f}]"
            yield f"From the start to the end: ×{found.ratio:.2f}{interval} {metric_name(metric)}."


def _notes(waterfalls: Iterable[MeasuredWaterfall]) -> Iterator[str]:
    """Why some figures say less than they seem to."""
    return each_once(
        reason
        for waterfall in waterfalls
        for stages in waterfall.orders.values()
        for stage in stages
        for reason in remark(stage).split("; ")
        if reason
    )
