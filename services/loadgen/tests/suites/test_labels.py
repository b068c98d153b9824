"""From the labels of a table one reads all that differs between its rows, and nothing else."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.documents.run_material import labels_of
from loadgen.findings.capacity import stacks
from loadgen.findings.comparisons import compare_cases, of_suite
from loadgen.lab.http_clients import read_http_clients
from loadgen.records import columns
from loadgen.records.columns import METRICS, Row
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels, metric_name
from loadgen.suites.load_suites import load_suites
from loadgen.suites.suite import Suite
from loadgen.suites.suite_file import OF_A_PAGE
from tests.make import a_case, a_case_of_a_page, a_suite
from tests.shown import a_group
from tests.suites.test_suite import SUITE_FILES, lab_of

NAMES = {
    "settings": ("startproject", "bare", "article", "article_bare"),
    "workload": ("fanout", "single"),
    "upstream": ("http", "https", "django"),
    "driver": ("own", "locust", "hey"),
}
PATTERNS = {
    "view": r"\b(?:sync|async) view\b",
    "delays_ms": r"(?<![\d.+])[\d.+]+ ms(?! of CPU)",
    "cpu_ms": r"(?<![\d.])[\d.]+ ms of CPU",
    "ramp": r"\bramp(?: [\d:,.]*\d)?",
    "planned_requests": r"\d+/\d+(?!\S)",
    "users": r"\d+ users\b",
    "rate_rps": r"[\d.]+/s\b",
    "arrivals": r"\b(?:poisson|constant) arrivals\b",
}


def read(label: str, clients: Iterable[str]) -> dict[str, str]:
    """What a reader finds in a label: axis → its words."""
    words = re.split(r",? ", label)
    names = NAMES | {"http_client": tuple(clients)}
    found = {
        axis: known for axis, all_known in names.items() for known in all_known if known in words
    }
    for axis, pattern in PATTERNS.items():
        if match := re.search(pattern, label.replace(", ", " | ") + " "):
            found[axis] = match[0]
    return found


def value(case: Case, axis: str) -> object:
    """Of an axis as a label tells it: a counted load's users are told with its requests."""
    if axis == "planned_requests":
        return (case.planned_requests, case.users) if case.planned_requests else None
    if axis == "users" and case.planned_requests:
        return None
    return getattr(case, axis)


AXES = ("http_client", *NAMES, *PATTERNS)
#: A server's own page has none of these, and only an open load has arrivals: both show elsewhere.
NOTHING = ("", (), None)
MAY_BE_NONE = (*OF_A_PAGE, "arrivals")


def differs(a: Case, b: Case, axis: str) -> bool:
    """Whether two cases differ on an axis in a way that a label has to tell."""
    values = {value(a, axis), value(b, axis)}
    return len(values) > 1 and not (axis in MAY_BE_NONE and not values.isdisjoint(NOTHING))


def check(
    labels: Sequence[tuple[Case, str]], clients: Iterable[str], suites: Iterable[Suite]
) -> None:
    """All that differs can be read, but for views that are native to their servers."""
    views = {server: view for suite in suites for server, view in suite.native_views.items()}
    native = all(case.view == views[case.server] for case, _ in labels if case.view)
    axes = [axis for axis in AXES if not (axis == "view" and native)]
    told = [(case, read(label, clients)) for case, label in labels]
    for (a, of_a), (b, of_b) in combinations(told, 2):
        for axis in axes:
            if differs(a, b, axis):
                assert of_a.get(axis) != of_b.get(axis), f"{axis} of {a.slug} and {b.slug}"
    for axis in AXES:
        if len({value(case, axis) for case, _ in labels}) == 1:
            assert not any(axis in of_case for _, of_case in told), f"{axis} is the same in all"


def a_run(suites: Iterable[Suite]) -> list[Row]:
    """A row of each case, titled by what its server is."""
    found = {
        case.slug: columns.row(
            case.cells()
            | {"title": case.server, "outcome": "measured", "ranked": "yes", "round": 1}
            | {"rps": 80.0, "app_cpu_ms_per_view": 5.0, "cpu_ceiling_rps": 200.0, "bound_by": "cpu"}
        )
        for suite in suites
        for case in suite.cases
    }
    return list(found.values())


def pairs_of(suites: Sequence[Suite], labels: dict[tuple[str, str], str]) -> list[tuple[Case, str]]:
    """`a → b, shared`: each side with what both share is the label of a case."""
    cases = {case.slug: case for suite in suites for case in suite.cases}
    found: dict[tuple[Case, str], None] = {}
    for (a, b), label in labels.items():
        sides, *shared = label.split(", ")
        where, _, sides = sides.rpartition(": ")
        for case, side in zip((cases[a], cases[b]), sides.split(" → "), strict=True):
            found[case, ", ".join(filter(None, (where, side, *shared)))] = None
    return list(found)


