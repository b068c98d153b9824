"""A reader's service, volume and network beside the lab are there after every script.

Not while the lab under test is up: the scripts build the images, and Compose labels them with this
test's own project. Containers that are up would then be made anew.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from lab import ROOT, output_of

PROJECT = "django-lab-reader"
# It keeps a word in its volume, as a database of the reader's would keep his data. It is in a
# network of the lab and in one of the reader's own.
READER = {
    "services": {
        "reader-database": {
            "image": "django-lab/app",
            "entrypoint": ["sh", "-c", "echo kept > /data/word; echo layer > /tmp/word; sleep 600"],
            "user": "0:0",
            "volumes": ["reader-data:/data"],
            "networks": ["default", "reader-network"],
            "init": True,
        },
    },
    "volumes": {"reader-data": None},
    "networks": {"reader-network": None},
}
RUN = "results/reference"


def docker(*arguments: str) -> CompletedProcess[str]:
    """`docker …`, with its output captured."""
    return subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=120
    )


class Reader:
    """A lab with something of the reader's in it, in a Compose project of its own.

    Attributes:
        seen: the containers that there were when a command was interrupted.
    """

    def __init__(self, override: Path) -> None:
        self.seen: dict[str, str] = {}
        self.environment = os.environ | {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPOSE_FILE": f"compose.yaml:{override}",
            "CA_BUNDLE": "/dev/null",  # nothing is built anew
        }

    def compose(self, *arguments: str) -> CompletedProcess[str]:
        """`docker compose …` in this lab."""
        return self.run("docker", "compose", *arguments)

    def run(self, *command: str) -> CompletedProcess[str]:
        """A command in the project's folder."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def interrupted(
        self, *command: str, when: str, first: Callable[[], object] = lambda: None
    ) -> tuple[int, str]:
        """The same with Ctrl-C once a line contains `when` and `first` is done; its exit code and
        output.
        """

        def interrupt(process: subprocess.Popen[str]) -> None:
            first()
            self._interrupt(process)

        with self._begun(*command) as process:
            output = output_of(process, when, lambda: interrupt(process))
        return process.returncode, output

    def interrupted_with(self, service: str, *command: str) -> tuple[int, str]:
        """The same with Ctrl-C once there is a container of that service."""
        with self._begun(*command) as process:
            while service not in self.containers() and process.poll() is None:
                time.sleep(0.05)
            self._interrupt(process)
            output, _ = process.communicate()
        return process.returncode, output

    def _begun(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _interrupt(self, process: subprocess.Popen[str]) -> None:
        self.seen = self.containers()
        os.killpg(process.pid, signal.SIGINT)

    def containers(self) -> dict[str, str]:
        """Every container of the project: its service → `running` or `exited`."""
        found = docker(
            *("ps", "--all", "--filter", f"label=com.docker.compose.project={PROJECT}"),
            *("--format", '{{.Label "com.docker.compose.service"}} {{.State}}'),
        )
        return dict(line.split(maxsplit=1) for line in found.stdout.splitlines())

    def has(self, kind: str) -> set[str]:
        """Names of the project's volumes or networks, as the compose files call them."""
        label = f"com.docker.compose.{kind}"
        found = docker(
            *(kind, "ls", "--filter", f"label=com.docker.compose.project={PROJECT}"),
            *("--format", f'{{{{.Label "{label}"}}}}'),
        )
        return set(found.stdout.split())

    def start_again(self) -> None:
        """Start what was stopped, as it is: its own files and its data must be there."""
        name = f"{PROJECT}-reader-database-1"
        assert docker("start", name).returncode == 0
        said = docker("exec", name, "cat", "/data/word", "/tmp/word").stdout
        assert said.split() == ["kept", "layer"]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A lab in which the reader's database has run, and is stopped now."""
    override = tmp_path / "reader.yaml"
    override.write_text(yaml.safe_dump(READER))
    made = Reader(override)
    up = made.compose("up", "--detach", "reader-database")
    assert up.returncode == 0, up.stderr
    time.sleep(1)  # it has written its words
    made.compose("stop", "--timeout", "1", "reader-database")
    yield made
    # All of it is this test's own.
    made.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "1")


def a_run_of_the_reference() -> str:
    """The folder of a committed run of few rows."""
    return f"{RUN}/{min((ROOT / RUN).glob('*-traps')).name}"


