"""Fixtures of the load generator's tests."""

import json
import math
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import vl_convert
from hypothesis import settings

from loadgen.commands import cli
from loadgen.lab.lab import SUITES

# No deadline: how fast an example runs is up to the machine.
settings.register_profile("lab", deadline=None, max_examples=50, database=None)
settings.load_profile("lab")

HERE = Path(__file__).parent

#: Words of the command line → exit code, output, error output.
type Loadgen = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session", autouse=True)
def _each_picture_is_drawn_once() -> Iterator[None]:
    """The same specification gives the same SVG: most runs of the tests have the same pictures."""
    drawn: dict[str, str] = {}
    draw = vl_convert.vegalite_to_svg

    def draw_once(specification: dict[str, object]) -> str:
        key = json.dumps(specification)
        if key not in drawn:
            drawn[key] = draw(specification)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", draw_once)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder of its own, as loadgen finds it mounted: servers, clients and suites."""
    folder = tmp_path / "project"
    shutil.copytree(HERE / "project", folder)
    shutil.copytree(HERE.parent / "suites", folder / SUITES)
    return folder


@pytest.fixture
def in_project(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, mounted as Compose does, with an empty results/; returns the latter."""
    results = tmp_path / "results"
    results.mkdir()
    for name in (
        "SUITE",
        "ROUNDS",
        "MINUTES",
        "APP_CPUS",
        "API_CPUS",
        "LOADGEN_CPUS",
        "LAB_HOST_FACTS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAB_PROJECT", str(project))
    monkeypatch.setenv("LAB_RESULTS", str(results))
    monkeypatch.setenv("COLUMNS", "80")
    # A busy machine steals time and lets the load come late; then trials are measured again, or are
    # not ranked. Whoever asks about that makes the API late.
    monkeypatch.setattr("loadgen.runs.attempts.MOST_ATTEMPTS", 1)
    for module in ("records.columns", "trials.rows"):
        monkeypatch.setattr(f"loadgen.{module}.MARGIN", math.inf)
    return results


@pytest.fixture
def loadgen(
    in_project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Loadgen:
    """Runs the command line in the project; signals are as before afterwards."""
    assert in_project.is_dir()

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["loadgen", *map(str, words)])
        handlers = {each: signal.getsignal(each) for each in cli.INTERRUPTS}
        with pytest.raises(SystemExit) as ended:
            cli.main()
        for each, handler in handlers.items():
            signal.signal(each, handler)
        code = ended.value.code or 0
        assert isinstance(code, int)
        written = capsys.readouterr()
        return code, written.out, written.err

    return call


@pytest.fixture
def disk_room() -> Iterator[Callable[[int], None]]:
    """Leaves so much room for any file: the kernel refuses the bytes beyond (RLIMIT_FSIZE)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def full_disk(disk_room: Callable[[int], None]) -> None:
    """A disk without room for more than 16 bytes a file."""
    disk_room(16)
