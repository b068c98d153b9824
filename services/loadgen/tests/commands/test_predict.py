"""`loadgen predict`: what it prints, what it refuses, and how it is checked."""

import shutil
from io import StringIO
from pathlib import Path

import pytest

from loadgen.commands import predict
from loadgen.commands.predict import (
    Question,
    accuracy_document,
    delays_of,
    has_answer,
    predictions,
    stacks_of,
)
from loadgen.documents import terminal
from loadgen.documents.document import Document
from loadgen.documents.markdown import markdown
from loadgen.errors import ConfigurationError
from loadgen.prediction import accuracy
from loadgen.prediction.measured_stacks import measured
from loadgen.records.columns import Row
from loadgen.records.trials_csv import write_table
from loadgen.theory.mva import flow
from tests.conftest import Loadgen
from tests.prediction.test_measured_stacks import a_row

#: Views that get cheaper with load, as an event loop's do.
LOADS = {25: 0.014, 50: 0.012, 100: 0.01, 200: 0.009}
QUESTION = Question(users=80, delays_ms=(800,), cpus=1)


def some_rows() -> list[Row]:
    return [
        *(a_row(users, held_s=held_s) for users, held_s in LOADS.items()),
        a_row(100, server="gunicorn-100-threads", slots=100, held_s=0.02),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_table(tmp_path / "trials.csv", some_rows())
    return tmp_path


def predicted(question: Question = QUESTION, **options: str) -> Document:
    return predictions(measured(some_rows()), "a-run", question, **options)


def said(question: Question = QUESTION, **options: str) -> str:
    stream = StringIO()
    document = predicted(question, **options)
    terminal.print_document(terminal.console(file=stream, width=80), document)
    return stream.getvalue()


def test_each_stack_has_a_line_and_what_cannot_be_predicted_says_what_could() -> None:
    text = said()
    assert has_answer(predicted())
    assert "80 users, an upstream of 800 ms, one CPU, from a-run\n" in text
    line = next(line for line in text.splitlines() if line.startswith("uvicorn"))
    rps, mean_ms = (float(cell) for cell in line.split()[2:4])
    assert flow(80, 0.8, 0.012).rps < rps < flow(80, 0.8, 0.01).rps
    assert mean_ms == pytest.approx(80 / rps * 1000, rel=0.01)
    flat = " ".join(text.split())
    refused = "Not predicted: gunicorn-100-threads (httpx-per-request). No measured load fits a "
    assert f"{refused}delay of 800 ms." in flat
    assert predict.MEANS in flat
    assert max(map(len, text.splitlines())) <= 80


def test_more_cpus_are_said_to_be_assumed() -> None:
    assert "Assumed" not in said()
    assert "Assumed, not measured: 4 CPUs " in " ".join(said(Question(320, (800,), 4)).split())


def test_servers_and_clients_can_be_chosen() -> None:
    assert "uvicorn" not in said(Question(100, (600,), 1), server="gunicorn*")
    with pytest.raises(ConfigurationError, match="the servers are uvicorn, gunicorn-100-threads"):
        said(http_client="aiohttp*")


def test_nothing_predicted_is_no_success() -> None:
    text = said(Question(1, (60_000,), 1))
    assert not has_answer(predicted(Question(1, (60_000,), 1)))
    assert text.count("Not predicted: ") == 2


def test_markdown_has_the_same_lines() -> None:
    text = markdown(predicted())
    assert text.startswith("### 80 users, an upstream of 800 ms, one CPU, from a-run\n")
    assert "\n| Server | Client | Views/s |" in text
    assert "| uvicorn | httpx-per-request | " in text


@pytest.mark.parametrize(
    ("written", "milliseconds"), [("800", 800), ("300,600,150", 600), ("0.5", 0.5)]
)
def test_of_calls_at_once_the_longest_delay_counts(written: str, milliseconds: float) -> None:
    asked = Question(80, delays_of(written), 1)
    assert asked.service_ms("fanout") == pytest.approx(milliseconds)


def test_of_calls_one_after_the_other_their_sum_counts() -> None:
    """600+200 ms in a row take as long as one call of 800 ms, and at once 600 ms."""
    rows = [a_row(users, held_s=0.01, workload="serial") for users in LOADS]
    in_a_row = predictions(measured(rows), "a-run", Question(80, (600, 200), 1))
    one_call = predictions(measured(rows), "a-run", Question(80, (800,), 1))
    assert in_a_row.sections == one_call.sections
    at_once = predictions(measured(some_rows()), "a-run", Question(80, (600, 200), 1))
    assert has_answer(at_once)
    assert "an upstream of 600+200 ms" in at_once.heading


@pytest.mark.parametrize("written", ["", "soon", "0", "-1", "60001", "nan", "800,-1", "800,soon"])
def test_what_is_no_delay_is_refused(written: str) -> None:
    with pytest.raises(ConfigurationError, match="--delays-ms"):
        delays_of(written)


def test_a_run_without_constant_loads_is_refused(folder: Path) -> None:
    write_table(folder / "trials.csv", [a_row(planned_requests=1000)])
    with pytest.raises(ConfigurationError, match="nothing to predict from"):
        stacks_of(folder)


def test_the_check_leaves_each_load_out_in_turn(folder: Path) -> None:
    found = accuracy.accuracy_of(stacks_of(folder))
    assert sorted(trial.level.users for trial in found.loads) == [50, 100]
    assert found.refused == 3
    at_the_knee = next(trial for trial in found.loads if trial.level.users == 50)
    assert abs(at_the_knee.law) < 0.03
    assert at_the_knee.bounds > 0.05


def test_the_check_says_how_far_off_on_both_sides_of_the_knee(folder: Path) -> None:
    lines = markdown(accuracy_document(stacks_of(folder))).splitlines()
    assert lines[0] == "| CPU busy | Loads | This law | With CPU time alone | Plain bounds |"
    assert [line.split("|")[1:3] for line in lines[2:4]] == [
        [" 0.6 to 1 ", " 2 "],
        [" below 0.6 ", " 0 "],
    ]
    assert lines[3].endswith("| – | – | – |")
    assert lines[-1] == "Not predicted: 3 of 5 loads, which lie outside the others of their stack."


def test_the_check_needs_a_load_between_two_others() -> None:
    with pytest.raises(ConfigurationError, match="three or more loads"):
        accuracy.accuracy_of(measured([a_row(50), a_row(100)]))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--users 80 --delays-ms 800", 0, "uvicorn"),
        ("--check", 0, "Plain bounds"),
        ("--users 80", 2, "needs --users and --delays-ms, or --check"),
        ("--users 100000000 --delays-ms 800", 2, "Invalid value for '--users'"),
        ("--users 80 --delays-ms 800 --cpus 100000000", 2, "Invalid value for '--cpus'"),
        (
            "--users 80 --delays-ms 0.00001",
            2,
            "--delays-ms '0.00001': write milliseconds, from",
        ),
    ],
)
def test_the_command_line(words: str, code: int, said: str, folder: Path, loadgen: Loadgen) -> None:
    ended, out, err = loadgen("predict", folder, *words.split())
    assert ended == code
    assert said in (err if code else out)


