"""What a run says about the claims of its suites."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from loadgen.findings.claims import Claim, ClaimOutcome, judge_claims
from loadgen.findings.comparisons import compare_cases
from loadgen.records.columns import Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.topics.claims import blocks
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite
from tests.shown import as_markdown, on_a_terminal

RIVALS = ("one", "two", "three", "four", "five")
WORDS = "The best of six is best."
SCATTER = (1.0, 1.01, 0.99, 1.02, 0.98)
#: Rounds that differ so much that a tenth cannot be seen.
WILD = (1.0, 1.4, 0.7, 1.3, 0.8)

AT_CEILING: dict[str, Any] = {"caveats": "at-ceiling", "users_ceiling_rps": 166.7}


def best_of_six(*metrics: str, rivals: Sequence[str] = RIVALS, **attributes: Any) -> Suite:
    cases = tuple(a_case(server=server) for server in (*rivals, "best"))
    entry = Compare(
        a={"server": tuple(rivals)}, b={"server": ("best",)}, metrics=metrics, words=WORDS
    )
    return a_suite(**{"cases": cases, "compare": (entry,)} | attributes)


def measured(
    case: Case, by_metric: Mapping[str, float], scatter: Sequence[float] = SCATTER, **cells: Any
) -> list[Row]:
    """Five rounds of a case around these figures."""
    rounds = ({metric: figure * by for metric, figure in by_metric.items()} for by in scatter)
    return rows(case, *(cells | of_round for of_round in rounds))


def against(figures: Mapping[str, float], suite: Suite, metric: str = "rps") -> list[Row]:
    """Rows of rivals with these figures, and of the best, which has 100."""
    by_server = {**figures, "best": 100.0}
    return [
        row
        for case in suite.cases
        if case.server in by_server
        for row in measured(case, {metric: by_server[case.server]}, reversed_for(case))
    ]


def reversed_for(case: Case) -> Sequence[float]:
    return SCATTER if case.server == "best" else SCATTER[::-1]


def judged(suite: Suite, given: list[Row]) -> Claim:
    (claim,) = judge_claims([suite], compare_cases([suite], given))
    return claim


def test_best_of_six_holds_where_it_is_better_than_every_rival() -> None:
    suite = best_of_six("rps")
    claim = judged(suite, against({rival: 50.0 + i for i, rival in enumerate(RIVALS)}, suite))
    (part,) = claim.parts
    assert (claim.outcome, part.outcome, part.comparisons) == ("holds", "holds", 5)
    assert part.deciding, "the weakest of the five decides"
    assert part.deciding.a.startswith("five_")


def test_one_rival_that_is_better_refutes_it() -> None:
    suite = best_of_six("rps")
    figures = dict.fromkeys(RIVALS, 50.0) | {"three": 130.0}
    (part,) = judged(suite, against(figures, suite)).parts
    assert (part.outcome, part.reason) == ("refuted", "worse (1 of 5)")
    assert part.deciding
    assert part.deciding.a.startswith("three_")
    assert part.deciding.difference
    assert part.deciding.difference.ratio == pytest.approx(100 / 130, rel=0.01)


def test_one_rival_that_cannot_be_told_apart_leaves_it_open() -> None:
    suite = best_of_six("rps")
    given = against(dict.fromkeys(RIVALS[1:], 50.0), suite)
    given += measured(suite.cases[0], {"rps": 95.0}, WILD)
    (part,) = judged(suite, given).parts
    assert (part.outcome, part.reason) == ("cannot be told", "undecided (1 of 5)")
    assert part.deciding
    assert part.deciding.a.startswith("one_")


def test_a_rival_that_was_not_measured_leaves_it_open() -> None:
    suite = best_of_six("rps")
    (part,) = judged(suite, against(dict.fromkeys(RIVALS[1:], 50.0), suite)).parts
    assert (part.outcome, part.reason) == ("cannot be told", "not measured (1 of 5)")


def test_a_narrowed_run_does_not_make_the_claim_smaller() -> None:
    whole = best_of_six("rps")
    kept = (whole.cases[0], whole.cases[-1])
    narrowed = best_of_six("rps", cases=kept, narrowed_from=whole.cases)
    (part,) = judged(narrowed, against({"one": 50.0}, narrowed)).parts
    assert (part.outcome, part.reason) == ("cannot be told", "not measured (4 of 5)")


def test_as_good_as_equal_is_not_better() -> None:
    suite = best_of_six("rps", rivals=("one",))
    given = [
        row
        for case in suite.cases
        for row in measured(case, {"rps": 100.0}, (1, 1.002, 0.999, 1.001, 0.998))
    ]
    assert judged(suite, given).outcome == "refuted"
    assert judged(suite, given).parts[0].reason == "equivalent"


@pytest.mark.parametrize(
    ("metric", "outcome"),
    [
        ("rps", "cannot be told"),
        ("max_rps", "cannot be told"),
        ("avg_ms", "cannot be told"),
        ("p95_ms", "cannot be told"),
        ("app_cpu_ms_per_view", "holds"),
    ],
)
def test_two_at_the_same_ceiling_tell_of_cost_only(metric: str, outcome: ClaimOutcome) -> None:
    suite = best_of_six(metric, rivals=("one",))
    one, best = suite.cases
    worse = 120.0 if metric.endswith(("_ms", "_view")) else 80.0
    given = measured(one, {metric: worse}, **AT_CEILING)
    given += measured(best, {metric: 100.0}, SCATTER[::-1], **AT_CEILING)
    (part,) = judged(suite, given).parts
    assert part.outcome == outcome
    assert part.reason == ("both at the same ceiling" if outcome == "cannot be told" else "")


def test_a_ceiling_of_its_own_is_the_servers_doing() -> None:
    suite = best_of_six("rps", rivals=("two-threads",))
    two, best = suite.cases
    given = measured(two, {"rps": 3.3}, slots_ceiling_rps=3.33, **AT_CEILING)
    given += measured(best, {"rps": 165.0}, SCATTER[::-1], slots_ceiling_rps=166.7, **AT_CEILING)
    assert judged(suite, given).outcome == "holds"


def test_unranked_trials_tell_nothing() -> None:
    suite = best_of_six("rps", rivals=("one",))
    one, best = suite.cases
    given = measured(one, {"rps": 50.0}, ranked="no", caveats="api-saturated")
    given += measured(best, {"rps": 100.0})
    (part,) = judged(suite, given).parts
    assert part.outcome == "cannot be told"
    assert "do not count (api-saturated)" in part.reason


def test_a_claim_falls_with_any_metric_and_stands_with_all() -> None:
    suite = best_of_six("rps", "p95_ms", rivals=("one",))
    one, best = suite.cases

    def outcome(rps: float, p95_ms: float, scatter: Sequence[float] = SCATTER) -> ClaimOutcome:
        given = measured(one, {"rps": rps, "p95_ms": p95_ms}, scatter)
        given += measured(best, {"rps": 100.0, "p95_ms": 100.0}, SCATTER[::-1])
        return judged(suite, given).outcome

    assert outcome(50, 200) == "holds"
    assert outcome(50, 50) == "refuted"
    assert outcome(200, 200) == "refuted"
    assert outcome(50, 100, WILD) == "cannot be told"


def test_a_single_small_worse_among_many_comparisons_may_be_chance() -> None:
    rivals = [f"rival-{number}" for number in range(40)]
    suite = best_of_six("rps", rivals=rivals)
    given = measured(suite.cases[-1], {"rps": 100.0}, (1, 1, 1, 1, 1))
    for case in suite.cases[:-1]:
        given += measured(case, {"rps": 102.3}, (1.0, 1.01, 0.99, 1.02, 0.98))
    alone = best_of_six("rps", rivals=rivals[:1])
    assert judged(alone, given).outcome == "refuted"
    (part,) = judged(suite, given).parts
    assert part.outcome == "cannot be told"
    assert part.reason == "worse, which may be chance (40 of 40)"


def test_a_claim_that_is_true_of_nothing_is_seldom_held() -> None:
    """Berger's bound: each comparison at 5 %, and all must agree; here none differs."""
    suite = best_of_six("rps", rivals=RIVALS[:2])
    noise, held = random.Random(1), 0
    for _ in range(200):
        given: list[Row] = []
        for case in suite.cases:
            scatter = [math.exp(noise.gauss(0, 0.1)) for _ in SCATTER]
            given += measured(case, {"rps": 100.0}, scatter)
        held += judged(suite, given).outcome == "holds"
    assert held <= 10


