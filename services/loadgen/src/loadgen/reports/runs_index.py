"""results/index.html: the runs of the folder, the newest first, and how cases did from run to run.

Of a run it reads environment.json and summary.csv alone, so that hundreds of runs take a second.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loadgen.documents.document import (
    PAGE,
    Block,
    Cell,
    Code,
    Document,
    Link,
    Outcome,
    Section,
    Table,
    TableColumn,
    TableRow,
    Text,
    Trend,
    of_words,
)
from loadgen.documents.html import html
from loadgen.documents.run_material import material
from loadgen.documents.words import UNKNOWN, count_of, decimals, times
from loadgen.errors import ConfigurationError
from loadgen.findings.earlier_run import read_run
from loadgen.lab.lab import Lab
from loadgen.lab.run_folders import REFERENCE, RESULTS, runs_in
from loadgen.records import environment
from loadgen.records.files import replace_text
from loadgen.reports.kept_answer import Answer, keep_answer, kept_answer
from loadgen.reports.run_report import PAGE_FILE

INDEX_FILE = "index.html"
#: Runs of before answers were kept are read again, a few each time: one takes a tenth of a second.
MOST_READ_AGAIN = 20
#: A small line has room for so many runs, the last ones.
MOST_IN_TREND = 40
COMPARISON_PAGE = "compare.html"
RUNS = of_words("Run", "Date", "Question", "Answer", "Machine", "Commit", "Outcome")
CASES = (
    TableColumn("Case", numeric=False),
    TableColumn("Runs"),
    TableColumn("First to last", numeric=False),
    TableColumn("Last (views/s)"),
    TableColumn("Last / the one before"),
)


@dataclass(frozen=True)
class _ListedRun:
    """A run of the folder, as far as it can be read.

    Attributes:
        environment: of environment.json; empty where it cannot be read.
        trouble: why that cannot be read; None: it can.
        rps: views/s by case, over rounds; of a run that has not ended: nothing.
    """

    folder: Path
    environment: Mapping[str, Any]
    trouble: Outcome | None
    rps: Mapping[str, float]

    @property
    def machine(self) -> str:
        return str(self.environment.get("cpu_model") or self.environment.get("architecture") or "")

    @property
    def place(self) -> tuple[str, str]:
        """What runs of one machine share: its CPU, and which of them has which role."""
        return self.machine, str(self.environment.get("cpu_sets"))


def write_index(lab: Lab) -> Path:
    """Write results/index.html; what is no run, or cannot be read, is listed as such.

    Raises:
        OSError: results/ cannot be written.
    """
    runs = [_listed(folder) for folder in runs_in(lab.results)]
    replace_text(lab.results / INDEX_FILE, html(index_document(lab, runs), "Runs"))
    return lab.results / INDEX_FILE


def index_document(lab: Lab, runs: Sequence[_ListedRun]) -> Document:
    """The runs, the cases that several of them have, and what else is in the folder."""
    return Document(
        heading="The runs of results/",
        facts=[count_of(len(runs), "run")],
        sections=[
            Section("runs", "Runs", list(_runs(lab, runs))),
            Section("cases", "Cases from run to run", list(_cases(runs))),
            Section("others", "Other folders", list(_others(lab, runs))),
        ],
    )


def _listed(folder: Path) -> _ListedRun:
    try:
        described = environment.read(folder)
    except ConfigurationError as error:
        return _ListedRun(folder, {}, _unreadable(folder, error), {})
    return _ListedRun(folder, described, None, _rps(folder))


def _rps(folder: Path) -> dict[str, float]:
    """The mean views/s of each case, of summary.csv; of one that is missing or is none: nothing."""
    try:
        with (folder / "summary.csv").open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        return {line["case"]: float(line["rps"]) for line in lines if line["rps"]}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return {}


# ------------------------------------------------------------------------------------------ runs


def _runs(lab: Lab, runs: Sequence[_ListedRun]) -> Iterator[Block]:
    read_again = 0
    rows = []
    for run in runs:
        answer: Answer | Outcome | None = run.trouble or kept_answer(run.environment)
        if not answer and run.environment.get("finished_at") and read_again < MOST_READ_AGAIN:
            read_again += 1
            answer = _worked_out(lab, run.folder)
        rows.append(_row(run, answer))
    if not rows:
        yield Text(["There are no runs yet."])
        return
    caption = "The newest first. A run leads to its report."
    yield Table(caption, RUNS, rows, filtered="runs", shown=PAGE)


def _worked_out(lab: Lab, folder: Path) -> Answer | Outcome:
    """The answer of a run that has not kept it; or why it is not known."""
    try:
        return keep_answer(material(read_run(lab, folder.name)))
    except Exception as error:  # a folder may hold anything, and one is not to cost the list
        return _unreadable(folder, error)


def _unreadable(folder: Path, error: Exception) -> Outcome:
    """Why a run cannot be read, without where its folder is for us."""
    words = str(error).replace(f"{folder}/", "").removeprefix(f"{folder} ")
    kind = "" if isinstance(error, ConfigurationError) else f"{type(error).__name__}: "
    return Outcome(f"{kind}{words}", "bad")


def _row(run: _ListedRun, answer: Answer | Outcome | None) -> TableRow:
    """A line; in the place of an answer may stand why there is none."""
    described, name = run.environment, run.folder.name
    has_page = (run.folder / PAGE_FILE).is_file()
    began, commit, outcome = (
        str(described.get(key) or "") for key in ("started_at", "git_commit", "outcome")
    )
    return TableRow(
        (
            Link(name, _address(name, PAGE_FILE)) if has_page else name,
            began[:10] or UNKNOWN,
            answer.question if isinstance(answer, Answer) else _asked(described),
            answer.words if isinstance(answer, Answer) else answer or UNKNOWN,
            run.machine or UNKNOWN,
            Code(commit[:7]) if commit else UNKNOWN,
            Outcome(outcome, "good" if outcome == environment.FINISHED else "bad")
            if outcome
            else UNKNOWN,
        )
    )


def _asked(described: Mapping[str, Any]) -> str:
    """The names of a run's suites, where its environment has any."""
    match described.get("arguments"):
        case {"suites": [*suites]}:
            return ", ".join(map(str, suites))
    return UNKNOWN


