"""The table of trials holds every row of a run, and each opens on what refutes it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loadgen.documents.document import Block, Command, Folded, Table, TableRow
from loadgen.documents.run_material import Material
from loadgen.duets.duet import with_load
from loadgen.records.columns import LOAD_TOO_SMALL, Row
from loadgen.reports.run_report import page_document
from loadgen.suites.pairs import CPU_METRIC
from loadgen.suites.suite import Suite
from loadgen.topics import trials
from tests.findings.test_comparisons_of_duets import (
    DEARER,
    A,
    B,
    duet_rows,
    given_up,
    suite_of,
    trial_rows,
)
from tests.kept_run import ENVIRONMENT
from tests.make import a_server

SERVERS = {name: a_server(name=name) for name in ("one", "other")}


def shown(suite: Suite, rows: Sequence[Row]) -> list[Block]:
    titled = [row | {"title": str(row["server"]).title()} for row in rows]
    return list(trials.blocks(Material(Path(), [suite], titled, ENVIRONMENT, SERVERS, {})))


def lines_in(blocks: Sequence[Block]) -> Sequence[TableRow]:
    (table,) = [block for block in blocks if isinstance(block, Table)]
    return table.rows


def names_in(blocks: Sequence[Block]) -> list[str]:
    return [str(row.cells[0]) for row in lines_in(blocks)]


def refutation(blocks: Sequence[Block], opens: str | None) -> Folded:
    (found,) = [each for each in blocks if isinstance(each, Folded) and each.key == opens]
    return found


def commands_in(folded: Folded) -> list[str]:
    return [block.line for block in folded.blocks if isinstance(block, Command)]


def test_a_duet_has_a_line_for_each_side_named_by_the_pair_and_its_load() -> None:
    rows = [*duet_rows(DEARER), *trial_rows("rps", [(50, 60)])]
    blocks = shown(suite_of("rps", CPU_METRIC), rows)
    assert len(lines_in(blocks)) == len(rows)
    of_a_round = [
        "One, in a duet with other, at 17 views/s each",
        "Other, in a duet with one, at 17 views/s each",
    ]
    assert names_in(blocks) == ["One", "Other", *of_a_round * 3]


def test_a_line_of_a_duet_tells_what_a_view_costs_and_is_empty_where_a_duet_tells_nothing() -> None:
    a, b, *_ = lines_in(shown(suite_of(), duet_rows(DEARER, failures=0, app_pss_mib=61.0)))
    for line, cpu in ((a, "4.00"), (b, "6.00")):
        assert line.cells[1:] == ("1", "", "", "", "", cpu, "61", "0", "–", "", "")


def test_a_run_of_nothing_but_duets_has_the_table() -> None:
    run = Material(Path(), [suite_of()], duet_rows(DEARER), ENVIRONMENT, SERVERS, {})
    (section,) = [each for each in page_document(run).sections if each.key == "trials"]
    assert len(lines_in(section.blocks)) == 6


def test_trials_in_the_place_of_a_duet_are_there_like_any_trial_and_the_duet_says_why() -> None:
    suite, rows = given_up()
    told = [
        row | {"outcome": LOAD_TOO_SMALL, "service_time_ms": 1000.0} if row["partner"] else row
        for row in rows
    ]
    told.append(told[-1] | {"attempt": 2})
    blocks = shown(suite, told)
    assert len(lines_in(blocks)) == len(told)
    in_place = "at 4 views/s in the place of a duet"
    assert names_in(blocks) == [
        *[f"One, {in_place}"] * 3,
        *[f"Other, {in_place}"] * 3,
        f"Other, {in_place}, attempt 2",
        "One, in a duet with other, at 4 views/s each",
        "Other, in a duet with one, at 4 views/s each",
    ]
    first, last = lines_in(blocks)[0], lines_in(blocks)[-1]
    assert (first.state, first.cells[2], first.cells[6]) == ("", "4.0", "4.00")
    assert last.state == "failed"
    assert last.cells[-1] == (
        "no duet: the load asked for is too small. A duet needs 6 views/s on each server, and only "
        "4 were possible"
    )


def test_a_case_that_has_trials_under_that_load_anyway_is_listed_once() -> None:
    suite, rows = given_up()
    cases = tuple(with_load(case.in_a_duet, 4.0) for case in (A, B))
    blocks = shown(replace(suite, cases=cases), rows)
    assert names_in(blocks)[:6] == ["One"] * 3 + ["Other"] * 3
    assert len(lines_in(blocks)) == len(rows)


def test_a_line_of_a_duet_opens_on_the_command_that_repeats_it() -> None:
    blocks = shown(suite_of(), duet_rows(DEARER))
    (opens,) = {line.opens for line in lines_in(blocks)}
    duet = refutation(blocks, opens)
    assert "4.00 and 6.00 ms of CPU per view" in duet.summary
    a, b = A.in_a_duet.slug, B.in_a_duet.slug
    assert f"scripts/bench run a-suite --only '{a} against {b}' --rounds 5" in commands_in(duet)


def test_a_trial_in_the_place_of_a_duet_opens_on_its_case_and_a_plain_hey_at_its_rate() -> None:
    suite, rows = given_up()
    blocks = shown(suite, rows)
    first = lines_in(blocks)[0]
    again, by_hand = commands_in(refutation(blocks, first.opens))
    case = with_load(A.in_a_duet, 4.0)
    assert again == f"scripts/bench run a-suite --only {case.slug} --rounds 5"
    assert "-c 5 -q 0.8" in by_hand
    assert "4.0 views/s" in refutation(blocks, first.opens).summary
    given = refutation(blocks, lines_in(blocks)[-1].opens)
    assert "no duet: no load suits both servers" in given.summary


def test_a_row_says_its_session_where_the_run_took_several() -> None:
    rows = [row | {"session": 1 + (row["round"] == 3)} for row in duet_rows(DEARER)]
    state = {**ENVIRONMENT, "sessions": [{"boot_id": "one"}, {"boot_id": "two"}]}

    def table(described: dict[str, object]) -> Table:
        run = Material(Path(), [suite_of(CPU_METRIC)], rows, described, SERVERS, {})
        (found,) = [block for block in trials.blocks(run) if isinstance(block, Table)]
        return found

    several, one = table(state), table({**ENVIRONMENT, "sessions": [{"boot_id": "one"}]})
    at = [column.heading for column in several.columns].index("Session")
    assert {str(row.cells[at]) for row in several.rows} == {"1", "2"}
    assert "Session" not in [column.heading for column in one.columns]
    assert {len(row.cells) for row in one.rows} == {len(one.columns)}
