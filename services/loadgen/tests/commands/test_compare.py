"""`loadgen compare`: two runs, or two servers of one, from the folders to the exit code."""

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadgen.findings.two_runs import COLUMNS
from loadgen.lab.lab import SUITES, Lab, read_lab
from loadgen.records.columns import NUMBER, TRIALS, Row
from loadgen.records.trials_csv import read_rows, write_table
from loadgen.suites.cases import Case
from loadgen.suites.load_suites import load_suites
from tests.conftest import Loadgen
from tests.findings.test_comparisons import rows
from tests.kept_run import keep_run, lines_of

#: Two servers that do the same, and what a suite claims of them.
SUITE = """
question = "Is it as fast as before?"
[defaults]
http_client = "no-http"
delays_ms = [100]
users = [10, 20]
[[cases]]
server = ["uvicorn", "uvicorn-4"]
[[compare]]
a = {server = "uvicorn"}
b = {server = "uvicorn-4"}
metrics = ["rps"]
words = "Four are better than one."
"""

MEASURED = [column.name for column in TRIALS if column.summarised and column.kind is NUMBER]

#: A case and a metric → how much larger it is than usual.
type Factor = Callable[[Case, str], float]
type MakeRun = Callable[..., Path]


@pytest.fixture
def lab(in_project: Path, project: Path) -> Lab:
    (project / SUITES / "again.toml").write_text(SUITE)
    assert in_project.is_dir()
    return read_lab()


@pytest.fixture
def a_run(lab: Lab, project: Path) -> MakeRun:
    """Makes the folder of a run: five rounds that scatter by a hundredth or two."""

    def make(
        name: str,
        factor: Factor = lambda _case, _metric: 1.0,
        *,
        rounds: int = 5,
        cells: Mapping[str, Any] | None = None,
        order: Sequence[str] = ("round", "users", "server"),
        **environment: Any,
    ) -> Path:
        # Each metric by itself, so that one more does not draw the others anew.
        drawn = {metric: random.Random(f"{name} {metric}") for metric in MEASURED}
        made = list[Row]()
        (suite,) = load_suites(lab, "again")
        for case in suite.cases:
            of_rounds = [
                {
                    metric: 100 * factor(case, metric) * (1 + drawn[metric].uniform(-0.015, 0.015))
                    for metric in MEASURED
                }
                | dict(cells or {})
                for _ in range(rounds)
            ]
            made += rows(case, *of_rounds)
        made.sort(key=lambda row: [row[column] for column in order])
        for position, row in enumerate(made, start=1):
            row["position"] = position
        keep_run(project / "results" / name, project, made, **environment)
        return Path("results", name)

    return make


def slower(server: str, by: float) -> Factor:
    """One server answers later by this factor, and less often."""

    def factor(case: Case, metric: str) -> float:
        if case.server != server:
            return 1.0
        return 1 / by if metric in ("rps", "max_rps") else by if metric.endswith("_ms") else 1.0

    return factor


def table_of(results: Path, of: str = "compare-*") -> list[dict[str, str]]:
    (file,) = results.glob(f"{of}/compare.csv")
    return lines_of(file)


TWO = ("--baseline", "uvicorn", "--candidate", "uvicorn-4")


