"""The answer in a few sentences, the same for a terminal and for a page."""

from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from loadgen.documents.document import Folded, Text
from loadgen.documents.run_material import Material, of_rows
from loadgen.duets.duet import with_load
from loadgen.records.columns import COSTS_TOO_UNLIKE, LOAD_TOO_SMALL, Cell, Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import CPU_METRIC as CPU
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.topics import answer
from loadgen.topics.answer import sentences
from tests.findings.test_comparisons import rows
from tests.findings.test_comparisons_of_duets import (
    DEARER,
    UNLIKE,
    duet_rows,
    suite_of,
    trial_rows,
)
from tests.make import a_case, a_suite

SERVERS = ("uwsgi-2-threads", "uvicorn", "gunicorn-gevent")
TWO, ASYNC, GEVENT = CASES = tuple(
    a_case(server=server, view="async" if server == "uvicorn" else "sync") for server in SERVERS
)


def a_question(**attributes: Any) -> Suite:
    claim = Compare(
        a={"server": (TWO.server,)},
        b={"server": (ASYNC.server, GEVENT.server)},
        metrics=("rps",),
        words="Two threads are terrible.",
    )
    return a_suite(**{"cases": CASES, "compare": (claim,)} | attributes)


def a_run(rounds: int, suite: Suite | None = None, **cells: Cell) -> Material:
    rates = {TWO: 3.4, ASYNC: 70.0, GEVENT: 78.0}
    found: list[Row] = []
    for case, rate in rates.items():
        known: dict[str, Cell] = {"app_cpu_ms_per_view": 10.0, "bound_by": "cpu"}
        found += rows(case, *(known | {"rps": rate + n / 10} | cells for n in range(rounds)))
    return of_rows([suite or a_question()], found)


def told(run: Material) -> list[str]:
    return [str(Markup(words).striptags()) for words in sentences(run)]


def test_three_rounds_answer_in_three_to_six_sentences() -> None:
    said = told(a_run(3))
    assert 3 <= len(said) <= 6
    assert said[0].startswith(
        "Sync or async? Async is worse. Best sync: gunicorn-gevent, 78.1 views/s. Best async: uvi"
    )
    assert said[-1] == "Of 1 claim: 1 held, 0 refuted, 0 cannot be told. Held: " + (
        "“Two threads are terrible”."
    )


def test_what_only_its_bound_leaves_undecided_has_that_beside_it() -> None:
    run = a_run(3)
    late = [row | {"rps_bound": 0.0 if row["view"] == "async" else 0.2} for row in run.rows]
    said = told(of_rows(run.suites, late))[0]
    assert "? Undecided, the difference may come from the lab's instruments (±22.1 %). " in said
    assert said.endswith(": ×0.90 [0.90–0.90] views/s.")


def test_after_one_round_only_what_is_far_apart_is_told_and_what_three_would_tell() -> None:
    said = told(a_run(1))
    assert 3 <= len(said) <= 6
    assert said == [
        "RPS of uvicorn and gunicorn-gevent is 20.6 to 22.9 times that of uwsgi-2-threads.",
        "What limited throughput: cpu in 3 cases.",
        "Differences under ×2 may be chance. 2 comparisons and 1 claim need three rounds.",
    ]


def test_trials_in_the_place_of_a_duet_that_are_far_apart_are_told_with_their_load() -> None:
    a, b = a_case(server="one"), a_case(server="other")
    entry = Compare(a={"server": ("one",)}, b={"server": ("other",)}, metrics=(CPU,), duet=True)
    of_duet: dict[str, Cell] = {"outcome": COSTS_TOO_UNLIKE, "rate_rps": 4.0}
    found = [
        row | {"partner": other.in_a_duet.slug}
        for side, other in ((a, b), (b, a))
        for row in rows(side.in_a_duet, of_duet)
    ]
    found += rows(with_load(a.in_a_duet, 4.0), {CPU: 4.0, "rps": 4.0})
    found += rows(with_load(b.in_a_duet, 4.0), {CPU: 12.0, "rps": 4.0})
    said = told(of_rows([a_suite(cases=(a, b), compare=(entry,))], found))
    assert said[0] == (
        "A large difference: CPU/view ×3.00 (one → other, with 4 views/s on each server)."
    )


def test_nobody_is_said_to_lead_before_the_third_round() -> None:
    alone = a_question(compare=())
    for rounds, words in ((1, "1 round"), (2, "2 rounds")):
        assert told(a_run(rounds, alone)) == [
            "What limited throughput: cpu in 3 cases.",
            f"Measured: {3 * rounds} trials of 3 cases in {words}.",
            f"With {words} there are no intervals. A ranking needs three rounds.",
        ]
    assert any("gunicorn-gevent has the most" in words for words in told(a_run(3, alone)))


