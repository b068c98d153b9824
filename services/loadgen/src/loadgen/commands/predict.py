"""`loadgen predict`: a load of the reader's own, from the rows of a run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from loadgen.errors import ConfigurationError
from loadgen.prediction.measured_stacks import Measured, measured
from loadgen.prediction.stack import Prediction, Refusal, Stack, predict
from loadgen.records.trials_csv import read_rows
from loadgen.suites.cases import plain

HEADINGS = (
    *("Server", "Client", "Views/s", "Mean (ms)", "CPU", "CPU/view (ms)", "Memory (MiB)"),
    "Bound by",
)
MEANS = "Means: these laws know no percentiles. docs/predictions.md says how far off they are."
NOTHING, DONE = 1, 0
#: Numbers of users that make a curve.
FEWEST_LOADS = 3
#: More users or CPUs than these are a typing error, and the laws would count to them one by one.
MOST_USERS, MOST_CPUS = 100_000, 1_000


@dataclass(frozen=True)
class Question:
    """A load that nobody measured.

    Attributes:
        users: without think time.
        service_s: the longest delay of a view.
        cpus: of the app.
    """

    users: int
    service_s: float
    cpus: int

    @property
    def words(self) -> str:
        """The question in words."""
        cpus = "one CPU" if self.cpus == 1 else f"{self.cpus} CPUs"
        return f"{self.users} users, an upstream of {self.delay}, {cpus}"

    @property
    def delay(self) -> str:
        """The delay in words."""
        return f"{plain(round(self.service_s * 1000, 6))} ms"

    @property
    def assumption(self) -> str:
        """What is taken for granted; empty for one CPU, as measured."""
        if self.cpus == 1:
            return ""
        return (
            f"{self.cpus} CPUs are {self.cpus} times what was measured on one, process by process, "
            "and the users split evenly among them: assumed, not measured."
        )


def stacks_of(folder: Path) -> list[Measured]:
    """The stacks that a run knows.

    Raises:
        ConfigurationError: the folder is no run, or the run has no row that the laws speak of.
    """
    found = measured(read_rows(folder))
    if not found:
        raise ConfigurationError(
            f"{folder.name} has nothing to predict from: that takes ranked trials of constant "
            "users, timed and without failures, e.g. of the suite users"
        )
    return found


def newest_with_a_curve(folders: Iterable[Path]) -> Path:
    """The first run that knows a stack under so many numbers of users that predictions lie between.

    Args:
        folders: runs, as `run_folder.every` gives them; one that cannot be read is passed by.

    Raises:
        ConfigurationError: there is none.
    """
    for folder in folders:
        with suppress(ConfigurationError):
            if any(map(_is_curve, stacks_of(folder))):
                return folder
    raise ConfigurationError(
        "no run in results/ has a curve over users: name a run, or measure one with the suite users"
    )


def _is_curve(stack: Measured) -> bool:
    """Whether it was measured under enough numbers of users at one delay."""
    loads = {(level.service_s, level.users) for level in stack.levels}
    return max(Counter(service_s for service_s, _ in loads).values()) >= FEWEST_LOADS


def service_s_of(delays_ms: str) -> float:
    """`800`, or `300,600,150`, of which the longest counts, in seconds.

    Raises:
        ConfigurationError: that is no list of delays.
    """
    try:
        longest = max(float(part) for part in delays_ms.split(","))
    except ValueError:
        longest = 0.0
    if not 0.001 <= longest <= 60_000:
        raise ConfigurationError(
            f"--delays-ms {delays_ms!r}: write milliseconds, from 0.001 to 60000, e.g. 800"
        )
    return longest / 1000


def answer(
    console: Console,
    found: Sequence[Measured],
    source: str,
    question: Question,
    *,
    server: str = "*",
    http_client: str = "*",
    markdown: bool = False,
) -> int:
    """Print what each stack would do; returns the exit code, 1 where nothing can be predicted.

    Args:
        console: where to.
        found: as `stacks_of` gives them.
        source: the run that they are of, in words.
        question: the load.
        server, http_client: globs that select stacks.
        markdown: print Markdown instead of a table for a terminal.

    Raises:
        ConfigurationError: no stack is selected.
    """
    stacks = [one.stack(one.levels) for one in found]
    stacks = [
        stack
        for stack in stacks
        if fnmatch(stack.server, server) and fnmatch(stack.http_client, http_client)
    ]
    if not stacks:
        names = ", ".join(dict.fromkeys(f"{one.first['server']}" for one in found))
        raise ConfigurationError(f"no stack of that name was measured; the servers are {names}")
    answers = [
        (stack, predict(stack, question.users, question.service_s, question.cpus))
        for stack in stacks
    ]
    predicted = [(stack, made) for stack, made in answers if isinstance(made, Prediction)]
    predicted.sort(key=lambda pair: (-pair[1].rps, pair[1].cpu_ms_per_view))
    refused = [(stack, made) for stack, made in answers if isinstance(made, Refusal)]
    lines = [_cells(*pair) for pair in predicted]
    if markdown:
        _print_markdown(console, lines)
    else:
        console.print(f"{question.words}, from {source}", style="bold")
        if lines:
            console.print(_table(lines))
    for note in _notes(question, source if markdown else "", refused):
        console.print(note, style=None if markdown else "dim")
    return DONE if lines else NOTHING


def _cells(stack: Stack, made: Prediction) -> list[str]:
    client = stack.http_client + (f", {stack.axes}" if stack.axes else "")
    return [
        stack.server,
        client,
        f"{made.rps:.1f}",
        f"{made.latency_ms:.0f}",
        f"{made.cpu_share:.0%}",
        f"{made.cpu_ms_per_view:.1f}",
        "–" if made.memory_mib is None else f"{made.memory_mib:.0f}",
        made.bound.by,
    ]


def _table(lines: Sequence[Sequence[str]]) -> Table:
    built = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), pad_edge=False)
    built.add_column("Server and client", overflow="fold")
    for heading in ("Views/s", "Mean (ms)", "CPU", "ms/view", "MiB"):
        built.add_column(heading, justify="right")
    built.add_column("Bound by")
    for server, client, *figures in lines:
        built.add_row(f"{server} {client}", *figures)
    return built


def _print_markdown(console: Console, lines: Sequence[Sequence[str]]) -> None:
    rules = [
        "---" if heading in ("Server", "Client", "Bound by") else "---:" for heading in HEADINGS
    ]
    for cells in (HEADINGS, rules, *lines):
        console.print(f"| {' | '.join(cells)} |", soft_wrap=True)
    console.print()


def _notes(
    question: Question, source: str, refused: Sequence[tuple[Stack, Refusal]]
) -> Iterator[str]:
    if source:
        yield f"{question.words}, from {source}."
    if question.assumption:
        yield question.assumption
    yield MEANS
    for stack, refusal in refused:
        name = ", ".join(filter(None, (stack.server, stack.http_client, stack.axes)))
        yield f"Not predicted: {name}: {_measured_range(refusal, question)}."


def _measured_range(refusal: Refusal, question: Question) -> str:
    at, fewest, most = f"at {question.delay}", refusal.fewest, refusal.most
    if fewest is None:
        return f"{at} its rows speak of no number of users; measure more loads"
    if most is None:
        return f"{at} its rows speak of {fewest} users and more"
    return f"{at} its rows speak of {fewest} {'users' if fewest == most else f'to {most} users'}"
