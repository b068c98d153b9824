"""A run is found by one rule, whichever command is told of it, and read as it was when it began."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.findings.earlier_run import AS_MEASURED, as_measured, read_run
from loadgen.lab.app_registry import COPY, SETTINGS, read_registry, registry_of
from loadgen.lab.http_clients import REGISTRY
from loadgen.lab.lab import SUITES, read_lab
from loadgen.lab.run_folders import find_run
from loadgen.lab.servers import read_servers
from loadgen.records import columns, environment
from loadgen.records.columns import Row
from loadgen.runs.plan import Plan
from loadgen.suites.load_suites import load_suites
from loadgen.trials.trial import Trial
from tests.conftest import Loadgen
from tests.kept_run import keep_run
from tests.make import no_duets

#: Three clients, of which one has no sync side; and settings besides the usual.
SUITE = """
question = "Which client?"
[defaults]
delays_ms = [100]
users = [10, 20, 40]
[[cases]]
server = "uvicorn"
http_client = ["aiohttp-shared", "httpx-shared"]
[[cases]]
server = "gunicorn-100-threads"
http_client = ["httpx-shared", "aiohttp-shared"]
settings = "bare"
"""
NAME = "20260102T030405Z-again"


@pytest.fixture(autouse=True)
def results(in_project: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs, of a project with that suite; lines may be long."""
    monkeypatch.setenv("COLUMNS", "200")
    (project / SUITES / "again.toml").write_text(SUITE)
    return in_project


@pytest.fixture
def a_run(results: Path, project: Path) -> Callable[..., Path]:
    """Makes the folder of a run of that suite, which is not finished."""

    def make(name: str = NAME, *, keeps_a_copy: bool = True) -> Path:
        lab = read_lab()
        trials = Plan(load_suites(lab, "again"), lab.servers, 5, seed=1).certain()
        made = [row_of(trial) for trial in no_duets(trials[:-1])]
        keep_run(results / name, project, made, outcome="interrupted")
        if keeps_a_copy:
            environment.write(
                results / name / COPY, lab.app.model_dump(mode="json", exclude_defaults=True)
            )
        return results / name

    return make


def row_of(trial: Trial) -> Row:
    """What a trial came to: as fast as its users ask, whatever it costs."""
    cells = {
        "round": trial.round,
        "position": trial.position,
        "outcome": "measured",
        "ranked": "yes",
        "title": trial.server.title,
        "failures": 0,
        "rps": 9.0 * (trial.case.users or 0),
        "service_time_ms": 100.0,
        "app_cpu_ms_per_view": 1.0,
        "cpu_ceiling_rps": 1000.0,
    }
    return columns.row(trial.case.cells() | cells)


QUESTION = ("--users", "15", "--delays-ms", "100")
COMMANDS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "report": lambda run: ("report", run),
    "export": lambda run: ("export", run),
    "compare": lambda run: ("compare", run, NAME),
    "predict": lambda run: ("predict", run, *QUESTION),
    "run --resume": lambda run: ("run", "--resume", run, "--dry-run"),
}


