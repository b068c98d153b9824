"""A server that answers nobody has the worst result that there is, in every part of the lab."""

from collections.abc import Sequence
from typing import Any

import pytest

from loadgen.findings.answers_nobody import silence
from loadgen.findings.claims import judge_claims
from loadgen.findings.comparisons import Comparison, compare_cases
from loadgen.findings.first_change import effects, what_to_change_first
from loadgen.findings.gates import judge_gates, parse_gate
from loadgen.findings.summary import case_caveats, over_rounds
from loadgen.records import columns
from loadgen.records.columns import Cell, Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.topics import comparisons as topic
from tests.make import a_case, a_suite
from tests.shown import a_group, as_markdown, report_on_a_terminal

LOUD, MUTE = a_case(server="loud"), a_case(server="mute")
SILENT: dict[str, Cell] = {"rps": 0.0, "p95_ms": None, "app_cpu_ms_per_view": None}
DIED: dict[str, Cell] = {"outcome": "server-died", "ranked": "no", "rps": None}
NO_MEMORY = DIED | {"outcome": "out-of-memory"}
LOST = DIED | {"outcome": "api-lost"}
HEARD: dict[str, Cell] = {"rps": 80.0, "p95_ms": 650.0, "app_cpu_ms_per_view": 4.0}
METRICS = ("rps", "p95_ms", "app_cpu_ms_per_view", "app_pss_mib")


def rows(case: Case, *of_rounds: dict[str, Cell]) -> list[Row]:
    plain = {"outcome": "measured", "ranked": "yes", "title": case.server, "app_pss_mib": 80.0}
    return [
        columns.row(case.cells() | plain | {"round": number} | cells)
        for number, cells in enumerate(of_rounds, start=1)
    ]


def asking(a: str = "loud", b: str = "mute", **entry: Any) -> Suite:
    words = entry.pop("words", None)
    compared = Compare(a={"server": (a,)}, b={"server": (b,)}, metrics=METRICS, words=words)
    return a_suite(cases=(LOUD, MUTE), compare=(compared,), **entry)


def compared(suite: Suite, *given: list[Row]) -> list[Comparison]:
    return compare_cases([suite], [row for of_case in given for row in of_case])


def against_loud(*of_mute: dict[str, Cell], suite: Suite | None = None) -> list[Comparison]:
    """What a suite finds of these rounds of one server beside three good ones of the other."""
    return compared(suite or asking(), rows(LOUD, *[HEARD] * 3), rows(MUTE, *of_mute))


@pytest.mark.parametrize("silent", [SILENT, DIED, NO_MEMORY])
@pytest.mark.parametrize("rounds", [1, 3])
def test_who_answers_nobody_in_any_round_loses_every_comparison(
    silent: dict[str, Cell], rounds: int
) -> None:
    loud, mute = rows(LOUD, *[HEARD] * rounds), rows(MUTE, *[silent] * rounds)
    for suite, verdict in ((asking(), "worse"), (asking("mute", "loud"), "better")):
        found = compared(suite, loud, mute)
        assert [one.metric for one in found] == list(METRICS)
        assert {one.verdict for one in found} == {verdict}
        assert {one.difference for one in found} == {None}


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        (SILENT, "mute answered nobody"),
        (DIED, "mute died under the load"),
        (NO_MEMORY, "mute ran out of memory"),
    ],
)
def test_the_reason_stands_in_the_place_of_a_ratio(silent: dict[str, Cell], words: str) -> None:
    assert {one.instead for one in against_loud(*[silent] * 3)} == {words}
    given = [*rows(LOUD, *[HEARD] * 3), *rows(MUTE, *[silent] * 3)]
    _, group = a_group(asking(), given)
    assert f"| RPS | {words} | – | – | worse |" in as_markdown(topic.blocks(group))


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param((SILENT, SILENT, LOST), id="a round lost with the API does not save it"),
        pytest.param(
            [SILENT | {"ranked": "no", "caveats": "loadgen-saturated failures", "failures": 900}]
            * 3,
            id="a driver that is late with refusals excuses nobody",
        ),
        pytest.param(
            [DIED | {"outcome": "no-answer"}] * 3,
            id="a tool that records no answer at all tells of silence",
        ),
    ],
)
def test_what_excuses_nobody(rounds: Sequence[dict[str, Cell]]) -> None:
    (found, *_) = against_loud(*rounds)
    assert (found.verdict, found.instead) == ("worse", "mute answered nobody")


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(
            {"starved": 30, "failures": 0, "unanswered": 0}, id="a window between two waves"
        ),
        pytest.param(
            {"ranked": "no", "caveats": "api-saturated"}, id="what the lab itself held back"
        ),
    ],
)
def test_what_is_no_silence(cells: dict[str, Cell]) -> None:
    (found, *_) = against_loud(*[SILENT | cells] * 3)
    assert (found.verdict, found.instead) == ("not comparable", "")


