"""A reader's text (titles, questions, words) is shown as it is written, wherever it is shown."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import loadgen
from loadgen.documents.markdown import literal
from loadgen.lab.lab import SUITES, read_lab
from loadgen.records.columns import Cell
from loadgen.suites.load_suites import load_suites
from tests.conftest import Loadgen
from tests.findings.test_comparisons import rows
from tests.kept_run import ENVIRONMENT, keep_run

#: What rich would swallow, refuse or make an emoji of, and HTML and Markdown read as their own.
NASTY = "[/x] uvicorn[standard] <b>|*c*| :smile: `d`"

type Says = Callable[..., str]


def nasty(words: str) -> str:
    return f"{words} {NASTY}"


def suite() -> str:
    sides = 'a = {server = "uvicorn"}\nb = {server = "uvicorn-4"}\nmetrics = ["rps"]\n'
    return f"""
question = {json.dumps(nasty("question"))}
[defaults]
http_client = "no-http"
delays_ms = [100]
users = 10
[[cases]]
server = ["uvicorn", "uvicorn-4"]
[[cases]]
server = "uwsgi-gevent"
view = "async"
[[compare]]
words = {json.dumps(nasty("claim"))}
change = {json.dumps(nasty("change"))}
{sides}
[[waterfall]]
title = {json.dumps(nasty("title"))}
words = {json.dumps(nasty("start"))}
start = {{server = "uvicorn"}}
[[waterfall.steps]]
words = {json.dumps(nasty("step"))}
change = {{server = "uvicorn-4"}}
"""


@pytest.fixture(autouse=True)
def results(in_project: Path, project: Path) -> Path:
    """The folder of runs, of a project with such a suite and such a server."""
    (project / SUITES / "a[b].toml").write_text(suite())
    label = {"services": {"uvicorn": {"labels": {"lab.title": nasty("server")}}}}
    (project / "compose.override.yaml").write_text(json.dumps(label))
    return in_project


@pytest.fixture
def loadgen_says(loadgen: Loadgen, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Runs the command line on a wide terminal; what it prints, with single spaces."""
    monkeypatch.setenv("COLUMNS", "400")

    def call(*words: str) -> str:
        code, out, err = loadgen(*words)
        assert code == 0, err
        return " ".join(out.split())

    return call


@pytest.fixture
def a_run(results: Path, project: Path) -> Path:
    """A run of the suite, five rounds."""
    lab = read_lab()
    (asked,) = load_suites(lab, "a[b]")
    made = []
    for case in asked.cases:
        rate_rps = 200.0 if case.server == "uvicorn-4" else 100.0
        of_rounds: list[dict[str, Cell]] = [
            {"rps": rate_rps + more, "caveats": "cpu-drift"} for more in (0.0, 0.5, 1.0, 1.5, 2.0)
        ]
        title = lab.servers[case.server].title
        made += [row | {"title": title, "position": 1} for row in rows(case, *of_rounds)]
    folder = results / "20260102T030405Z-a[b]"
    arguments = ENVIRONMENT["arguments"] | {"suites": ["a[b]"]}
    keep_run(folder, project, made, arguments=arguments)
    return folder


def test_where_suites_are_listed(loadgen_says: Says) -> None:
    said = loadgen_says("list")
    assert nasty("question") in said
    assert "a[b] " in said


def test_where_a_run_is_planned(loadgen_says: Says) -> None:
    said = loadgen_says("run", "a[b]", "--dry-run")
    assert said.startswith("left out of a[b]: uwsgi-gevent with no-http, because an async view")
    assert "a[b]: 2 trials" in said


def test_in_the_tables_of_a_run(loadgen_says: Says, a_run: Path) -> None:
    said = loadgen_says("report", str(a_run))
    for words in ("question", "claim", "change", "title", "start", "step"):
        assert nasty(words) in said, words
    assert "cpu-drift (uvicorn, uvicorn-4): " in said


def test_in_its_markdown(loadgen_says: Says, a_run: Path) -> None:
    said = loadgen_says("report", str(a_run), "--markdown")
    for words in ("question", "claim", "change", "title", "start", "step"):
        assert literal(nasty(words)) in said, words
        assert nasty(words) not in said, words


def test_a_servers_title_in_markdown(loadgen_says: Says, a_run: Path) -> None:
    plain = re.sub(r"\[\[waterfall\]\].*", "", suite(), flags=re.DOTALL)
    (a_run / "suites" / "a[b].toml").write_text(plain)
    said = loadgen_says("report", str(a_run), "--markdown")
    assert f"| {literal(nasty('server'))} | 101.0 " in said


def test_in_its_report(loadgen_says: Says, a_run: Path) -> None:
    loadgen_says("report", str(a_run))
    page = (a_run / "report.html").read_text()
    for words in ("question", "claim", "change", "title", "start", "step", "server"):
        assert html.escape(nasty(words), quote=False) in page.replace("&#39;", "'"), words
    assert "<b>|*c*|" not in page


def test_only_the_terminal_makes_a_console() -> None:
    sources = Path(loadgen.__file__).parent.rglob("*.py")
    makers = [file.name for file in sources if re.search(r"(?<![.\w])Console\(", file.read_text())]
    assert makers == ["terminal.py"]
