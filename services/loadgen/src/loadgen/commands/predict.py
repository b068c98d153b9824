"""`loadgen predict`: a load of the reader's own, from the rows of a run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import typer

from loadgen.documents import terminal
from loadgen.documents.document import (
    TERMINAL,
    WIDE,
    Cell,
    Document,
    Section,
    Table,
    TableColumn,
    TableRow,
    Text,
)
from loadgen.documents.markdown import markdown
from loadgen.documents.terminal import print_document
from loadgen.documents.words import UNKNOWN, decimals
from loadgen.errors import ConfigurationError
from loadgen.lab.lab import read_lab
from loadgen.lab.run_folders import HOW_TO_NAME, every, find_run
from loadgen.prediction import accuracy
from loadgen.prediction.measured_stacks import Measured, measured
from loadgen.prediction.stack import Prediction, Refusal, Stack, predict_stack
from loadgen.records.trials_csv import read_rows
from loadgen.runs.run import DONE, FAILED
from loadgen.suites.cases import plain, waits_ms

COLUMNS = (
    TableColumn("Server and client", numeric=False, shown=TERMINAL),
    TableColumn("Server", numeric=False, shown=WIDE),
    TableColumn("Client", numeric=False, shown=WIDE),
    TableColumn("Views/s"),
    TableColumn("Mean (ms)"),
    TableColumn("CPU"),
    TableColumn("CPU/view (ms)"),
    TableColumn("Memory (MiB)"),
    TableColumn("Bound by", numeric=False),
)
MEANS = "These are means, not percentiles. docs/predictions.md says how far off they are."
#: Numbers of users that make a curve.
FEWEST_LOADS = 3
#: More users or CPUs than these are a typing error, and the laws would count to them one by one.
MOST_USERS, MOST_CPUS = 100_000, 1_000


@dataclass(frozen=True)
class Question:
    """A load that nobody measured.

    Attributes:
        users: without think time.
        delays_ms: of the calls of a view.
    """

    users: int
    delays_ms: tuple[float, ...]
    cpus: int

    @property
    def words(self) -> str:
        """The question in words."""
        cpus = "one CPU" if self.cpus == 1 else f"{self.cpus} CPUs"
        delays = "+".join(map(plain, self.delays_ms))
        return f"{self.users} users, an upstream of {delays} ms, {cpus}"

    def service_ms(self, workload: str) -> float:
        """What a view waits at least that makes its calls as this workload does."""
        return round(waits_ms(workload, self.delays_ms), 6)

    @property
    def assumption(self) -> str:
        """What is taken for granted; empty for one CPU, as measured."""
        if self.cpus == 1:
            return ""
        return (
            f"Assumed, not measured: {self.cpus} CPUs with one process each do {self.cpus} times "
            "as much as one, and users spread evenly."
        )


def predict(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help=f"The run to predict from, named {HOW_TO_NAME} Default: the newest run in "
            "results/ that has measured several numbers of users, as the suite users does; else "
            "the newest such run in results/reference/.",
        ),
    ] = None,
    users: Annotated[
        int | None,
        typer.Option(
            "--users",
            min=1,
            max=MOST_USERS,
            help="How many users there are. Each asks again as soon as it is answered.",
        ),
    ] = None,
    delays_ms: Annotated[
        str | None,
        typer.Option(
            "--delays-ms",
            help="How long the upstream takes for each call of a view, separated by commas. Where "
            "the calls are made at once, the longest counts.",
        ),
    ] = None,
    cpus: Annotated[
        int,
        typer.Option(
            "--cpus", min=1, max=MOST_CPUS, help="How many CPUs there are, with a process on each."
        ),
    ] = 1,
    server: Annotated[
        str,
        typer.Option(
            "--server", metavar="GLOB", help="Only servers whose name matches this pattern."
        ),
    ] = "*",
    http_client: Annotated[
        str,
        typer.Option(
            "--http-client", metavar="GLOB", help="Only clients whose name matches this pattern."
        ),
    ] = "*",
    checked: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Instead, predict each load of the run from its other loads, and say how far off "
            "that is.",
        ),
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Say what each stack (server and client) of a run would do under a load of your own."""
    lab = read_lab()
    folder = find_run(lab, run) if run is not None else newest_with_a_curve(every(lab))
    stacks = stacks_of(folder)
    if checked:
        print(markdown(accuracy_document(stacks)), end="")
        return
    if users is None or delays_ms is None:
        raise ConfigurationError("predict needs --users and --delays-ms, or --check")
    question = Question(users, delays_of(delays_ms), cpus)
    document = predictions(stacks, folder.name, question, server=server, http_client=http_client)
    if as_markdown:
        print(markdown(document), end="")
    else:
        print_document(terminal.console(), document)
    raise typer.Exit(DONE if has_answer(document) else FAILED)


