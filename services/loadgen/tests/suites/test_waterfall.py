"""A waterfall of a suite file: one change per step, in two orders."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab.lab import SUITES
from loadgen.lab.servers import read_servers
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.load_suites import load_suites
from loadgen.suites.pairs import AXES
from loadgen.suites.suite import Suite
from loadgen.suites.waterfall import Order, Waterfall
from tests.make import no_duets
from tests.suites.test_suite import lab_of

HEAD = """
question = "Which?"
[defaults]
users = 10
[[waterfall]]
title = "From here to there"
words = "as it was"
start = {server = "uvicorn", settings = "article"}
"""
CLIENT = """
[[waterfall.steps]]
words = "one client"
change = {http_client = "requests-shared"}
"""
DEBUG_OFF = """
[[waterfall.steps]]
words = "DEBUG off"
change = {settings = {article = "startproject", article_bare = "bare"}}
"""
NO_MIDDLEWARE = """
[[waterfall.steps]]
words = "no middleware"
change = {settings = {article = "article_bare", startproject = "bare"}}
"""
SYNC = HEAD.replace('"uvicorn"', '"gunicorn-100-threads"')

type Load = Callable[[str], Suite]


@pytest.fixture
def load(project: Path) -> Load:
    """A suite `mine` from its text."""

    def from_text(text: str) -> Suite:
        (project / SUITES / "mine.toml").write_text(text)
        (suite,) = load_suites(lab_of(project), "mine")
        return suite

    return from_text


def the_waterfall(suite: Suite) -> Waterfall:
    (waterfall,) = suite.waterfalls
    return waterfall


def words(waterfall: Waterfall, order: Order) -> list[str]:
    return [step.words for step in waterfall.orders[order]]


def settings(waterfall: Waterfall, order: Order) -> list[str]:
    return [step.case.settings for step in waterfall.orders[order]]


def changed_axes(a: Case, b: Case) -> set[str]:
    return {axis for axis in AXES if getattr(a, axis) != getattr(b, axis)}


def test_each_step_changes_the_case_before_it(load: Load) -> None:
    waterfall = the_waterfall(load(SYNC + CLIENT + DEBUG_OFF + NO_MIDDLEWARE))
    forward = waterfall.orders["forward"]
    assert words(waterfall, "forward") == ["as it was", "one client", "DEBUG off", "no middleware"]
    assert [step.case.http_client for step in forward] == [
        "httpx-per-request",
        *["requests-shared"] * 3,
    ]
    assert settings(waterfall, "forward") == ["article", "article", "startproject", "bare"]
    assert {step.case.users for step in forward} == {10}


def test_the_same_steps_go_in_reversed_order_from_the_same_start_to_the_same_end(
    load: Load,
) -> None:
    waterfall = the_waterfall(load(SYNC + CLIENT + DEBUG_OFF + NO_MIDDLEWARE))
    forward, backward = waterfall.orders["forward"], waterfall.orders["reversed"]
    assert words(waterfall, "reversed") == ["as it was", "no middleware", "DEBUG off", "one client"]
    assert settings(waterfall, "reversed") == ["article", "article_bare", "bare", "bare"]
    assert (backward[0], backward[-1].case) == (forward[0], forward[-1].case)


def test_steps_that_build_on_one_another_keep_their_order_in_both(load: Load) -> None:
    second = CLIENT.replace("one client", "another").replace("requests-shared", "httpx-shared")
    built = second + "builds_on_previous = true\n"
    waterfall = the_waterfall(load(SYNC + CLIENT + built + DEBUG_OFF))
    assert words(waterfall, "reversed") == ["as it was", "DEBUG off", "one client", "another"]


def test_steps_that_end_elsewhere_when_reversed_are_refused(load: Load) -> None:
    second = CLIENT.replace("requests-shared", "httpx-shared")
    with pytest.raises(ConfigurationError, match=r"waterfall\[1\]: the steps end at .* reversed"):
        load(SYNC + CLIENT + second)


def test_a_waterfall_of_one_step_has_one_order(load: Load) -> None:
    waterfall = the_waterfall(load(HEAD + DEBUG_OFF))
    assert list(waterfall.orders) == ["forward"]
    assert len(waterfall.cases) == 2


def test_cases_are_generated_each_once_as_a_ring(load: Load) -> None:
    suite = load(SYNC + CLIENT + DEBUG_OFF + NO_MIDDLEWARE)
    ring = the_waterfall(suite).cases
    assert list(suite.cases) == ring
    assert len(set(ring)) == len(ring) == 6
    for a, b in pairwise([*ring, ring[0]]):
        assert (a, b) in suite.pairs or (b, a) in suite.pairs


def test_a_stage_and_the_next_are_measured_one_after_the_other(project: Path) -> None:
    suites = load_suites(lab_of(project), "why")
    plan = Plan(suites, read_servers(project), rounds=5, seed=1)
    order = [trial.case for trial in no_duets(plan.certain())]
    neighbours = {frozenset(pair) for pair in pairwise(order)}
    apart = [pair for pair in suites[0].pairs if frozenset(pair) not in neighbours]
    assert apart == []


def test_each_pair_is_a_stage_and_the_next(load: Load) -> None:
    suite = load(SYNC + CLIENT + DEBUG_OFF + NO_MIDDLEWARE)
    assert len(suite.pairs) == 6
    assert all(len(changed_axes(a, b)) == 1 for a, b in suite.pairs)


def test_a_suite_may_have_cases_besides(load: Load) -> None:
    text = HEAD.replace("[[waterfall]]", '[[cases]]\nserver = "uvicorn-4"\n[[waterfall]]')
    suite = load(text + DEBUG_OFF)
    assert [case.server for case in suite.cases] == ["uvicorn-4", "uvicorn", "uvicorn"]


def test_the_view_follows_the_server(load: Load) -> None:
    step = '\n[[waterfall.steps]]\nwords = "sync"\nchange = {server = "gunicorn-4x10"}\n'
    forward = the_waterfall(load(HEAD + step)).orders["forward"]
    assert [step.case.view for step in forward] == ["async", "sync"]


def test_axes_from_the_command_line_are_its_starts(project: Path) -> None:
    (suite,) = load_suites(lab_of(project, {"users": [7]}), "why")
    assert {case.users for case in suite.cases} == {7}
    assert len(suite.waterfalls) == 3


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"http_client": ["no-http"]}, "--http-client: cannot be set: 'Article A, async' of why"),
        ({"users": [1, 2]}, r"waterfall\[1\].start: a waterfall has one start"),
    ],
)
def test_axes_that_a_waterfall_cannot_take_are_refused(
    project: Path, axes: dict[str, list[object]], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_suites(lab_of(project, axes), "why")


@pytest.mark.parametrize(
    ("steps", "parts"),
    [
        (
            NO_MIDDLEWARE.replace("article = ", "other = "),
            ["waterfall[1].steps[1].change.settings", "'article'", "other, startproject"],
        ),
        (
            DEBUG_OFF.replace('"startproject"', '"article"'),
            ["steps[1].change.settings", "changes nothing", "'article' already"],
        ),
        (
            DEBUG_OFF.replace("settings =", "setting ="),
            ["steps[1].change.setting", "unknown axis", "http_client"],
        ),
        (
            DEBUG_OFF.replace('"startproject"', '"production"'),
            ["waterfall[1].steps[1].settings", "'production'", "startproject"],
        ),
        (CLIENT, ["waterfall[1].steps[1]", "requests-shared has no async side"]),
        (DEBUG_OFF + "builds_on_previous = true\n", ["first step has no previous one"]),
        (DEBUG_OFF.replace("words", "word"), ["waterfall[1].steps[1].word"]),
        ("steps = []\n", ["waterfall[1].steps", "at least 1 item"]),
        (
            '\n[[waterfall.steps]]\nwords = "no"\nchange = {}\n',
            ["waterfall[1].steps[1].change", "at least 1 item"],
        ),
        (
            DEBUG_OFF + "after = 1\n",
            ["waterfall[1].steps[1].after", "unknown key", "builds_on_previous"],
        ),
        (
            "ending = 1\n" + DEBUG_OFF,
            ["waterfall[1].ending", "unknown key", "title, words, start, steps"],
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(load: Load, steps: str, parts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(HEAD + steps)
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("axis", "change"),
    [("users = 5", "users = {6 = 50}"), ("delays_ms = [300, 600]", "delays_ms = {a = [300]}")],
)
def test_a_step_that_does_not_say_what_becomes_of_a_number_or_a_list_is_refused(
    load: Load, axis: str, change: str
) -> None:
    start = HEAD.replace('"article"}', f'"article", workload = "fanout", {axis}}}')
    step = f'[[waterfall.steps]]\nwords = "more"\nchange = {{{change}}}\n'
    with pytest.raises(
        ConfigurationError, match=r"steps\[1\].change.*does not say what becomes of"
    ):
        load(start + step)


def test_the_value_of_a_step_is_looked_up_by_the_number_as_it_is_written(load: Load) -> None:
    start = HEAD.replace('"article"}', '"article", users = 5}')
    step = '[[waterfall.steps]]\nwords = "more"\nchange = {users = {5 = 50}}\n'
    (waterfall,) = load(start + step).waterfalls
    assert [each.case.users for each in waterfall.orders["forward"]] == [5, 50]


def test_why_goes_from_article_as_stack_to_the_best_one(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "why")
    article = suite.waterfalls[0]
    first, *_, last = article.orders["forward"]
    assert (first.case.upstream, first.case.settings) == ("django", "article")
    assert first.case.server == "uvicorn-asyncio-access-log"
    assert (last.case.upstream, last.case.settings) == ("http", "bare")
    assert (last.case.server, last.case.http_client) == ("uvicorn", "aiohttp-shared")
    assert suite.rounds == 5


def test_every_step_of_why_changes_one_thing(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "why")
    for waterfall in suite.waterfalls:
        for a, b in waterfall.pairs:
            assert len(changed_axes(a, b)) == 1
