"""The benchmark of the report makes a run and measures what it says."""

import subprocess
import sys
from pathlib import Path


def test_the_benchmark_draws_a_made_run_and_prints_every_goal() -> None:
    command = [sys.executable, "benchmark_report.py", "--samples", "20000", "--trials", "10"]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )

    # Whether it is fast enough is for a quiet machine to say.
    assert run.returncode in (0, 1), run.stderr
    assert "20000 samples in 10 trials" in run.stdout
    assert run.stdout.count("yes") + run.stdout.count("NO") == 3