def test_a_question_without_words_is_no_claim() -> None:
    entry = Compare(a={"server": ("one",)}, b={"server": ("best",)})
    suite = best_of_six("rps", compare=(entry,))
    assert judge_claims([suite], compare_cases([suite], against({"one": 50.0}, suite))) == []


def test_a_claim_of_which_nothing_was_measured_is_not_spoken_of() -> None:
    assert judge_claims([best_of_six("rps")], []) == []


def with_two_clients() -> tuple[list[Suite], list[Row]]:
    """The same words with the article's client, which hides the difference, and with another."""
    suites, given = [], []
    for client, best in (("httpx-per-request", 100.0), ("aiohttp-shared", 200.0)):
        cases = tuple(a_case(server=server, http_client=client) for server in ("one", "best"))
        suites.append(best_of_six("rps", rivals=("one",), name=client, cases=cases))
        given += measured(cases[0], {"rps": 101.0}, WILD)
        given += measured(cases[1], {"rps": best})
    return suites, given


def test_the_same_words_stand_together_with_each_client() -> None:
    suites, given = with_two_clients()
    other = best_of_six("rps", rivals=("one",), name="between")
    other_entry = Compare(a={"server": ("one",)}, b={"server": ("best",)}, words="Another.")
    between = a_suite(name="between", cases=other.cases, compare=(other_entry,))
    asking = [suites[0], between, suites[1]]
    claims = judge_claims(asking, compare_cases(asking, given))
    assert [claim.words for claim in claims] == [WORDS, WORDS, "Another."]
    assert [(claim.http_clients, claim.outcome) for claim in claims[:2]] == [
        (("httpx-per-request",), "cannot be told"),
        (("aiohttp-shared",), "holds"),
    ]


