"""A suite file asks a question and lists cases."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab.app_registry import SETTINGS, read_registry
from loadgen.lab.cpus import Roles
from loadgen.lab.http_clients import REGISTRY, read_http_clients
from loadgen.lab.lab import SUITES, Lab, SetAxes
from loadgen.lab.servers import read_servers
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.load_suites import load_suites
from loadgen.suites.pairs import Pair
from loadgen.suites.read_suite import read_suite, suite_names
from loadgen.suites.search import Rules
from loadgen.suites.suite import Published, Suite
from tests.make import no_duets

SUITE_FILES = sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))

PLAIN = """
question = "Which?"
[[cases]]
server = "uvicorn"
users = 10
"""

#: What `traps` shows by refusing it.
ON_PURPOSE = [
    "gunicorn-100-threads with aiohttp-shared, because an async view on WSGI gets a new event loop "
    "per request, which breaks a shared client"
]

#: Clients that show what goes wrong, in a suite of their own.
TRAPS = {"aiohttp-small-pool", "httpx-no-sniffio-per-request", "requests-blocking-in-async"}

type Load = Callable[[str], Suite]


def lab_of(project: Path, axes: SetAxes | None = None) -> Lab:
    """The lab of a project, with these axes set from the command line."""
    nowhere = Roles(frozenset(), frozenset(), frozenset())
    return Lab(project, project / "results", nowhere, host_facts={}, axes=axes or {})


@pytest.fixture
def load(project: Path) -> Load:
    """A suite `mine` from its text."""

    def from_text(text: str) -> Suite:
        (project / SUITES / "mine.toml").write_text(text)
        (suite,) = load_suites(lab_of(project), "mine")
        return suite

    return from_text


def cases(load: Load, *lines: str) -> tuple[Case, ...]:
    """The cases of a suite whose only entry has these lines."""
    return load("\n".join(['question = "Which?"', "[[cases]]", *lines])).cases


@pytest.mark.parametrize("file", SUITE_FILES, ids=lambda file: file.stem)
def test_every_suite_of_the_lab_loads_and_plans(file: Path, project: Path) -> None:
    suites = load_suites(lab_of(project), file.stem)
    plan = Plan(suites, read_servers(project), None, seed=1, ordered=False)
    assert plan.certain()
    left_out = [reason for suite in suites for reason in suite.left_out]
    assert left_out == (ON_PURPOSE if file.stem == "traps" else [])


def test_a_suite_may_search_and_what_it_does_not_say_is_the_labs_rule(load: Load) -> None:
    suite = load(PLAIN + "[search]\nwindow_s = 20\n")
    assert suite.search == Rules(window_s=20)
    assert load(PLAIN).search is None


def test_every_published_figure_of_the_lab_has_its_case(project: Path) -> None:
    for suite in load_suites(lab_of(project), "articles"):
        for published in suite.published:
            described = [case for case in suite.cases if published.describes(case.cells())]
            assert len(described) == 1


def test_article_a_is_six_servers_under_its_ramp(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "article-a")
    assert len(suite.cases) == 6
    assert {case.ramp for case in suite.cases} == {((0, 0), (10, 100), (30, 100))}
    assert {case.users for case in suite.cases} == {100}


def test_article_b_is_three_counted_loads_over_https(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "article-b")
    loads = [(case.planned_requests, case.users) for case in suite.cases]
    assert set(loads) == {(150, 30), (300, 50), (1000, 100)}
    assert {case.upstream for case in suite.cases} == {"https"}


def test_article_bs_order_is_asked_at_three_delays_for_the_same_three_loads(
    project: Path,
) -> None:
    (article,) = load_suites(lab_of(project), "article-b")
    (suite,) = load_suites(lab_of(project), "article-b-delays")
    at_400_ms = [case for case in suite.cases if case.delays_ms == (400,)]
    assert at_400_ms == list(article.cases)
    assert suite.timing == article.timing
    assert len(suite.pairs) == 9
    assert set(article.pairs) < set(suite.pairs)


def test_article_as_claims_compare_all_its_servers_in_one_block(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "article-a")
    assert all(entry.words for entry in suite.compare)
    assert {case for pair in suite.pairs for case in pair} == set(suite.cases)
    best = [a.server for a, b in suite.compare[1].pairs(suite.cases)]
    assert len(best) == 5


@pytest.mark.parametrize("article", ["article-a", "article-b"])
def test_a_shared_client_answers_an_articles_claims_word_by_word(
    project: Path, article: str
) -> None:
    (with_its_own,) = load_suites(lab_of(project), article)
    (with_a_shared,) = load_suites(lab_of(project), f"{article}-shared")
    for own, shared in zip(with_its_own.compare, with_a_shared.compare, strict=True):
        assert (own.words, own.metrics) == (shared.words, shared.metrics)
        assert servers_of(own.pairs(with_its_own.cases)) == servers_of(
            shared.pairs(with_a_shared.cases)
        )
    assert {(c.server, c.ramp, c.users, c.planned_requests) for c in with_its_own.cases} == {
        (c.server, c.ramp, c.users, c.planned_requests) for c in with_a_shared.cases
    }
    assert all(case.http_client.endswith("-shared") for case in with_a_shared.cases)
    assert with_its_own.timing == with_a_shared.timing


def servers_of(pairs: Iterable[Pair]) -> list[tuple[str, str, int | None]]:
    return sorted((a.server, b.server, a.users) for a, b in pairs)


def test_claims_asks_for_each_with_both_clients_and_for_thousands_of_users(project: Path) -> None:
    suites = load_suites(lab_of(project), "claims")
    words = Counter(entry.words for suite in suites for entry in suite.compare)
    alone = [claim for claim, times in words.items() if times == 1]
    async_pays_off = "Async pays off with thousands of users and slow I/O"
    assert alone == [f"{async_pays_off}.", f"{async_pays_off}, without middleware."]
    assert len(words) == 8
    (thousands,) = (suite for suite in suites if suite.name == "thousands")
    servers = read_servers(project)
    assert all((servers[case.server].slots or 2000) >= 2000 for case in thousands.cases)


def test_smoke_measures_every_server_but_those_of_the_self_tests(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "smoke")
    smoked = {case.server for case in suite.cases}
    others = set(read_servers(project)) - smoked
    assert smoked < set(read_servers(project))
    assert all(name.endswith("-twin") or name.startswith("planted-") for name in others)


def test_servers_are_all_but_those_of_why_and_of_the_self_tests(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "servers")
    asked = {case.server for case in suite.cases}
    others = set(read_servers(project)) - asked
    assert all(
        name.endswith(("-twin", "-access-log")) or name.startswith("planted-") for name in others
    )


def test_the_best_stacks_of_one_process_are_compared_with_a_view_that_calls_nobody(
    project: Path,
) -> None:
    (suite,) = load_suites(lab_of(project), "servers")
    against = [(a.server, b.http_client) for a, b in suite.pairs if a.http_client == "no-http"]
    assert against == [
        ("gunicorn-100-threads", "urllib3-shared"),
        ("uvicorn", "aiohttp-shared"),
        ("granian-asgi", "aiohttp-shared"),
    ]


def test_no_server_of_the_suite_servers_is_left_with_a_long_queue(project: Path) -> None:
    servers = read_servers(project)
    (suite,) = load_suites(lab_of(project), "servers")
    for case in suite.cases:
        slots = servers[case.server].slots
        assert case.users is not None
        assert slots is None or case.users <= 2.5 * slots


def test_all_clients_are_measured_on_threads_and_on_an_event_loop(project: Path) -> None:
    clients = read_http_clients(project)
    (suite,) = load_suites(lab_of(project), "clients")
    for server, view in (("gunicorn-100-threads", "sync"), ("uvicorn", "async")):
        measured = {case.http_client for case in suite.cases if case.server == server}
        serving = {name for name, client in clients.items() if view in client.views}
        assert measured == serving - TRAPS


def test_clients_and_servers_share_their_cases_and_take_46_minutes_together(project: Path) -> None:
    suites = [
        suite for name in ("clients", "servers") for suite in load_suites(lab_of(project), name)
    ]
    trials = no_duets(Plan(suites, read_servers(project), 5, seed=1, ordered=False).certain())
    assert {trial.suites for trial in trials} == {"clients", "servers", "clients+servers"}
    assert len(trials) == 5 * 35
    assert sum(trial.expected_s for trial in trials) <= 46 * 60


def test_quick_compares_clients_servers_and_both_ways_of_waiting(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "quick")
    servers = read_servers(project)
    assert {entry.change for entry in suite.compare} == {
        "share the client",
        "sync → async",
    }
    assert {case for entry in suite.compare for pair in entry.pairs(suite.cases) for case in pair}
    assert {servers[case.server].slots for case in suite.cases} == {None, 2000}
    assert {case.server for case in suite.alone} == {"uvicorn"}
    assert len(suite.duets) == 2


def test_a_copy_of_an_earlier_run_is_read_with_the_time_limit_that_it_has(project: Path) -> None:
    text = 'question = "Which?"\nat_most_s = 210\n[[cases]]\nserver = "uvicorn"\nusers = 4\n'
    (project / SUITES / "mine.toml").write_text(text)
    (suite,) = load_suites(lab_of(project), "mine")
    assert (suite.minutes, suite.most_rounds) == (3.5, None)


def test_quick_asks_first_whether_to_make_calls_at_once_where_they_are_not(project: Path) -> None:
    (suite,) = load_suites(lab_of(project, {"workload": ["serial"]}), "quick")
    first = suite.compare[0]
    assert first.change == "make the calls at once"
    ((a, b),) = first.pairs(suite.cases)
    assert (a.workload, b.workload) == ("serial", "fanout")
    assert (a.server, a.http_client) == (b.server, b.http_client)
    assert {a, b} == set(suite.cases[:2]), "they are the last to be left out for want of time"


def test_the_twins_are_compared_60_times(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "aa")
    assert len(suite.pairs) == 60
    assert {f"{a.server}-twin" == b.server for a, b in suite.pairs} == {True}
    assert suite.expect == "no difference"
    assert len(suite.cases) * suite.rounds == 360


def test_what_is_planted_is_compared_with_the_same_server(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "planted")
    pairs = [pair for entry in suite.compare for pair in entry.pairs(suite.cases)]
    assert {a.server for a, _ in pairs} == {"uvicorn"}
    assert all(b.server.startswith("planted-") for _, b in pairs)
    assert all(entry.planted for entry in suite.compare)


def test_planted_cpu_is_looked_for_in_duets_and_a_planted_wait_by_trials(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "planted")
    in_duets = [(pair.a.server, pair.b.server) for pair in suite.duets]
    assert in_duets == [("uvicorn", "planted-cpu-5"), ("uvicorn", "planted-cpu-10")]
    assert [case.server for case in suite.alone] == ["uvicorn", "planted-wait-10ms"]


def test_five_unlike_pairs_are_measured_as_duets_and_by_trials(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "duets")
    assert len(suite.duets) == 5
    assert {frozenset((a.in_a_duet.slug, b.in_a_duet.slug)) for a, b in suite.pairs} == {
        pair.key for pair in suite.duets
    }
    assert set(suite.alone) == set(suite.cases)
    assert not suite.self_test


def test_articles_includes_both_articles(project: Path) -> None:
    assert [suite.name for suite in load_suites(lab_of(project), "articles")] == [
        "article-a",
        "article-b",
    ]


def test_the_names_of_all_suites_are_known(project: Path) -> None:
    assert suite_names(project / SUITES) == sorted(file.stem for file in SUITE_FILES)
    assert read_suite(project / SUITES, "smoke").question == "Does every part of the lab work?"


def test_lists_multiply(load: Load) -> None:
    found = cases(
        load,
        'server = ["uvicorn", "uvicorn-4"]',
        'http_client = ["httpx-shared", "no-http"]',
        "users = [10, 100, 1000]",
    )
    assert len(found) == len(set(found)) == 12
    assert [(case.server, case.http_client, case.users) for case in found[:4]] == [
        ("uvicorn", "httpx-shared", 10),
        ("uvicorn", "httpx-shared", 100),
        ("uvicorn", "httpx-shared", 1000),
        ("uvicorn", "no-http", 10),
    ]


def test_a_list_of_delays_is_one_case(load: Load) -> None:
    (case,) = cases(load, 'server = "uvicorn"', "users = 1", "delays_ms = [10, 20.5]")
    assert case.delays_ms == (10, 20.5)


def test_a_list_of_lists_of_delays_is_several_cases(load: Load) -> None:
    found = cases(load, 'server = "uvicorn"', "users = 1", "delays_ms = [[10, 20], [30]]")
    assert [case.delays_ms for case in found] == [(10, 20), (30,)]


def test_a_list_of_ramps_is_several_cases(load: Load) -> None:
    ramps = "ramp = [[[0, 0], [1, 10], [2, 10]], [[0, 0], [1, 20], [2, 20]]]"
    assert [case.users for case in cases(load, 'server = "uvicorn"', ramps)] == [10, 20]


def test_the_same_case_twice_is_one_case(load: Load) -> None:
    assert len(load(PLAIN + '[[cases]]\nserver = "uvicorn"\nusers = [10, 20]').cases) == 2


def test_an_entry_goes_before_the_defaults(load: Load) -> None:
    (case,) = load(
        'question = "Which?"\n[defaults]\nsettings = "bare"\nusers = 5\n' + "[[cases]]\n"
        'server = "uvicorn"\nusers = 10'
    ).cases
    assert (case.settings, case.users) == ("bare", 10)


def test_what_is_left_out_is_the_default(load: Load) -> None:
    asynchronous, synchronous = cases(load, 'server = ["uvicorn", "gunicorn-4x10"]', "users = 1")
    assert asynchronous == Case(
        server="uvicorn",
        settings="startproject",
        view="async",
        workload="fanout",
        http_client="httpx-per-request",
        upstream="http",
        delays_ms=(300, 600, 150),
        cpu_ms=0,
        driver="own",
        load="closed",
        users=1,
    )
    assert synchronous.view == "sync"


def test_a_single_call_waits_400_ms_by_default(load: Load) -> None:
    (case,) = cases(load, 'server = "uvicorn"', "users = 1", 'workload = "single"')
    assert case.delays_ms == (400,)


def test_calls_one_after_the_other_have_the_delays_of_calls_at_once_by_default(
    load: Load,
) -> None:
    in_a_row, at_once = cases(
        load, 'server = "uvicorn"', "users = 1", 'workload = ["serial", "fanout"]'
    )
    assert in_a_row.delays_ms == at_once.delays_ms == (300, 600, 150)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (['server = ["uvicorn", "gunicorn-gevent"]', 'view = "async"'], "cannot run under gevent"),
        (['server = ["uvicorn", "gunicorn-4x10"]', 'view = "async"'], "on WSGI"),
        (
            ['server = ["gunicorn-4x10", "uvicorn"]', 'http_client = "requests-shared"'],
            "requests-shared has no async side",
        ),
        (
            ['server = ["gunicorn-gevent", "gunicorn-4x10"]', 'http_client = "pyreqwest-shared"'],
            "one greenlet's call would stop all of them",
        ),
    ],
)
def test_an_impossible_pair_is_left_out_with_its_reason(
    load: Load, lines: list[str], reason: str
) -> None:
    suite = load("\n".join(['question = "Which?"', "[[cases]]", "users = 1", *lines]))
    assert len(suite.cases) == 1
    (left_out,) = suite.left_out
    assert reason in left_out
    assert " with " in left_out


OWN_PAGE = """
services:
  mine:
    labels:
      lab.title: Mine
      lab.interface: wsgi
      lab.concurrency: gevent
      lab.processes: 1
      lab.url: http://mine:8000/report/
      lab.service_time_ms: 400
