"""The API as a process: how it ends, and how it says that it cannot begin."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from api import PATIENCE_S, running_api


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_with_exit_code_0(tmp_path: Path, number: int) -> None:
    with running_api(tmp_path) as api, api.connect() as idle, api.connect() as calling:
        idle.sendall(b"GET")
        calling.sendall(b"GET /60000/ HTTP/1.1\r\nHost: api\r\n\r\n")
        api.stats_when(lambda stats: stats["in_flight"] == 1)

        api.process.send_signal(number)

        assert api.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--ca-file", "/no/such/folder/ca.pem"), ("--http-port", None)]
)
def test_what_keeps_it_from_starting_is_said_in_one_sentence(
    tmp_path: Path, option: str, value: str | None
) -> None:
    with running_api(tmp_path) as api:
        options = ["--http-port", "0", "--https-port", "0", "--ca-file", str(tmp_path / "2.pem")]
        command = [sys.executable, "-m", "upstream", *options, option, value or str(api.http_port)]
        environment = {"PYTHONPATH": str(Path(__file__).parents[1] / "src")}
        run = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert run.returncode == 1
    assert run.stderr.startswith("upstream: cannot start: ")
    assert "Traceback" not in run.stderr