def test_a_planted_difference_between_two_runs_is_found(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    before, after = a_run("before"), a_run("after", slower("uvicorn", 1.2))
    code, said, _ = loadgen("compare", before, after)
    assert code == 0
    found = {(line["a"], line["metric"]): line for line in table_of(in_project)}
    for (case, metric), line in found.items():
        assert line["trust"] == "indicative"
        assert (line["a_run"], line["b_run"], line["b"]) == ("before", "after", case)
        if case.startswith("uvicorn_") and metric == "p95_ms":
            assert float(line["ratio"]) == pytest.approx(1.2, rel=0.02)
            assert float(line["low"]) < 1.2 < float(line["high"])
            assert line["verdict"] == "worse"
        if case.startswith("uvicorn-4"):
            assert line["verdict"] in ("equivalent", "undecided")
    assert "after against before" in said
    assert "The machine may have changed between the two runs" in said


def test_rounds_of_two_runs_are_not_paired(loadgen: Loadgen, a_run: MakeRun) -> None:
    # Of 3 and 5 rounds there are 5 pairs at most; unpaired, each run has its own.
    before, after = a_run("before", rounds=3), a_run("after", rounds=5)
    code, said, _ = loadgen("compare", before, after, "--metrics", "rps")
    assert code == 0
    assert "not comparable" not in said


def test_two_servers_of_one_run_are_paired_by_round(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    run = a_run("run", slower("uvicorn-4", 1.1))
    code, said, _ = loadgen("compare", run, *TWO, "--metrics", "p95_ms,rps")
    assert code == 0
    assert "uvicorn-4 against uvicorn, in run" in said
    assert "indicative" not in said
    lines = table_of(in_project)
    assert {(line["metric"], line["verdict"]) for line in lines} == {
        ("p95_ms", "worse"),
        ("rps", "worse"),
    }
    assert {line["trust"] for line in lines} == {"paired"}
    assert all(line["a"].startswith("uvicorn_") for line in lines)
    assert all(line["b"].startswith("uvicorn-4_") for line in lines)


def test_two_servers_are_paired_by_attempts_that_both_have(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path, project: Path
) -> None:
    name = a_run("run")
    file = project / name / "trials.csv"
    made = read_rows(file.parent)
    other = [
        row | {"attempt": 2, "rps": 1.0, "position": 99}
        for row in made
        if row["server"] == "uvicorn-4"
    ]
    write_table(file, [*made, *other])
    said = loadgen("compare", name, *TWO)[1]
    assert "one after the other" not in said
    ratios = [line["ratio"] for line in table_of(in_project) if line["metric"] == "rps"]
    assert [float(ratio) for ratio in ratios] == [pytest.approx(1, rel=0.05)] * 2


@pytest.mark.parametrize(
    ("by", "gates", "code", "words"),
    [
        (1.2, ["p95_ms>5%"], 1, "Gates: 2 failed."),
        (1.0, ["p95_ms>5%"], 0, "Gates: 2 passed."),
        (1.2, ["p95_ms>50%"], 0, "Gates: 2 passed."),
        (1.2, ["rps<-3%"], 1, "Gates: 2 failed."),
        (0.8, ["rps<-3%", "p95_ms>5%"], 0, "Gates: 4 passed."),
        (1.2, ["app_pss_mib>3%", "rps<-3%"], 1, "Gates: 2 passed, 2 failed."),
        (1.2, ["max_ms>10%"], 1, "Gates: 2 failed."),  # compared since a gate asks for it
    ],
)
def test_a_gate_that_fails_is_exit_code_1(
    loadgen: Loadgen, a_run: MakeRun, by: float, gates: list[str], code: int, words: str
) -> None:
    run = a_run("run", slower("uvicorn-4", by))
    options = [word for gate in gates for word in ("--fail-on", gate)]
    ended, said, _ = loadgen("compare", run, *TWO, "--metrics", "avg_ms", *options)
    assert ended == code
    assert words in said
    for gate in gates:
        assert f"{gate} finds a change of " in " ".join(said.split())


def test_gates_on_two_runs_are_possible_with_the_warning(loadgen: Loadgen, a_run: MakeRun) -> None:
    before, after = a_run("before"), a_run("after", slower("uvicorn", 1.3))
    code, said, _ = loadgen("compare", before, after, "--fail-on", "p95_ms>5%")
    assert code == 1
    assert "The machine may have changed between the two runs" in said
    assert "p95_ms>5% failed: uvicorn, 10 users: 1." in said


def test_a_gate_that_cannot_be_judged_is_exit_code_1_and_says_why(
    loadgen: Loadgen, a_run: MakeRun
) -> None:
    code, said, _ = loadgen("compare", a_run("run", rounds=2), *TWO, "--fail-on", "p95_ms>5%")
    assert code == 1
    assert "p95_ms>5% not judged: uvicorn → uvicorn-4, 10 users: needs 3 rounds" in said


def test_what_the_environments_do_not_share_is_listed(
    loadgen: Loadgen, a_run: MakeRun, project: Path
) -> None:
    before = a_run("before")
    after = a_run(
        "after",
        cells={"window_s": 20.0, "slots": None},
        kernel="6.18",
        cpu_sets={"app": [0, 1], "api": [2], "loadgen": [3]},
        git_commit="2" * 40,
        app_packages={"Django": "6.0", "uvicorn": "0.40", "uvloop": "0.22"},
        servers={"uvicorn": {"command": ["uvicorn", "--loop", "asyncio"]}},
    )
    compose = project / after / "compose.yaml"
    text = compose.read_text().replace("${APP_CPUS:-0}", "0-3")
    compose.write_text(text)
    code, said, _ = loadgen("compare", before, after)
    lines = [line.strip() for line in said.splitlines()]
    assert code == 0
    for words in (
        "kernel: 6.1 → 6.18",
        "cpu_sets.app: 0 → 0 1",
        "app_packages.Django: 5.2 → 6.0",
        "app_packages.uvloop: none → 0.22",
        "servers.uvicorn.command: uvicorn consumer.asgi:application → uvicorn --loop",
        "compose.uvicorn.cpuset: ${APP_CPUS:-0} → 0-3",
        "trials.window_s: none → 20",
    ):
        assert words in lines
    assert not any("uvicorn: 0.40" in line for line in lines)


def test_a_window_that_is_longer_since_responses_were_is_no_other_environment(
    loadgen: Loadgen, a_run: MakeRun
) -> None:
    short, long = ({"window_s": length_s} for length_s in (20.0, 24.0))
    _, said, _ = loadgen("compare", a_run("before", cells=short), a_run("after", cells=long))
    assert "What differs between" not in said


def test_a_claim_that_flips_has_its_reason_from_the_rows(loadgen: Loadgen, a_run: MakeRun) -> None:
    ours = a_run("ours", slower("uvicorn", 1.3), cells={"bound_by": "cpu"})
    theirs = a_run("theirs", slower("uvicorn-4", 1.3), cells={"bound_by": "users"}, kernel="7")
    code, said, _ = loadgen("compare", ours, theirs)
    words = " ".join(said.split())
    assert code == 0
    assert "0 of 1 claims agree; 1 flips." in words
    flipped = "“Four are better than one.” (no-http) [again]: holds in ours, refuted in theirs."
    assert flipped in words
    assert "uvicorn-4 is bound by cpu in ours, by users in theirs" in words
    assert "the environments differ: kernel" in words
    assert "0 of 2 comparisons agree; 2 flip." in words


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (
            {"ranked": "no", "caveats": "api-saturated"},
            "5 of 5 rounds do not count (api-saturated) in theirs",
        ),
        (
            {"caveats": "at-ceiling", "users_ceiling_rps": 100.0},
            "both sides are at the same ceiling in theirs only",
        ),
    ],
)
def test_a_claim_that_only_one_run_can_tell_says_what_kept_the_other(
    loadgen: Loadgen, a_run: MakeRun, cells: dict[str, Any], reason: str
) -> None:
    ours = a_run("ours", slower("uvicorn", 1.3))
    theirs = a_run("theirs", slower("uvicorn", 1.3), cells=cells)
    _, said, _ = loadgen("compare", ours, theirs)
    words = " ".join(said.split())
    assert "0 of 1 claims agree; 1 is decided in one run only." in words
    assert reason in words


