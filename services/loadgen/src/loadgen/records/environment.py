"""environment.json: everything that a reader needs to judge a run, or to repeat it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadgen.errors import ConfigurationError
from loadgen.records.files import replace_text

#: The outcome of a run whose trials have all been measured.
FINISHED = "finished"
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
    was = _flat({key: before.get(key) for key in COMPARED})
    is_now = _flat({key: now.get(key) for key in COMPARED})
    return {
        key: {"was": was[key], "is": value}
        for key, value in is_now.items()
        if key in was and was[key] != value
    }


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
        raise ConfigurationError(f"{file} cannot be read: it is not a JSON object")
    return environment
