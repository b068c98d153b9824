"""A reader who does what a page of docs/ says: writes its files and runs its commands.

The files go into the tests' copy of the project, which loadgen reads; the containers are those of
the lab under test. So `docker compose` is told of the copy's compose.override.yaml, and
`scripts/bench` is what it runs once the machine has all that it needs.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Self

import yaml

from lab import ROOT, Compose
from page import Block
from runs import Finished, Run, folder_in
from scratch.scratch_lab import ScratchLab

OVERRIDE = "compose.override.yaml"
#: What a reader's suite has instead of its own lengths: whether the page works is seen in seconds.
IN_A_HURRY = "warm_up_s = 1\nwindow_s = 3\n"
LENGTHS = re.compile(r"^(warm_up_s|window_s) = .*\n", re.MULTILINE)
#: What stands on the pages for the reader's own project → what the tests have in its place.
IMAGE = f"{os.environ.get('COMPOSE_PROJECT_NAME', 'lab')}-my-project"
OWN = {"my-project": IMAGE, "../my-project": str(ROOT / "tests/foreign_project")}


class Reader:
    """Follows a page; as a context, leaves the tests' project as it was.

    Args:
        compose: docker compose for the lab under test.
        lab: where the page's files go.
    """

    def __init__(self, compose: Compose, lab: ScratchLab) -> None:
        self._compose = compose
        self._lab = lab
        self._before = (lab.project / OVERRIDE).read_text()
        self._suites: list[Path] = []
        self._services: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._services:
            self._compose(*self._lab.files, "rm", "--force", "--stop", *self._services)
        (self._lab.project / OVERRIDE).write_text(self._before)
        for suite in self._suites:
            suite.unlink()

    def write(self, block: Block) -> None:
        """Write a block into the file that the page names; services are added to those there.

        A suite is measured for a shorter time than the page has it.
        """
        file = self._lab.project / block.file
        if block.file == OVERRIDE:
            document = yaml.safe_load(block.code)
            self._services |= set(document["services"])
            declared = merged(yaml.safe_load(file.read_text()), document)
            file.write_text(yaml.safe_dump(with_own_images(declared)))
        else:
            assert not file.exists(), f"{block.file} is in the lab already"
            file.write_text(IN_A_HURRY + LENGTHS.sub("", block.code))
            self._suites.append(file)

    def do(self, command: str, *more: str) -> CompletedProcess[str]:
        """Do a command of the page.

        Args:
            command: the line.
            more: options that the page does not have.

        Raises:
            AssertionError: it fails, or no page has such a command.
        """
        match shlex.split(command):
            case ["docker", "compose", *words]:
                done = self._compose(*self._lab.files, *words, *more)
            case ["scripts/bench", *words]:
                done = self._bench(*words, *more)
            case ["docker", "build", *words]:
                done = docker("build", *words)
            case ["docker", "image", "rm", *words]:
                done = docker("image", "rm", *words)
            case _:
                raise AssertionError(f"a reader of these tests does not know how to: {command}")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def _bench(self, *words: str) -> CompletedProcess[str]:
        """What scripts/bench does: start what the command needs, run it, stop what was started."""
        loadgen = ("run", "--rm", "-T", *self._lab.mounts, "loadgen")
        asked = self._compose(*loadgen, "needs", *words)
        if asked.returncode != 0:
            return asked
        up = self._compose(
            *self._lab.files, "ps", "--services", "--status", "running"
        ).stdout.split()
        started = [service for service in asked.stdout.split() if service not in up]
        if started:
            begun = self._compose(*self._lab.files, "up", "--detach", *started)
            if begun.returncode != 0:
                return begun
        done = self._compose(*loadgen, *words)
        if started:
            self._compose(*self._lab.files, "rm", "--force", "--stop", *started)
        return done

    def measure(self, command: str, *more: str) -> Finished:
        """The same of a command that measures, with its run."""
        done = self.do(command, *more)
        return Finished(done, Run(self._lab.results / folder_in(done.stdout)))

    def containers(self, service: str) -> list[str]:
        """Ids of the service's containers, running or not."""
        return self.do(f"docker compose ps --all --quiet {service}").stdout.split()


def docker(*words: str) -> CompletedProcess[str]:
    """`docker …`, by the engine's own builder: the image of the tests has no BuildKit."""
    return subprocess.run(
        ["docker", *(OWN.get(word, word) for word in words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )


def merged(before: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """A document with lines added: mappings are joined, anything else is put in its place."""
    both = dict(before)
    for key, value in added.items():
        old = both.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merged(old, value)
        both[key] = value
    return both


def with_own_images(document: Mapping[str, Any]) -> dict[str, Any]:
    """The services, those of the reader's image with that of the tests."""
    services = {
        name: service | {"image": OWN[service["image"]]} if service.get("image") in OWN else service
        for name, service in document["services"].items()
    }
    return {**document, "services": services}
