"""What the scripts say about a machine that lacks something: one sentence, exit 2.

They run with a PATH that holds a few tools and a docker of our own, never apt-get: they look at a
machine that does not exist, and can install nothing on this one.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
TOOLS = ["awk", "bash", "cat", "df", "dirname", "env", "grep", "id"]
TOOLS += ["mkdir", "mktemp", "mv", "rm", "sed", "tail"]
EVERY_SCRIPT = sorted(path.name for path in SCRIPTS.iterdir() if os.access(path, os.X_OK))

# A healthy machine: two CPUs, all images. A test puts its own cases before these.
HEALTHY = """
    version*) echo 20.10.24 ;;
    *NCPU*) echo 2 ;;
    *DockerRootDir*) echo / ;;
    "compose version"*) echo 2.26.1-4 ;;
    "buildx version") echo github.com/docker/buildx v0.13.1 ;;
    *Config.Env*) echo '["PYTHON_VERSION=3.13.5"]' ;;
    "image inspect"*) echo sha256:1 ;;
    "compose build") ;;
    *) echo "the test has no answer for: docker $*" >&2; exit 99 ;;
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("prepare", docker=CASES, environment={…})`, on a machine whose docker answers by CASES.

    CASES are branches of a shell's `case`, tried before those of HEALTHY; None = no docker at all.
    `programs` are further commands by their cases.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)

    def stub(name: str, cases: str) -> None:
        program = folder / name
        program.write_text(f'#!/usr/bin/env bash\ncase "$*" in\n{cases}\nesac\n')
        program.chmod(0o755)

    def run_script(
        script: str,
        *arguments: str,
        docker: str | None = "",
        programs: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        if docker is not None:
            stub("docker", docker + HEALTHY)
        for name, cases in (programs or {}).items():
            stub(name, cases)
        return subprocess.run(
            [SCRIPTS / script, *arguments],
            cwd=tmp_path,
            env={"PATH": str(folder), "HOME": str(tmp_path), **(environment or {})},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    return run_script


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a script that could not go on."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_nothing_is_printed_when_all_is_there(run: Run) -> None:
    done = run("prepare")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_machine_without_docker_is_told_to_install_it(run: Run) -> None:
    assert refusal(run("prepare", docker=None)).startswith("Docker is not installed: install")


def test_no_permission_on_the_socket_names_the_group_to_join(run: Run) -> None:
    denied = (
        "version*) echo 'permission denied while trying to connect to the socket' >&2; exit 1 ;;"
    )

    assert "usermod -aG docker" in refusal(run("prepare", docker=denied))


def test_an_engine_that_is_down_is_to_be_started(run: Run) -> None:
    down = "version*) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;"

    assert "systemctl start docker" in refusal(run("prepare", docker=down))


def test_a_machine_with_one_cpu_has_no_cpu_1(run: Run) -> None:
    sentence = refusal(run("prepare", docker="*NCPU*) echo 1 ;;"))

    assert sentence.startswith("No CPU 1 for API_CPUS=1: Docker has CPUs 0 to 0 here; set API_CPUS")


def test_a_machine_with_one_cpu_works_when_every_role_is_put_on_it(run: Run) -> None:
    on_cpu_0 = {"APP_CPUS": "0", "API_CPUS": "0", "LOADGEN_CPUS": "0"}

    assert run("prepare", docker="*NCPU*) echo 1 ;;", environment=on_cpu_0).returncode == 0


@pytest.mark.parametrize("cpus", ["two", "1-", "0,,1", "-1", "0;1"])
def test_what_is_no_cpu_set_is_shown_with_an_example(run: Run, cpus: str) -> None:
    sentence = refusal(run("prepare", environment={"APP_CPUS": cpus}))

    assert sentence.startswith(f"APP_CPUS={cpus} is not a CPU set: write it like")


NO_IMAGES = '"image inspect django-lab/api"*) exit 1 ;;'


def test_too_little_disk_space_for_images_still_to_be_built_is_refused(run: Run) -> None:
    sentence = refusal(run("prepare", docker=NO_IMAGES, environment={"LAB_DISK_GB": "9999999"}))

    assert sentence.startswith("Too little disk space in /: ")
    assert "9999999 GB needed" in sentence


@pytest.mark.parametrize(
    "old",
    [
        '"compose version"*) exit 1 ;;',
        '"compose version"*) echo v2.19.9 ;;',
        '"buildx version"*) exit 1 ;;',
    ],
)
def test_a_missing_or_old_compose_or_buildx_names_the_packages(run: Run, old: str) -> None:
    assert "docker-compose-v2 docker-buildx" in refusal(run("prepare", docker=old))


def test_root_on_debian_without_docker_gets_it_installed_and_started(run: Run) -> None:
    programs = {
        "apt-get": 'update) ;; "install -y docker.io") mv "$HOME/bin/new" "$HOME/bin/docker" ;;',
        "service": '"docker start") ;;',
        "new": HEALTHY,
    }
    done = run("prepare", docker=None, programs=programs)

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Installing Docker from the packages of this machine",
        "Starting the Docker engine",
    ]


def test_root_on_debian_gets_compose_and_buildx_from_packages_that_are_new_enough(run: Run) -> None:
    programs = {
        "apt-get": 'update) ;; "install -y docker-compose-v2 docker-buildx") >"$HOME/installed" ;;',
        "apt-cache": """
            "policy docker-compose-v2") echo "  Candidate: 2.24.6+ds1-0ubuntu1" ;;
            "policy docker-compose") echo "  Candidate: 1.29.2-6" ;;
            "policy docker-buildx") echo "  Candidate: 0.14.1-0ubuntu1" ;;
        """,
    }
    compose = '"compose version"*) [ -e "$HOME/installed" ] && echo 2.24.6 || exit 1 ;;'
    done = run("prepare", docker=compose, programs=programs)

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Installing Docker Compose and buildx from the packages docker-compose-v2 and docker-buildx"
    ]


def test_docker_desktops_way_to_write_a_version_is_understood(run: Run) -> None:
    assert run("prepare", docker='"compose version"*) echo v5.0.1-desktop.2 ;;').returncode == 0


def test_an_unknown_argument_is_refused(run: Run) -> None:
    assert "--cpu:" in refusal(run("prepare", "--cpu"))


def test_a_failing_build_shows_its_last_lines(run: Run) -> None:
    done = run("prepare", docker='"compose build") echo no such wheel; exit 17 ;;')

    assert done.returncode == 2
    assert "no such wheel" in done.stderr


def test_base_image_prints_the_name_of_an_image_that_is_there(run: Run) -> None:
    done = run("base-image", environment={"BASE_IMAGE": "my/python:3.13"})

    assert (done.returncode, done.stdout) == (0, "my/python:3.13\n")


def test_a_base_image_with_another_python_is_refused(run: Run) -> None:
    other = "*Config.Env*) echo '[]' ;;\nrun*) exit 1 ;;"

    assert "has no Python 3.13" in refusal(run("base-image", docker=other))


def test_without_any_base_image_the_ways_to_get_one_are_named(run: Run) -> None:
    done = run(
        "base-image", docker='"image inspect"*) exit 1 ;;\npull*) echo no such host >&2; exit 1 ;;'
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("No base image: pull python:3.13-slim-trixie")


def test_the_stand_in_is_used_where_the_official_image_is_not_on_the_machine(run: Run) -> None:
    done = run("base-image", docker='"image inspect python:"*) exit 1 ;;')

    assert done.stdout == "django-lab/base:python3.13-trixie\n"


@pytest.mark.parametrize("script", EVERY_SCRIPT)
def test_every_script_explains_itself(run: Run, script: str) -> None:
    done = run(script, "--help", docker=None)

    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: scripts/{script}")
