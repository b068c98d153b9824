"""What searches found is read from a run's rows: capacity.csv, and the tables."""

from pathlib import Path

import pytest

from loadgen.documents.run_material import of_rows
from loadgen.findings.capacity import Capacity, StackCapacity, capacities, stacks, write_capacities
from loadgen.findings.summary import write_summary
from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.reports.run_report import markdown_report
from loadgen.runs.plan import Plan
from loadgen.suites.search import Rules
from loadgen.suites.suite import Suite
from loadgen.topics import capacity as topic
from loadgen.trials.trial import Trial
from tests.kept_run import lines_of
from tests.make import a_case, a_server, a_suite
from tests.shown import a_group, as_markdown, on_a_terminal, report_on_a_terminal
from tests.whole_run import answered, rows_of_a_run

RULES = Rules()
CLIENTS = ("httpx-per-request", "aiohttp-shared")
CASES = tuple(a_case(driver="own", users=300, http_client=client) for client in CLIENTS)
SUITE = a_suite(name="capacity", cases=CASES, search=RULES)
#: Views a second that each stack carries.
CARRIES = {"httpx-per-request": 70.0, "aiohttp-shared": 230.0}


def row_of(trial: Trial, carries_rps: float) -> Row:
    """As a stack answers whose views cost a tenth less than it can carry, on two CPUs."""
    rate_rps = trial.case.rate_rps
    return answered(
        trial,
        carries_rps,
        1.1 * carries_rps,
        title="Uvicorn",
        app_cpu_ms_per_view=2000 / (1.1 * carries_rps),
        app_pss_mib=100.0,
        inflight_mean=0.6 * (rate_rps or 500),
        caveats="cpu-drift" if rate_rps else None,
    )


def measured(rounds: int = 1, suite: Suite = SUITE, **drift: float) -> list[Row]:
    """The rows of a run; a stack may carry a share more in each round."""

    def answer(trial: Trial) -> Row:
        client = trial.case.http_client
        factor = 1 + drift.get(client.replace("-", "_"), 0.0) * (trial.round - 1)
        return row_of(trial, CARRIES[client] * factor)

    return rows_of_a_run(Plan([suite], {"uvicorn": a_server(processes=2)}, rounds, 0), answer)


def of(client: str, found: list[Capacity]) -> Capacity:
    (each,) = (each for each in found if each.case.http_client == client)
    return each


@pytest.mark.parametrize("client", CLIENTS)
def test_a_capacity_is_the_last_rate_that_holds_and_the_first_that_does_not(client: str) -> None:
    found = of(client, capacities([SUITE], measured()))
    assert found.low_rps is not None
    assert found.high_rps is not None
    assert found.low_rps <= CARRIES[client] < found.high_rps
    assert found.high_rps / found.low_rps == pytest.approx(1.05, rel=1e-3)
    assert (found.reason, found.gave_way) == ("", ("p95: 950 ms",))


def test_it_is_told_per_core_with_cpu_and_memory_of_the_windows_that_held() -> None:
    found = of("aiohttp-shared", capacities([SUITE], measured()))
    assert found.cpus == 2
    assert found.low_rps is not None
    assert found.low_rps_per_cpu == found.low_rps / 2
    assert found.app_cpu_ms_per_view == pytest.approx(2000 / 253)
    assert found.memory_mib_per_view == pytest.approx(100 / (0.6 * found.low_rps))
    assert found.share_of_ceiling == pytest.approx(found.low_rps / 253)
    assert found.caveats == ("cpu-drift",)


def test_rows_read_back_from_the_table_say_the_same() -> None:
    rows = measured(rounds=2)
    texts = [{name: columns.cell_text(cell) for name, cell in row.items()} for row in rows]
    read = [columns.parse_line(line) for line in texts]
    assert [each.windows for each in capacities([SUITE], read)] == [
        each.windows for each in capacities([SUITE], rows)
    ]


def test_over_rounds_the_interval_holds_every_rounds_bracket() -> None:
    rows = measured(rounds=3, aiohttp_shared=0.1)
    found = capacities([SUITE], rows)
    (best, worst) = stacks(SUITE, rows)
    assert best.name == "uvicorn, aiohttp-shared"
    assert worst.name == "uvicorn, httpx-per-request"
    of_best = [each for each in found if each.case.http_client == "aiohttp-shared"]
    assert len(of_best) == len(best.bracketed) == 3
    assert best.low_rps_per_cpu == min(each.low_rps_per_cpu or 0 for each in of_best)
    assert best.high_rps_per_cpu == max(each.high_rps_per_cpu or 0 for each in of_best)
    assert best.low_rps_per_cpu != of_best[-1].low_rps_per_cpu


def test_a_search_under_way_has_no_capacity_and_says_so() -> None:
    found = capacities([SUITE], measured()[:4])
    assert [(each.low_rps, each.reason) for each in found] == [(None, "the search is not finished")]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"outcome": "server-did-not-start"}, "server-did-not-start"),
        ({"cpu_ceiling_rps": None}, "CPU per view is not known"),
    ],
)
def test_a_stack_that_could_not_be_searched_has_empty_cells_and_a_reason(
    cells: dict[str, Cell], reason: str, tmp_path: Path
) -> None:
    first = measured()[0] | cells
    write_capacities([SUITE], [first], tmp_path / "capacity.csv")
    (line,) = lines_of(tmp_path / "capacity.csv")
    assert line["reason"] == reason
    assert {line[name] for name in ("low_rps", "high_rps", "low_rps_per_cpu", "gave_way")} == {""}


