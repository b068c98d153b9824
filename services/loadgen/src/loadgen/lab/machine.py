"""What a run is measured on: the machine, the versions, the commands."""

import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from loadgen.lab.lab import Lab


def describe(
    lab: Lab, arguments: Mapping[str, object], abouts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The environment at the start of a run.

    Args:
        lab: the lab around us.
        arguments: what the run was asked for: suites, rounds, seed, axes.
        abouts: each server's own description, by name.
    """
    return {
        "outcome": "unfinished: before the first trial",
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished_at": None,
        "arguments": dict(arguments),
        "boot_id": boot_id(),
        "cpu_model": cpu_model(Path("/proc/cpuinfo").read_text()),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "cpu_sets": {role: sorted(getattr(lab.roles, role)) for role in ("app", "api", "loadgen")},
        "storage_driver": storage_driver(Path("/proc/self/mountinfo").read_text()),
        "git_commit": git_commit(lab.project),
        "host": lab.host_facts,
        "python": platform.python_version(),
        "loadgen_packages": {
            distribution.name: distribution.version for distribution in metadata.distributions()
        },
        "app_packages": _merged(about["packages"] for about in abouts.values()),
        "servers": {
            name: {key: about[key] for key in ("command", "url", "python", "cpus") if key in about}
            for name, about in abouts.items()
        },
    }


def machine_name(lab: Lab) -> str:
    """What makes a machine the same to measurements that are to be put beside each other.

    Its CPU and how many of these the app has. A kernel is replaced too often for that, and what it
    changes is forgotten with the runs before it (findings.scatter).
    """
    model = cpu_model(Path("/proc/cpuinfo").read_text()) or platform.machine()
    return f"{model}, {len(lab.roles.app)} for the app"


def boot_id() -> str:
    """What tells one start of one machine from every other (random(4)); containers share it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def cpu_model(cpuinfo: str) -> str | None:
    """The CPU's name from /proc/cpuinfo; arm64 kernels give none there."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return None


def storage_driver(mountinfo: str) -> str | None:
    """File system of the container's root, e.g. overlay or fuse.fuse-overlayfs (proc(5))."""
    for line in mountinfo.splitlines():
        mount, _, file_system = line.partition(" - ")
        if mount.split()[4] == "/":
            return file_system.split()[0]
    return None


def git_commit(project: Path) -> str | None:
    """The checked-out commit, read from the .git folder; None where there is none to read."""
    head = project / ".git" / "HEAD"
    if not head.is_file():
        return None
    text = head.read_text().strip()
    if not text.startswith("ref: "):
        return text
    reference = text.removeprefix("ref: ")
    loose = project / ".git" / reference
    if loose.is_file():
        return loose.read_text().strip()
    packed = project / ".git" / "packed-refs"
    for line in packed.read_text().splitlines() if packed.is_file() else ():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return None


def _merged(packages: Iterable[Mapping[str, str]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for versions in packages:
        merged |= versions
    return dict(sorted(merged.items()))
