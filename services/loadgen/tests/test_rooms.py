"""loadgen's rooms: packages one level deep, small, and each imports only what lies below it."""

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import loadgen

SOURCE = Path(loadgen.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ROOMS = sorted(file.parent.name for file in SOURCE.glob("*/__init__.py"))
MOST_MODULES = 16


def test_a_room_imports_only_what_lies_below_it() -> None:
    command = ["lint-imports", str(PROJECT), "--no-cache"]
    linted = subprocess.run(command, cwd=SOURCE.parent, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_rooms_are_one_level_deep() -> None:
    assert {str(file.parent.relative_to(SOURCE)) for file in SOURCE.rglob("*.py")} == {*ROOMS, "."}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_small_and_says_what_it_is(room: str) -> None:
    modules = [file for file in (SOURCE / room).glob("*.py") if file.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    assert ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text()))


def test_no_two_public_functions_or_classes_are_called_alike_but_the_topics_blocks() -> None:
    names = Counter(
        definition.name
        for file in SOURCE.rglob("*.py")
        for definition in ast.parse(file.read_text()).body
        if isinstance(definition, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not definition.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == {"blocks", "brief_blocks"}
