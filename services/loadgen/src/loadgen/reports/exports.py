"""What other programs read of a run; every exporter is in EXPORTERS."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loadgen.errors import unwritable
from loadgen.findings.earlier_run import Run
from loadgen.records.files import replace_text
from loadgen.reports import github_action_benchmark
from loadgen.reports.run_report import markdown_report

#: A run → the text of each file, by its name.
type Exporter = Callable[[Run], Mapping[str, str]]


def markdown_files(run: Run) -> Mapping[str, str]:
    """One file: what `report --markdown` prints."""
    return {"report.md": markdown_report(run.suites, run.rows)}


EXPORTERS: Sequence[Exporter] = (github_action_benchmark.files, markdown_files)


def write_exports(run: Run, folder: Path) -> list[Path]:
    """Write what every exporter makes of a run; the files.

    Args:
        run: what is exported.
        folder: where to; made where it is missing.

    Raises:
        ConfigurationError: it cannot be written.
    """
    written = []
    try:
        folder.mkdir(exist_ok=True)
        for files in EXPORTERS:
            for name, text in files(run).items():
                replace_text(folder / name, text)
                written.append(folder / name)
    except OSError as error:
        raise unwritable(error) from error
    return written
