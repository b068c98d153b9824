"""Gates on a comparison: their grammar, and which side is safe."""

import math
import random

import pytest

from loadgen.errors import ConfigurationError
from loadgen.findings.comparisons import Comparison, compare_rows
from loadgen.findings.gates import Gate, all_passed, judge_gates, parse_gate
from tests.findings.test_comparisons import rows
from tests.make import a_case

BASELINE, CANDIDATE = a_case(server="baseline"), a_case(server="candidate")
SCATTER = (1.0, 1.02, 0.99, 1.01, 0.98)


def compared(
    ratio: float, metric: str = "p95_ms", scatter: tuple[float, ...] = SCATTER
) -> Comparison:
    a = rows(BASELINE, *({metric: 100 * by} for by in scatter[::-1]))
    b = rows(CANDIDATE, *({metric: 100 * ratio * by} for by in scatter))
    return compare_rows("", "a case", a, b, metric)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("p95_ms>5%", Gate("p95_ms>5%", "p95_ms", True, 0.05)),
        ("rps<-3%", Gate("rps<-3%", "rps", False, -0.03)),
        (" rps < -2.5 % ", Gate("rps < -2.5 %", "rps", False, -0.025)),
        ("app_pss_mib>+0%", Gate("app_pss_mib>+0%", "app_pss_mib", True, 0.0)),
    ],
)
def test_a_gate_is_a_metric_a_direction_and_a_percentage(text: str, gate: Gate) -> None:
    assert parse_gate(text) == gate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p95_ms>5", "is not a gate: write METRIC>N%"),
        ("p95_ms", "is not a gate"),
        ("p95_ms>=5%", "is not a gate"),
        ("p95_ms>five%", "is not a gate"),
        ("", "is not a gate"),
        ("latency>5%", "no such metric; those that can be compared are rps, max_rps"),
        ("lag_p99_ms>5%", "no such metric"),
        ("rps>-3%", "fails even without a change. Write METRIC>N%"),
        ("p95_ms<5%", "fails even without a change"),
        ("rps<-100%", "can never fail. Write METRIC>N%"),
    ],
)
def test_what_is_no_gate_is_refused_with_the_grammar(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        parse_gate(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "ratio", "outcome"),
    [
        ("p95_ms>5%", 1.5, "failed"),
        ("p95_ms>5%", 1.0, "passed"),
        ("p95_ms>5%", 0.5, "passed"),
        ("p95_ms>5%", 1.06, "passed"),  # more than 5 %, but not surely so
        ("p95_ms>0%", 1.06, "failed"),
        ("p95_ms<-5%", 0.5, "failed"),
        ("p95_ms<-5%", 0.97, "passed"),
        ("p95_ms<-5%", 1.5, "passed"),
    ],
)
def test_a_gate_fails_where_the_whole_interval_is_beyond_it(
    text: str, ratio: float, outcome: str
) -> None:
    one = compared(ratio)
    (judged,) = judge_gates([parse_gate(text)], [one])
    assert judged.outcome == outcome
    assert all_passed([judged]) == (outcome == "passed")
    assert one.difference
    assert one.difference.low
    assert one.difference.high
    threshold = 1 + judged.gate.change
    beyond = one.difference.low > threshold if ">" in text else one.difference.high < threshold
    assert beyond == (outcome == "failed")


def test_a_gate_speaks_of_its_own_metric_only() -> None:
    judged = judge_gates([parse_gate("rps<-3%")], [compared(1.5, "p95_ms"), compared(0.5, "rps")])
    assert [(one.comparison.metric, one.outcome) for one in judged] == [("rps", "failed")]


def test_many_cases_do_not_fail_a_gate_by_chance() -> None:
    one = compared(1.08, scatter=(1.0, 1.03, 0.98))
    assert one.difference
    assert one.difference.low
    assert one.difference.low > 1.0
    alone = judge_gates([parse_gate("p95_ms>0%")], [one])
    among_others = judge_gates([parse_gate("p95_ms>0%")], [one, *[compared(1.0)] * 20])
    assert alone[0].outcome == "failed"
    assert among_others[0].outcome == "passed"


def test_of_candidates_that_are_as_the_baseline_hardly_any_fails() -> None:
    drawn = random.Random(7)
    failed = 0
    for _ in range(300):
        run = []
        for _ in range(4):
            scatter = tuple(math.exp(drawn.gauss(0, 0.04)) for _ in range(5))
            run.append(compared(1.0, scatter=scatter))
        judged = judge_gates([parse_gate("p95_ms>0%")], run)
        failed += any(one.outcome == "failed" for one in judged)
    # 2.5 % are due; a share of 300 is seldom over 5 %.
    assert failed / 300 < 0.05


def test_a_gate_says_what_it_would_have_found() -> None:
    (judged,) = judge_gates([parse_gate("p95_ms>5%")], [compared(1.0)])
    found = judged.comparison.difference
    assert found
    assert found.smallest_detectable_ratio
    assert judged.found_from == pytest.approx(1.05 * found.smallest_detectable_ratio - 1)


def test_a_gate_that_cannot_be_judged_is_not_passed() -> None:
    too_few = compared(1.0, scatter=(1.0, 1.01))
    (judged,) = judge_gates([parse_gate("p95_ms>5%")], [too_few])
    assert (judged.outcome, judged.reason) == ("not judged", "needs 3 rounds")
    assert not all_passed([judged])


def test_a_candidate_whose_value_is_unknown_is_not_passed() -> None:
    a = rows(BASELINE, *({"p95_ms": 100.0} for _ in SCATTER))
    b = rows(CANDIDATE, *({"p95_ms": None} for _ in SCATTER))
    (judged,) = judge_gates([parse_gate("p95_ms>5%")], [compare_rows("", "a case", a, b, "p95_ms")])
    assert (judged.outcome, judged.reason) == ("not judged", "p95_ms unknown in 5 of 5 rounds")
