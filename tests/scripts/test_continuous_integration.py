"""docs/continuous-integration.md: its YAML can be read, and what it runs exists."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import yaml

from lab import ROOT
from page import all_blocks

BLOCKS = all_blocks("continuous-integration.md")


def block(file: str) -> str:
    """The block that is the content of this file."""
    (found,) = (one.code for one in BLOCKS if one.file == file)
    return found


SERVICES = yaml.safe_load(block("benchmark/compose.override.yaml"))["services"]
SUITE = tomllib.loads(block("benchmark/pull-request.toml"))
WORKFLOW = yaml.safe_load(block(".github/workflows/benchmark.yml"))
(EXPORT,) = (one for one in BLOCKS if one.section == "Figures over time")
OVER_TIME = yaml.safe_load(EXPORT.code)


def steps() -> list[dict[str, Any]]:
    """All steps of the page, those of the figures over time too."""
    return [*WORKFLOW["jobs"]["benchmark"]["steps"], *OVER_TIME["steps"]]


def commands() -> Iterator[list[str]]:
    """The words of every command of its steps."""
    for step in steps():
        for line in str(step.get("run", "")).replace("\\\n", " ").splitlines():
            yield shlex.split(line)


def of(name: str) -> list[list[str]]:
    """The commands that begin so."""
    return [words for words in commands() if words[0] == name]


def test_every_step_runs_something_or_uses_an_action() -> None:
    assert steps()
    for step in steps():
        assert ("run" in step) != ("uses" in step), step


def test_its_scripts_exist() -> None:
    scripts = {words[0] for words in commands() if words[0].startswith("scripts/")}

    assert scripts == {"scripts/bench", "scripts/compare"}
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o100, script


def test_scripts_work_where_the_lab_is() -> None:
    for step in steps():
        if "scripts/" in str(step.get("run", "")):
            assert step["working-directory"] == "lab", step


def test_compare_has_every_option_that_the_page_gives_it() -> None:
    (words,) = of("scripts/compare")
    shown = subprocess.run(
        [ROOT / "scripts/compare", "--help"], check=True, capture_output=True, text=True
    ).stdout

    options = {word for word in words if word.startswith("--")}
    assert options == {"--baseline", "--candidate", "--fail-on"}
    for option in options:
        assert option in shown
    gates = [gate for name, gate in pairwise(words) if name == "--fail-on"]
    assert gates
    for gate in gates:
        assert re.fullmatch(r"\w+(>\d+|<-\d+)%", gate), gate


def test_the_servers_that_are_compared_are_declared_and_measured() -> None:
    (compare,) = of("scripts/compare")
    pair = [compare[compare.index(f"--{side}") + 1] for side in ("baseline", "candidate")]

    assert list(SERVICES) == pair
    assert SUITE["cases"] == [{"server": pair}]
    ((asked,),) = (SUITE["compare"],)
    assert (asked["a"], asked["b"]) == ({"server": pair[0]}, {"server": pair[1]})


def test_each_server_has_the_image_that_is_built_for_it_and_its_own_address() -> None:
    built = {words[words.index("--tag") + 1] for words in of("docker") if "build" in words}

    assert {service["image"] for service in SERVICES.values()} == built
    for name, service in SERVICES.items():
        assert service["labels"]["lab.url"].startswith(f"http://{name}:")


def test_the_suite_that_is_run_is_the_one_that_is_copied() -> None:
    (run,) = (words for words in of("scripts/bench") if words[1] == "run")
    copied = {words[1]: words[2] for words in of("cp") if words[1].startswith("candidate/")}

    assert run[2:] == ["pull-request"]
    assert copied == {
        "candidate/benchmark/compose.override.yaml": "lab/",
        "candidate/benchmark/pull-request.toml": "lab/services/loadgen/suites/",
    }
    assert (ROOT / "services/loadgen/suites").is_dir()


def test_the_exported_files_are_those_that_the_action_is_given() -> None:
    given = {step["with"]["output-file-path"] for step in OVER_TIME["steps"] if "uses" in step}
    source = (ROOT / "services/loadgen/src/loadgen/reports/github_action_benchmark.py").read_text()

    assert len(given) == 2
    for path in given:
        assert f'"{path.removeprefix("lab/")}"' in source


def test_it_runs_on_pull_requests() -> None:
    assert WORKFLOW[True] == "pull_request"  # YAML 1.1 reads `on` as true; GitHub does not
