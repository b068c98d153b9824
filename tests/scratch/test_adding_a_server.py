"""docs/adding-a-server.md, followed to the letter: the server on it is measured, and then gone."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from lab import Compose
from page import Block, all_blocks
from runs import Finished, Row
from scratch.reader import Reader
from scratch.scratch_lab import ScratchLab

BLOCKS = all_blocks("adding-a-server.md")


def section(name: str) -> list[Block]:
    """The blocks of a section of the page."""
    return [block for block in BLOCKS if block.section == name]


(DECLARED,) = section("The block")
((NAME, SERVICE),) = yaml.safe_load(DECLARED.code)["services"].items()


@dataclass(frozen=True)
class Followed:
    """What came of the page.

    Attributes:
        measured: the run of one round.
        listed: what the commands that would take longer list, by the command.
        left: the server's containers in the end.
    """

    measured: Finished
    listed: dict[str, str]
    left: list[str]


@pytest.fixture(scope="module")
def followed(compose: Compose, scratch_lab: ScratchLab) -> Iterator[Followed]:
    first, *longer = section("Run it")
    (run,) = first.commands
    with Reader(compose, scratch_lab) as reader:
        for block in (DECLARED, *section("The suite")):
            reader.write(block)
        measured = reader.measure(run)
        commands = [command for block in longer for command in block.commands]
        listed = {command: reader.do(command, "--dry-run").stdout for command in commands}
        yield Followed(measured, listed, reader.containers(NAME))


@pytest.fixture(scope="module")
def rows(followed: Followed) -> dict[str, Row]:
    """The rows of the run, by server."""
    return {row["server"]: row for row in followed.measured.run.rows}


def test_the_server_is_measured_beside_the_built_in_one(rows: dict[str, Row]) -> None:
    assert set(rows) == {NAME, SERVICE["extends"]["service"]}
    assert {row["outcome"] for row in rows.values()} == {"measured"}
    assert rows[NAME]["title"] == SERVICE["labels"]["lab.title"]


def test_it_differs_in_what_the_page_changes_alone(rows: dict[str, Row]) -> None:
    mine, built_in = rows[NAME], rows[SERVICE["extends"]["service"]]

    assert (mine["slots"], built_in["slots"]) == ("20", "100")
    for name in ("interface", "processes", "settings", "view", "http_client", "delays_ms", "users"):
        assert mine[name] == built_in[name], name


def test_its_command_is_that_of_the_page(followed: Followed) -> None:
    servers = followed.measured.run.environment["servers"]

    assert servers[NAME]["command"] == SERVICE["command"]


def test_the_lab_starts_it_and_counts_its_cpu(rows: dict[str, Row]) -> None:
    assert float(rows[NAME]["app_cpu_ms_per_view"]) > 0
    assert "not-fresh" not in rows[NAME]["caveats"].split()


def test_the_two_are_compared(followed: Followed) -> None:
    compared = followed.measured.run.comparisons

    assert {row["metric"] for row in compared} == {"rps", "app_cpu_ms_per_view", "p95_ms"}
    for row in compared:
        assert row["a"].startswith(f"{SERVICE['extends']['service']}_")
        assert row["b"].startswith(f"{NAME}_")


def test_the_longer_runs_are_of_the_same_servers(followed: Followed) -> None:
    assert len(followed.listed) == 2
    for command, listed in followed.listed.items():
        trials = [line.split()[-1] for line in listed.splitlines() if ".r" in line]
        assert len(trials) == 2 * 5, command
        users = "100u" if "--users 100" in command else "20u"
        assert all(f"_{users}.r" in trial for trial in trials), command


def test_nothing_of_it_is_left_after_its_runs(followed: Followed) -> None:
    assert followed.left == []


def test_no_section_of_the_page_is_skipped() -> None:
    assert {block.section for block in BLOCKS} == {"The block", "The suite", "Run it"}
