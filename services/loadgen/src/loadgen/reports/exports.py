"""What other programs read of a run."""

from pathlib import Path

from loadgen.documents.run_material import for_text
from loadgen.errors import unwritable
from loadgen.findings.earlier_run import Run
from loadgen.records.files import replace_text
from loadgen.reports import github_action_benchmark
from loadgen.reports.run_report import markdown_report


def write_exports(run: Run, folder: Path) -> list[Path]:
    """Write a run for other programs, into a folder that is made where it is missing; the files.

    Raises:
        ConfigurationError: it cannot be written.
    """
    texts = dict(github_action_benchmark.files(run))
    texts["report.md"] = markdown_report(for_text(run))  # as `report --markdown` prints it
    try:
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            replace_text(folder / name, text)
    except OSError as error:
        raise unwritable(error) from error
    return [folder / name for name in texts]
