"""environment.json: what a reader needs to judge a run."""

import json
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab import machine
from loadgen.lab.lab import read_lab
from loadgen.records import environment
from loadgen.trials.instruments import NoLauncher

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40

AMD64 = "processor\t: 0\nvendor_id\t: X\nmodel name\t: Fast CPU @ 3.00GHz: rev 2\nflags\t: fpu\n"
ARM64 = "processor\t: 0\nBogoMIPS\t: 48.00\nCPU implementer\t: 0x61\nCPU part\t: 0x022\n"

MOUNTINFO = """\
24 20 0:5 / /proc rw,nosuid - proc proc rw
612 500 0:52 / / ro,relatime master:1 - {driver} none rw,lowerdir=/x,upperdir=/y
613 612 0:53 / /dev rw - tmpfs tmpfs rw
"""


def test_the_cpu_has_its_model_name() -> None:
    assert machine.cpu_model(AMD64) == "Fast CPU @ 3.00GHz: rev 2"


def test_a_kernel_that_names_no_model_leaves_it_unknown() -> None:
    assert machine.cpu_model(ARM64) is None


@pytest.mark.parametrize("driver", ["overlay", "fuse.fuse-overlayfs"])
def test_the_storage_driver_is_the_file_system_of_the_root(driver: str) -> None:
    assert machine.storage_driver(MOUNTINFO.format(driver=driver)) == driver


def test_without_a_root_the_storage_driver_is_unknown() -> None:
    assert machine.storage_driver("24 20 0:5 / /proc rw - proc proc rw\n") is None


def git(project: Path, **files: str) -> Path:
    for name, text in files.items():
        file = project / ".git" / name.replace("__", "/").replace("_", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return project


def test_the_commit_of_a_branch_is_read_from_its_file(tmp_path: Path) -> None:
    project = git(tmp_path, HEAD="ref: refs/heads/main\n", refs__heads__main=COMMIT + "\n")
    assert machine.git_commit(project) == COMMIT


def test_the_commit_of_a_packed_branch_is_found(tmp_path: Path) -> None:
    packed = (
        f"# pack-refs with: peeled\n{OTHER} refs/heads/mainly\n{COMMIT} refs/heads/main\n^{OTHER}\n"
    )
    project = git(tmp_path, HEAD="ref: refs/heads/main\n", packed_refs=packed)
    assert machine.git_commit(project) == COMMIT


def test_a_loose_commit_goes_before_a_packed_one(tmp_path: Path) -> None:
    project = git(
        tmp_path,
        HEAD="ref: refs/heads/main\n",
        refs__heads__main=COMMIT,
        packed_refs=f"{OTHER} refs/heads/main\n",
    )
    assert machine.git_commit(project) == COMMIT


def test_a_detached_head_is_the_commit(tmp_path: Path) -> None:
    assert machine.git_commit(git(tmp_path, HEAD=COMMIT + "\n")) == COMMIT


def test_a_branch_without_a_commit_is_unknown(tmp_path: Path) -> None:
    assert machine.git_commit(git(tmp_path, HEAD="ref: refs/heads/main\n")) is None


def test_a_project_that_is_no_repository_has_no_commit(tmp_path: Path) -> None:
    assert machine.git_commit(tmp_path) is None


@pytest.mark.usefixtures("in_project")
def test_a_description_says_what_ran_where(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_CPUS", "1,0")
    monkeypatch.setenv("LAB_HOST_FACTS", '{"docker": "20.10"}')
    git(project, HEAD=COMMIT)
    about = {"command": ["serve"], "python": "3.13.5", "cpus": [0], "packages": {"Django": "6.1"}}
    described = machine.describe(read_lab(), {"suites": ["smoke"], "seed": 7}, {"uvicorn": about})
    assert described["outcome"] == "unfinished: before the first trial"
    assert described["finished_at"] is None
    assert described["arguments"] == {"suites": ["smoke"], "seed": 7}
    assert described["cpu_sets"]["app"] == [0, 1]
    assert described["git_commit"] == COMMIT
    assert described["host"] == {"docker": "20.10"}
    assert described["app_packages"] == {"Django": "6.1"}
    assert described["servers"]["uvicorn"]["command"] == ["serve"]
    assert "locust" in described["loadgen_packages"]
    assert described["kernel"]
    assert described["storage_driver"]


@pytest.mark.usefixtures("in_project")
def test_a_server_without_a_launcher_has_its_address_instead_of_a_command() -> None:
    about = NoLauncher("http://mine:8000/report/").about()
    described = machine.describe(read_lab(), {}, {"mine": about})
    assert described["servers"] == {"mine": {"command": None, "url": "http://mine:8000/report/"}}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    environment.write(tmp_path / "environment.json", {"outcome": "running"})
    environment.write(tmp_path / "environment.json", {"outcome": "finished", "cpu": "Größe ×"})
    assert environment.read(tmp_path) == {"outcome": "finished", "cpu": "Größe ×"}
    assert [file.name for file in tmp_path.iterdir()] == ["environment.json"]
    json.loads((tmp_path / "environment.json").read_text())


def test_a_description_that_cannot_be_written_leaves_the_earlier_one(tmp_path: Path) -> None:
    environment.write(tmp_path / "environment.json", {"outcome": "unfinished: at trial 7 of 24"})
    (tmp_path / "environment.json.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        environment.write(tmp_path / "environment.json", {"outcome": "finished"})
    assert environment.read(tmp_path) == {"outcome": "unfinished: at trial 7 of 24"}


def test_changes_are_named_with_what_was_and_what_is() -> None:
    before = {
        "kernel": "6.1",
        "python": "3.13.5",
        "host": {"docker": "20.10", "images": {"app": "sha256:1"}},
        "servers": {"uvicorn": {"cpus": [0]}, "uvicorn-4": {"cpus": [0]}},
        "started_at": "earlier",
    }
    now = {
        "kernel": "6.8",
        "python": "3.13.5",
        "host": {"docker": "20.10", "images": {"app": "sha256:2"}},
        "servers": {"uvicorn": {"cpus": [1]}},
        "started_at": "later",
    }
    assert environment.changes(before, now) == {
        "kernel": {"was": "6.1", "is": "6.8"},
        "host.images.app": {"was": "sha256:1", "is": "sha256:2"},
        "servers.uvicorn.cpus": {"was": [0], "is": [1]},
    }
    assert environment.changes(before, before) == {}


@pytest.mark.parametrize("text", [None, "{"])
def test_a_folder_without_a_readable_description_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "environment.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"environment\.json cannot be read"):
        environment.read(tmp_path)
