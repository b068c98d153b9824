"""What scripts/bench says of a run that was killed, on a machine whose docker is a stub."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

# A healthy machine, on which the run ends with exit code 137, as SIGKILL makes it.
DOCKER = """#!/usr/bin/env bash
case "$*" in
    version*) echo 20.10.24 ;;
    *NCPU*) echo 2 ;;
    *DockerRootDir*) echo / ;;
    "compose version"*) echo 2.26.1-4 ;;
    "compose config"*) echo "name: django-lab" ;;
    "buildx version") echo github.com/docker/buildx v0.13.1 ;;
    *Config.Env*) echo '["PYTHON_VERSION=3.13.5"]' ;;
    "image inspect"*) echo sha256:1 ;;
    info*) echo '{' ;;
    "kill "*) exit 1 ;;
    *" run --rm "*) exit 137 ;;
esac
"""

Bench = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """`bench(TEXT)`: scripts/bench in a project of its own, whose lock says TEXT."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "scripts", project / "scripts")
    shutil.copy(PROJECT / ".env", project)
    (project / "results").mkdir()
    stub = tmp_path / "bin" / "docker"
    stub.parent.mkdir()
    stub.write_text(DOCKER)
    stub.chmod(0o755)

    def run(lock: str) -> subprocess.CompletedProcess[str]:
        (project / "results" / ".lock").write_text(lock)
        return subprocess.run(
            [project / "scripts" / "bench", "run", "smoke"],
            env=os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}"},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    return run


def test_a_killed_run_is_named_with_the_command_that_finishes_it(bench: Bench) -> None:
    done = bench("results/20260102T030405Z-smoke since 2026-01-02T03:04:05+00:00\n")

    assert done.returncode == 137, done
    assert done.stderr.splitlines()[-1] == (
        "The run was killed. Its finished trials are in results/20260102T030405Z-smoke/; "
        "to finish it: scripts/bench run --resume results/20260102T030405Z-smoke"
    )


def test_what_was_killed_before_it_measured_is_said_to_be(bench: Bench) -> None:
    done = bench("")

    assert done.returncode == 137, done
    assert done.stderr.splitlines()[-1] == "loadgen was killed before its first trial."