# ----------------------------------------------------------------------------------------- cases


def _cases(runs: Sequence[_ListedRun]) -> Iterator[Block]:
    """Cases that several runs of the machine of the newest one have."""
    readable = [run for run in runs if not run.trouble]
    if not readable:
        return
    here = [run for run in readable if run.place == readable[0].place]
    values: dict[str, list[float]] = {}
    for run in reversed(here):
        for case, rps in run.rps.items():
            values.setdefault(case, []).append(rps)
    again = {case: found for case, found in values.items() if len(found) > 1}
    if not again:
        yield Text([f"No case has been measured twice on {readable[0].machine} yet."])
        return
    newest_first = dict.fromkeys(case for run in here for case in run.rps if case in again)
    rows = [_case_row(case, again[case]) for case in newest_first]
    caption = (
        f"Views/s of each case that several runs on {readable[0].machine} have, run by run, the "
        "newest at the right. The machine may have changed between two runs. Take a difference as "
        "a reason to measure."
    )
    yield Table(caption, CASES, rows, filtered="cases", shown=PAGE)


def _case_row(case: str, values: Sequence[float]) -> TableRow:
    last, before = values[-1], values[-2]
    cells: tuple[Cell, ...] = (
        Code(case),
        str(len(values)),
        Trend(tuple(values[-MOST_IN_TREND:]), 1),
        decimals(last, 1),
        times(last / before) if before else UNKNOWN,
    )
    return TableRow(cells)


# ---------------------------------------------------------------------------------------- others


def _others(lab: Lab, runs: Sequence[_ListedRun]) -> Iterator[Block]:
    """Folders of the reader's, or of the lab's that are no runs, such as comparisons."""
    known = {run.folder.name for run in runs} | {REFERENCE.name}
    folders = sorted(
        folder
        for folder in lab.results.iterdir()
        if folder.name not in known and not folder.name.startswith(".") and folder.is_dir()
    )
    if not folders:
        return
    rows = [TableRow((_to_page(folder),)) for folder in folders]
    yield Table(f"What else is in {RESULTS}/.", of_words("Folder"), rows, shown=PAGE)


def _to_page(folder: Path) -> Cell:
    for name in (PAGE_FILE, COMPARISON_PAGE):
        if (folder / name).is_file():
            return Link(folder.name, _address(folder.name, name))
    return folder.name


def _address(folder: str, page: str) -> str:
    """Of a page in a folder beside the list; suites are joined by a plus, which means itself."""
    return f"{quote(folder, safe='+')}/{page}"
