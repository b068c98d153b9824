"""Runs in which something goes wrong, in a lab of the tests' own."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from engine import Engine
from lab import POLL_S, ROOT, Compose, output_of
from runs import Finished, Run, folder_in
from scratch.scratch_lab import SOMEBODY, ScratchLab


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


class Ended(NamedTuple):
    """A run in the scratch lab that has ended: exit code, output, folder."""

    code: int
    output: str
    run: Run


def run_while(
    lab: ScratchLab,
    *words: str,
    then: Callable[[str], None],
    when: str = "p50",
    mounts: tuple[str, ...] | None = None,
    results: Path | None = None,
) -> Ended:
    """`loadgen run …` in the scratch lab, with something done to it while it runs.

    Args:
        lab: the scratch lab.
        words: after `run`.
        then: is told the name of loadgen's container once a line contains `when`.
        when: by default the line of the first trial, after which the second begins.
        mounts, results: where not those of the lab.
    """
    name = f"{os.environ['COMPOSE_PROJECT_NAME']}-in-trouble"
    options = ["--rm", "-T", "--name", name, *(mounts or lab.mounts)]
    with subprocess.Popen(
        ["docker", "compose", "run", *options, "loadgen", "run", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        output = output_of(process, when, lambda: then(name))
    folder = (results or lab.results) / newest(results or lab.results)
    return Ended(process.returncode, output, Run(folder))


def newest(results: Path) -> str:
    """The run that began last; its name begins with the time, which no other folder's does."""
    return max(path.name for path in results.iterdir() if path.name[0].isdecimal())


def await_second_trial(results: Path) -> None:
    """Until the run that began last says that it is at its second trial."""
    deadline = time.monotonic() + 30
    while Run(results / newest(results)).environment["outcome"] != "unfinished: at trial 2 of 2":
        assert time.monotonic() < deadline, "the second trial did not begin within 30 s"
        time.sleep(POLL_S)


def resume(compose: Compose, ended: Ended, *mounts: str) -> subprocess.CompletedProcess[str]:
    """Finish a run."""
    folder = f"results/{ended.run.folder.name}"
    return compose("run", "--rm", "-T", *mounts, "loadgen", "run", "--resume", folder)


def assert_finished(done: subprocess.CompletedProcess[str], run: Run) -> None:
    """Both trials of the run are measured, with their samples."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(row["position"], row["outcome"]) for row in run.rows] == [
        ("1", "measured"),
        ("2", "measured"),
    ]
    assert all(run.samples(row) for row in run.rows)
    assert len(run.summary) == 2
    assert run.environment["outcome"] == "finished"
    assert len(run.environment["sessions"]) == 2


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    with made.http:
        yield made


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_keeps_what_is_finished_and_says_so(
    scratch_lab: ScratchLab, engine: Engine, signal: str
) -> None:
    def interrupt(name: str) -> None:
        await_second_trial(scratch_lab.results)
        engine.signal(name, signal)

    code, output, run = run_while(scratch_lab, "steady", then=interrupt)

    assert code == 130, output
    assert [row["outcome"] for row in run.rows] == ["measured"]
    assert run.samples(run.rows[0])
    assert len(run.summary) == 1
    assert run.environment["outcome"] == "interrupted at trial 2 of 2"
    assert "Interrupted: 1 of 2 trials" in output
    assert f"run --resume results/{run.folder.name}" in output.splitlines()[-1]


@pytest.fixture(scope="module")
def deaths(compose: Compose, scratch_lab: ScratchLab) -> Iterator[Finished]:
    """A run of three servers, of which one kills itself and one takes too much memory."""
    up = compose(*scratch_lab.files, "up", "--detach", "--no-deps", "mortal", "greedy")
    assert up.returncode == 0, up.stderr
    deaths = ("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "deaths")
    done = compose(*deaths)
    if "launcher-lost" in done.stdout:
        # While the server that the kernel has killed still gives back its memory, the kernel may
        # kill the launcher too.
        compose(*scratch_lab.files, "up", "--detach", "--no-deps", "mortal", "greedy")
        done = compose(*deaths)
    yield Finished(done, Run(scratch_lab.results / folder_in(done.stdout + done.stderr)))
    compose(*scratch_lab.files, "rm", "--force", "--stop", "mortal", "greedy")


def test_a_server_that_is_killed_costs_its_trial_and_no_other(deaths: Finished) -> None:
    assert deaths.done.returncode == 1, deaths.done.stdout + deaths.done.stderr
    assert [(row["server"], row["outcome"]) for row in deaths.run.rows] == [
        ("mortal", "server-died"),
        ("greedy", "out-of-memory"),
        ("uvicorn", "measured"),
    ], deaths.done.stdout
    assert deaths.run.environment["outcome"] == "2 of 3 trials failed"


def test_a_server_that_is_killed_is_told_with_its_end_and_its_last_words(deaths: Finished) -> None:
    output = deaths.done.stdout

    assert "server-died: the server ended with exit code 137 (signal 9)" in output
    assert "    | some last words" in output


def test_a_server_without_memory_is_told_with_its_limit(deaths: Finished) -> None:
    told = "out-of-memory: the kernel killed the server, which went over its memory limit of 300"

    assert told in deaths.done.stdout


# Kills the API's own process, not the container's first: so it is restarted, as after a crash.
KILL_API = """
import os
for name in filter(str.isdecimal, os.listdir("/proc")):
    with open(f"/proc/{name}/cmdline", "rb") as stream:
        if stream.read().split(b"\\0")[1:3] == [b"-m", b"upstream"]:
            os.kill(int(name), 9)