@pytest.mark.parametrize("file", SUITE_FILES, ids=lambda file: file.stem)
def test_every_table_of_a_suite_tells_all_that_differs_in_it(file: Path, project: Path) -> None:
    clients = read_http_clients(project)
    for suite in load_suites(lab_of(project), file.stem):
        rows = a_run([suite])
        _, group = a_group(suite, rows)
        for entries in (group.entries, group.apart):
            check([(entry.case, entry.name) for entry in entries], clients, [suite])
            assert {entry.label for entry in entries} == {entry.name for entry in entries}
        check([(one.rounds[0].case, one.label) for one in stacks(suite, rows)], clients, [suite])
        compared = of_suite(suite, compare_cases([suite], rows))
        labels = {(one.a, one.b): one.label for one in compared}
        check(pairs_of([suite], labels), clients, [suite])


@pytest.mark.parametrize(
    "names", ["why clients servers", "claims", "cpu middleware upstreams", "traps users quick"]
)
def test_a_table_of_several_suites_tells_all_that_differs_among_them(
    names: str, project: Path
) -> None:
    clients = read_http_clients(project)
    suites = [suite for name in names.split() for suite in load_suites(lab_of(project), name)]
    labels = labels_of(suites)
    cases = {case.slug: case for suite in suites for case in suite.cases}
    check([(case, labels.name(case)) for case in cases.values()], clients, suites)
    compared = {(one.a, one.b): one.label for one in compare_cases(suites, a_run(suites))}
    check(pairs_of(suites, compared), clients, suites)


def test_the_capacity_table_says_each_stacks_client(project: Path) -> None:
    """granian's stood without one beside uvicorn's, which was another."""
    (suite,) = load_suites(lab_of(project), "capacity")
    names = [stack.name for stack in stacks(suite, a_run([suite]))]
    assert "granian-asgi, pyreqwest-shared" in names
    assert "gunicorn-gevent-2000, urllib3-shared" in names


def test_a_comparison_of_several_suites_is_called_in_each_by_what_differs_there(
    project: Path,
) -> None:
    suites = [suite for name in ("why", "clients") for suite in load_suites(lab_of(project), name)]
    compared = compare_cases(suites, a_run(suites))
    (clients,) = (suite for suite in suites if suite.name == "clients")
    labels = {one.label for one in of_suite(clients, compared)}
    assert "uvicorn: httpx-per-request → aiohttp-shared" in labels


def test_a_run_of_a_part_calls_its_cases_as_a_run_of_the_whole(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "clients")
    part = Suite(**vars(suite) | {"cases": suite.cases[:1], "narrowed_from": suite.cases})
    _, group = a_group(part, a_run([part]))
    (entry,) = group.entries
    assert entry.name == "gunicorn-100-threads, no-http"


@pytest.mark.parametrize(
    ("cases", "labels"),
    [
        (
            [a_case(), a_case(server="granian-asgi", http_client="aiohttp-shared")],
            ["uvicorn, httpx-per-request", "granian-asgi, aiohttp-shared"],
        ),
        ([a_case(), a_case(server="granian-asgi")], ["uvicorn", "granian-asgi"]),
        (
            [a_case(), a_case(server="gunicorn-100-threads", view="sync")],
            ["uvicorn", "gunicorn-100-threads"],
        ),
        (
            [a_case(view="sync"), a_case(server="granian-asgi")],
            ["uvicorn, sync view", "granian-asgi, async view"],
        ),
        (
            [a_case(users=10), a_case(server="granian-asgi"), a_case(server="daphne")],
            ["uvicorn, 10 users", "granian-asgi, 100 users", "daphne, 100 users"],
        ),
        ([a_case(), a_case(workload="single")], ["uvicorn, fanout", "uvicorn, single"]),
        (
            [a_case(), a_case(driver="hey", planned_requests=200)],
            ["uvicorn, locust, 100 users", "uvicorn, hey, 200/100"],
        ),
        (
            [a_case(ramp=((0, 0), (10, 100), (30, 100))), a_case()],
            ["uvicorn, ramp", "uvicorn"],
        ),
        (
            [a_case(ramp=((0, 0), (second, 100), (30, 100))) for second in (5, 10)],
            ["uvicorn, ramp 0:0,5:100,30:100", "uvicorn, ramp 0:0,10:100,30:100"],
        ),
        (
            [a_case(driver="hey", planned_requests=300, users=users) for users in (30, 50)],
            ["uvicorn, 300/30", "uvicorn, 300/50"],
        ),
        (
            [
                a_case(load="open", users=None, rate_rps=rate_rps, arrivals=arrivals)
                for rate_rps, arrivals in ((20.0, "poisson"), (20.5, "constant"))
            ],
            ["uvicorn, 20/s, poisson arrivals", "uvicorn, 20.5/s, constant arrivals"],
        ),
        (
            [a_case(), a_case_of_a_page(server="my-django")],
            ["uvicorn", "my-django"],
        ),
        (
            [a_case(), a_case(load="open", users=None, rate_rps=90.0, arrivals="poisson")],
            ["uvicorn, 100 users", "uvicorn, 90/s"],
        ),
    ],
)
def test_a_label_says_what_differs_in_its_table_and_nothing_else(
    cases: list[Case], labels: list[str]
) -> None:
    native = {"uvicorn": "async", "granian-asgi": "async", "gunicorn-100-threads": "sync"}
    told = Labels(cases, native)
    assert [told.name(case) for case in cases] == labels