def test_of_many_loads_nobody_is_said_to_lead_before_the_third_round() -> None:
    servers = ("uvicorn", "daphne")
    suite = a_suite(
        cases=tuple(a_case(server=name, users=users) for users in (10, 20) for name in servers)
    )
    for rounds in (1, 2, 3):
        found = [
            row
            for case in suite.cases
            for row in rows(case, *({"rps": 9.0 if case.server == "daphne" else 8.0},) * rounds)
        ]
        leads = any("daphne" in words for words in told(of_rows([suite], found)))
        assert leads == (rounds == 3)


def test_how_to_get_three_rounds_is_said_of_a_run_that_has_ended() -> None:
    run = a_run(1)
    for outcome, rounds, how in (
        ("finished", 1, "need three rounds (--rounds 3)."),
        ("interrupted at trial 4 of 9", 3, "need three rounds. Finish the run with --resume."),
        ("interrupted at trial 4 of 9", 1, "need three rounds (--rounds 3)."),
    ):
        environment = {"outcome": outcome, "arguments": {"rounds": rounds}}
        ended = Material(run.folder, run.suites, run.rows, environment, {}, {})
        assert how in told(ended)[-1]


def test_what_could_not_be_measured_is_part_of_the_answer() -> None:
    run = a_run(3)
    failed = [row | {"outcome": "no-answer", "ranked": "no"} for row in run.rows[:3]]
    said = told(of_rows(run.suites, [*failed, *run.rows[3:]]))
    assert any(words.startswith("3 trials could not be measured: uwsgi-2-thr") for words in said)


def test_a_self_test_answers_whether_all_of_it_works() -> None:
    suite = a_question(self_test=True, compare=())
    assert told(a_run(1, suite)) == ["Yes: all 3 cases could be measured."]
    run = a_run(1, suite)
    failed = [run.rows[0] | {"outcome": "no-answer", "ranked": "no"}, *run.rows[1:]]
    no = "No: 1 of 3 cases could not be measured: uwsgi-2-threads."
    assert told(of_rows([suite], failed))[0] == no


def test_a_self_test_that_is_not_whole_answers_what_works_so_far() -> None:
    suite = a_question(self_test=True, compare=())
    run = a_run(1, suite)
    assert told(of_rows([suite], run.rows[:1])) == ["So far 1 of 3 cases has been measured."]
    for outcome, said in (
        ("interrupted at trial 4 of 6", "So far 3 of 3 cases have been measured."),
        ("finished", "Yes: all 3 cases could be measured."),
    ):
        ended = Material(run.folder, run.suites, run.rows, {"outcome": outcome}, {}, {})
        assert told(ended)[0] == said


def test_each_of_several_suites_has_its_say_under_its_name() -> None:
    other: Case = a_case(server="daphne")
    second = a_suite(name="second", cases=(other, a_case(server="hypercorn")))
    run = a_run(3)
    more = [row for case in second.cases for row in rows(case, *({"rps": 5.0},) * 3)]
    said = told(of_rows([*run.suites, second], [*run.rows, *more]))
    assert 3 <= len(said) <= 6
    assert said[0].startswith("a-suite: Sync or async?")
    assert any(words.startswith("second: ") for words in said)


def asking(*servers: str, metrics: tuple[str, ...] = ("rps", CPU)) -> Suite:
    """Each of these against the first, without a claim and without a change."""
    cases = tuple(a_case(server=server) for server in servers)
    asked = [
        Compare(a={"server": servers[:1]}, b={"server": (server,)}, metrics=metrics)
        for server in servers[1:]
    ]
    return a_suite(cases=cases, compare=tuple(asked), rounds=3)


def answered(suite: Suite) -> list[str]:
    found = []
    for number, case in enumerate(suite.cases):
        figures = ((80.0 + n / 10, (10.0 - number) * (1 + n / 100)) for n in range(3))
        found += rows(case, *({"rps": rps, CPU: cpu_ms} for rps, cpu_ms in figures))
    return told(of_rows([suite], found))


def test_two_servers_that_are_compared_are_told_with_ratio_and_verdict() -> None:
    said = answered(asking("gunicorn", "mine"))
    assert 3 <= len(said) <= 6
    assert said[0] == (
        "gunicorn → mine: RPS 1.000 [1.000–1.000], equivalent; "
        "CPU/view 0.900 [0.900–0.900], better."
    )
    assert not any("has the most" in words for words in said)


