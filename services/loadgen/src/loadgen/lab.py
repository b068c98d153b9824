"""Where loadgen finds the lab: the mounted folders, and what Compose tells it of the host."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadgen import environment
from loadgen.axes import SetAxes
from loadgen.errors import ConfigurationError
from loadgen.http_clients import read_http_clients
from loadgen.instruments import cpu_set
from loadgen.protocol import Roles
from loadgen.servers import Server, read_servers
from loadgen.settings import read_settings
from loadgen.suite import Library

SUITES = Path("services/loadgen/suites")


@dataclass(frozen=True)
class Lab:
    """The lab around this process.

    Attributes:
        project: the project's folder, read-only.
        results: the folder of runs.
        servers: every declared server, by name.
        suites: the suite files.
        roles: CPU sets.
        host_facts: what scripts/bench knows and a container cannot see; empty without it.
    """

    project: Path
    results: Path
    servers: dict[str, Server]
    suites: Library
    roles: Roles
    host_facts: dict[str, Any]

    def with_axes(self, axes: SetAxes) -> "Lab":
        """The lab with these axes of all cases of its suites set from the command line."""
        return replace(self, suites=self.suites.with_axes(axes))

    def as_of(self, run: Path) -> "Lab":
        """The lab with servers and suites as they were when a run began: its own copies, and the
        axes that were set on its command line.

        Raises:
            ConfigurationError: they cannot be read.
        """
        servers = read_servers(run)
        suites = _suites(run / "suites", servers, self.project)
        arguments = environment.read(run).get("arguments") or {}
        return replace(self, servers=servers, suites=suites).with_axes(arguments.get("axes") or {})


def read_lab() -> Lab:
    """The lab as mounted and as Compose's environment describes it.

    Raises:
        ConfigurationError: a file, a label or a variable is missing or wrong.
    """
    project = Path(os.environ.get("LAB_PROJECT", "/lab"))
    servers = read_servers(project)
    return Lab(
        project=project,
        results=Path(os.environ.get("LAB_RESULTS", "/results")),
        servers=servers,
        suites=_suites(project / SUITES, servers, project),
        roles=Roles(app=_cpus("APP_CPUS"), api=_cpus("API_CPUS"), loadgen=_cpus("LOADGEN_CPUS")),
        host_facts=_host_facts(os.environ.get("LAB_HOST_FACTS", "")),
    )


def _suites(folder: Path, servers: dict[str, Server], project: Path) -> Library:
    return Library(folder, servers, read_http_clients(project), read_settings(project))


def _cpus(variable: str) -> frozenset[int]:
    text = os.environ.get(variable, "")
    try:
        return cpu_set(text)
    except ValueError:
        raise ConfigurationError(
            f"{variable}={text!r} is no CPU list; write it as Docker does, e.g. 0 or 0-2,4"
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
