"""A driver's process, from its spawn to its samples."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import polars as pl

from loadgen.drivers.driver import READY, Driver, LoadPlan
from loadgen.drivers.logged import Ended, Tally
from loadgen.errors import TrialError
from loadgen.generators.window_to_follow import Followed
from loadgen.lab.cpus import process_cpu_seconds

READY_TIMEOUT_S = 30.0
#: Between the start instant's announcement and itself: time for the driver to read it.
NOTICE_S = 0.1
#: The file in the driver's folder that its standard error goes to.
ERRORS = "stderr.txt"


class DriverProcess:
    """A driver's process: started before the load, ended with the trial whatever happens."""

    def __init__(self, driver: Driver, plan: LoadPlan, folder: Path) -> None:
        self._driver = driver
        self._plan = plan
        self._folder = folder
        self._tally = Tally(folder / driver.log) if driver.log else None
        self._process: subprocess.Popen[str] | None = None
        self._followed: Followed | None = None

    def __enter__(self) -> Self:
        if self._driver.waits:
            self._spawn()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        with self._process:
            if self._process.poll() is None:
                self._process.kill()
            if self._process.stdin:
                with suppress(BrokenPipeError):  # it is gone, with what it was not told any more
                    self._process.stdin.close()

    def wait_until_ready(self) -> None:
        """Until a driver that waits has imported what it needs."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while self._driver.waits and not (self._folder / READY).exists():
            self.check_alive()
            if time.monotonic() > deadline:
                late = f"did not become ready within {READY_TIMEOUT_S:g} s"
                raise TrialError("driver-failed", f"the driver {self._driver.name} {late}")
            time.sleep(0.02)

    def start(self, at_ns: int | None = None) -> int:
        """Let the load begin; returns its first instant on the monotonic clock, ns.

        Args:
            at_ns: that instant, for a driver that waits; default: soon.
        """
        if not self._driver.waits:
            start_ns = time.monotonic_ns()
            self._spawn()
            return start_ns
        start_ns = self.soon() if at_ns is None else at_ns
        self._tell(f"{start_ns}\n", "ended before its load began")
        return start_ns

    @staticmethod
    def soon() -> int:
        """An instant of which the driver can be told before it comes, ns."""
        return time.monotonic_ns() + int(NOTICE_S * 1e9)

    def follow(self, window: Followed) -> None:
        """Let a load without an end of its own stay on until the requests of a window have ended.

        Its begin must be at least as far away as `soon` says.
        """
        self._followed = window
        self._tell(window.line, "ended before its window began")

    def _tell(self, line: str, if_gone: str) -> None:
        stdin = self._running().stdin
        assert stdin is not None
        try:
            stdin.write(line)
            stdin.flush()
        except BrokenPipeError:
            raise self._failed(if_gone) from None

    def check_alive(self) -> None:
        """Raises TrialError where the driver ended before its time."""
        exit_code = self._running().poll()
        if exit_code is not None:
            raise self._failed(f"ended with exit code {exit_code} before the end of its load")

    def ended(self, within_s: float) -> bool:
        """Whether it ends within some seconds.

        Raises:
            TrialError: it ended with an exit code that says it failed.
        """
        try:
            exit_code = self._running().wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        if exit_code:
            raise self._failed(f"ended with exit code {exit_code}")
        return True

    def wait_for_end(self, within_s: float) -> None:
        """Until it ends; raises TrialError where it does not within some seconds."""
        if not self.ended(within_s):
            raise self._failed(f"did not end within {within_s:g} s after its load")

    def cpu_seconds(self) -> float | None:
        """CPU time of its process so far; None where that cannot be read."""
        return process_cpu_seconds(self._running().pid)

    def news(self) -> list[Ended]:
        """The requests that have ended since this was asked last."""
        return self._tally.news() if self._tally else []

    def answered(self) -> int | None:
        """Requests that have ended so far; None where the driver does not tell before its end."""
        if self._tally is None:
            return None
        self._tally.read()
        return self._tally.count

    def samples(self, start_ns: int) -> pl.DataFrame:
        """What it recorded."""
        return self._driver.samples(self._plan, self._folder, start_ns, self._followed)

    def _spawn(self) -> None:
        command = self._driver.command(self._plan, self._folder)
        output, errors = self._folder / self._driver.output, self._folder / ERRORS
        with output.open("w") as stdout, errors.open("w") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, text=True
            )

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the driver has not been started"
        return self._process

    def _failed(self, what: str) -> TrialError:
        errors = (self._folder / ERRORS).read_text().splitlines()
        said = f"the driver {self._driver.name} {what}"
        return TrialError("driver-failed", said, tuple(errors[-20:]))