def test_a_difference_of_a_pair_that_is_too_small_to_matter_says_so() -> None:
    suite = asking("gunicorn", "mine", metrics=("rps",))
    a, b = suite.cases
    found = [*rows(a, *({"rps": 80.0},) * 3), *rows(b, *({"rps": 81.0},) * 3)]
    assert told(of_rows([suite], found))[0] == (
        "gunicorn → mine: RPS 1.013 [1.013–1.013], better by less than 3 %."
    )


def test_a_few_pairs_are_told_before_who_leads() -> None:
    said = answered(asking("gunicorn", "mine", "yours"))
    assert 3 <= len(said) <= 6
    assert [words.split(":")[0] for words in said[:2]] == ["gunicorn → mine", "gunicorn → yours"]
    assert "has the most" in said[2]


def test_of_many_pairs_a_few_are_told_after_who_leads() -> None:
    said = answered(asking("gunicorn", *(f"server-{number}" for number in range(5))))
    assert 3 <= len(said) <= 6
    assert "has the most" in said[0]
    assert len([words for words in said if words.startswith("gunicorn → ")]) == 4
    long = [f"{letter * 50}" for letter in "abcdef"]
    assert len([words for words in answered(asking(*long)) if " → " in words]) == 2
    assert said[-1].endswith("All 5 pairs are in comparisons.csv.")


def test_what_cannot_be_compared_and_what_may_be_chance_is_said_with_the_pair() -> None:
    suite = asking("gunicorn", "mine", metrics=("p95_ms", "p99_ms"))
    a, b = suite.cases
    of_a = rows(a, *({"p95_ms": 80.0, "p95_ms_bound": bound} for bound in (0.025,) * 3))
    found = [*of_a, *rows(b, *({"p95_ms": 81.6},) * 3)]
    assert told(of_rows([suite], found))[0] == (
        "gunicorn → mine: p95 1.020 [1.020–1.020], undecided (may come from the lab's "
        "instruments, ±2.5 %); p99 not comparable (p99_ms unknown in 3 of 3 rounds)."
    )


def test_what_duets_and_trials_say_of_a_pair_is_one_sentence() -> None:
    said = told(
        of_rows(
            [suite_of("rps", CPU)],
            [*duet_rows(DEARER), *trial_rows("rps", [(50, 60), (51, 61), (50, 60)])],
        )
    )
    assert said[0].startswith("one → other: RPS 1.19")
    assert said[0].endswith(", worse, with 17 views/s on each server.")


def test_a_metric_that_duets_and_trials_tell_of_a_pair_says_which_is_of_which() -> None:
    suite = suite_of(CPU)
    (entry,) = suite.compare
    by_trials = entry.model_copy(update={"duet": False})
    both = replace(suite, compare=(entry, by_trials))
    said = told(of_rows([both], [*duet_rows(DEARER), *trial_rows(CPU, DEARER)]))
    assert said[0].startswith("one → other: CPU/view 1.")
    assert ", worse, in separate trials; CPU/view 1." in said[0]
    assert said[0].endswith(", worse, in a duet, with 17 views/s on each server.")


GIVEN_UP = duet_rows([(0, 0)], outcome=LOAD_TOO_SMALL, **{CPU: None})
OWN = trial_rows("rps", [(50, 60)])


def texts(run: Material) -> list[str]:
    """All that its answer says, what is folded too."""
    blocks = list(answer.blocks(run))
    folded = [each for block in blocks if isinstance(block, Folded) for each in block.blocks]
    found = [each for each in (*blocks, *folded) if isinstance(each, Text)]
    return [str(Markup(words).striptags()) for text in found for words in text.paragraphs]


@pytest.mark.parametrize(
    ("of_duet", "besides"),
    [
        (duet_rows(DEARER), ", and 3 duets."),
        (GIVEN_UP, ". 1 duet could not be made: trials one after the other took its place."),
        (UNLIKE, ". 1 duet could not be made."),
    ],
)
def test_a_duet_that_was_given_up_is_not_counted_as_measured(
    of_duet: list[Row], besides: str
) -> None:
    measured = "Measured: 2 trials of 2 cases in 1 round"
    assert measured + besides in texts(of_rows([suite_of("rps", CPU)], [*OWN, *of_duet]))


def test_what_was_measured_names_the_duets_that_were_made_and_those_that_were_not() -> None:
    at_once = "1 pair of cases was measured in duets: two fresh server"
    instead = "1 duet could not be made: trials one after"
    for duet, said, unsaid in ((GIVEN_UP, instead, at_once), (duet_rows(DEARER), at_once, instead)):
        words = texts(of_rows([suite_of("rps", CPU)], [*OWN, *duet]))
        assert any(each.startswith(said) for each in words)
        assert not any(each.startswith(unsaid) for each in words)
