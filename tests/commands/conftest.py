"""Fixtures of the tests of commands that measure nothing: no server of the lab is up for them."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

type Loadgen = Callable[..., CompletedProcess[str]]

RESULTS = Path("/scratch/results")
"""Where the tests see what `writing` has written."""


@pytest.fixture(scope="session")
def loadgen(compose: Callable[..., CompletedProcess[str]]) -> Loadgen:
    """`loadgen("list")`: as `docker compose run --rm loadgen …` gives it."""

    def run(*words: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "--no-deps", "loadgen", *words)

    return run


@pytest.fixture(scope="session")
def writing(compose: Callable[..., CompletedProcess[str]]) -> Loadgen:
    """The same of a command that writes, into a results/ of the tests' own."""
    results = f"--volume={os.environ['COMPOSE_PROJECT_NAME']}_scratch-results:/results"

    def run(*words: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "--no-deps", results, "loadgen", *words)

    return run
