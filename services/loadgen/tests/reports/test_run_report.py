"""The report of a run, from its folder to the page."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from loadgen.documents.run_material import material
from loadgen.findings.earlier_run import run_of
from loadgen.lab.lab import Lab, read_lab
from loadgen.records.columns import Row
from loadgen.reports.run_report import write_report
from loadgen.runs.results import create
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Published, Suite
from loadgen.topics.claims import HEADING
from loadgen.trials.rows import failed_row, measured_row
from tests.make import a_case, a_recording, a_suite, a_trial, constant_users

FAST = a_case(server="uvicorn", users=10, delays_ms=(450.0,), http_client="httpx-shared")
SLOW = a_case(server="gunicorn-100-threads", users=10, delays_ms=(450.0,), view="sync")
CONTROL = a_case(server="uvicorn", users=10, delays_ms=(450.0,), http_client="no-http")

#: Changes a row of a case and a round.
type Change = Callable[[Case, int], dict[str, Any]]


class Page(HTMLParser):
    """What a test looks at in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.sources: list[str] = []
        self.headings: list[str] = []
        self._in_heading = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self._in_heading = tag == "h2"
        if found.get("id"):
            self.ids.append(str(found["id"]))
        for name in ("href", "data-opens", "aria-labelledby"):
            if found.get(name):
                self.targets.append(str(found[name]))
        if found.get("src"):
            self.sources.append(str(found["src"]))

    def handle_data(self, data: str) -> None:
        if self._in_heading and data.strip():
            self.headings.append(data.strip())


@pytest.fixture
def lab(in_project: Path) -> Lab:
    assert in_project.is_dir()
    return read_lab()


@pytest.fixture
def a_run(lab: Lab) -> Callable[..., tuple[Path, list[Suite]]]:
    """A run's folder whose rows are measured from made samples, then changed at will."""

    def make(
        suite: Suite, change: Change = lambda _case, _round: {}, rounds: int = 3
    ) -> tuple[Path, list[Suite]]:
        arguments = {"suites": [suite.name], "servers": "*", "only": "*", "rounds": 3, "seed": 7}
        description = {
            "outcome": "unfinished",
            "started_at": "2026-01-02T03:04:05+00:00",
            "finished_at": None,
            "arguments": arguments,
            "cpu_model": "A CPU",
            "architecture": "x86_64",
            "kernel": "6.1",
            "python": "3.13",
            "git_commit": None,
            "servers": {"uvicorn": {"command": ["uvicorn", "consumer.asgi:application"]}},
        }
        results = create(lab, [suite], description, 3)
        for round_number in range(1, rounds + 1):
            for case in suite.cases:
                trial = a_trial(case=case, round=round_number, server=lab.servers[case.server])
                recording = a_recording(constant_users(10, 0.5, 14), (2, 12))
                changes = change(case, round_number)
                row: Row = measured_row(trial, recording) | {"caveats": None} | changes
                if changes.get("outcome", "measured") != "measured":
                    results.keep(trial, failed_row(trial, changes["outcome"]), None)
                else:
                    results.keep(trial, row, recording)
        results.finish("finished")
        return results.folder, [suite]

    return make


def html_of(run: tuple[Path, list[Suite]]) -> str:
    folder, suites = run
    return write_report(material(run_of(folder, suites)), folder).read_text()


def rates(of: dict[Case, float]) -> Change:
    """A rate for each case, a little more in each round."""
    return lambda case, round_number: {"rps": of[case] * (1 + round_number / 1000)}


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html.split("<main>")[1]).split())


RUN = Callable[..., tuple[Path, list[Suite]]]

#: As the fast one, but with the slow one's client.
LIKE = a_case(server="uvicorn", users=10, delays_ms=(450.0,))


def comparing(words: str | None = None, **attributes: Any) -> Suite:
    """A suite that compares the slow server with another that has the same client."""
    entry = Compare(a={"server": (SLOW.server,)}, b={"server": (LIKE.server,)}, words=words)
    return a_suite(cases=(SLOW, LIKE), compare=(entry,), **attributes)