"""


def test_a_page_of_a_servers_own_is_one_case_whatever_the_suite_says_of_views(
    load: Load, project: Path
) -> None:
    (project / "compose.override.yaml").write_text(OWN_PAGE)
    suite = load(
        'question = "Which?"\n[defaults]\nusers = [1, 2]\ndelays_ms = [50]\n[[cases]]\n'
        'server = ["mine", "uvicorn"]\nhttp_client = ["httpx-shared", "no-http"]\nview = "async"'
    )
    mine = [case.slug for case in suite.cases if case.server == "mine"]
    assert mine == ["mine_own_1u", "mine_own_2u"]
    assert len(suite.cases) == 2 + 4
    words = "delays_ms, http_client and view have no effect on mine"
    assert suite.left_out == (f"{words}, because its label lab.url names its view",)


def test_a_page_of_which_a_suite_says_nothing_goes_without_saying(
    load: Load, project: Path
) -> None:
    (project / "compose.override.yaml").write_text(OWN_PAGE)
    assert load(PLAIN.replace("uvicorn", "mine")).left_out == ()


def test_a_suite_of_impossible_pairs_only_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"mine\.toml, cases: no possible case.*gevent"):
        cases(load, 'server = "uwsgi-gevent"', "users = 1", 'view = "async"')


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['server = "nginx"'], ["cases[1].server", "'nginx'", "uwsgi-2-threads, ", "uvicorn-4"]),
        (
            ['http_client = "curl"'],
            ["cases[1].http_client", "'curl'", "no-http", "requests-shared"],
        ),
        (['view = "parallel"'], ["cases[1].view", "'sync' or 'async'"]),
        (['workload = "join"'], ["cases[1].workload", "'fanout', 'single' or 'serial'"]),
        (['upstream = "ftp"'], ["cases[1].upstream", "'http', 'https' or 'django', not 'ftp'"]),
        (['driver = "ab"'], ["cases[1].driver", "'locust'", "'hey'"]),
        (["user = 10"], ["cases[1].user", "unknown key", "users", "planned_requests"]),
        (["users = 0"], ["cases[1].users", "greater than or equal to 1"]),
        (["users = 1.5"], ["cases[1].users", "whole number"]),
        (["delays_ms = []"], ["cases[1].delays_ms", "at least 1 item"]),
        (["delays_ms = [-1]"], ["cases[1].delays_ms[1]", "greater than or equal to 0, not -1"]),
        (["delays_ms = [60001]"], ["cases[1].delays_ms[1]", "less than or equal to 60000"]),
        (["delays_ms = [1, nan]"], ["cases[1].delays_ms[2]", "finite"]),
        (["delays_ms = 100"], ["cases[1].delays_ms", "must be a list"]),
        (['settings = "debug"'], ["cases[1].settings", "'debug'", "article_bare, bare"]),
        (["cpu_ms = -1"], ["cases[1].cpu_ms", "greater than or equal to 0"]),
        (["planned_requests = 10"], ["cases[1]", "planned_requests goes with driver hey only"]),
        (['driver = "hey"'], ["cases[1]", "driver hey needs planned_requests"]),
        (
            ['driver = "hey"', "planned_requests = 15"],
            ["cases[1]", "multiple of users"],
        ),
        (
            ['workload = "single"', "delays_ms = [1, 2]"],
            ["cases[1]", "delays_ms must hold one number"],
        ),
        (
            ['workload = "serial"', "delays_ms = [1]"],
            ["cases[1]", "one call after another: delays_ms must hold two numbers at least"],
        ),
        (["ramp = [[0, 0], [1, 10], [2, 10]]"], ["cases[1]", "users and ramp exclude each other"]),
        (['load = "half-open"'], ["cases[1].load", "'closed' or 'open'"]),
        (["rate_rps = 20"], ["cases[1]", "rate_rps and arrivals need an open load"]),
        (['arrivals = "poisson"'], ["cases[1]", "rate_rps and arrivals need an open load"]),
        (['load = "open"'], ["cases[1]", "an open load needs rate_rps"]),
        (['load = "open"', "rate_rps = 20"], ["cases[1]", "an open load has no users and no ramp"]),
        (['load = "open"', "rate_rps = 0"], ["cases[1].rate_rps", "greater than 0"]),
        (['load = "open"', "rate_rps = 10001"], ["cases[1].rate_rps", "or equal to 10000"]),
        (
            ['load = "open"', "rate_rps = 20", 'arrivals = "even"'],
            ["cases[1].arrivals", "'poisson', 'constant' or 'jittered'"],
        ),
    ],
)
def test_a_mistake_in_a_case_names_file_key_and_what_is_allowed(
    load: Load, lines: list[str], words: list[str]
) -> None:
    given = dict(line.partition(" = ")[::2] for line in lines)
    plain = {"server": '"uvicorn"', "users": "10"}
    written = [f"{key} = {value}" for key, value in {**plain, **given}.items()]
    with pytest.raises(ConfigurationError) as error:
        cases(load, *written)
    assert str(error.value).startswith("mine.toml, ")
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    "ramp",
    [
        "[[0, 0], [10, 100]]",
        "[[0, 10], [10, 100], [30, 100]]",
        "[[0, 0], [10, 100], [30, 50]]",
        "[[0, 0], [10, 100], [10, 100]]",
        "[[0, 0], [10, 0], [30, 0]]",
    ],
)
def test_a_ramp_that_locust_cannot_make_is_refused(load: Load, ramp: str) -> None:
    with pytest.raises(ConfigurationError, match="ramp must read"):
        cases(load, 'server = "uvicorn"', f"ramp = {ramp}")


OPEN = ('server = "uvicorn"', 'load = "open"', "rate_rps = [20, 20.5]")


def test_an_open_load_has_rates_instead_of_users(load: Load) -> None:
    found = cases(load, *OPEN)
    assert [(case.rate_rps, case.arrivals, case.users) for case in found] == [
        (20, "poisson", None),
        (20.5, "poisson", None),
    ]


def test_arrivals_are_an_axis_like_others(load: Load) -> None:
    found = cases(load, *OPEN, 'arrivals = ["poisson", "constant"]')
    assert [case.slug.rpartition("_")[2] for case in found] == [
        "poisson-20rps",
        "constant-20rps",
        "poisson-20.5rps",
        "constant-20.5rps",
    ]


@pytest.mark.parametrize("driver", ["locust", "hey"])
def test_only_the_own_driver_can_make_an_open_load(load: Load, driver: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"driver {driver} asks again only .* driver own"):
        cases(load, *OPEN, f'driver = "{driver}"')


def test_an_open_load_has_no_ramp(load: Load) -> None:
    with pytest.raises(ConfigurationError, match="no users and no ramp"):
        cases(load, *OPEN, "ramp = [[0, 0], [1, 10], [2, 10]]")


def test_a_case_without_load_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"needs users .* or a ramp"):
        cases(load, 'server = "uvicorn"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rounds = 3\n", ["question: is missing"]),
        ('question = "Which?"\nround = 3\n', ["round:", "unknown key", "rounds", "include"]),
        (
            'question = "Which?"\n[search]\nstep = 2\n',
            ["search.step", "unknown key", "ratio, start_share"],
        ),
        ('question = "Which?"\n[search]\nratio = 1\n', ["search.ratio", "greater than 1"]),
        (PLAIN + 'driver = "locust"\n[search]\n', ["search:", "needs driver own"]),
        ('question = "Which?"\nrounds = 0\n', ["rounds:", "greater than or equal to 1"]),
        ('question = "Which?"\nwindow_s = 0\n', ["window_s:", "greater than 0"]),
        ('question = "Which?"\naccounting = "all"\n', ["accounting:", "'due' or 'answered'"]),
        ('question = "Which?"\nwindow_s = inf\n', ["window_s:", "finite"]),
        ('question = "Which?"\nrounds = "many"\n', ["rounds:", "integer", "not 'many'"]),
        ('question = "Which?"\nexpect = "alarms"\n', ["expect:", "'no difference'"]),
        ('question = "Which?"\nsort = "speed"\n' + PLAIN[PLAIN.index("[[") :], ["sort:", "p95_ms"]),
        ('question = "Which?"\n', ["cases:", "add [[cases]]"]),
        ('question = "Which?"\n[cases]\nserver = "uvicorn"\n', ["cases:", "[[cases]]"]),
        (PLAIN + "users = 11\n", ["line 6", "overwrite"]),
        ('question = "Which?"\n[defaults]\nuser = 3\n' + PLAIN[PLAIN.index("[[") :], ["user:"]),
        ('question = "a" "b"', ["line 1"]),
        (PLAIN + '[[published]]\nserver = "uvicorn"\np96_ms = 1\n', ["published[1]", "p95_ms"]),
        (
            PLAIN + '[[published]]\np95_ms = "fast"\n',
            ["published[1].p95_ms", "'fast' is not a number"],
        ),
        (
            PLAIN + '[[published]]\nserver = "uvicorn-4"\np95_ms = 1\n',
            ["published[1]", "describe no case"],
        ),
        (PLAIN + 'include = ["smoke"]\n', ["include"]),
        ('question = "Which?"\ninclude = "smoke"\n', ["include: must be a list, not 'smoke'"]),
        ('include = ["smoke"]\n' + PLAIN, ["include:", "no cases of its own"]),
        ('include = ["smoke"]\nquestion = "Which?"\nrounds = 3\n', ["include:", "no rounds of"]),
        ('include = ["smoked"]\nquestion = "Which?"\n', ["include:", "'smoked'", "smoke"]),
    ],
)
def test_a_mistake_in_a_suite_names_file_and_key(load: Load, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(text)
    assert str(error.value).startswith("mine.toml")
    assert [word for word in words if word not in str(error.value)] == []


def test_an_unknown_suite_is_refused_with_the_known_ones(project: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no suite 'artikel'.*article-a, .*smoke"):
        load_suites(lab_of(project), "artikel")


def test_a_suite_that_includes_itself_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"mine\.toml, include: .*itself"):
        load('question = "Which?"\ninclude = ["mine"]')


def test_published_axes_select_a_case() -> None:
    published = Published({"server": "uvicorn", "users": 30}, {"rps": 35.0})
    cells: dict[str, Any] = {"server": "uvicorn", "users": 30, "view": "async"}
    assert published.describes(cells)
    assert not published.describes({**cells, "users": 50})


def test_published_delays_select_a_case(load: Load) -> None:
    suite = load(
        PLAIN + "delays_ms = [[300], [600, 150]]\n[[published]]\ndelays_ms = [600, 150]\nrps = 3\n"
    )
    described = [
        case.delays_ms for case in suite.cases if suite.published[0].describes(case.cells())
    ]
    assert described == [(600, 150)]


def test_a_suite_knows_which_pools_may_be_a_limit(project: Path) -> None:
    (suite,) = load_suites(lab_of(project), "smoke")
    assert suite.http_clients["aiohttp-small-pool"].connections == 100
    assert suite.http_clients["aiohttp-shared"].connections is None


def test_a_missing_list_of_clients_is_named(project: Path) -> None:
    (project / REGISTRY).unlink()
    with pytest.raises(ConfigurationError, match=r"registry\.toml is missing"):
        read_http_clients(project)


def test_a_broken_list_of_clients_is_named(project: Path) -> None:
    (project / REGISTRY).write_text("[no-http")
    with pytest.raises(ConfigurationError, match=r"registry\.toml is not valid TOML: "):
        read_http_clients(project)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('curl = ["sync"]', ["curl:", "must be a table"]),
        ("[curl]", ["curl.views:", "is missing"]),
        ("[curl]\nviews = []", ["curl.views:", "at least 1"]),
        ('[curl]\nviews = ["threads"]', ["curl.views[1]:", "'sync' or 'async'", "'threads'"]),
        ('[curl]\nviews = ["sync"]\nconnections = 0', ["curl.connections:", "not 0"]),
        ('[curl]\nviews = ["sync"]\nconnections = "10"', ["curl.connections:", "whole number"]),
        ('[curl]\nviews = ["sync"]\ngevent = "no"', ["curl.gevent:", "boolean"]),
        ('[curl]\nviews = ["sync"]\npool = 3', ["curl.pool:", "views, connections, gevent"]),
    ],
)
def test_a_mistake_in_the_list_of_clients_names_client_and_key(
    project: Path, text: str, words: list[str]
) -> None:
    (project / REGISTRY).write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_http_clients(project)
    assert "registry.toml, " in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_the_clients_know_their_views(project: Path) -> None:
    clients = read_http_clients(project)
    assert clients["requests-shared"].views == ("sync",)
    assert next(iter(clients)) == "no-http"


PAIR = """
question = "Which?"
[defaults]
users = [10, 20]
[[cases]]
server = "uvicorn"
http_client = ["httpx-shared", "no-http"]
delays_ms = [[100], [300, 600]]
[[cases]]
server = "gunicorn-4x10"
http_client = ["httpx-shared", "no-http", "requests-shared"]
delays_ms = [[100], [300, 600]]
[[compare]]
"""


def compared(load: Load, *lines: str) -> list[tuple[str, str]]:
    """The pairs of a suite whose only comparison has these lines, without what they share."""
    named = []
    for a, b in load(PAIR + "\n".join(lines)).pairs:
        assert a.settings == b.settings
        named.append((_brief(a), _brief(b)))
    return named


def _brief(case: Case) -> str:
    return f"{case.server} {case.http_client} {case.delays} {case.users}"


def test_cases_are_compared_that_differ_in_the_axes_named_alone(load: Load) -> None:
    pairs = compared(load, 'a = {server = "gunicorn-4x10"}', 'b = {server = "uvicorn"}')
    rest = [
        f"{client} {delays} {users}"
        for users in (10, 20)
        for client in ("httpx-shared", "no-http")
        for delays in ("100", "300+600")
    ]
    assert sorted(pairs) == sorted((f"gunicorn-4x10 {axes}", f"uvicorn {axes}") for axes in rest)


def test_delays_of_a_comparison_are_one_value_and_lists_are_several(load: Load) -> None:
    pairs = compared(
        load,
        'a = {server = "uvicorn", http_client = "no-http", delays_ms = [300, 600]}',
        'b = {server = "uvicorn", http_client = "no-http", delays_ms = [100]}',
    )
    assert len(pairs) == 2
    assert {a.split()[2] for a, _ in pairs} == {"300+600"}


def test_one_side_may_be_several_servers(load: Load) -> None:
    pairs = compared(
        load,
        'a = {http_client = ["httpx-shared", "no-http"]}',
        'b = {http_client = "requests-shared"}',
    )
    assert len(pairs) == 2 * 2 * 2
    assert {b.split()[1] for _, b in pairs} == {"requests-shared"}


def test_a_view_counts_where_servers_are_not_compared(load: Load) -> None:
    text = PLAIN + 'view = ["sync", "async"]\nhttp_client = ["httpx-shared", "no-http"]\n'
    text += '[[compare]]\na = {http_client = "httpx-shared"}\nb = {http_client = "no-http"}\n'
    assert [(a.view, b.view) for a, b in load(text).pairs] == [("sync", "sync"), ("async",) * 2]


def test_a_comparison_is_of_throughput_unless_it_says_otherwise(load: Load) -> None:
    sides = 'a = {server = "gunicorn-4x10"}\nb = {server = "uvicorn"}\n'
    (plain,) = load(PAIR + sides).compare
    assert (plain.metrics, plain.words, dict(plain.planted)) == (("rps",), None, {})
    assert plain.change is None
    (full,) = load(
        PAIR
        + sides
        + 'metrics = ["rps", "p95_ms"]\nwords = "a claim"\nchange = "do it"\n'
        + "planted = {p95_ms = 10}"
    ).compare
    assert (full.metrics, full.words, full.change) == (("rps", "p95_ms"), "a claim", "do it")
    assert dict(full.planted) == {"p95_ms": 10}


SIDES = {"a": '{server = "gunicorn-4x10"}', "b": '{server = "uvicorn"}'}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"a": '{server = "uvicron"}'}, ["compare[1].a.server", "'uvicron'", "'gunicorn-4x10'"]),
        ({"b": "{users = 15}"}, ["compare[1].b.users", "no case has 15", "10, 20"]),
        (
            {"b": "{delays_ms = [300]}"},
            ["compare[1].b.delays_ms", "no case has [300]", "[100], [300, 600]"],
        ),
        ({"a": '{host = "x"}'}, ["compare[1].a.host", "unknown axis", "http_client"]),
        ({"a": "{}"}, ["compare[1].a", "names no axis", "server"]),
        ({"a": '"uvicorn"'}, ["compare[1].a", "must be a table"]),
        ({"metrics": '["speed"]'}, ["compare[1].metrics", "'speed'", "app_cpu_ms_per_view"]),
        ({"metrics": '["requests"]'}, ["compare[1].metrics", "'requests'", "max_rps"]),
        ({"metrics": "[]"}, ["compare[1].metrics", "at least 1 item"]),
        ({"planted": "{p50_ms = 1}"}, ["compare[1].planted", "p50_ms", "its metrics are rps"]),
        ({"words": "3"}, ["compare[1].words", "string"]),
        ({"metric": '"rps"'}, ["compare[1].metric", "unknown key", "a, b, metrics, words"]),
        ({"b": '{server = "gunicorn-4x10"}'}, ["compare[1]:", "a and b have no two cases that"]),
    ],
)
def test_a_mistake_in_a_comparison_names_file_key_and_what_is_allowed(
    load: Load, lines: dict[str, str], words: list[str]
) -> None:
    text = PAIR + "\n".join(f"{key} = {value}" for key, value in (SIDES | lines).items())
    with pytest.raises(ConfigurationError) as error:
        load(text)
    assert str(error.value).startswith("mine.toml, ")
    assert [word for word in words if word not in str(error.value)] == []


def test_a_comparison_without_a_side_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"mine\.toml, compare\[1\]\.b: is missing"):
        load(PAIR + 'a = {server = "uvicorn"}')


def test_a_suite_that_is_not_utf_8_is_refused(project: Path) -> None:
    (project / SUITES / "mine.toml").write_bytes('question = "Größer?"'.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"mine\.toml is not UTF-8"):
        load_suites(lab_of(project), "mine")


def test_missing_settings_are_named(project: Path) -> None:
    for file in (project / SETTINGS).iterdir():
        file.unlink()
    with pytest.raises(ConfigurationError, match=r"consumer/settings is missing or empty"):
        read_registry(project)


def test_self_tests_are_told_from_questions(load: Load, project: Path) -> None:
    load("self_test = true" + PLAIN)
    assert read_suite(project / SUITES, "mine").self_test
    assert not read_suite(project / SUITES, "article-a").self_test