def test_claims_on_which_both_agree_are_counted(loadgen: Loadgen, a_run: MakeRun) -> None:
    factor = slower("uvicorn", 1.3)
    _, said, _ = loadgen("compare", a_run("ours", factor), a_run("theirs", factor))
    assert "1 of 1 claims agree." in said


def test_every_line_fits_80_columns(loadgen: Loadgen, a_run: MakeRun) -> None:
    before = a_run("20260102T030405Z-again")
    after = a_run("20260103T030405Z-again", slower("uvicorn", 2.0), kernel="6.18")
    _, said, _ = loadgen("compare", before, after, "--fail-on", "p95_ms>5%")
    long = [line for line in said.splitlines() if len(line) > 80]
    assert [line for line in long if not line.startswith("Comparison: results/")] == []


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_gates_and_respect_no_color(
    loadgen: Loadgen,
    a_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    no_color: str,
    coloured: bool,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", no_color)
    run = a_run("run", slower("uvicorn-4", 1.5))
    _, said, _ = loadgen("compare", run, *TWO, "--fail-on", "p95_ms>5%")
    assert ("\x1b[31mfailed" in said) == coloured


def test_its_files_are_in_a_folder_of_their_own(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    before, after = a_run("before", kernel="5"), a_run("after", slower("uvicorn", 1.2))
    _, said, _ = loadgen("compare", before, after, "--fail-on", "p95_ms>5%")
    folder = in_project / "compare-before-after"
    assert said.splitlines()[-1] == "Comparison: results/compare-before-after/"
    assert sorted(file.name for file in folder.iterdir()) == [
        "compare.csv",
        "compare.html",
        "compare.md",
    ]
    header = (folder / "compare.csv").read_text().partition("\n")[0]
    assert header.split(",") == [column.name for column in COLUMNS]
    page = (folder / "compare.html").read_text()
    for words in ("after against before", "p95_ms&gt;5%", "kernel", "indicative", "<svg"):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    markdown = (folder / "compare.md").read_text()
    assert markdown.startswith("### after against before\n")
    assert "| `p95_ms>5%` | uvicorn, 10 users | failed |" in markdown
    assert "| kernel | `5` | `6.1` |" in markdown


def test_a_run_is_found_by_its_name_too(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path, project: Path
) -> None:
    shutil.move(project / a_run("run"), in_project / "run")
    assert loadgen("compare", "run", *TWO)[0] == 0


def test_pairs_that_were_measured_far_apart_are_said_to_be(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    neighbours, apart = a_run("neighbours"), a_run("apart", order=("round", "server", "users"))
    assert "one after the other" not in loadgen("compare", neighbours, *TWO)[1]
    said = " ".join(loadgen("compare", apart, *TWO)[1].split())
    assert "Only 0 of 10 pairs of trials were measured one after the other " in said
    assert "(on average they are 2.0 trials apart)." in said
    assert {line["apart"] for line in table_of(in_project, "compare-apart*")} == {"2"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["one"], "compare takes two runs"),
        (["one", "--baseline", "uvicorn"], "compare takes two runs"),
        (["one", "two", *TWO], "compare takes two runs"),
        (["one", "two", "one"], "compare takes two runs"),
        (["one", "two", "--metrics", "rps,speed"], "--metrics 'rps,speed': no such metric"),
        (["one", "two", "--fail-on", "p95"], "is not a gate: write METRIC>N%"),
        (["one", "nowhere"], "nowhere is not a run: it has no trials.csv"),
        (
            ["one", "--baseline", "uvicorn", "--candidate", "daphne"],
            "one has no trial of 'daphne'; its servers are uvicorn, uvicorn-4",
        ),
    ],
)
def test_wrong_words_are_exit_code_2_and_a_sentence(
    loadgen: Loadgen, a_run: MakeRun, words: list[str], complaint: str
) -> None:
    runs = {"one": a_run("one"), "two": a_run("two")}
    code, said, complained = loadgen("compare", *(runs.get(word, word) for word in words))
    assert (code, said) == (2, "")
    assert complaint in complained


def test_results_that_cannot_be_written_are_exit_code_2(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    (in_project / "compare-one-two").write_text("in the way")
    code, _, complained = loadgen("compare", a_run("one"), a_run("two"))
    assert code == 2
    assert "results/ cannot be written" in complained


def test_a_run_is_exported_beside_its_rows(
    loadgen: Loadgen, a_run: MakeRun, in_project: Path
) -> None:
    code, said, _ = loadgen("export", a_run("run"))
    assert code == 0
    for line in said.splitlines():
        assert (in_project / line.removeprefix("results/")).is_file()
    assert [line.rpartition("/")[2] for line in said.splitlines()] == [
        "github-action-benchmark-bigger.json",
        "github-action-benchmark-smaller.json",
        "report.md",
    ]


def test_files_that_find_no_room_stay_as_they_were(
    a_run: MakeRun, loadgen: Loadgen, in_project: Path, disk_room: Callable[[int], None]
) -> None:
    a, b = a_run("monday"), a_run("tuesday")
    assert loadgen("compare", a, b)[0] == 0
    folder = in_project / "compare-monday-tuesday"
    before = {file.name: file.read_text() for file in folder.iterdir()}
    disk_room(16)
    code, _, err = loadgen("compare", a, b, "--metrics", "rps")
    assert code == 2
    assert err.startswith("results/ cannot be written (File too large)")
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