def test_a_page_has_its_sections_in_order_and_its_charts_as_files(a_run: RUN) -> None:
    published = (Published({"server": "uvicorn"}, {"rps": 115.0, "p95_ms": 1000.0}),)
    run = a_run(comparing(published=published))
    assert Page(html_of(run)).headings == [
        "The answer",
        "What was compared",
        "Throughput and its ceilings",
        "Latency",
        "CPU per view, and memory",
        "Over time",
        "Caveats, and what to do",
        "The articles' figures beside ours",
        "Your own load",
        "Trials",
        "Machine, versions, commands",
    ]
    assert sorted(file.name for file in (run[0] / "charts").iterdir()) == [
        "comparisons-a-suite.svg",
        "cpu-a-suite.svg",
        "latency-a-suite.svg",
        "memory-a-suite.svg",
        "over-time-a-suite-01.svg",
        "over-time-a-suite-02.svg",
        "throughput-a-suite.svg",
    ]


def test_what_is_claimed_stands_with_its_outcome_right_after_the_answer(a_run: RUN) -> None:
    suite = comparing("The first is <slower>.")
    html = html_of(a_run(suite, rates({SLOW: 10.0, LIKE: 20.0})))
    assert Page(html).headings[1] == HEADING
    assert '<b class="good">holds</b>' in html
    assert "The first is &lt;slower&gt;." in html


def test_the_sliders_know_every_stack_and_begin_at_a_load_that_was_measured(a_run: RUN) -> None:
    html = html_of(a_run(a_suite(cases=(SLOW, FAST))))
    found = re.search(r'<script type="application/json" id="predict-data">(.*?)</script>', html)
    assert found
    data = json.loads(found[1])
    assert [stack["server"] for stack in data["stacks"]] == [SLOW.server, FAST.server]
    assert data["start"] == {"users": 10, "delay_ms": 450, "cpus": 1}


def test_nothing_comes_from_elsewhere_and_every_link_leads_somewhere(a_run: RUN) -> None:
    html = html_of(a_run(a_suite(cases=(SLOW, FAST))))
    page = Page(html)
    assert page.sources == []
    assert len(set(page.ids)) == len(page.ids)
    inside = [target.removeprefix("#") for target in page.targets if target != "data:,"]
    assert set(inside) <= set(page.ids)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg|[\w-]+:\d)", html)


def test_the_answer_names_the_leader_and_what_it_lost_to_its_client(a_run: RUN) -> None:
    change = rates({SLOW: 10.0, FAST: 20.0, CONTROL: 21.0})
    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST, CONTROL)), change)))
    assert "uvicorn (httpx-shared) has the most: 20.0 [20.0–20.1] views/s." in said
    assert "All others make fewer." in said
    last = "gunicorn-100-threads (httpx-per-request)"
    rate = "10.0 [10.0–10.0] views/s, ×0.50 [0.50–0.50] of the first."
    assert f"Last is {last} with {rate}" in said
    assert "Without an HTTP call uvicorn makes 21.0 [21.0–21.1] views/s." in said
    assert "With httpx-shared it keeps 95.2 % [95.2–95.2] of that." in said


def test_where_rounds_disagree_nobody_leads(a_run: RUN) -> None:
    def change(case: Case, round_number: int) -> dict[str, Any]:
        return {"rps": 20.0 if (case == FAST) == (round_number % 2 == 0) else 10.0}

    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST)), change)))
    assert re.search(r"Whether \S+ \(\S+\) makes fewer is undecided\.", said)


def test_what_is_a_little_behind_for_sure_is_as_good(a_run: RUN) -> None:
    change = rates({SLOW: 20.2, FAST: 20.0})
    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST)), change)))
    behind = "uvicorn (httpx-shared) is less than 3 % behind, which does not matter."
    assert behind in said