def stacks_of(folder: Path) -> list[Measured]:
    """The stacks that a run knows.

    Raises:
        ConfigurationError: the folder is no run, or the run has no row that the laws speak of.
    """
    stacks = measured(read_rows(folder))
    if not stacks:
        raise ConfigurationError(
            f"{folder.name} has nothing to predict from. It takes a ranked trial with a fixed "
            "number of users and without failed requests. Make some with: scripts/bench run users"
        )
    return stacks


def newest_with_a_curve(folders: Iterable[Path]) -> Path:
    """The first run that knows a stack under so many numbers of users that predictions lie between.

    Args:
        folders: runs, as `run_folders.every` gives them; one that cannot be read is passed by.

    Raises:
        ConfigurationError: there is none.
    """
    for folder in folders:
        with suppress(ConfigurationError):
            if any(map(_is_curve, stacks_of(folder))):
                return folder
    raise ConfigurationError(
        f"No run in results/ has measured one stack with {FEWEST_LOADS} or more numbers of users. "
        "Name another run, or make one with: scripts/bench run users"
    )


def _is_curve(stack: Measured) -> bool:
    """Whether it was measured under enough numbers of users at one delay."""
    loads = {(level.service_s, level.users) for level in stack.levels}
    return max(Counter(service_s for service_s, _ in loads).values()) >= FEWEST_LOADS


def delays_of(delays_ms: str) -> tuple[float, ...]:
    """`800`, or `300,600,150`, as numbers: milliseconds.

    Raises:
        ConfigurationError: that is no list of delays.
    """
    try:
        delays = tuple(float(part) for part in delays_ms.split(","))
    except ValueError:
        delays = ()
    if not all(0 <= delay <= 60_000 for delay in delays) or max(delays, default=0.0) < 0.001:
        raise ConfigurationError(
            f"--delays-ms {delays_ms!r}: write milliseconds, from 0.001 to 60000, e.g. 800"
        )
    return delays


def predictions(
    stacks: Sequence[Measured],
    source: str,
    question: Question,
    *,
    server: str = "*",
    http_client: str = "*",
) -> Document:
    """What each stack of a run would do, the most views a second first; globs select stacks.

    Raises:
        ConfigurationError: no stack is selected.
    """
    selected = [
        (stack, question.service_ms(measured.first.text("workload")))
        for measured in stacks
        for stack in (measured.stack(measured.levels),)
        if fnmatch(stack.server, server) and fnmatch(stack.http_client, http_client)
    ]
    if not selected:
        names = ", ".join(dict.fromkeys(measured.first.text("server") for measured in stacks))
        raise ConfigurationError(
            f"no measured stack matches --server {server!r} and --http-client {http_client!r}; "
            f"the servers are {names}"
        )
    answers = [
        (stack, waits, predict_stack(stack, question.users, waits / 1000, question.cpus))
        for stack, waits in selected
    ]
    predicted = [(stack, answer) for stack, _, answer in answers if isinstance(answer, Prediction)]
    predicted.sort(key=lambda pair: (-pair[1].rps, pair[1].cpu_ms_per_view))
    refused = [
        (stack, _measured_range(answer, waits))
        for stack, waits, answer in answers
        if isinstance(answer, Refusal)
    ]
    rows = [TableRow(tuple(_cells(*pair))) for pair in predicted]
    notes = Text(list(_notes(question, refused)), "note")
    heading = f"{question.words}, from {source}"
    return Document(heading, (), [Section("predictions", "", [Table("", COLUMNS, rows), notes])])


