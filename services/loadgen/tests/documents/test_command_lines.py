"""Command lines that repeat and refute."""

import shlex
from itertools import pairwise
from typing import Any

import pytest

from loadgen.commands.axis_options import with_axes
from loadgen.documents import command_lines
from loadgen.lab.lab import SetAxes
from tests.make import a_case, a_case_of_a_page, a_page, a_server, a_suite

ARGUMENTS = {"suites": ["why", "clients"], "servers": "*", "only": "*", "rounds": 5, "seed": 7}


def test_a_run_is_repeated_with_its_options_and_seed() -> None:
    assert (
        command_lines.repeat_run(ARGUMENTS) == "scripts/bench run why clients --rounds 5 --seed 7"
    )
    narrowed = ARGUMENTS | {"servers": "uv*", "rounds": None}
    assert command_lines.repeat_run(narrowed) == (
        "scripts/bench run why clients --servers 'uv*' --seed 7"
    )


AXES: dict[str, list[Any]] = {
    "users": [50, 100],
    "delays_ms": [[800, 400], [10]],
    "ramp": [[[0, 0], [10, 100], [30, 100]]],
    "http_client": ["aiohttp-shared"],
}


@with_axes
def asked(axes: SetAxes) -> SetAxes:
    """What a command line with these options asks for."""
    return axes


def test_axes_of_the_command_line_are_repeated_as_it_reads_them() -> None:
    line = command_lines.repeat_run(ARGUMENTS | {"axes": AXES})
    assert (
        "--users 50,100 --delays-ms 800,400 --delays-ms 10 --ramp 0:0,10:100,30:100 "
        "--http-client aiohttp-shared"
    ) in line
    words = shlex.split(line)
    options: dict[str, list[str]] = {}
    for word, value in pairwise(words):
        if (axis := word.removeprefix("--").replace("-", "_")) in AXES:
            options.setdefault(axis, []).append(value)
    assert asked(**options) == AXES
    assert "--users 50,100" in command_lines.repeat_case(a_case(), a_suite(), AXES)


def test_a_case_is_repeated_by_its_slug() -> None:
    case = a_case()
    assert command_lines.repeat_case(case, a_suite(name="clients"), {}) == (
        f"scripts/bench run clients --only {case.slug} --rounds 5"
    )


def test_a_case_of_a_self_test_is_repeated_as_any_other() -> None:
    asked = command_lines.repeat_case(a_case(), a_suite(self_test=True), {})
    assert asked.startswith("scripts/bench run ")


def test_hey_asks_the_same_view_with_as_many_users() -> None:
    up, hey = command_lines.by_hand(a_case(users=30), a_server())
    assert up == "LAB_AUTOSTART=1 docker compose up -d api uvicorn"
    assert hey == (
        "docker compose run --rm --no-deps --entrypoint hey loadgen -z 15s -t 60 -c 30 "
        "'http://uvicorn:8000/async/fanout/httpx-per-request/?delays_ms=300,600,150&upstream=http'"
    )


def test_other_settings_are_asked_of_the_launcher() -> None:
    up, start, _ = command_lines.by_hand(a_case(settings="article"), a_server())
    assert up == "docker compose up -d api uvicorn"
    assert "http://localhost:9100/start?settings=article" in start


def test_article_as_own_api_is_started_besides() -> None:
    case = a_case(upstream="django", settings="article")
    api, up, _, hey = command_lines.by_hand(case, a_server())
    assert api == "LAB_AUTOSTART=1 docker compose up -d api-django"
    assert up == "docker compose up -d api uvicorn"
    assert hey.endswith("&upstream=django'")


@pytest.mark.parametrize(("rate_rps", "workers"), [(120.0, "-c 144 -q 0.833333"), (1.0, "-c 2 ")])
def test_an_open_load_is_asked_for_by_its_rate(rate_rps: float, workers: str) -> None:
    case = a_case(load="open", users=None, rate_rps=rate_rps, arrivals="poisson")
    assert workers in command_lines.by_hand(case, a_server())[-1]


def test_a_page_of_the_readers_own_is_asked_at_its_own_address() -> None:
    up, hey = command_lines.by_hand(a_case_of_a_page(), a_server(page=a_page()))
    assert up == "docker compose up -d api uvicorn"
    assert hey.endswith("-c 100 'http://localhost:8000/report/?year=2026'")


def test_a_page_that_the_labs_launcher_runs_is_started_first() -> None:
    server = a_server(name="mine", page=a_page(launcher=True))
    up, start, hey = command_lines.by_hand(a_case_of_a_page(), server)
    assert up == "docker compose up -d api mine"
    assert start.startswith("docker compose exec mine python -c ")
    assert start.endswith("urlopen('http://localhost:9100/start')\"")
    assert hey.endswith("-c 100 'http://localhost:8000/report/?year=2026'")