@pytest.mark.parametrize(
    "named",
    [
        NAME,
        f"results/{NAME}",
        f"results/{NAME}/",
        f"./results/{NAME}",
        f"/home/somebody/lab/results/{NAME}",
        "latest",
    ],
)
def test_a_run_is_found_by_path_name_or_latest(named: str, a_run: Callable[..., Path]) -> None:
    run = a_run()
    a_run("20251231T235959Z-again")
    assert find_run(read_lab(), named) == run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_finds_a_run_so(
    command: str, a_run: Callable[..., Path], loadgen: Loadgen
) -> None:
    a_run()
    a_run("20251231T235959Z-again")
    for named in (f"/home/somebody/lab/results/{NAME}", "latest"):
        assert loadgen(*COMMANDS[command](named))[::2] == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_to_name_a_run(
    command: str, a_run: Callable[..., Path], loadgen: Loadgen
) -> None:
    a_run()
    for named in ("none", "results", "results/none", ".", "", "a" * 300, "../.."):
        code, out, err = loadgen(*COMMANDS[command](named))
        assert (code, out) == (2, "")
        assert err == (
            f"{named} is not a run: it has no trials.csv. Name a run by its path (results/…), by "
            "its folder's name, or as latest\n"
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_says_so(command: str, loadgen: Loadgen) -> None:
    code, out, _ = loadgen(command.split()[0], "--help")
    assert code == 0
    assert "by its path (results/…), by its folder's name, or as latest" in " ".join(out.split())


def test_a_committed_run_is_found_by_its_name_and_one_elsewhere_by_its_path(
    a_run: Callable[..., Path], results: Path, project: Path
) -> None:
    folder = a_run()
    committed = results / "reference" / "20250101T000000Z-committed"
    shutil.copytree(folder, committed)
    elsewhere = project / "from-another-machine"
    shutil.copytree(folder, elsewhere)
    lab = read_lab()
    assert find_run(lab, committed.name) == committed
    assert find_run(lab, f"results/reference/{committed.name}") == committed
    assert find_run(lab, "from-another-machine") == elsewhere


def test_the_latest_run_is_the_one_that_began_last_and_nothing_else(
    a_run: Callable[..., Path], results: Path
) -> None:
    folder = a_run()
    a_run("20260102T030404Z-again")
    a_run("kept")
    a_run("reference/20270101T000000Z-committed")
    (results / "20270101T000000Z-check").mkdir()
    (results / "compare-a-b").mkdir()
    (results / "20270102T000000Z-a-file").touch()
    assert find_run(read_lab(), "latest") == folder


def test_where_there_is_no_run_there_is_no_latest(results: Path) -> None:
    assert list(results.iterdir()) == []
    with pytest.raises(ConfigurationError, match="there is no run in results/ yet"):
        find_run(read_lab(), "latest")


@pytest.mark.parametrize("text", ["[]", "{", '"text"', "{}", '{"arguments": {}}', "\udcff"])
def test_a_run_that_does_not_say_what_was_run_is_refused(
    text: str, a_run: Callable[..., Path], loadgen: Loadgen
) -> None:
    (a_run() / "environment.json").write_bytes(text.encode(errors="surrogateescape"))
    code, _, err = loadgen("report", NAME)
    assert code == 2
    assert "environment.json " in err
    assert "Traceback" not in err


def test_a_run_keeps_a_copy_of_what_the_app_could_do(
    a_run: Callable[..., Path], project: Path
) -> None:
    run = a_run()
    assert registry_of(run, read_servers(run), project) == read_registry(project)


@pytest.mark.parametrize("keeps_a_copy", [True, False], ids=["with a copy", "without"])
def test_what_has_become_of_the_app_since_a_run_began_changes_nothing_of_the_run(
    keeps_a_copy: bool, a_run: Callable[..., Path], loadgen: Loadgen, project: Path
) -> None:
    run = a_run(keeps_a_copy=keeps_a_copy)
    before = said(run, loadgen)

    registry = (project / REGISTRY).read_text()
    can_do_less = '[httpx-shared]\nviews = ["sync"]\ngevent = false'
    for then, now in (
        ('[httpx-shared]\nviews = ["sync", "async"]', can_do_less),
        ("[aiohttp-shared]", "[has-gone]"),
    ):
        assert then in registry
        registry = registry.replace(then, now)
    (project / REGISTRY).write_text(registry)
    (project / SETTINGS / "bare.py").unlink()
    (project / SETTINGS / "startproject.py").rename(project / SETTINGS / "usual.py")
    (project / "compose.override.yaml").write_text("services: [")
    assert said(run, loadgen) == before

    shutil.rmtree(project / SUITES)
    (project / "compose.yaml").unlink()
    assert said(run, loadgen) == before


def said(run: Path, loadgen: Loadgen) -> dict[str, tuple[int, str, str]]:
    """What every command says of a run."""
    found = {name: loadgen(*words(run.name)) for name, words in COMMANDS.items()}
    found["report --markdown"] = loadgen("report", run.name, "--markdown")
    assert [name for name, (code, _, _) in found.items() if code] == []
    return found


def test_clients_that_can_do_more_now_do_not_change_what_was_left_out_then(
    a_run: Callable[..., Path], project: Path
) -> None:
    run = a_run()
    (then,) = read_run(read_lab(), run.name).suites
    assert "aiohttp-shared has no sync side" in "".join(then.left_out)
    registry = (project / REGISTRY).read_text()
    more = registry.replace(
        '[aiohttp-shared]\nviews = ["async"]', '[aiohttp-shared]\nviews = ["sync", "async"]'
    )
    assert more != registry
    (project / REGISTRY).write_text(more)
    assert read_run(read_lab(), run.name).suites == [then]


@pytest.mark.parametrize("text", ["{", "[]", '{"http_clients": {}}', '{"http_clients": {"a": 3}}'])
def test_a_copy_that_cannot_be_read_is_named(
    text: str, a_run: Callable[..., Path], loadgen: Loadgen
) -> None:
    (a_run() / COPY).write_text(text)
    code, _, err = loadgen("report", NAME)
    assert code == 2
    assert "app.json cannot be read: " in err
    assert len(err.splitlines()) == 1, err


def test_a_run_is_read_with_the_rounds_and_the_cases_that_it_measured(
    a_run: Callable[..., Path],
) -> None:
    run = a_run()
    (asked,) = read_run(read_lab(), run.name).suites
    first, *others = asked.cases
    why = f"{first.slug}: no time for it in 4 min 00 s"
    fitted = replace(
        asked, rounds=7, cases=tuple(others), narrowed_from=asked.whole, left_out=(why,)
    )
    described = environment.read(run) | {AS_MEASURED: as_measured([fitted])}
    environment.write(run / "environment.json", described)
    assert read_run(read_lab(), run.name).suites == [fitted]


@pytest.mark.parametrize("text", ["3", '{"again": 3}', '{"again": {"rounds": "many"}}'])
def test_what_a_run_says_of_its_suites_and_cannot_be_read_is_named(
    text: str, a_run: Callable[..., Path], loadgen: Loadgen
) -> None:
    run = a_run()
    environment.write(
        run / "environment.json", environment.read(run) | {AS_MEASURED: json.loads(text)}
    )
    code, _, err = loadgen("report", run.name)
    assert code == 2
    assert "environment.json cannot be read: suites: " in err
    assert len(err.splitlines()) == 1, err
