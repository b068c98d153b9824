"""What a run ends with fits a screen: 60 lines of 80 columns, for the default run."""

from pathlib import Path

import pytest

from loadgen.records.columns import Cell
from loadgen.suites.load_suites import load_suites
from loadgen.trials import caveats
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite
from tests.shown import report_on_a_terminal
from tests.suites.test_suite import lab_of

#: What is printed below the report: where it is, how to see more, how to go on.
ENDING = 6
EVERY_CAVEAT = " ".join(caveat.name for caveat in caveats.ALL)


#: Suites of claims, of changes, and of neither.
ASKED = ["articles", "quick", "clients", "cpu", "delays", "duets", "middleware", "users"]


@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize("asked", ASKED)
def test_it_fits_60_lines_of_80_columns(project: Path, asked: str, rounds: int) -> None:
    suites = load_suites(lab_of(project), asked)
    found = []
    for number, case in enumerate(dict.fromkeys(case for suite in suites for case in suite.cases)):
        figures: dict[str, Cell] = {
            "title": case.server,
            "rps": 3.4 + 10 * number,
            "max_rps": 4.4 + 10 * number,
            "min_ms": 612.0,
            "avg_ms": 11867.0,
            "p50_ms": 1000.0,
            "p95_ms": 22000.0,
            "app_cpu_ms_per_view": 12.3,
            "bound_by": "unexplained",
            "caveats": EVERY_CAVEAT,
        }
        rates = (3.4 + 10 * number + each / 10 for each in range(rounds))
        found += rows(case, *({**figures, "rps": rate} for rate in rates))
    lines = report_on_a_terminal(suites, found, full=False).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) + ENDING <= 60, len(lines)
    assert lines[1] == "The answer"


def test_each_caveat_has_a_line_with_its_advice() -> None:
    for caveat in caveats.ALL:
        assert len(caveat.short) <= 56, caveat.name
        assert len(f"{caveat.name} (12 of 120): {caveat.short}") <= 96


def test_a_caveat_names_its_servers_where_there_is_room() -> None:
    cases = [a_case(server=f"a-server-of-a-long-name-{number}") for number in range(3)]
    suite = a_suite(cases=tuple(cases))
    found = [row for case in cases for row in rows(case, {"caveats": "failures"})]
    text = report_on_a_terminal([suite], found[:1], full=False)
    assert "\nfailures (a-server-of-a-long-name-0): requests failed; samples/ says why\n" in text
    text = report_on_a_terminal([suite], found, full=False)
    assert "\nfailures (3 of 3): requests failed; samples/ says why\n" in text


def test_a_row_of_fewer_rounds_than_its_neighbours_says_so() -> None:
    case, other = a_case(), a_case(server="daphne")
    suite = a_suite(cases=(case, other))
    found = [*rows(case, *({"rps": 80.0},) * 3), *rows(other, *({"rps": 80.0},) * 2)]
    for full in (True, False):
        text = report_on_a_terminal([suite], found, full=full)
        assert "\ndaphne (2 of 3) " in text
        assert "(2 of 3): these figures rest on fewer rounds than others" in text
        assert "\nuvicorn  " in text