@pytest.mark.parametrize(
    ("a", "b", "others", "label"),
    [
        ({}, {"server": "twin"}, (), "uvicorn → twin"),
        ({}, {"http_client": "no-http"}, (), "uvicorn: httpx-per-request → no-http"),
        ({}, {"server": "twin"}, ({"users": 7},), "uvicorn → twin, 100 users"),
        (
            {},
            {"server": "twin", "http_client": "no-http"},
            ({"users": 7},),
            "uvicorn httpx-per-request → twin no-http, 100 users",
        ),
        (
            {"driver": "hey", "planned_requests": 100},
            {"driver": "hey", "planned_requests": 100, "server": "twin"},
            ({"driver": "hey", "planned_requests": 100, "delays_ms": (9.0,)},),
            "uvicorn → twin, 300+600+150 ms",
        ),
    ],
)
def test_a_pair_is_called_by_what_differs_between_the_two_then_by_what_they_share(
    a: dict[str, Any], b: dict[str, Any], others: tuple[dict[str, Any], ...], label: str
) -> None:
    pair = (a_case(**a), a_case(**b))
    assert Labels([*pair, *(a_case(**axes) for axes in others)], {}).pair(*pair) == label


def test_servers_of_one_title_are_told_apart_by_their_names() -> None:
    """A reader's own server has the title of the one that it extends, if it says no other."""
    suite = a_suite(cases=(a_case(), a_case(server="my-uvicorn"), a_case(server="daphne", users=7)))
    titles = {"uvicorn": "Uvicorn", "my-uvicorn": "Uvicorn", "daphne": "Daphne"}
    rows = [row | {"title": titles[str(row["server"])]} for row in a_run([suite])]
    assert [entry.label for entry in a_group(suite, rows)[1].entries] == [
        "Uvicorn (uvicorn), 100 users",
        "Uvicorn (my-uvicorn), 100 users",
        "Daphne, 7 users",
    ]


some_cases = st.lists(
    st.builds(
        a_case,
        server=st.sampled_from(["uvicorn", "granian-asgi"]),
        settings=st.sampled_from(["startproject", "bare"]),
        view=st.sampled_from(["sync", "async"]),
        http_client=st.sampled_from(["no-http", "httpx-shared"]),
        upstream=st.sampled_from(["http", "https"]),
        delays_ms=st.sampled_from([(300.0,), (300.0, 600.0)]),
        cpu_ms=st.sampled_from([0.0, 5.0]),
        users=st.sampled_from([10, 100]),
        ramp=st.sampled_from([None, ((0, 0), (10, 100), (30, 100)), ((0, 0), (5, 100), (30, 100))]),
    ),
    min_size=2,
    max_size=6,
    unique=True,
)


@given(some_cases)
def test_no_two_cases_of_a_table_have_the_same_label(cases: list[Case]) -> None:
    labels = Labels(cases, {"uvicorn": "async", "granian-asgi": "async"})
    assert len({labels.name(case) for case in cases}) == len(cases)


def test_a_short_name_leaves_out_what_its_server_tells() -> None:
    clients = {"gunicorn-4x10": "requests-per-request", "uvicorn-4": "httpx-per-request"}
    cases = [
        a_case(server=server, http_client=client, users=users)
        for server, client in clients.items()
        for users in (10, 20)
    ]
    labels = Labels(cases, {})
    assert [labels.short(case) for case in cases] == [
        "gunicorn-4x10, 10 users",
        "gunicorn-4x10, 20 users",
        "uvicorn-4, 10 users",
        "uvicorn-4, 20 users",
    ]
    assert labels.spared == clients


def test_a_short_name_says_what_differs_for_one_server_of_all() -> None:
    clients = [("uvicorn", "no-http"), ("uvicorn", "httpx-shared"), ("daphne", "httpx-shared")]
    cases = [a_case(server=server, http_client=client) for server, client in clients]
    labels = Labels(cases, {})
    assert [labels.short(case) for case in cases] == [f"{a}, {b}" for a, b in clients]
    assert labels.spared == {}


def test_every_metric_that_can_be_compared_has_a_name_of_its_own() -> None:
    assert len(set(map(metric_name, METRICS))) == len(METRICS)
