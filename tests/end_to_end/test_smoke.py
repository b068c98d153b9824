"""A run of `smoke`, from the command to its files."""

import csv
import math
import os
import random
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from chromium import opened
from lab import ROOT, Compose, Server
from runs import HEADER, Finished, disagreeing, nearest_rank

#: Of a run's report.
MOST_BYTES = 1_000_000


def cell(text: str) -> object:
    """A number in a CSV: cells have six significant digits, samples three after the point."""
    return pytest.approx(float(text), rel=2e-5, abs=0.002)


def test_it_ends_well_and_says_where_the_results_are(smoke: Finished) -> None:
    assert smoke.done.returncode == 0
    assert f"results/{smoke.run.folder.name}/" in smoke.done.stdout
    assert smoke.run.folder.name.endswith("Z-smoke")
    assert "docker compose down" in smoke.done.stdout


def test_trials_csv_has_the_whole_header(smoke: Finished) -> None:
    with (smoke.run.folder / "trials.csv").open(newline="") as stream:
        assert next(csv.reader(stream)) == HEADER.split()


def test_every_server_is_measured_without_a_failure(smoke: Finished, servers: list[Server]) -> None:
    rows = smoke.run.rows
    # Every server with the lab's own driver; one of them with an open load besides, and two with
    # another driver.
    count = len(servers) + 3

    assert len(rows) == count
    assert {row["server"] for row in rows} == {server.name for server in servers}
    assert [row["position"] for row in rows] == [str(number) for number in range(1, count + 1)]
    assert {(row["outcome"], row["failures"], row["unanswered"]) for row in rows} == {
        ("measured", "0", "0")
    }
    assert all(float(row["rps"]) > 0 for row in rows)


def test_rows_tell_of_the_server_as_it_is_declared(smoke: Finished, servers: list[Server]) -> None:
    declared = {server.name: server for server in servers}
    for row in smoke.run.rows:
        server = declared[row["server"]]
        assert row["title"] == server.labels["lab.title"]
        assert row["interface"] == server.interface
        assert row["processes"] == str(server.processes)
        assert row["slots"] == str(server.slots or "")
        assert row["view"] == server.view


def test_no_answer_is_faster_than_its_delay(smoke: Finished) -> None:
    for row in smoke.run.rows:
        service_time_ms = float(row["service_time_ms"])
        assert service_time_ms == max(map(float, row["delays_ms"].split("+")))
        assert float(row["min_ms"]) >= service_time_ms
        every = [sample.latency_ms for sample in smoke.run.samples(row)]
        assert min(latency for latency in every if latency is not None) >= service_time_ms


def test_every_row_agrees_with_its_samples(smoke: Finished) -> None:
    for row in smoke.run.rows:
        window_s = float(row["window_s"])
        # Due in the window; a request that its tool has lost has no due instant, and counts.
        due = [
            sample
            for sample in smoke.run.samples(row)
            if sample.due_s is None or 0 <= sample.due_s < window_s
        ]
        ranked = sorted(sample.rank_ms for sample in due)

        assert len(due) == int(row["requests"]), row["case"]
        assert sum(bool(sample.failure) for sample in due) == int(row["failures"])
        assert sum(sample.latency_ms is None for sample in due) == int(row["unanswered"])
        assert ranked[0] == cell(row["min_ms"])
        assert nearest_rank(ranked, 0.5) == cell(row["p50_ms"])
        assert ranked[-1] == cell(row["max_ms"])
        assert len(due) / window_s == cell(row["offered_rps"])


def test_every_row_can_be_recomputed_from_its_samples(smoke: Finished) -> None:
    assert disagreeing(smoke.run) == []


def test_the_api_saw_every_call_of_the_views(smoke: Finished) -> None:
    for row in smoke.run.rows:
        calls_per_view = len(row["delays_ms"].split("+"))
        # Views that had begun before the window, or ended after it, made some of theirs outside.
        about = int(row["requests"]) * calls_per_view
        in_flight = row["users"] or row["inflight_mean"]
        edges = 2 * float(in_flight) * calls_per_view
        assert about - edges <= int(row["api_calls"]) <= about + edges, row["case"]


def test_two_slots_allow_ten_views_a_second_at_most(smoke: Finished) -> None:
    (row,) = [row for row in smoke.run.rows if row["server"] == "uwsgi-2-threads"]

    assert float(row["service_time_ms"]) == 200
    assert float(row["slots_ceiling_rps"]) == 10
    assert float(row["users_ceiling_rps"]) == 50
    # A view that reaches over the edge of the window counts by the part of its latency that lies
    # inside, its wait for a slot included: exact on average, and half a view at each edge here.
    assert float(row["rps"]) <= 10 + 1 / float(row["window_s"])


def test_an_open_load_has_all_its_arrivals_and_the_same_ones_with_the_same_seed(
    smoke: Finished,
) -> None:
    (row,) = [row for row in smoke.run.rows if row["load"] == "open"]
    window_s = float(row["window_s"])
    draw = random.Random(int(row["arrivals_seed"]))
    due_s, expected = 0.0, []
    while (due_s := due_s - math.log(1 - draw.random()) / float(row["rate_rps"])) < window_s:
        expected.append(due_s)
    every = [sample.due_s for sample in smoke.run.samples(row) if sample.due_s is not None]
    made = sorted(due for due in every if 0 <= due < window_s)

    assert made == pytest.approx(expected, abs=2e-6)
    # The load was on before, by arrivals of its own.
    assert min(every) < 0
    assert (row["users"], row["users_ceiling_rps"], row["dropped"]) == ("", "", "0")
    assert float(row["p95_ms"]) >= float(row["sent_p95_ms"]) >= float(row["service_time_ms"])


