"""Fixtures of the end-to-end tests: runs of loadgen."""

from subprocess import CompletedProcess

import pytest

from lab import ROOT, Compose
from runs import Finished, Run, folder_in


@pytest.fixture(scope="session")
def loadgen(compose: Compose) -> Compose:
    """`loadgen("run", "smoke")`: as `docker compose run --rm loadgen …` gives it: the lab is up."""

    def run(*arguments: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "--no-deps", "loadgen", *arguments)

    return run


@pytest.fixture(scope="session")
def smoke(loadgen: Compose) -> Finished:
    """One run of the suite `smoke`, into the project's results/."""
    done = loadgen("run", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(done, Run(ROOT / "results" / folder_in(done.stdout)))
