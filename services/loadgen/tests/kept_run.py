"""The folder of a run that nobody has measured, and what any table of a run says."""

import csv
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loadgen.lab.lab import SUITES
from loadgen.records.columns import Row
from loadgen.records.trials_csv import write_table

ENVIRONMENT: dict[str, Any] = {
    "arguments": {"suites": ["again"], "servers": "*", "only": "*", "rounds": 5, "seed": 1},
    "outcome": "finished",
    "started_at": "2026-01-02T03:04:05+00:00",
    "finished_at": "2026-01-02T03:09:05+00:00",
    "cpu_model": "A CPU",
    "architecture": "x86_64",
    "kernel": "6.1",
    "cpu_sets": {"app": [0], "api": [1], "loadgen": [1]},
    "storage_driver": "overlay",
    "git_commit": "1" * 40,
    "host": {},
    "python": "3.13.5",
    "loadgen_packages": {"locust": "2.46"},
    "app_packages": {"Django": "5.2", "uvicorn": "0.40"},
    "servers": {"uvicorn": {"command": ["uvicorn", "consumer.asgi:application"]}},
}


def keep_run(folder: Path, project: Path, rows: Iterable[Row], **environment: Any) -> None:
    """Make a run's folder: its rows, and copies of the project's suites and servers."""
    shutil.copytree(project / SUITES, folder / "suites")
    for file in project.glob("compose*.yaml"):
        shutil.copy(file, folder)
    (folder / "environment.json").write_text(json.dumps(ENVIRONMENT | environment))
    write_table(folder / "trials.csv", rows)


def lines_of(file: Path) -> list[dict[str, str]]:
    """The lines of a table, as texts by column."""
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))
