"""loadgen's own tests see a small project: its servers, clients and settings are the lab's."""

import tomllib
from pathlib import Path

import yaml

from lab import REGISTRY, ROOT

PROJECT = ROOT / "services/loadgen/tests/project"
APP = Path("services/app/src/consumer")


def labels_of(compose_yaml: Path) -> dict[str, dict[str, str]]:
    """Every server's labels, but for the titles of what the self-tests plant."""
    services = yaml.safe_load(compose_yaml.read_text())["services"]
    found = {}
    for name, service in services.items():
        labels = service.get("labels", {})
        if isinstance(labels, list):
            labels = dict(label.split("=", 1) for label in labels)
        of_lab = {key: str(text) for key, text in labels.items() if key.startswith("lab.")}
        if of_lab:
            planted = "profiles" in service
            found[name] = of_lab | ({"lab.title": ""} if planted else {})
    return found


def test_its_servers_are_those_of_the_lab() -> None:
    assert labels_of(PROJECT / "compose.yaml") == labels_of(ROOT / "compose.yaml")


def test_its_http_clients_are_those_of_the_lab() -> None:
    registry = PROJECT / APP / "http_clients/registry.toml"
    assert tomllib.loads(registry.read_text()) == REGISTRY


def test_its_settings_are_those_of_the_lab() -> None:
    def modules(project: Path) -> set[str]:
        return {file.name for file in (project / APP / "settings").glob("*.py")}

    assert modules(PROJECT) == modules(ROOT)