def test_heys_own_file_lists_what_did_not_fail(smoke: Finished) -> None:
    (row,) = [row for row in smoke.run.rows if row["driver"] == "hey"]
    listed = (smoke.run.folder / "hey" / smoke.run.name(row) / "hey.csv").read_text().splitlines()

    assert int(row["planned_requests"]) - (len(listed) - 1) == int(row["failures"])


def test_locusts_own_files_are_kept(smoke: Finished) -> None:
    for row in smoke.run.rows:
        if row["driver"] == "locust":
            assert (smoke.run.folder / "locust" / smoke.run.name(row) / "locust_stats.csv").exists()


def test_summary_csv_has_a_row_per_case_and_no_interval_of_one_round(smoke: Finished) -> None:
    rows = {row["case"]: row for row in smoke.run.rows}
    summary = smoke.run.summary

    assert [line["case"] for line in summary] == list(rows)
    for line in summary:
        row = rows[line["case"]]
        assert (line["rounds"], line["measured"]) == ("1", "1")
        assert float(line["rps"]) == cell(row["rps"])
        assert float(line["app_cpu_ms_per_view"]) == cell(row["app_cpu_ms_per_view"])
        assert (line["rps_low"], line["rps_high"]) == ("", "")


def test_environment_json_says_what_ran_where(smoke: Finished) -> None:
    environment = smoke.run.environment
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    assert environment["outcome"] == "finished"
    assert environment["started_at"] < environment["finished_at"]
    assert environment["arguments"]["suites"] == ["smoke"]
    assert isinstance(environment["arguments"]["seed"], int)
    assert environment["kernel"] == os.uname().release
    assert all(environment["cpu_sets"][role] for role in ("app", "api", "loadgen"))
    assert environment["app_packages"]["Django"].startswith("6.")
    assert {"locust", "httpx"} <= set(environment["loadgen_packages"])
    for name, server in environment["servers"].items():
        assert server["command"] == services[name]["command"]
        assert server["python"].startswith("3.13.")
        assert server["cpus"] == environment["cpu_sets"]["app"]
    assert set(environment["servers"]) == {row["server"] for row in smoke.run.rows}


def test_environment_json_says_what_the_idle_part_of_the_lab_used(smoke: Finished) -> None:
    idle = smoke.run.environment["idle"]

    assert idle["launchers"] == len({row["server"] for row in smoke.run.rows})
    assert (
        0 <= idle["cpu_seconds"] == pytest.approx(idle["app_cpu_share"] * idle["seconds"], abs=1e-3)
    )
    assert idle["app_cpu_share"] < 0.05


def test_copies_of_what_was_run_are_kept(smoke: Finished) -> None:
    suites = ROOT / "services/loadgen/suites"
    copies = {
        smoke.run.folder / "suites" / "smoke.toml": suites / "smoke.toml",
        smoke.run.folder / "compose.yaml": ROOT / "compose.yaml",
    }
    for copy, original in copies.items():
        assert copy.read_bytes() == original.read_bytes()
    assert {file.name for file in (smoke.run.folder / "suites").iterdir()} == {
        file.name for file in suites.iterdir()
    }


def test_every_file_belongs_to_the_owner_of_results(smoke: Finished) -> None:
    def owner(path: Path) -> tuple[int, int]:
        return path.stat().st_uid, path.stat().st_gid

    of_results = owner(ROOT / "results")
    made = [smoke.run.folder, *smoke.run.folder.rglob("*")]
    assert [path for path in made if owner(path) != of_results] == []


def test_report_prints_the_same_tables_again(smoke: Finished, loadgen: Compose) -> None:
    done = loadgen("report", f"results/{smoke.run.folder.name}")

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 9
    tables, _, drawn = done.stdout.rpartition("\nReport: ")
    assert tables.strip() in smoke.done.stdout
    assert f"Report: {drawn}" in smoke.done.stdout


def test_a_run_leaves_its_report_in_one_small_file_with_charts(
    browser: Browser, smoke: Finished
) -> None:
    file = smoke.run.folder / "report.html"
    watched = opened(browser, file)
    said = watched.page.locator("#answer").inner_text()
    watched.page.context.close()

    assert f"Report: results/{smoke.run.folder.name}/report.html" in smoke.done.stdout
    assert file.stat().st_size <= MOST_BYTES
    assert (watched.said, watched.requests) == ([], [file.as_uri()])
    assert f"Measured: {len(smoke.run.rows)} trials" in said
    charts = {chart.stem for chart in (smoke.run.folder / "charts").glob("*.svg")}
    assert {"throughput-smoke", "latency-smoke", "cpu-smoke", "memory-smoke"} <= charts
    assert all(chart.stat().st_uid == file.stat().st_uid for chart in file.parent.glob("charts/*"))
