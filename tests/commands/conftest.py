"""Fixtures of the tests of commands that measure nothing: no server of the lab is up for them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

type Loadgen = Callable[..., CompletedProcess[str]]

RESULTS = Path("/scratch/results")
"""Where the tests see what commands write: a results/ of the tests' own."""


def docker(*words: str) -> CompletedProcess[str]:
    """`docker …`, with its output captured."""
    return subprocess.run(
        ["docker", *words], check=False, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="session")
def loadgen(compose: Callable[..., CompletedProcess[str]]) -> Iterator[Loadgen]:
    """`loadgen("list")`: as `docker compose run --rm loadgen …` gives it, all by one container."""
    project, worker = os.environ["COMPOSE_PROJECT_NAME"], os.environ.get("PYTEST_XDIST_WORKER", "")
    name = f"{project}-commands{worker}"
    options = ["--volume", f"{project}_scratch-results:/results", "--entrypoint", "sleep"]
    up = compose("run", "--detach", "--no-deps", "--name", name, *options, "loadgen", "infinity")
    assert up.returncode == 0, up.stderr

    def run(*words: str) -> CompletedProcess[str]:
        return docker("exec", name, "/srv/entrypoint.sh", *words)

    yield run
    docker("rm", "--force", name)
