"""The suites' own pictures: waterfalls and capacities, and what the answer says of them."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from markupsafe import Markup

from loadgen.documents.document import Block, Figure, Table, Text, cell_words, pictures
from loadgen.documents.run_material import Material
from loadgen.records.columns import Row
from loadgen.suites.suite import Suite
from loadgen.topics import answer, capacity, first_change, latency, trials, waterfall
from tests.findings import test_capacity
from tests.findings import test_first_change as of_changes
from tests.findings import test_waterfalls as test_waterfall_steps
from tests.make import a_server
from tests.shown import as_markdown


def material(suite: Suite, rows: Sequence[Row], folder: Path) -> Material:
    return Material(folder, [suite], rows, {"outcome": "finished"}, {"uvicorn": a_server()}, {})


def a_fall(folder: Path) -> Material:
    return material(test_waterfall_steps.a_fall(), test_waterfall_steps.RUN, folder)


def a_search(folder: Path) -> Material:
    return material(test_capacity.SUITE, test_capacity.measured(rounds=2), folder)


def of_suite(topic: ModuleType, run: Material) -> list[Block]:
    """What a topic says of the run's one suite."""
    return list(topic.blocks(run, run.all_groups[0]))


def names(blocks: Sequence[Block]) -> list[str]:
    return [name for name, _ in pictures(blocks)]


def said(blocks: Sequence[Block]) -> str:
    """What a page says in sentences, small print aside."""
    texts = [
        block
        for block in blocks
        if isinstance(block, Text) and "page" in block.shown and block.kind != "note"
    ]
    paragraphs = [line for block in texts for line in block.paragraphs]
    return " ".join(str(Markup(line).striptags()) for line in paragraphs)


def the_table(blocks: Sequence[Block]) -> Table:
    tables = [block for block in blocks if isinstance(block, Table)]
    tables += [block.table for block in blocks if isinstance(block, Figure) and block.table]
    (table,) = tables
    return table


def test_a_waterfall_is_drawn_in_both_orders_in_views_and_in_cpu(tmp_path: Path) -> None:
    section = of_suite(waterfall, a_fall(tmp_path))
    drawn = dict(pictures(section))
    assert list(drawn) == [
        f"waterfall-1-{order}-{metric}"
        for order in ("forward", "reversed")
        for metric in ("rps", "cpu")
    ]
    forward = drawn["waterfall-1-forward-rps"].svg
    assert forward.index("as it was") < forward.index("+ one client") < forward.index("+ a lean")
    assert "×1.33" in forward
    assert "· api<" in forward


def test_what_is_known_of_no_stage_of_a_waterfall_is_not_drawn(tmp_path: Path) -> None:
    run = [row | {"app_cpu_ms_per_view": None} for row in test_waterfall_steps.RUN]
    section = of_suite(waterfall, material(test_waterfall_steps.a_fall(), run, tmp_path))
    assert names(section) == ["waterfall-1-forward-rps", "waterfall-1-reversed-rps"]


def test_a_waterfall_says_what_all_steps_bring_and_which_brings_most(tmp_path: Path) -> None:
    words = said(of_suite(waterfall, a_fall(tmp_path)))
    assert "From 60.0 to 160.0 views/s, ×2.67 [2.67–2.67]." in words
    assert "Biggest step: a lean API, ×2.00 [2.00–2.00]." in words
    assert "Biggest step in the reversed order: one client, ×2.58 [2.58–2.58]." in words


def test_the_answer_of_a_waterfall_is_its_steps_not_a_ranking_of_its_stages(
    tmp_path: Path,
) -> None:
    words = said(list(answer.blocks(a_fall(tmp_path))))
    assert "From here to there: From 60.0 to 160.0 views/s" in words
    assert "has the most" not in words