SCRIPTS: dict[str, Callable[[Reader], tuple[int, str]]] = {
    "bench": lambda reader: told(reader.run("scripts/bench", "list")),
    "bench that is refused": lambda reader: told(reader.run("scripts/bench", "run", "no-such")),
    "bench that is interrupted": lambda reader: reader.interrupted(
        *("scripts/bench", "run", "smoke", "--servers", "uvicorn"), when="self-check"
    ),
    "bench that is interrupted while it asks what is needed": lambda reader: (
        reader.interrupted_with("loadgen", "scripts/bench", "run", "smoke", "--servers", "uvicorn")
    ),
    "bench that is interrupted while it starts": lambda reader: reader.interrupted_with(
        "uvicorn", "scripts/bench", "run", "smoke", "--servers", "uvicorn"
    ),
    "bench whose reader has seen enough": lambda reader: told(
        reader.run("bash", "-c", "scripts/bench list 2>&1 | head -n 2")
    ),
    "compare": lambda reader: told(
        reader.run("scripts/compare", a_run_of_the_reference(), a_run_of_the_reference())
    ),
    "prepare": lambda reader: told(reader.run("scripts/prepare")),
}
CODES = {"bench that is refused": 2} | {
    name: 130 for name in SCRIPTS if name.startswith("bench that is interrupted")
}


def told(done: CompletedProcess[str]) -> tuple[int, str]:
    return done.returncode, done.stdout + done.stderr


def test_what_is_the_readers_is_untouched_by_every_script(reader: Reader) -> None:
    for name, script in SCRIPTS.items():
        code, output = script(reader)

        assert code == CODES.get(name, 0), f"{name}: {output}"
        assert reader.containers() == {"reader-database": "exited"}, name
        assert reader.has("volume") == {"reader-data"}, name
        # A container that is stopped could not be started without its networks.
        assert reader.has("network") == {"default", "reader-network"}, name
    reader.start_again()


def test_only_what_a_run_needs_is_up_while_it_measures(reader: Reader) -> None:
    # Of the self-tests' servers too, which are of a profile. A server brings what it depends on.
    code, output = reader.interrupted(
        *("scripts/bench", "run", "aa", "--servers", "uvicorn-twin"), when=" trials, about"
    )

    assert code == 130, output
    assert reader.seen == {
        "reader-database": "exited",
        **dict.fromkeys(("api", "api-django", "uvicorn-twin", "loadgen"), "running"),
    }
    assert reader.containers() == {"reader-database": "exited"}


def test_a_copy_of_the_lab_elsewhere_is_not_disturbed(reader: Reader, tmp_path: Path) -> None:
    name, labels = f"{PROJECT}-api-1", "com.docker.compose"
    given = {"project": PROJECT, "service": "api", "oneoff": "False"}
    given["project.working_dir"] = str(tmp_path)
    marked = [f"--label={labels}.{key}={value}" for key, value in given.items()]
    sleeping = ("--entrypoint", "sleep", "django-lab/app", "300")
    assert docker("run", "--detach", "--name", name, *marked, *sleeping).returncode == 0
    try:
        code, output = told(reader.run("scripts/bench", "run", "smoke", "--servers", "uvicorn"))

        assert code == 2
        assert f"The lab in {tmp_path} is up" in output
        assert reader.containers() == {"api": "running", "reader-database": "exited"}
    finally:
        docker("rm", "--force", name)


def test_what_the_reader_starts_while_a_run_goes_on_stays_up(reader: Reader) -> None:
    def start_the_database() -> None:
        assert reader.compose("start", "reader-database").returncode == 0

    code, output = reader.interrupted(
        *("scripts/bench", "run", "aa", "--servers", "uvicorn-twin"),
        when=" trials, about",
        first=start_the_database,
    )

    assert code == 130, output
    assert reader.containers() == {"reader-database": "running"}


def test_what_only_reads_takes_down_nothing_that_another_starts_meanwhile(reader: Reader) -> None:
    another = "docker compose up --detach --no-deps api"
    reads = f". scripts/lib.sh; find_project; {another}; take_down_what_was_started"

    code, output = told(reader.run("bash", "-c", reads))

    assert code == 0, output
    assert reader.containers() == {"api": "running", "reader-database": "exited"}


def test_what_was_up_stays_up_and_what_was_not_is_taken_down(reader: Reader) -> None:
    up = reader.compose("up", "--detach", "--no-deps", "api", "reader-database")
    assert up.returncode == 0, up.stderr

    code, output = told(reader.run("scripts/bench", "list"))

    assert code == 0, output
    assert reader.containers() == {"api": "running", "reader-database": "running"}
    assert reader.has("volume") == {"lab-ca", "reader-data"}


def test_what_the_lab_has_made_is_gone_where_nothing_of_the_readers_needs_it(
    reader: Reader,
) -> None:
    reader.compose("rm", "--force", "reader-database")

    code, output = told(reader.run("scripts/bench", "list"))

    assert code == 0, output
    assert reader.containers() == {}
    assert reader.has("volume") == {"reader-data"}
    assert reader.has("network") == {"reader-network"}
