"""scripts/test runs the parts that it is asked for, on a machine whose docker is a stub."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
IMAGE = "image of the tests"
LAB = ["prepare", IMAGE, "the lab comes up"]
#: The steps of each part, with what it prepares for itself.
STEPS = {
    "lint": [IMAGE, "lint: shell", "lint: Python"],
    "types": [IMAGE, "types: tests"],
    "scripts": [IMAGE, "scripts"],
    "browser": [IMAGE, "browser"],
    "api": ["api: test image", "api: types", "api: unit tests"],
    "app": [
        "app: test image",
        "app: types",
        "app: unit tests",
        "app: unit tests by themselves",
    ],
    "loadgen": ["loadgen: test image", "loadgen: types", "loadgen: unit tests"],
    "beside": ["prepare", IMAGE, "beside"],
    "commands": ["prepare", IMAGE, "commands"],
    "contract": [*LAB, "contract tests"],
    "end-to-end": [*LAB, "end-to-end tests"],
    "scratch": ["prepare", IMAGE, "scratch"],
}
#: What a part runs, by words of the command that only this part gives docker.
COMMANDS = {
    "lint": "shellcheck",
    "types": "cd tests && mypy",
    "scripts": "pytest tests/scripts",
    "browser": "pytest tests/browser",
    "api": "django-lab/api:test",
    "app": "django-lab/app:test",
    "loadgen": "django-lab/loadgen:test",
    "beside": "pytest tests/beside",
    "scratch": "pytest tests/scratch",
    "commands": "pytest --numprocesses 2 --dist loadscope tests/commands",
    "contract": "pytest tests/contract",
    "end-to-end": "pytest tests/end_to_end",
}

# A healthy machine with all images, which keeps what it was asked for. A test puts a case first.
DOCKER = """#!/usr/bin/env bash
echo "$*" >>"{asked}"
case "$*" in
    {case}
    version*) echo 20.10.24 ;;
    *NCPU*) echo 2 ;;
    *DockerRootDir*) echo / ;;
    "compose version"*) echo 2.26.1-4 ;;
    "buildx version") echo github.com/docker/buildx v0.13.1 ;;
    *Config.Env*) echo '["PYTHON_VERSION=3.13.5"]' ;;
esac
"""


@dataclass(frozen=True)
class Ended:
    """What scripts/test left: its exit code, what it printed, and what it had docker do."""

    code: int
    stdout: str
    stderr: str
    asked: str

    @property
    def steps(self) -> list[str]:
        """The headings that it printed."""
        lines = self.stdout.splitlines()
        return [line.removeprefix("== ") for line in lines if line.startswith("== ")]


Test = Callable[..., Ended]


@pytest.fixture
def test(tmp_path: Path) -> Test:
    """`test("--only", "app", case=…)`: scripts/test in a project of its own."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "scripts", project / "scripts")
    shutil.copy(PROJECT / ".env", project)
    for service in (PROJECT / "services").iterdir():
        (project / "services" / service.name).mkdir(parents=True)
    stub, asked = tmp_path / "bin" / "docker", tmp_path / "asked"
    stub.parent.mkdir()
    asked.touch()

    def run(*arguments: str, case: str = "") -> Ended:
        stub.write_text(DOCKER.format(asked=asked, case=case))
        stub.chmod(0o755)
        done = subprocess.run(
            [project / "scripts" / "test", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}"},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        return Ended(done.returncode, done.stdout, done.stderr, asked.read_text())

    return run


def parts_given(asked: str) -> set[str]:
    """The parts whose commands docker was given."""
    return {part for part, words in COMMANDS.items() if words in asked}


def in_order(steps: Sequence[str]) -> list[str]:
    """The same, each where it stands first."""
    return list(dict.fromkeys(steps))


def test_without_a_part_all_of_them_run_cheapest_first(test: Test) -> None:
    done = test()

    assert done.code == 0, done
    before = ["prepare", IMAGE]
    expected = [*before, *(step for part in STEPS.values() for step in part)]
    assert done.steps == in_order(expected)
    assert parts_given(done.asked) == set(STEPS)
    assert done.stdout.splitlines()[-1] == f"{len(done.steps)} passed, 0 failed"


@pytest.mark.parametrize("part", STEPS)
def test_a_part_runs_with_what_it_needs_and_nothing_else(test: Test, part: str) -> None:
    done = test("--only", part)

    assert done.code == 0, done
    assert done.steps == STEPS[part]
    assert parts_given(done.asked) == {part}
    assert ("compose" in done.asked) == ("prepare" in STEPS[part])


@pytest.mark.parametrize(
    "words", [["--only", "api", "lint"], ["--only", "lint", "--only", "api"]], ids=" ".join
)
def test_several_parts_run_in_the_order_of_the_list(test: Test, words: list[str]) -> None:
    assert test(*words).steps == [*STEPS["lint"], *STEPS["api"]]


def test_help_lists_every_part_in_its_order(test: Test) -> None:
    shown = test("--help").stdout

    listed = [line.split()[0] for line in shown.splitlines() if line.startswith("  ")]
    assert listed == list(STEPS)


def test_every_service_is_a_part() -> None:
    assert {service.name for service in (PROJECT / "services").iterdir()} <= set(STEPS)


@pytest.mark.parametrize("words", [["--only", "unit"], ["--only"], ["app"], ["--fast"]])
def test_what_is_no_part_is_refused_with_those_there_are(test: Test, words: list[str]) -> None:
    done = test(*words)

    assert (done.code, done.steps, done.asked) == (2, [], "")
    assert all(part in done.stderr for part in STEPS)


def test_a_machine_without_a_base_image_is_prepared_first(test: Test) -> None:
    nothing = '"image inspect python"* | "image inspect django-lab/base"*) exit 1 ;;'

    assert test("--only", "api", case=nothing).steps[0] == "prepare"


def test_a_step_that_fails_is_named_and_the_others_run(test: Test) -> None:
    done = test("--only", "app", case='*"--entrypoint mypy"*) exit 1 ;;')

    assert done.code == 1
    assert done.steps == STEPS["app"]
    assert done.stdout.splitlines()[-3] == "Failed: app: types"
    assert done.stdout.splitlines()[-1] == "3 passed, 1 failed"