def test_of_many_loads_the_stack_that_leads_is_named_with_its_client(a_run: RUN) -> None:
    clients = {"httpx-shared": 20.0, "httpx2-shared": 10.0}
    cases = tuple(
        replace(FAST, http_client=client, cpu_ms=cpu_ms)
        for cpu_ms in (0.0, 1.0, 2.0, 3.0)
        for client in clients
    )
    change = rates({case: clients[case.http_client] for case in cases})
    said = text_of(html_of(a_run(a_suite(cases=cases), change)))
    assert "Of 4 loads: uvicorn (httpx-shared) leads alone in 4." in said


def test_one_round_ranks_nobody(a_run: RUN) -> None:
    run = a_run(a_suite(cases=(SLOW, FAST)), rates({SLOW: 10.0, FAST: 20.0}), rounds=1)
    said = text_of(html_of(run))
    assert "has the most" not in said
    assert "With 1 round there are no intervals. A ranking needs three rounds (--rounds 3)." in said


def test_at_a_ceiling_cpu_per_view_tells_servers_apart(a_run: RUN) -> None:
    cpu = {SLOW: 4.0, FAST: 2.0}

    def change(case: Case, round_number: int) -> dict[str, Any]:
        cells = {"rps": 22.0, "caveats": "at-ceiling", "bound_by": "users"}
        return cells | {"app_cpu_ms_per_view": cpu[case] + round_number / 1000}

    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST)), change)))
    assert "Nobody leads: " in said
    assert "all that its users allow. " in said
    assert " is less than 3 % behind" in said
    least = "Among the 2 best in views/s, uvicorn (httpx-shared) needs the least CPU per view (2.0"
    assert least in said


def test_sync_and_async_are_held_against_each_other_by_their_best_stacks(a_run: RUN) -> None:
    costly = a_case(server="uvicorn", users=10, delays_ms=(450.0,), http_client="httpx2-shared")
    cpu = {SLOW: 4.0, FAST: 2.0, costly: 9.0}

    def change(case: Case, round_number: int) -> dict[str, Any]:
        rate = rates({SLOW: 20.0, FAST: 20.1, costly: 20.2})(case, round_number)
        return rate | {"app_cpu_ms_per_view": cpu[case]}

    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST, costly)), change)))
    assert "Sync or async? No difference that matters (less than 3 %). Best sync: " in said
    assert "Best sync: gunicorn-100-threads (httpx-per-request), 20.0 views/s, 4.0 ms of" in said
    assert "Best async: uvicorn (httpx-shared), 20.1 views/s, 2.0" in said, "as good, and cheaper"


def test_far_apart_sync_and_async_are_not_compared_by_cpu(a_run: RUN) -> None:
    change = rates({SLOW: 10.0, FAST: 20.0})
    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST)), change)))
    assert "Sync or async? Async is better. " in said
    assert "Best sync: gunicorn-100-threads (httpx-per-request), 10.0 views/s. " in said
    assert "Async by sync: ×2.00 [2.00–2.00] views/s." in said


def test_what_held_a_case_back_is_what_did_in_most_rounds(a_run: RUN) -> None:
    def change(_case: Case, round_number: int) -> dict[str, Any]:
        return {"bound_by": "slots" if round_number == 1 else "cpu"}

    said = text_of(html_of(a_run(a_suite(cases=(FAST,)), change)))
    assert "What limited throughput: cpu in 1 case." in said


def test_where_no_limit_is_known_it_is_said_in_a_sentence_of_its_own(a_run: RUN) -> None:
    def change(case: Case, _round: int) -> dict[str, Any]:
        return {"bound_by": "unexplained" if case == SLOW else "cpu"}

    said = text_of(html_of(a_run(a_suite(cases=(SLOW, FAST)), change)))
    assert (
        "What limited throughput: cpu in 1 case. "
        "In 1 case no known limit was reached (unexplained)."
    ) in said