"""


def test_an_api_that_is_killed_costs_its_trial_and_is_waited_for(
    compose: Compose, scratch_lab: ScratchLab, api: httpx.Client
) -> None:
    def kill_under_load(_name: str) -> None:
        deadline = time.monotonic() + 30
        while api.get("/-/stats").json()["in_flight"] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(2)  # the warm-up is 1 s, the window 6 s
        # Not waited for: its container ends with the API, perhaps before it.
        done = compose("exec", "--detach", "api", "python", "-c", KILL_API)
        assert done.returncode == 0, done.stderr

    # The self-check is over, which the API would survive: it is tried again.
    code, output, run = run_while(scratch_lab, "calling", then=kill_under_load, when="self-check:")

    assert code == 1, output
    first, second = (row["outcome"] for row in run.rows)
    assert first in ("api-lost", "api-restarted"), output
    assert second == "measured", output
    assert run.rows[1]["failures"] == "0"
    assert run.environment["outcome"] == "1 of 2 trials failed"


def test_a_killed_run_keeps_its_rows_holds_nobody_up_and_can_be_finished(
    compose: Compose, scratch_lab: ScratchLab, engine: Engine
) -> None:
    def look() -> subprocess.CompletedProcess[str]:
        lock, deadline = scratch_lab.results / ".lock", time.monotonic() + 60
        while "since" not in lock.read_text() and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return compose("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "steady")

    def kill(name: str) -> None:
        refused.exception()  # it has looked by now, or is waited for
        await_second_trial(scratch_lab.results)
        engine.signal(name, "SIGKILL")

    with ThreadPoolExecutor() as beside:
        refused = beside.submit(look)
        ended = run_while(scratch_lab, "lasting", then=kill)

    assert refused.result().returncode == 2, refused.result()
    assert f"a run is under way: results/{ended.run.folder.name} since" in refused.result().stderr
    assert ended.code == 137, ended.output
    assert [row["outcome"] for row in ended.run.rows] == ["measured"]
    assert ended.run.environment["outcome"] == "unfinished: at trial 2 of 2"
    assert_finished(resume(compose, ended, *scratch_lab.mounts), ended.run)


def test_a_full_disk_ends_the_run_and_what_it_has_can_be_finished(
    compose: Compose, scratch_lab: ScratchLab
) -> None:
    filler = scratch_lab.small / "filler"

    def fill(_name: str) -> None:
        await_second_trial(scratch_lab.small)
        with suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass

    mounts = scratch_lab.results_on("small")
    ended = run_while(scratch_lab, "steady", then=fill, mounts=mounts, results=scratch_lab.small)
    lines = ended.output.splitlines()

    assert ended.code == 1, ended.output
    assert [row["outcome"] for row in ended.run.rows] == ["measured"]
    assert ended.run.environment["outcome"] == "unfinished: at trial 2 of 2"
    assert lines[-2].startswith("results/ is full: 1 of 2 trials are in results/"), ended.output
    assert lines[-1].endswith(f"run --resume results/{ended.run.folder.name}")
    filler.unlink()
    assert_finished(resume(compose, ended, *mounts), ended.run)


def test_results_that_are_read_only_are_refused_before_anything_is_measured(
    compose: Compose, scratch_lab: ScratchLab
) -> None:
    mounts = scratch_lab.results_on("results", "ro")
    done = compose("run", "--rm", "-T", *mounts, "loadgen", "run", "steady")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "results/ cannot be written (Read-only file system)" in done.stderr
