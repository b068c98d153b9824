"""docs/your-own-django.md, followed to the letter with a project that knows nothing of the lab."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from lab import Compose
from page import Block, all_blocks
from runs import Finished, Row
from scratch.reader import Reader, merged
from scratch.scratch_lab import ScratchLab

BLOCKS = all_blocks("your-own-django.md")
NAME, CHANGED = "my-project", "my-project-16-threads"
RECONNECTING = "my-project-reconnecting"

#: What only the launcher knows.
COUNTERS = (
    *("app_cpu_seconds", "app_cpu_ms_per_view", "app_cpu_share", "cpu_ceiling_rps"),
    *("app_pss_mib", "app_peak_mib", "app_processes", "app_threads", "calibration_ms"),
)
#: The axes of the lab's views.
AXES = ("settings", "view", "workload", "http_client", "upstream", "delays_ms", "cpu_ms")


def section(name: str, *languages: str) -> list[Block]:
    """The blocks of a section of the page; of these languages, if any is named."""
    return [
        block
        for block in BLOCKS
        if block.section == name and (not languages or block.language in languages)
    ]


def services() -> dict[str, Any]:
    """All services of the page, as they are at its end."""
    found: dict[str, Any] = {}
    for block in BLOCKS:
        if block.language == "yaml":
            found = merged(found, yaml.safe_load(block.code)["services"])
    return found


@dataclass(frozen=True)
class Followed:
    """What came of the page.

    Attributes:
        as_it_is: the run of the image as it is.
        fresh: the run of the same with the launcher.
        changed: the run of both, the project and the change to it.
        cost: the run of both sides of a duet, and of their trials.
        advice: what the command that asks the lab's own views lists.
        left: the project's containers in the end; its image is removed by the page.
    """

    as_it_is: Finished
    fresh: Finished
    changed: Finished
    cost: Finished
    advice: str
    left: list[str]


@pytest.fixture(scope="module")
def followed(compose: Compose, scratch_lab: ScratchLab) -> Iterator[Followed]:
    with Reader(compose, scratch_lab) as reader:
        for block in (*section("The block"), *section("The suite")):
            reader.write(block)
        (run_it,) = section("Run it")
        as_it_is = follow(reader, run_it)

        mounted, again = section("Fresh for each trial, with its CPU")
        reader.write(mounted)
        fresh = follow(reader, again)

        for block in section("What to change first", "yaml", "toml"):
            reader.write(block)
        compared, asked = section("What to change first", "sh")
        # One round is enough to see that it works.
        changed = follow(reader, compared, "--rounds", "1")
        (quick,) = asked.commands
        advice = reader.do(quick, "--dry-run").stdout

        for block in section("What one view costs", "yaml", "toml"):
            reader.write(block)
        (measure_cost,) = section("What one view costs", "sh")
        cost = follow(reader, measure_cost, "--rounds", "1")

        for block in section("Remove it"):
            for command in block.commands:
                reader.do(command)
        names = (NAME, CHANGED, RECONNECTING)
        left = [each for name in names for each in reader.containers(name)]
        yield Followed(as_it_is, fresh, changed, cost, advice, left)


def follow(reader: Reader, block: Block, *more: str) -> Finished:
    """Do a block's commands, of which the last one measures."""
    *before, run = block.commands
    for command in before:
        reader.do(command)
    return reader.measure(run, *more)


def row_of(finished: Finished, server: str = NAME) -> Row:
    """The row of a server in a run of one round."""
    (row,) = [row for row in finished.run.rows if row["server"] == server]
    return row


def test_it_is_measured_at_the_page_that_its_labels_name(followed: Followed) -> None:
    row = row_of(followed.as_it_is)

    assert (row["outcome"], row["failures"]) == ("measured", "0")
    assert (row["case"], row["title"]) == (f"{NAME}_own_10u", "My project, as it is")
    assert float(row["rps"]) > 0


def test_it_waits_for_the_recorded_answer_and_the_row_has_its_calls(followed: Followed) -> None:
    row = row_of(followed.as_it_is)

    assert float(row["min_ms"]) >= 200
    assert int(row["api_calls"]) > 0
    assert float(row["api_late_p99_ms"]) >= 0


