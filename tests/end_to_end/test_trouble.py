"""Runs in which something goes wrong, in a lab of the tests' own."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from end_to_end.conftest import SOMEBODY, Compose, Finished, ScratchLab
from engine import Engine
from lab import ROOT
from runs import Run, folder_in


@pytest.fixture(scope="module")
def run_with_a_broken_server(compose: Compose, scratch_lab: ScratchLab) -> Iterator[Finished]:
    """A run of two servers, of which one has a wrong command."""
    up = compose(*scratch_lab.files, "up", "--detach", "--no-deps", "broken")
    assert up.returncode == 0, up.stderr
    done = compose("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "broken")
    yield Finished(done, Run(scratch_lab.results / folder_in(done.stdout + done.stderr)))
    compose(*scratch_lab.files, "rm", "--force", "--stop", "broken")


def test_a_server_that_does_not_start_costs_its_trial_and_no_other(
    run_with_a_broken_server: Finished,
) -> None:
    done, run = run_with_a_broken_server.done, run_with_a_broken_server.run

    assert done.returncode == 1, done.stdout + done.stderr
    assert [(row["server"], row["outcome"]) for row in run.rows] == [
        ("broken", "server-did-not-start"),
        ("uvicorn", "measured"),
    ]
    assert run.rows[0]["rps"] == ""
    assert float(run.rows[1]["rps"]) > 0
    assert run.environment["outcome"] == "1 of 2 trials failed"


def test_a_server_that_does_not_start_is_named_with_its_last_lines(
    run_with_a_broken_server: Finished,
) -> None:
    output = run_with_a_broken_server.done.stdout

    assert re.search(r'^ +\| .*Attribute "no_such_thing" not found', output, re.MULTILINE), output
    assert "1 of 2 trials could not be measured: broken" in output


def test_files_belong_to_whoever_owns_the_folder(run_with_a_broken_server: Finished) -> None:
    folder = run_with_a_broken_server.run.folder
    made = [folder, *folder.rglob("*")]

    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(SOMEBODY, SOMEBODY)}


def test_a_declared_server_that_is_not_up_is_named_with_the_command_that_starts_it(
    compose: Compose, scratch_lab: ScratchLab
) -> None:
    done = compose("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "absent")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "docker compose up -d absent" in done.stderr


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_keeps_what_is_finished_and_says_so(
    scratch_lab: ScratchLab, signal: str
) -> None:
    name = f"{os.environ['COMPOSE_PROJECT_NAME']}-interrupted"
    options = ["--rm", "-T", "--name", name, *scratch_lab.mounts]
    output = ""
    engine = Engine()
    with (
        engine.http,
        subprocess.Popen(
            ["docker", "compose", "run", *options, "loadgen", "run", "steady"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            output += line
            if line.startswith("[1/2]") and "p50" in line:
                engine.signal(name, signal)
    run = Run(scratch_lab.results / folder_in(output))

    assert process.returncode == 130, output
    assert [row["outcome"] for row in run.rows] == ["measured"]
    assert run.samples(run.rows[0])
    assert len(run.summary) == 1
    assert run.environment["outcome"] == "interrupted at trial 2 of 2"
    assert "Interrupted: 1 of 2 trials" in output
