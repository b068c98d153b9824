"""The tables of a run as Markdown, for a pull request or a README."""

from collections.abc import Mapping

from loadgen.findings.earlier_run import Run
from loadgen.topics.tables import all_markdown


def files(run: Run) -> Mapping[str, str]:
    """One file: what `report --markdown` prints."""
    return {"report.md": "\n\n".join(all_markdown(run.suites, run.rows)) + "\n"}
