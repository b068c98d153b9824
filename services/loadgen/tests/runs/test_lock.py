"""One run at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.errors import ConfigurationError
from loadgen.runs.lock import LOCK, RunLock

HOLDS = """
import sys, time
from pathlib import Path
from loadgen.runs.lock import RunLock
with RunLock(Path(sys.argv[1])) as lock:
    lock.name(Path(sys.argv[1]) / "20260102T030405Z-smoke")
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_is_free_again_after_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with RunLock(tmp_path) as lock:
            lock.name(tmp_path / "a-run")
    assert (tmp_path / LOCK).read_text() == ""


def test_a_lock_dies_with_its_holder_and_names_it_until_then(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigurationError, match="results/20260102T030405Z-smoke since 20"),
            RunLock(tmp_path),
        ):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    assert (tmp_path / LOCK).read_text().startswith("results/20260102T030405Z-smoke ")
    with RunLock(tmp_path):
        pass


def test_a_second_lock_of_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with (
        RunLock(tmp_path),
        pytest.raises(ConfigurationError, match="one that has only just begun"),
        RunLock(tmp_path),
    ):
        pass


def test_a_folder_that_is_not_there_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"results/ cannot be written \(No such file"),
        RunLock(tmp_path / "none"),
    ):
        pass
