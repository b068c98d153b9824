"""Fixtures of the end-to-end tests: runs of loadgen, and a lab of the tests' own for some."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lab import ROOT
from runs import Run, folder_in

Compose = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def loadgen(compose: Compose) -> Compose:
    """`loadgen("run", "smoke")`: as `docker compose run --rm loadgen …` gives it."""

    def run(*arguments: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "loadgen", *arguments)

    return run


@dataclass(frozen=True)
class Finished:
    """A run that has ended, with what it printed."""

    done: CompletedProcess[str]
    run: Run


@pytest.fixture(scope="session")
def smoke(loadgen: Compose) -> Finished:
    """One run of the suite `smoke`, into the project's results/."""
    done = loadgen("run", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(done, Run(ROOT / "results" / folder_in(done.stdout)))


SUITE = """
question = "Does a run do what it should where something goes wrong?"
warm_up_s = 1
window_s = 3
drain_s = 2

[defaults]
delays_ms = [50]
workload = "single"
http_client = "no-http"
users = 2

[[cases]]
server = {servers}
"""

OVERRIDE = """
services:
  broken:
    extends: {file: compose.yaml, service: uvicorn}
    command: [uvicorn, "consumer.asgi:no_such_thing", --port, "8000"]
    labels: {lab.title: "Its command is wrong"}
  absent:
    extends: {file: compose.yaml, service: uvicorn}
    labels: {lab.title: "Nobody starts it"}
"""


# Who owns the scratch results: nobody that the image of loadgen knows.
SOMEBODY = 12345


@dataclass(frozen=True)
class ScratchLab:
    """A copy of the project with servers and suites of its own, in volumes of the tests service.

    Its containers are those of the lab under test; only loadgen reads another project folder.

    Attributes:
        project, results: where the tests see the volumes.
        mounts: options of `docker compose run` that put them into loadgen.
        files: options of `docker compose` that add its servers.
    """

    project: Path
    results: Path
    mounts: tuple[str, ...]
    files: tuple[str, ...]


@pytest.fixture(scope="session")
def scratch_lab() -> ScratchLab:
    """The servers `broken` and `absent`, and the suites `broken`, `absent` and `steady`."""
    project, results = Path("/scratch/lab"), Path("/scratch/results")
    copied = ("compose.yaml", ".env", "services/loadgen/suites", "services/app/src")
    for name in copied:
        source, copy = ROOT / name, project / name
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)
    os.chown(results, SOMEBODY, SOMEBODY)
    (project / "compose.override.yaml").write_text(OVERRIDE)
    suites = project / "services/loadgen/suites"
    (suites / "broken.toml").write_text(SUITE.format(servers='["broken", "uvicorn"]'))
    (suites / "absent.toml").write_text(SUITE.format(servers='["absent"]'))
    (suites / "steady.toml").write_text(SUITE.format(servers='["uvicorn", "uwsgi-2-threads"]'))

    volumes = f"{os.environ['COMPOSE_PROJECT_NAME']}_scratch"
    own_files = [*os.environ["COMPOSE_FILE"].split(":"), str(project / "compose.override.yaml")]
    return ScratchLab(
        project=project,
        results=results,
        mounts=(f"--volume={volumes}-lab:/lab:ro", f"--volume={volumes}-results:/results"),
        files=tuple(option for file in own_files for option in ("--file", file)),
    )
