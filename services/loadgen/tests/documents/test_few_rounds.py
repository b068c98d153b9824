"""Under three rounds nothing is judged; what is far apart is told all the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from loadgen.documents.run_material import Material, of_rows
from loadgen.records.columns import Row
from loadgen.suites.pairs import CPU_METRIC, Compare
from tests.findings.test_comparisons import rows
from tests.findings.test_comparisons_of_duets import duet_rows, suite_of
from tests.findings.test_waterfalls import RUN, a_fall
from tests.make import a_case, a_suite

A, B = a_case(server="uwsgi-2-threads"), a_case(server="uvicorn")
SUITE = a_suite(
    cases=(A, B),
    compare=(
        Compare(
            a={"server": (A.server,)},
            b={"server": (B.server,)},
            metrics=("rps",),
            words="B is best.",
        ),
    ),
)


@dataclass(frozen=True)
class Kept:
    """A scatter that is the same for all."""

    sd: float | None

    def sd_log(self, metric: str, busy_share: float | None, by: str = "trials") -> float | None:
        assert (metric, by) == ("rps", "trials")
        assert busy_share is None or busy_share > 0
        return self.sd


def run_of(a: Sequence[float], b: Sequence[float], sd: float | None = None) -> Material:
    found: list[Row] = []
    for case, rates in ((A, a), (B, b)):
        found += rows(case, *({"rps": rate} for rate in rates))
    return of_rows([SUITE], found, Kept(sd) if sd else None)


def test_one_and_two_rounds_compare_nothing_and_judge_no_claim() -> None:
    for rates in ([80.0], [80.0, 81.0]):
        run = run_of(rates, [1.2 * rate for rate in rates])
        assert (run.comparisons, run.claims, run.far) == ([], [], [])
        assert len(run.early) == 1


def test_three_rounds_compare_and_judge() -> None:
    run = run_of([80.0, 81.0, 80.5], [100.0, 101.0, 100.5])
    assert [each.verdict for each in run.comparisons] == ["better"]
    assert [claim.outcome for claim in run.claims] == ["holds"]
    assert run.early == []


def test_a_comparison_of_three_rounds_of_which_some_are_not_ranked_says_so() -> None:
    run = run_of([80.0, 81.0, 80.5], [100.0, 101.0, 100.5])
    unranked = [row | {"ranked": "no"} for row in run.rows[:1]]
    run = of_rows([SUITE], [*unranked, *run.rows[1:]])
    (comparison,) = run.comparisons
    assert comparison.verdict == "not comparable"


@pytest.mark.parametrize(
    ("b", "sd", "told"),
    [
        (70.0, None, True),
        (5.0 / 3, None, True),
        (19.0, None, False),
        (5.1, None, False),
        (70.0, 0.1, True),
        (25.0, 0.25, False),  # ln 2.5 is less than four times that
        (70.0, 0.25, True),
    ],
)
def test_what_lies_beyond_twice_and_beyond_the_scatter_is_told_after_one_round(
    b: float, sd: float | None, told: bool
) -> None:
    assert bool(run_of([10.0], [b], sd).far) is told


def test_a_waterfall_of_one_round_tells_the_steps_that_are_far_apart() -> None:
    one_round = [row for row in RUN if row["round"] == 1]
    (whole,) = of_rows([a_fall()], RUN).waterfalls
    (early,) = of_rows([a_fall()], one_round).waterfalls
    assert any(stage.changes for stage in whole.orders["forward"])
    assert not any(stage.changes for stage in early.orders["forward"])
    assert set(early.whole) == {"rps"}, "from 60 to 160 views/s is far"


@dataclass(frozen=True)
class KeptOfDuets:
    """A scatter of CPU per view: trials scatter by too much to tell anything, duets by little."""

    def sd_log(self, metric: str, busy_share: float | None, by: str = "trials") -> float | None:
        assert busy_share is None
        return {(CPU_METRIC, "trials"): 9.0, (CPU_METRIC, "duet"): 0.01}[metric, by]


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_duet_that_is_far_apart_is_told_by_the_scatter_of_duets(rounds: int) -> None:
    run = of_rows([suite_of()], duet_rows([(10.0, 4.1)] * rounds), KeptOfDuets())
    assert [each.duet for each in run.far] == [True]