def printed(claims: list[Claim]) -> str:
    return on_a_terminal(blocks(claims))


def test_claims_are_printed_with_client_ratio_interval_and_the_rival_that_decides() -> None:
    suites, given = with_two_clients()
    text = printed(judge_claims(suites, compare_cases(suites, given)))
    assert text.count(WORDS) == 1
    flat = " ".join(text.split())
    assert "httpx-per-request: cannot be told" in flat
    assert "aiohttp-shared: holds RPS holds. Decided by one → best" in flat
    assert ": 1.9" in flat
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_without_claims_nothing_is_printed() -> None:
    assert printed([]) == ""
    assert as_markdown(blocks([])).strip() == ""


def test_a_claim_that_two_suites_ask_of_the_same_clients_is_told_apart_by_its_suite() -> None:
    once = best_of_six("rps", rivals=("one",))
    again = best_of_six("rps", rivals=("one", "two"), name="again")
    given = against({"one": 50.0, "two": 60.0}, again)
    claims = judge_claims([once, again], compare_cases([once, again], given))
    lines = as_markdown(blocks(claims)).splitlines()[2:4]
    assert [line.split(" | ")[1] for line in lines] == [
        "httpx-per-request (a-suite)",
        "httpx-per-request (again)",
    ]
    assert "httpx-per-request (again): holds" in " ".join(printed(claims).split())


def test_markdown_has_a_line_for_each_metric() -> None:
    suite = best_of_six("rps", "p95_ms", rivals=("one",))
    one, best = suite.cases
    given = measured(one, {"rps": 50.0, "p95_ms": 50.0})
    given += measured(best, {"rps": 100.0, "p95_ms": 100.0}, SCATTER[::-1])
    head, _, first, second = as_markdown(blocks([judged(suite, given)])).splitlines()[:4]
    assert head.startswith("| Claim | Clients | Outcome | Metric |")
    assert first.startswith(f"| {WORDS} | httpx-per-request | refuted | RPS | holds | 2.0")
    assert second.startswith("|  |  |  | p95 | refuted | 2.0")
    assert second.endswith("| one → best | worse |")
