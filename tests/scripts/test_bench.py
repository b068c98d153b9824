"""What scripts/bench starts, and what it says, on a machine whose docker is a stub."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

# A healthy machine, which keeps what it was asked for. A run needs two services and ends with exit
# code 137, as SIGKILL makes it. A test puts a case first.
DOCKER = """#!/usr/bin/env bash
echo "$* COLUMNS=${{COLUMNS:-}}" >>"{asked}"
case "$*" in
    {case}
    version*) echo 20.10.24 ;;
    *NCPU*) echo 2 ;;
    *DockerRootDir*) echo / ;;
    "compose version"*) echo 2.26.1-4 ;;
    "compose config"*) echo "name: django-lab" ;;
    "buildx version") echo github.com/docker/buildx v0.13.1 ;;
    *Config.Env*) echo '["PYTHON_VERSION=3.13.5"]' ;;
    "image inspect"*) echo sha256:1 ;;
    info*) echo '{{' ;;
    "kill "*) exit 1 ;;
    *" loadgen needs"*) printf '%s\\n' api uvicorn ;;
    *" run --rm "*) exit 137 ;;
esac
"""
#: What reads and measures nothing.
READING = ("list", "report", "compare", "export", "predict", "columns")


@dataclass(frozen=True)
class Ended:
    """What scripts/bench left: its exit code, what it said, and what it had docker do."""

    code: int
    stderr: str
    asked: list[str]

    @property
    def started(self) -> list[str]:
        """The services that it started, a line for each time."""
        return [
            line.partition(" up --detach ")[2].rpartition(" COLUMNS=")[0]
            for line in self.asked
            if " up --detach " in line
        ]


Bench = Callable[..., Ended]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """`bench("run", "smoke", lock=TEXT)`: scripts/bench in a project of its own, whose lock says
    TEXT.
    """
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "scripts", project / "scripts")
    shutil.copy(PROJECT / ".env", project)
    (project / "results").mkdir()
    stub, asked = tmp_path / "bin" / "docker", tmp_path / "asked"
    stub.parent.mkdir()

    def run(*words: str, lock: str = "", case: str = "", **environment: str) -> Ended:
        (project / "results" / ".lock").write_text(lock)
        stub.write_text(DOCKER.format(asked=asked, case=case))
        stub.chmod(0o755)
        done = subprocess.run(
            [project / "scripts" / "bench", *words],
            env=os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}"} | environment,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        return Ended(done.returncode, done.stderr, asked.read_text().splitlines())

    return run


def test_a_run_starts_what_loadgen_needs_for_it_and_nothing_besides(bench: Bench) -> None:
    done = bench("run", "smoke", "--servers", "uvicorn")

    assert done.started == ["api uvicorn"]
    asked = [line for line in done.asked if " run --rm " in line]
    assert len(asked) == 2
    assert all(" --no-deps " in line for line in asked)
    assert " loadgen needs run smoke --servers uvicorn " in asked[0]
    assert " loadgen run smoke --servers uvicorn " in asked[1]


def test_without_a_word_loadgen_says_what_the_default_run_needs(bench: Bench) -> None:
    done = bench()

    assert done.started == ["api uvicorn"]
    assert [line for line in done.asked if " loadgen needs COLUMNS=" in line]


@pytest.mark.parametrize("word", READING)
def test_what_only_reads_starts_nothing(bench: Bench, word: str) -> None:
    done = bench(word, "latest")

    assert done.started == []
    assert len([line for line in done.asked if " run --rm " in line]) == 1


def test_wrong_words_end_it_before_anything_is_started(bench: Bench) -> None:
    done = bench("rune", case='*" loadgen needs "*) echo "No such command" >&2; exit 2 ;;')

    assert (done.code, done.started) == (2, [])
    assert done.stderr.splitlines()[-1] == "No such command"
    assert len([line for line in done.asked if " run --rm " in line]) == 1


def test_a_service_that_cannot_be_started_is_named(bench: Bench) -> None:
    done = bench(
        "run", "smoke", case='*" up --detach "*uvicorn) echo "no such image" >&2; exit 1 ;;'
    )

    assert done.code == 2
    assert done.stderr.splitlines()[-2:] == [
        "no such image",
        "uvicorn cannot be started: see above. It is declared in compose.yaml or "
        "compose.override.yaml.",
    ]


def test_a_service_that_has_ended_is_named_once_with_the_end_of_its_log(bench: Bench) -> None:
    ended = '*service=uvicorn*) echo lab-uvicorn-1 ;; "logs --tail"*lab-uvicorn-1) echo boom ;;'
    done = bench("run", "smoke", case=f'{ended} *" loadgen run "*) exit 2 ;;')

    assert done.code == 2
    assert done.stderr.count("uvicorn does not run. Its log ends with:\n  | boom\n") == 1
    assert "api does not run" not in done.stderr


@pytest.mark.parametrize(("given", "width"), [({}, "80"), ({"COLUMNS": "132"}, "132")])
def test_tables_that_go_to_no_terminal_have_80_columns_or_as_many_as_are_asked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], width: str
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    (line,) = [line for line in bench("list", **given).asked if " run --rm " in line]

    assert line.endswith(f" COLUMNS={width}")


def test_a_killed_run_is_named_with_the_command_that_finishes_it(bench: Bench) -> None:
    done = bench(
        "run", "smoke", lock="results/20260102T030405Z-smoke since 2026-01-02T03:04:05+00:00\n"
    )

    assert done.code == 137, done
    assert done.stderr.splitlines()[-1] == (
        "The run was killed. Its finished trials are in results/20260102T030405Z-smoke/. "
        "To finish it: scripts/bench run --resume results/20260102T030405Z-smoke"
    )


def test_what_was_killed_before_it_measured_is_said_to_be(bench: Bench) -> None:
    done = bench("run", "smoke")

    assert done.code == 137, done
    assert done.stderr.splitlines()[-1] == "loadgen was killed before its first trial."