def _cells(stack: Stack, prediction: Prediction) -> Iterator[Cell]:
    client = ", ".join(filter(None, (stack.http_client, stack.axes)))
    yield f"{stack.server} {client}"
    yield stack.server
    yield client
    yield decimals(prediction.rps, 1)
    yield decimals(prediction.latency_ms, 0)
    yield f"{prediction.cpu_share:.0%}"
    yield decimals(prediction.cpu_ms_per_view, 1)
    yield decimals(prediction.memory_mib, 0)
    yield prediction.bound.by


def has_answer(document: Document) -> bool:
    """Whether something could be predicted."""
    blocks = (block for section in document.sections for block in section.blocks)
    return any(isinstance(block, Table) and block.rows for block in blocks)


def _notes(question: Question, refused: Sequence[tuple[Stack, str]]) -> Iterator[str]:
    if question.assumption:
        yield question.assumption
    yield MEANS
    for stack, reason in refused:
        client = ", ".join(filter(None, (stack.http_client, stack.axes)))
        yield f"Not predicted: {stack.server} ({client}). {reason}."


def _measured_range(refusal: Refusal, service_ms: float) -> str:
    delay, fewest, most = f"a delay of {plain(service_ms)} ms", refusal.fewest, refusal.most
    if fewest is None:
        return f"No measured load fits {delay}"
    can = f"With {delay} it can be predicted for"
    if most is None:
        return f"{can} {fewest} users and more"
    return f"{can} {fewest} {'users' if fewest == most else f'to {most} users'}"


def accuracy_document(stacks: Sequence[Measured]) -> Document:
    """How far off predictions are, of each load of a run from its others.

    Raises:
        ConfigurationError: no load can be predicted so.
    """
    checked = accuracy.accuracy_of(stacks)
    bands = {
        band: [load for load in checked.loads if holds(load.level.utilisation)]
        for band, holds in accuracy.BANDS.items()
    }
    throughput = Table(
        "",
        (
            TableColumn("CPU busy", numeric=False),
            *map(TableColumn, ("Loads", "This law", "With CPU time alone", "Plain bounds")),
        ),
        [
            TableRow(
                (
                    band,
                    str(len(loads)),
                    _error(load.law for load in loads),
                    _error(load.cpu_alone for load in loads),
                    _error(load.bounds for load in loads),
                )
            )
            for band, loads in bands.items()
        ],
    )
    resources = Table(
        "",
        (TableColumn("CPU busy", numeric=False), TableColumn("CPU/view"), TableColumn("Memory")),
        [
            TableRow(
                (band, _error(load.cpu for load in loads), _error(load.memory for load in loads))
            )
            for band, loads in bands.items()
        ],
    )
    count = len(checked.loads) + checked.refused
    words = f"Not predicted: {checked.refused} of {count} loads, which lie outside the others of "
    words += "their stack."
    return Document("", (), [Section("accuracy", "", [throughput, resources, Text([words])])])


def _error(errors: Iterable[float | None]) -> str:
    """Mean and largest of those that are known, without their signs: `3.7 % (9.5 %)`."""
    sizes = [abs(error) for error in errors if error is not None]
    if not sizes:
        return UNKNOWN
    return f"{sum(sizes) / len(sizes):.1%} ({max(sizes):.1%})".replace("%", " %")
