"""`list`: the suites that there are."""

from rich.table import Table

from loadgen.documents import terminal
from loadgen.lab.lab import Lab, read_lab
from loadgen.runs.budget import in_time
from loadgen.runs.outlook import usual_count, usual_time
from loadgen.runs.plan import Plan
from loadgen.suites.load_suites import load_suites
from loadgen.suites.read_suite import read_suite, suite_names
from loadgen.suites.suite_file import SuiteFile


def list_suites() -> None:
    """List the suites: how many trials, how long, which question."""
    lab = read_lab()
    table = Table(box=None, pad_edge=False)
    for heading in ("Suite", "Trials", "Time", "Question"):
        table.add_column(heading)
    files = {name: read_suite(lab.suite_files, name) for name in suite_names(lab.suite_files)}
    for name, file in files.items():
        if not file.self_test:
            table.add_row(*_cells(lab, name, file))
    table.add_row()
    table.add_row("", "", "", "Suites that test the lab itself:", style="bold")
    for name, file in files.items():
        if file.self_test:
            table.add_row(*_cells(lab, name, file))
    terminal.console().print(table)


def _cells(lab: Lab, name: str, file: SuiteFile) -> tuple[str, str, str, str]:
    """A suite's name, trials, time and question."""
    suites = in_time(load_suites(lab, name), lab.servers).suites
    trials = Plan(suites, lab.servers, None, seed=0, ordered=False).certain()
    return name, str(usual_count(trials)), usual_time(trials), file.question
