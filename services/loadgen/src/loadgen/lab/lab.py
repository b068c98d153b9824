"""Where loadgen finds the lab: the mounted folders, and what Compose tells it of the host."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from loadgen.errors import ConfigurationError
from loadgen.lab.app_registry import AppRegistry, read_registry, registry_of
from loadgen.lab.cpus import Roles, cpu_set
from loadgen.lab.servers import Server, read_servers
from loadgen.records import environment

SUITES = Path("services/loadgen/suites")

#: Axis → the values that are asked for, as a suite file writes them.
type SetAxes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Lab:
    """The lab around this process.

    What is declared in it is read when it is asked for: a mistake there ends what needs it.

    Attributes:
        project: the project's folder, read-only.
        results: the folder of runs.
        roles: CPU sets.
        host_facts: what scripts/bench knows and a container cannot see; empty without it.
        axes: of all cases of its suites, set from the command line.
        run: the folder of a run, of which servers, clients, settings and suites are as they were
            when it began; None: they are as they are now.
    """

    project: Path
    results: Path
    roles: Roles
    host_facts: dict[str, Any]
    axes: SetAxes = field(default_factory=dict)
    run: Path | None = None

    @cached_property
    def servers(self) -> dict[str, Server]:
        """Every declared server, by name.

        Raises:
            ConfigurationError: a file or a label is missing or wrong.
        """
        return read_servers(self.run or self.project)

    @cached_property
    def app(self) -> AppRegistry:
        """The app's HTTP clients and settings.

        Raises:
            ConfigurationError: they cannot be read.
        """
        if self.run:
            return registry_of(self.run, self.servers, self.project)
        return read_registry(self.project)

    @property
    def suite_files(self) -> Path:
        """The folder of the suite files."""
        return self.run / "suites" if self.run else self.project / SUITES

    def with_axes(self, axes: SetAxes) -> "Lab":
        """The lab with these axes of all cases of its suites set from the command line."""
        return replace(self, axes=axes)

    def as_of(self, run: Path) -> "Lab":
        """The lab as it was when a run began: by its own copies, and with the axes that were set.

        Raises:
            ConfigurationError: its environment.json cannot be read.
        """
        arguments = environment.read(run).get("arguments") or {}
        return replace(self, run=run, axes=arguments.get("axes") or {})


def read_lab() -> Lab:
    """The lab as mounted and as Compose's environment describes it.

    Raises:
        ConfigurationError: a variable is wrong.
    """
    return Lab(
        project=Path(os.environ.get("LAB_PROJECT", "/lab")),
        results=Path(os.environ.get("LAB_RESULTS", "/results")),
        roles=Roles(app=_cpus("APP_CPUS"), api=_cpus("API_CPUS"), loadgen=_cpus("LOADGEN_CPUS")),
        host_facts=_host_facts(os.environ.get("LAB_HOST_FACTS", "")),
    )


def _cpus(variable: str) -> frozenset[int]:
    text = os.environ.get(variable, "")
    try:
        return cpu_set(text)
    except ValueError:
        raise ConfigurationError(
            f"{variable}={text!r} is not a list of CPUs: write it as Docker does, e.g. 0 or 0-2,4"
        ) from None


def _host_facts(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        facts = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"LAB_HOST_FACTS is not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ConfigurationError("LAB_HOST_FACTS must be a JSON object")
    return facts