def test_its_ceilings_are_by_its_declared_service_time(followed: Followed) -> None:
    row = row_of(followed.as_it_is)

    assert row["service_time_ms"] == "200"
    assert (row["users_ceiling_rps"], row["slots_ceiling_rps"]) == ("50", "10")


def test_what_is_not_known_of_it_is_empty(followed: Followed) -> None:
    row = row_of(followed.as_it_is)

    assert {name: row[name] for name in (*AXES, *COUNTERS) if row[name]} == {}


def test_as_it_is_it_is_not_fresh(followed: Followed) -> None:
    assert "not-fresh" in row_of(followed.as_it_is)["caveats"].split()
    assert f"not-fresh ({NAME}): " in followed.as_it_is.done.stdout


def test_as_it_is_environment_json_has_its_address_instead_of_a_command(followed: Followed) -> None:
    environment = followed.as_it_is.run.environment

    url = services()[NAME]["labels"]["lab.url"]
    assert environment["servers"][NAME] == {"command": None, "url": url}
    assert environment["idle"]["launchers"] == 0


def test_with_the_launcher_it_is_fresh(followed: Followed) -> None:
    assert "not-fresh" not in row_of(followed.fresh)["caveats"].split()
    assert "not-fresh" not in followed.fresh.done.stdout


def test_with_the_launcher_its_row_has_all_but_the_axes_of_the_labs_views(
    followed: Followed,
) -> None:
    row = row_of(followed.fresh)

    assert (row["outcome"], row["failures"]) == ("measured", "0")
    assert [name for name in COUNTERS if not row[name]] == []
    assert {name: row[name] for name in AXES if row[name]} == {}


def test_with_the_launcher_environment_json_has_its_command(followed: Followed) -> None:
    environment = followed.fresh.run.environment

    assert environment["servers"][NAME]["command"] == services()[NAME]["command"]
    assert environment["idle"]["launchers"] == 1


def test_a_change_is_measured_and_judged(followed: Followed) -> None:
    before, after = (row_of(followed.changed, name) for name in (NAME, CHANGED))

    assert (before["outcome"], after["outcome"]) == ("measured", "measured")
    assert (after["failures"], after["slots_ceiling_rps"]) == ("0", "80")
    # Two threads make 10 views/s at most; ten users ask sixteen for up to 50.
    assert float(after["rps"]) > 2 * float(before["rps"])
    pairs = {(row["a"], row["b"]) for row in followed.changed.run.comparisons}
    assert pairs == {(f"{NAME}_own_10u", f"{CHANGED}_own_10u")}


def test_the_run_ends_with_what_one_round_tells(followed: Followed) -> None:
    said = " ".join(followed.changed.done.stdout.split())
    ranked = [row_of(followed.changed, name)["ranked"] for name in (NAME, CHANGED)]

    # On a busy machine an instrument may have moved a row by more than the margin.
    told = re.search(rf"RPS of {CHANGED} is [\d.]+ times that of ", said) is not None
    assert told == (ranked == ["yes", "yes"])
    assert re.search(r"may be chance\. .* needs? three rounds \(--rounds 3\)\.", said)


def test_what_one_view_costs_is_measured_in_a_duet(followed: Followed) -> None:
    duets = [row for row in followed.cost.run.rows if row["partner"]]

    assert {row["server"] for row in duets} == {CHANGED, RECONNECTING}
    assert {row["outcome"] for row in duets} == {"measured"}


def test_the_labs_own_views_are_asked_about_a_view_like_it(followed: Followed) -> None:
    trials = [line for line in followed.advice.splitlines() if ".r1" in line]

    assert trials
    assert all("_200ms_cpu5ms_own_" in trial for trial in trials)


def test_nothing_of_it_is_left_once_it_is_removed(followed: Followed) -> None:
    assert followed.left == []


def test_no_section_of_the_page_is_skipped() -> None:
    assert list(dict.fromkeys(block.section for block in BLOCKS)) == [
        "The block",
        "The suite",
        "Run it",
        "Fresh for each trial, with its CPU",
        "What to change first",
        "What one view costs",
        "Remove it",
    ]