def test_the_ceiling_of_the_cpu_is_a_mean_over_rounds_as_the_rate_is(a_run: RUN) -> None:
    def change(_case: Case, round_number: int) -> dict[str, Any]:
        ceiling = {"cpu_ceiling_rps": 20.0 + round_number, "cpu_ceiling_kind": "measured"}
        return ceiling | {"rps": 19.0 + round_number, "bound_by": "cpu"}

    html = html_of(a_run(a_suite(cases=(FAST,)), change))
    table = html.split('id="throughput"')[1].split("</section>")[0]
    assert "<td>22.0</td>" in re.sub(r"<td[^>]*>", "<td>", table)


def test_where_nothing_can_be_compared_the_table_says_why(a_run: RUN) -> None:
    html = html_of(a_run(comparing(), lambda *_: {"ranked": "no", "caveats": "api-saturated"}))
    said = text_of(html)
    assert "The same as a table" in html.split('id="comparisons"')[1].split("</section>")[0]
    assert "All 1 comparisons" not in said
    assert "3 of 3 rounds do not count (api-saturated)" in said


def test_a_comparison_says_how_far_apart_its_trials_were(a_run: RUN) -> None:
    html = html_of(a_run(comparing(), lambda case, _: {"position": 4 if case == SLOW else 7}))
    table = html.split('id="comparisons"')[1].split("</section>")[0]
    assert ">Apart</th>" in table.replace("</button>", "")
    assert "<td>3.0</td>" in re.sub(r"<td[^>]*>", "<td>", table)


def test_a_stranger_reads_what_was_measured_and_what_the_words_mean(a_run: RUN) -> None:
    three = a_case(server="uvicorn", users=10, delays_ms=(300.0, 450.0), cpu_ms=5.0)
    cases = (SLOW, FAST, CONTROL, three)
    said = text_of(html_of(a_run(a_suite(cases=cases))))
    assert (
        "A view calls an API that answers after 450 ms or calls an API 2 times at once (300 and "
        "450 ms), so it takes at least 450 ms; in some cases it also computes for 5 ms."
    ) in said
    assert "The load: 10 users, who each ask again once they are answered." in said
    assert "4 cases, each measured in 3 rounds: a fresh server process, alone" in said
    assert "-shared all views of a process use one HTTP client" in said
    assert "no-http the view waits as long without calling anybody" in said
    assert "-shared-context" not in said, "no case has it"
    assert "bare no middleware" not in said


def test_a_stranger_reads_that_calls_are_made_one_after_the_other(a_run: RUN) -> None:
    in_a_row = a_case(server="uvicorn", workload="serial", delays_ms=(300.0, 450.0))
    said = text_of(html_of(a_run(a_suite(cases=(in_a_row,)))))
    assert (
        "A view calls an API 2 times one after the other (300 and 450 ms), so it takes at least "
        "750 ms."
    ) in said


def test_an_open_load_has_a_report_too_and_is_described_by_its_arrivals(a_run: RUN) -> None:
    axes = {"load": "open", "users": None, "rate_rps": 20.0, "arrivals": "poisson"}
    case = a_case(server="uvicorn", driver="own", delays_ms=(450.0,), **axes)
    html = html_of(a_run(a_suite(cases=(case,))))
    assert "The load: 20 arrivals a second, whether or not earlier" in text_of(html)
    assert "Over time" in Page(html).headings
    assert "-c 18 -q 1.11111" in html, "a plain hey is told the rate"


def test_what_stands_with_the_cases_of_other_suites_tells_what_differs_from_them(
    a_run: RUN,
) -> None:
    folder, suites = a_run(a_suite(cases=(FAST,)), lambda *_: {"caveats": "at-ceiling"})
    other = a_suite(name="other", cases=(a_case(server="uvicorn", users=20, delays_ms=(450.0,)),))
    html = html_of((folder, [*suites, other]))
    called = "uvicorn, httpx-shared, 10 users"
    for section in ("trials", "caveats"):
        text = html.split(f'id="{section}"')[1].split("</section>")[0].lower()
        assert called.removeprefix("uvicorn") in text, section