def test_a_server_that_died_in_some_rounds_made_nothing_in_them() -> None:
    mean = over_rounds(rows(MUTE, HEARD | {"rps": 150.0}, DIED, NO_MEMORY), "rps")
    assert mean is not None
    assert mean.mean == pytest.approx(50)


def test_a_latency_beside_starved_users_says_how_many_there_were() -> None:
    starving = HEARD | {"starved": 40, "users": 100}
    found = {one.metric: one.reason for one in against_loud(*[starving] * 3)}
    assert "mute starved up to 40 of 100 users" in found["p95_ms"]
    assert "starved" not in found["app_cpu_ms_per_view"]


def test_where_neither_answers_anybody_neither_wins() -> None:
    found = compared(asking(), rows(LOUD, *[SILENT] * 3), rows(MUTE, *[DIED] * 3))
    assert {(one.verdict, one.reason) for one in found} == {
        ("not comparable", "neither answered anybody")
    }


def test_silence_in_some_rounds_leaves_it_open_and_says_in_how_many() -> None:
    (found, *_) = against_loud(HEARD | {"rps": 161.0}, SILENT, SILENT)
    assert (found.verdict, found.difference) == ("undecided", None)
    assert found.reason == "mute answered nobody in 2 of 3 rounds"


def test_a_case_that_is_silent_in_some_rounds_is_unstable_and_has_a_mean() -> None:
    some = rows(MUTE, HEARD | {"rps": 161.0}, SILENT, SILENT)
    mean = over_rounds(some, "rps")
    assert mean is not None
    assert mean.mean == pytest.approx(161 / 3)
    assert mean.low is None
    assert case_caveats(some) == ["unstable"]
    assert silence(some) == "answered nobody in 2 of 3 rounds"


def test_a_case_that_is_always_silent_makes_nothing_and_is_not_unstable() -> None:
    always = rows(MUTE, *[SILENT] * 3)
    mean = over_rounds(always, "rps")
    assert mean is not None
    assert mean.mean == 0
    assert case_caveats(always) == []


def test_it_stands_last_in_a_sorted_table_and_says_why() -> None:
    unranked = HEARD | {"ranked": "no", "caveats": "api-saturated"}
    late = a_case(server="late")
    suite = a_suite(cases=(MUTE, late, LOUD), sort="app_cpu_ms_per_view")
    given = [*rows(MUTE, *[SILENT] * 3), *rows(late, *[unranked] * 3), *rows(LOUD, *[HEARD] * 3)]
    _, group = a_group(suite, given)
    assert [entry.name for entry in group.apart] == ["loud", "late", "mute"]
    shown = report_on_a_terminal([suite], given, width=120)
    (line,) = [text for text in shown.splitlines() if text.startswith("mute")]
    assert "answered nobody" in line


@pytest.mark.parametrize(
    ("claimed", "outcome"), [(("mute", "loud"), "holds"), (("loud", "mute"), "refuted")]
)
def test_it_decides_claims(claimed: tuple[str, str], outcome: str) -> None:
    """A claim says that b is better than a."""
    suite = asking(*claimed, words="The one is better than the other.")
    found = against_loud(*[SILENT] * 3, suite=suite)
    (claim,) = judge_claims([suite], found)
    assert claim.outcome == outcome
    assert {part.outcome for part in claim.parts} == {outcome}


def test_silence_in_some_rounds_leaves_a_claim_open_with_that_reason() -> None:
    suite = asking("mute", "loud", words="The one is better than the other.")
    (claim,) = judge_claims([suite], against_loud(HEARD, SILENT, SILENT, suite=suite))
    assert claim.outcome == "cannot be told"
    assert claim.parts[0].reason == "mute answered nobody in 2 of 3 rounds"


def test_a_gate_fails_with_a_candidate_that_answers_nobody() -> None:
    found = against_loud(*[SILENT] * 3)
    gates = [parse_gate("p95_ms>5%"), parse_gate("rps<-3%")]
    assert [one.outcome for one in judge_gates(gates, found)] == ["failed", "failed"]
    won = against_loud(*[SILENT] * 3, suite=asking("mute", "loud"))
    assert [one.outcome for one in judge_gates(gates, won)] == ["passed", "passed"]


def test_a_change_away_from_it_comes_first() -> None:
    entry = Compare(
        a={"server": ("mute",)}, b={"server": ("loud",)}, metrics=METRICS, change="be loud"
    )
    suite = a_suite(cases=(LOUD, MUTE), compare=(entry,))
    found = against_loud(*[SILENT] * 3, suite=suite)
    (effect,) = effects(suite, found)
    assert effect.standing == "better"
    assert what_to_change_first([effect]).startswith(
        "Change first: be loud (mute → loud). mute answered nobody."
    )