def test_all_stages_of_both_orders_are_in_tables(tmp_path: Path) -> None:
    blocks = of_suite(waterfall, a_fall(tmp_path))
    forward, backward = (block for block in blocks if isinstance(block, Table))
    assert [row.cells[0] for row in forward.rows[::2]] == ["as it was", "one client", "a lean API"]
    assert [row.cells[0] for row in backward.rows[::2]] == ["as it was", "a lean API", "one client"]
    assert {row.cells[1] for row in forward.rows} == {"RPS", "CPU/view"}
    assert "the API was late or busy" in str(forward.rows[2].cells[-1])


def test_a_capacity_is_a_bracket_per_core_and_leads_the_answer(tmp_path: Path) -> None:
    search = a_search(tmp_path)
    section = of_suite(capacity, search)
    best, other = the_table(section).rows
    assert best.cells[1] == "Uvicorn, aiohttp-shared"
    low, _, high = str(best.cells[2]).partition("–")
    assert float(low) <= 115 < float(high)
    assert float(high) / float(low) < 1.06
    assert other.cells[-2] == "2 of 2"
    sentence = f"Highest: uvicorn (aiohttp-shared), {best.cells[2]} views/s per core."
    assert sentence in said(section)
    assert sentence in said(list(answer.blocks(search)))


def test_a_search_that_found_nothing_says_why(tmp_path: Path) -> None:
    rows = [row for row in test_capacity.measured() if row["repeat"] is None]
    section = of_suite(capacity, material(test_capacity.SUITE, rows, tmp_path))
    assert [row.state for row in the_table(section).rows] == ["failed", "failed"]
    assert "round 1: the search is not finished" in as_markdown(section)


def test_every_window_of_a_search_is_a_trial_that_opens_on_its_stack(tmp_path: Path) -> None:
    search = a_search(tmp_path)
    table = the_table([block for block in list(trials.blocks(search)) if isinstance(block, Table)])
    assert len(table.rows) == len(search.rows)
    windows = [row for row in table.rows if "arrivals/s, window 1" in str(row.cells[0])]
    assert windows
    assert {row.opens for row in windows} == {"refute-capacity-1", "refute-capacity-2"}


def test_a_run_without_them_has_neither(tmp_path: Path) -> None:
    assert of_suite(waterfall, a_search(tmp_path)) == []
    assert of_suite(capacity, a_fall(tmp_path)) == []
    assert of_suite(first_change, a_fall(tmp_path)) == []


def test_what_to_change_first_leads_the_answer_and_is_drawn_best_first(tmp_path: Path) -> None:
    run = [
        *of_changes.measured(of_changes.PER_REQUEST, of_changes.figures(80, cpu_ms=12)),
        *of_changes.measured(of_changes.SHARED, of_changes.figures(160), of_changes.SCATTER[::-1]),
        *of_changes.measured(of_changes.OTHER, of_changes.figures(150)),
    ]
    changes = material(of_changes.quick(of_changes.SERVER, of_changes.SHARE), run, tmp_path)
    section = of_suite(first_change, changes)
    sentence = said(section)
    assert sentence.startswith("Change first: share the client (uvicorn: httpx-per-request → ")
    assert "). Views/s ×2.00 [" in sentence
    assert sentence in said(list(answer.blocks(changes)))
    ranked = [(row.cells[0], row.cells[4]) for row in the_table(section).rows]
    assert ranked == [("share the client", "better"), ("another server", "worse")]
    assert names(section) == ["first-change-a-suite"]


def test_the_starved_stand_beside_the_failed_and_are_unknown_where_they_were_not_counted(
    tmp_path: Path,
) -> None:
    suite, spans = of_changes.quick(), {"min_ms": 600.0, "max_ms": 700.0}
    run = [
        *of_changes.measured(of_changes.SHARED, spans, failures=1, unanswered=0, starved=4),
        *of_changes.measured(of_changes.SYNC, spans, failures=1, unanswered=0),
    ]
    table = the_table(of_suite(latency, material(suite, run, tmp_path)))
    assert [column.heading for column in table.columns][-3:] == ["Failed", "Unanswered", "Starved"]
    counts = [[cell_words(cell, "page") for cell in row.cells[-3:]] for row in table.rows]
    assert counts == [["3", "0", "12"], ["3", "0", "–"]]