def test_failed_and_unranked_trials_are_visible_as_such(a_run: RUN) -> None:
    def change(case: Case, round_number: int) -> dict[str, Any]:
        if case == SLOW:
            return {"outcome": "no-answer"}
        return {"ranked": "no", "caveats": "api-saturated"} if round_number == 1 else {}

    html = html_of(a_run(a_suite(cases=(SLOW, FAST)), change))
    assert html.count('<tr class="failed"><th scope="row"><details') == 3
    assert html.count('<tr class="unranked"><th scope="row"><details') == 1
    said = text_of(html)
    assert "3 trials could not be measured: gunicorn-100-threads" in said
    assert (
        "1 trial is left out of means and ranks: the lab itself may have changed its views/s "
        "(api-saturated)."
    ) in said
    assert "failed: no-answer" in said


def test_a_row_is_refuted_by_its_command_its_flags_and_a_plain_hey(a_run: RUN) -> None:
    run = a_run(a_suite(name="clients", cases=(FAST,)))
    html = html_of(run)
    assert f"scripts/bench report results/{run[0].name}</code>" in html
    assert f"scripts/bench run clients --only {FAST.slug} --rounds 5" in html
    assert "uvicorn consumer.asgi:application" in html
    assert "--entrypoint hey loadgen -z 15s" in html


def test_a_run_without_samples_has_a_report_all_the_same(a_run: RUN) -> None:
    folder, suites = a_run(a_suite(cases=(FAST,)))
    for file in (folder / "samples").iterdir():
        file.unlink()
    assert "Over time" not in Page(html_of((folder, suites))).headings


def test_a_page_that_would_be_too_large_leaves_its_small_pictures_to_their_files(
    a_run: RUN, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, suites = a_run(a_suite(cases=(FAST,)))
    monkeypatch.setattr("loadgen.reports.run_report.MOST_BYTES", 10_000)
    html = html_of((folder, suites))
    assert 'class="gallery"' not in html
    assert "With these pictures the page would be over 1 MB" in html
    assert (folder / "charts" / "over-time-a-suite-01.svg").exists()


def test_a_run_of_which_all_failed_has_a_report(a_run: RUN) -> None:
    run = a_run(a_suite(cases=(FAST,)), lambda _case, _round: {"outcome": "no-answer"})
    assert "failed: no-answer" in text_of(html_of(run))


def test_an_interrupted_run_says_so(a_run: RUN) -> None:
    folder, suites = a_run(a_suite(cases=(FAST,)))
    file = folder / "environment.json"
    found = json.loads(file.read_text()) | {"outcome": "interrupted at trial 2 of 3"}
    file.write_text(json.dumps(found))
    said = text_of(html_of((folder, suites)))
    assert "The run is incomplete. It ended at trial 2 of 3." in said


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("unfinished: at trial 7 of 24", "It got as far as trial 7 of 24."),
        (
            "stopped at trial 7 of 24: api is not up. Start it with: docker compose up -d api",
            "It ended at trial 7 of 24. Reason: api is not up. Start it with: docker compose up -d "
            "api.",
        ),
    ],
)
def test_how_far_an_incomplete_run_came_is_said_with_the_reason(
    a_run: RUN, outcome: str, words: str
) -> None:
    folder, suites = a_run(a_suite(cases=(FAST,)))
    file = folder / "environment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"outcome": outcome}))
    assert f"The run is incomplete. {words}" in text_of(html_of((folder, suites)))


def test_a_page_of_a_run_that_has_ended_does_not_load_itself_anew(a_run: RUN) -> None:
    html = html_of(a_run(a_suite(cases=(FAST,))))
    assert "setInterval" not in html
    assert 'http-equiv="refresh"' not in html
    assert "data-reload-s=" not in html


def test_what_the_pictures_over_time_show_is_a_table_too(a_run: RUN) -> None:
    html = html_of(a_run(a_suite(cases=(SLOW, FAST))))
    table = html.split('id="over-time"')[1].split("</section>")[0].split("<tbody>")[1]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", table)
    assert re.fullmatch(r"gunicorn-100-threads, httpx-per-request, round \d", cells[0])
    assert cells[1:4] == ["500", "500", "500"], "ten users with a latency of half a second"
    assert cells[6] == "0.05", "spread evenly"
