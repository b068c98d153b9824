"""environment.json: everything that a reader needs to judge a run, or to repeat it."""

import json
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.errors import ConfigurationError
from loadgen.files import replace_text

if TYPE_CHECKING:  # the lab reads the environment of earlier runs
    from loadgen.lab import Lab


def describe(
    lab: "Lab", arguments: Mapping[str, object], abouts: Mapping[str, Mapping[str, Any]]
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


#: What may not differ between the sessions of a run without a word.
COMPARED = (
    *("cpu_model", "architecture", "kernel", "cpu_sets", "storage_driver", "git_commit", "host"),
    *("python", "loadgen_packages", "app_packages", "servers"),
)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What of the environment is not as it was: `{"kernel": {"was": …, "is": …}, …}`.

    A nested key is written with dots. What only one of them knows is no change: a resumed run may
    need fewer servers.
    """
    was, found = _flat({key: before.get(key) for key in COMPARED}), {}
    for key, value in _flat({key: now.get(key) for key in COMPARED}).items():
        if key in was and was[key] != value:
            found[key] = {"was": was[key], "is": value}
    return found


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        name = prefix + key
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def write(file: Path, environment: Mapping[str, Any]) -> None:
    """Write it, replacing an earlier state whole; where that fails the earlier state stays."""
    text = json.dumps(environment, indent=2, ensure_ascii=False, sort_keys=False) + "\n"
    replace_text(file, text)


def read(folder: Path) -> dict[str, Any]:
    """The environment of an earlier run.

    Raises:
        ConfigurationError: the folder has none that can be read.
    """
    file = folder / "environment.json"
    try:
        environment = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    if not isinstance(environment, dict):
        raise ConfigurationError(f"{file} cannot be read: it is no JSON object")
    return environment


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
