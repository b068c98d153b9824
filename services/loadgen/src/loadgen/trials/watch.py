"""Knows at once when a server ends by itself: its launcher, with the reason, goes 3 s later."""

import time
from threading import Thread
from types import TracebackType
from typing import Self

import httpx

from loadgen.drivers.target import Target
from loadgen.errors import TrialError
from loadgen.suites.timing import PATIENCE_S
from loadgen.trials.instruments import AppStats, Launcher

MIB = 1024 * 1024
#: Exit codes above this are of a process that signal (code − this) has ended, as shells tell it.
KILLED = 128
#: How often a starting server is asked.
POLL_S = 0.02


class Watch:
    """Watches over a server from its start to its stop, at no cost for the CPU under test.

    The launcher leaves the question when the server will end unanswered until it does. What the
    server died of goes before whatever followed from it in the block.

    Args:
        launcher: beside the server.
        did_not_start: the trial's outcome if it ends before it has answered.
        died: the trial's outcome if it ends after that.
    """

    def __init__(
        self,
        launcher: Launcher,
        did_not_start: str = "server-did-not-start",
        died: str = "server-died",
    ) -> None:
        self._launcher = launcher
        self._outcome = did_not_start
        self._died = died
        self._end: TrialError | None = None

    def __enter__(self) -> Self:
        # It ends with the server, so at its stop.
        Thread(target=self._wait, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, TrialError):
            self.check()

    def server_answers(self) -> None:
        """From now on an end is no failure to start."""
        self._outcome = self._died

    def check(self) -> None:
        """Raises TrialError with the reason where the server has ended by itself."""
        if self._end is not None:
            raise self._end

    def _wait(self) -> None:
        try:
            if ended := self._launcher.wait():
                self._end = death(self._outcome, *ended)
        except TrialError as error:  # its whole container is gone
            self._end = error


def first_answer(http: httpx.Client, url: str, patience_s: float, watch: Watch) -> httpx.Response:
    """Ask a starting server until it answers.

    Raises:
        httpx.TransportError: it has not within so many seconds.
        httpx.HTTPError: the answer cannot be read.
        TrialError: the server has ended.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            # A connection kept open would hold a greenlet of a gevent worker during the load.
            return http.get(url, headers={"Connection": "close"}, timeout=patience_s)
        except httpx.TransportError:
            watch.check()
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def wait_until_right(http: httpx.Client, target: Target, launcher: Launcher, watch: Watch) -> None:
    """Poll until a view answers, then look at that one answer.

    Raises:
        TrialError: it does not answer, or answers something else.
    """
    patience_s = target.service_time_s + PATIENCE_S
    try:
        response = first_answer(http, target.url, patience_s, watch)
    except httpx.TransportError as error:
        reason = f"the server gave no answer within {patience_s:g} s"
        outcome = "server-did-not-start" if target.launcher else "server-not-up"
        raise TrialError(outcome, reason, launcher.log()) from error
    except httpx.HTTPError as error:
        reason = f"the answer of {target.path} cannot be read: {error}"
        raise TrialError("wrong-answer", reason, launcher.log()) from error
    if response.status_code != httpx.codes.OK:
        raise TrialError(
            "wrong-answer",
            f"{target.path} answers {response.status_code}: {response.text[:200]}",
            launcher.log(),
        )
    if target.expected_text not in response.text:
        reason = f"the answer of {target.path} lacks {target.expected_text!r}"
        raise TrialError("wrong-answer", reason)


def death(outcome: str, stats: AppStats, log: tuple[str, ...]) -> TrialError:
    """Why a server, or a process of it, is no more.

    Args:
        outcome: of the trial, where it was not for want of memory.
        stats: the launcher's counters since the server's start.
        log: the server's last lines.
    """
    if stats.oom_kills:
        limit = stats.memory_limit_bytes
        over = f"its memory limit of {limit / MIB:.0f} MiB" if limit else "the machine's memory"
        killed = f"the kernel killed the server, which went over {over}"
        return TrialError("out-of-memory", killed, log)
    code = stats.exit_code
    by = f" (signal {code - KILLED})" if code is not None and code > KILLED else ""
    return TrialError(outcome, f"the server ended with exit code {code}{by}", log)
