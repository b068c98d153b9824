"""Why a server has its flags: compose.yaml says so above each group of servers."""

import re
from pathlib import Path

_SERVICE = re.compile(r"  ([\w.-]+):(\s.*)?$")
_COMMENT = re.compile(r"  # ?(.*)$")


def reasons(folder: Path) -> dict[str, str]:
    """By service, the last comment above it in a run's copies of the Compose files."""
    by_service: dict[str, str] = {}
    for name in ("compose.yaml", "compose.override.yaml"):
        file = folder / name
        if file.exists():
            by_service |= comments(file.read_text())
    return by_service


def comments(compose_yaml: str) -> dict[str, str]:
    """The comment block nearest above each service; one block may stand above several.

    Services are indented by two spaces, as their comments are.
    """
    by_service: dict[str, str] = {}
    block: list[str] = []
    above = inside = False
    for line in compose_yaml.splitlines():
        if line[:1] not in ("", " ", "#"):
            inside = line.startswith("services:")
            block = []
        elif comment := _COMMENT.fullmatch(line):
            block = [*block, comment[1]] if above else [comment[1]]
            above = True
            continue
        elif inside and (service := _SERVICE.fullmatch(line)):
            by_service[service[1]] = " ".join(block)
        above = False
    return {name: text for name, text in by_service.items() if text}
