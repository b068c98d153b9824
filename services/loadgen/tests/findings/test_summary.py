"""summary.csv: a line per case, over its rounds."""

import math
from pathlib import Path

import pytest

from loadgen.findings.summary import case_caveats, write_summary
from loadgen.records import columns
from loadgen.records.columns import TRIALS, Cell, Row
from tests.kept_run import lines_of


def rounds(*values: Cell, **cells: Cell) -> list[Row]:
    """A row per round of one case, with these rps; None: the trial failed."""
    made = []
    for number, rps in enumerate(values, start=1):
        outcome = "driver-failed" if rps is None else "measured"
        planned: dict[str, Cell] = {"case": "one", "server": "uvicorn", "round": number}
        made.append(columns.row(planned | {"outcome": outcome, "rps": rps} | cells))
    return made


def summary(rows: list[Row], folder: Path) -> list[dict[str, str]]:
    write_summary(rows, folder / "summary.csv")
    return lines_of(folder / "summary.csv")


def test_a_summary_has_a_line_per_case_and_an_interval_per_metric(tmp_path: Path) -> None:
    other = [columns.row({"case": "two", "outcome": "measured", "rps": 5.0})]
    lines = summary(rounds(50.0, 100.0, 200.0) + other, tmp_path)
    assert [line["case"] for line in lines] == ["one", "two"]
    factor = 2 ** (4.302653 / math.sqrt(3))
    metrics = [float(lines[0][name]) for name in ("rps", "rps_low", "rps_high")]
    assert metrics == pytest.approx([100, 100 / factor, 100 * factor], rel=1e-4)
    assert (lines[0]["rounds"], lines[0]["measured"]) == ("3", "3")


@pytest.mark.parametrize("values", [(100.0,), (50.0, 200.0)])
def test_under_three_rounds_a_summary_has_no_interval(
    tmp_path: Path, values: tuple[float, ...]
) -> None:
    (line,) = summary(rounds(*values), tmp_path)
    assert float(line["rps"]) == pytest.approx(100)
    assert (line["rps_low"], line["rps_high"]) == ("", "")


def test_failed_rounds_are_counted_and_left_out_of_the_mean(tmp_path: Path) -> None:
    (line,) = summary(rounds(100.0, None, 100.0), tmp_path)
    assert (line["rounds"], line["measured"]) == ("3", "2")
    assert float(line["rps"]) == pytest.approx(100)


def test_rounds_that_are_not_ranked_are_counted_and_left_out_of_the_mean(tmp_path: Path) -> None:
    made = rounds(100.0, 50.0, 100.0)
    for row, ranked in zip(made, ("yes", "no", "yes"), strict=True):
        row["ranked"] = ranked
    (line,) = summary(made, tmp_path)
    assert (line["rounds"], line["measured"], line["ranked"]) == ("3", "3", "2")
    assert float(line["rps"]) == pytest.approx(100)


def test_where_no_round_is_ranked_the_mean_is_of_all(tmp_path: Path) -> None:
    made = rounds(100.0, 25.0)
    for row in made:
        row["ranked"] = "no"
    (line,) = summary(made, tmp_path)
    assert line["ranked"] == "0"
    assert float(line["rps"]) == pytest.approx(50)


def test_a_metric_that_some_round_could_not_state_has_no_mean(tmp_path: Path) -> None:
    made = rounds(100.0, 100.0, 100.0)
    made[0]["p95_ms"] = made[2]["p95_ms"] = 600.0
    (line,) = summary(made, tmp_path)
    assert line["p95_ms"] == line["p95_ms_low"] == line["p95_ms_high"] == ""
    assert float(line["rps"]) == pytest.approx(100)


def test_a_case_that_never_worked_has_a_line_of_empty_metrics(tmp_path: Path) -> None:
    (line,) = summary(rounds(None, None), tmp_path)
    assert (line["rounds"], line["measured"], line["rps"]) == ("2", "0", "")


def test_every_summarised_metric_has_its_three_columns(tmp_path: Path) -> None:
    (line,) = summary(rounds(1.0), tmp_path)
    for column in TRIALS:
        present = {column.name, f"{column.name}_low", f"{column.name}_high"} <= set(line)
        assert present is column.summarised


@pytest.mark.parametrize(
    ("values", "unstable"),
    [
        ((100.0, 100.5, 101.0), False),
        ((100.0, 105.0, 110.0), True),
        ((100.0, 200.0), False),  # two rounds have no interval
        ((100.0, None, 200.0), False),
        ((0.0, 0.0, 0.0), False),
    ],
)
def test_rounds_that_do_not_agree_are_unstable(
    values: tuple[float | None, ...], unstable: bool
) -> None:
    assert case_caveats(rounds(*values)) == (["unstable"] if unstable else [])


def test_a_summary_names_what_any_round_warns_of_each_once_in_their_order(tmp_path: Path) -> None:
    made = rounds(100.0, 150.0, 200.0)
    made[0]["caveats"] = "censored failures"
    made[2]["caveats"] = "at-ceiling failures"
    (line,) = summary(made, tmp_path)
    assert line["caveats"] == "at-ceiling censored unstable failures"
    assert list(line)[-1] == "caveats"


def test_a_caveat_of_an_older_run_that_is_no_more_is_kept() -> None:
    made = rounds(100.0)
    made[0]["caveats"] = "of-old failures"
    assert case_caveats(made) == ["failures", "of-old"]
