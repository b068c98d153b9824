"""A checkout on a machine that turns line ends into CR LF has what Linux containers can run."""

import subprocess
from pathlib import Path

import pytest

from lab import ROOT

#: A file that a run has left with the line ends of its tool.
(WITH_CR, *_) = sorted(ROOT.glob("results/reference/*/locust/*/locust_stats.csv"))


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the project, with one file of its results, under `core.autocrlf = true`."""
    folder = tmp_path_factory.mktemp("line-ends")
    origin, clone = folder / "origin", folder / "clone"
    git("init", "--quiet", "--bare", origin)
    at = ("--git-dir", origin, "--work-tree", ROOT, "-c", "core.bare=false")
    git(*at, "add", "--", ROOT, f":(exclude){ROOT}/results", f":(exclude){ROOT}/.git")
    git(*at, "add", "--", WITH_CR)
    name = ("-c", "user.name=lab", "-c", "user.email=lab@example.org")
    git(*at, *name, "commit", "--quiet", "--message", "The project")
    git("clone", "--quiet", "--config", "core.autocrlf=true", origin, clone)
    return clone


@pytest.mark.parametrize(
    "pattern",
    [
        *("scripts/*", ".ci/*", ".env", "**/*.sh", "**/Dockerfile", "**/*.py", "**/*.toml"),
        *("**/*.yaml", "**/requirements*.txt", "docs/*.md", "**/templates/*"),
    ],
)
def test_no_file_that_is_run_or_read_has_a_carriage_return(checkout: Path, pattern: str) -> None:
    files = [path for path in checkout.glob(pattern) if path.is_file()]

    assert files
    assert [str(path) for path in files if b"\r" in path.read_bytes()] == []


def test_its_scripts_run(checkout: Path) -> None:
    for script in (checkout / "scripts").iterdir():
        if script.suffix != ".sh":
            shown = subprocess.run([script, "--help"], check=False, capture_output=True, text=True)
            assert shown.stdout.startswith(f"Usage: scripts/{script.name}"), shown


def test_what_a_run_has_written_stays_byte_for_byte(checkout: Path) -> None:
    assert b"\r\n" in WITH_CR.read_bytes()
    assert (checkout / WITH_CR.relative_to(ROOT)).read_bytes() == WITH_CR.read_bytes()