def test_every_search_is_a_line_with_every_window(tmp_path: Path) -> None:
    rows = measured(rounds=2)
    write_capacities([SUITE], rows, tmp_path / "capacity.csv")
    lines = lines_of(tmp_path / "capacity.csv")
    assert [(line["http_client"], line["round"]) for line in lines] == [
        (client, number) for client in CLIENTS for number in ("1", "2")
    ]
    windows = [window for line in lines for window in line["windows"].split()]
    assert len(windows) == sum(row["repeat"] is not None for row in rows)
    assert {window.partition(":")[2] for window in windows} == {"held", "not"}


def test_a_mean_is_over_the_rounds_that_found_both_ends() -> None:
    one = Capacity("s", CASES[0], 1, "t", 1, 100, 90, 94.5, app_pss_mib=100)
    none = Capacity("s", CASES[0], 2, "t", 1, 100, None, None, app_pss_mib=None, reason="x")
    stack = StackCapacity("n", "l", (one, none))
    assert stack.mean("app_pss_mib") == 100
    assert StackCapacity("n", "l", (none,)).mean("app_pss_mib") is None
    assert StackCapacity("n", "l", (none,)).low_rps_per_cpu is None


def test_the_closing_table_fits_80_columns_and_names_each_stack() -> None:
    text = report_on_a_terminal([SUITE], measured(rounds=3))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("uvicorn, ") and "p95" in line for line in lines)
    for name in CLIENTS:
        assert name in text, "no name is broken"
    assert "300 users" not in text
    assert "cpu-drift" not in text, "advice is for trials, a search reads its windows"


def test_the_closing_table_has_every_reason_for_which_a_stack_gave_way() -> None:
    reasons = ("p95", "piling up", "failures", "answered")
    each = Capacity("s", CASES[0], 1, "t", 1, 400, 316, 366, gave_way=reasons)
    stack = StackCapacity("gunicorn-gevent-2000, urllib3-shared", "l", (each,))
    text = on_a_terminal([topic.capacity_table(RULES, [stack])])
    for reason in reasons:
        assert reason in text


def test_markdown_says_in_how_many_rounds_it_was_found_and_where_not() -> None:
    rows = [
        row
        for row in measured(rounds=2)
        if not (row["round"] == 2 and row["repeat"] and row["http_client"] == "aiohttp-shared")
    ]
    text = as_markdown(topic.blocks(*a_group(SUITE, rows)))
    assert "| Uvicorn, aiohttp-shared | " in text
    assert "| 1 of 2 | cpu-drift |" in text
    assert "uvicorn, aiohttp-shared, round 2: the search is not finished." in text


def test_all_markdown_has_the_table_of_searches_in_place_of_the_plain_one() -> None:
    text = markdown_report(of_rows([SUITE], measured()))
    assert "Views/s per core" in text
    assert "p50" not in text


def test_windows_are_no_rounds_of_a_case_in_the_summary(tmp_path: Path) -> None:
    write_summary(measured(rounds=2), tmp_path / "summary.csv")
    lines = lines_of(tmp_path / "summary.csv")
    assert {line["http_client"] for line in lines} == set(CLIENTS)
    assert {(line["load"], line["rounds"]) for line in lines} == {("closed", "2")}


def test_a_stack_is_a_share_of_what_its_server_carries_without_any_call() -> None:
    cases = (
        *CASES,
        a_case(driver="own", users=500, http_client="no-http"),
        a_case(driver="own", users=300, server="granian-asgi"),
    )
    suite = a_suite(name="capacity", cases=cases, search=RULES)
    carries = CARRIES | {"no-http": 400.0}

    def answer(trial: Trial) -> Row:
        return row_of(trial, carries[trial.case.http_client] * (1 + 0.1 * trial.round))

    servers = {name: a_server(name=name, processes=2) for name in ("uvicorn", "granian-asgi")}
    rows_ = rows_of_a_run(Plan([suite], servers, 3, 0), answer)
    found = {stack.rounds[0].case: stack for stack in stacks(suite, rows_)}
    per_request, shared, without, granian = (found[case] for case in cases)

    assert per_request.share_of_no_http
    assert per_request.share_of_no_http.mean == pytest.approx(70 / 400, rel=0.06)
    assert shared.share_of_no_http
    assert shared.share_of_no_http.mean == pytest.approx(230 / 400, rel=0.06)
    assert shared.share_of_no_http.low
    assert without.share_of_no_http is None
    assert granian.share_of_no_http is None


def test_the_share_stands_in_the_table_and_beside_the_stack_that_carries_most() -> None:
    cases = (*CASES, a_case(driver="own", users=500, http_client="no-http"))
    suite = a_suite(name="capacity", cases=cases, search=RULES)
    carries = CARRIES | {"no-http": 400.0}
    plan = Plan([suite], {"uvicorn": a_server(processes=2)}, 3, 0)
    listed = stacks(
        suite, rows_of_a_run(plan, lambda t: row_of(t, carries[t.case.http_client] + t.round))
    )

    most, share = topic.carries(listed)
    assert most.startswith("Highest: uvicorn (aiohttp-shared, 300 users), ")
    assert share.startswith("uvicorn (aiohttp-shared, 300 users) carries 0.5")
    assert share.endswith(" of what the same server carries without HTTP calls.")
    table = topic.capacity_table(RULES, listed)
    assert "of no-http" in [column.heading for column in table.columns]
    assert {len(row.cells) for row in table.rows} == {len(table.columns)}
    without = topic.capacity_table(RULES, stacks(SUITE, measured(3)))
    assert "of no-http" not in [column.heading for column in without.columns]