class TestWithoutARun:
    """The newest that knows a stack under several numbers of users, else the newest reference."""

    WORDS = ("--users", "80", "--delays-ms", "800")

    @pytest.fixture
    @staticmethod
    def runs(in_project: Path, project: Path) -> dict[str, Path]:
        made = {
            "20260103T000000Z-one-load": (in_project, [a_row(50), a_row(50, server="uvicorn-4")]),
            "20260102T000000Z-curve": (in_project, some_rows()),
            "20260101T000000Z-older": (in_project, some_rows()),
            "20260201T000000Z-two-loads": (project / "results" / "reference", some_rows()[:2]),
            "20250101T000000Z-reference": (project / "results" / "reference", some_rows()),
        }
        for name, (home, of_run) in made.items():
            (home / name).mkdir(parents=True)
            write_table(home / name / "trials.csv", of_run)
        (in_project / "20260104T000000Z-broken").mkdir()
        (in_project / "20260104T000000Z-broken" / "trials.csv").write_text("what?\n")
        return {name.partition("Z-")[2]: home / name for name, (home, _) in made.items()}

    def test_the_newest_with_a_curve_answers_and_is_named(
        self, runs: dict[str, Path], loadgen: Loadgen
    ) -> None:
        assert runs["curve"].name in loadgen("predict", *self.WORDS)[1].splitlines()[0]

    def test_else_the_newest_reference_with_a_curve(
        self, runs: dict[str, Path], loadgen: Loadgen
    ) -> None:
        for name in ("curve", "older"):
            shutil.rmtree(runs[name])
        assert runs["reference"].name in loadgen("predict", *self.WORDS)[1].splitlines()[0]

    def test_else_it_says_what_to_do(self, runs: dict[str, Path], loadgen: Loadgen) -> None:
        for name in ("curve", "older", "reference"):
            shutil.rmtree(runs[name])
        code, _, err = loadgen("predict", *self.WORDS)
        assert code == 2
        assert err.startswith("No run in results/ has measured one stack with 3 or more numbers")

    def test_it_can_be_checked_too(self, runs: dict[str, Path], loadgen: Loadgen) -> None:
        checked = loadgen("predict", "--check")
        assert checked[::2] == (0, "")
        assert checked == loadgen("predict", runs["curve"], "--check")
