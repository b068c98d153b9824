"""What the idle part of the lab uses while one server is measured: the launchers of the others.

They share the app's CPUs with the server under load, so their CPU time is noise in its rows.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from loadgen.errors import TrialError
from loadgen.trials.instruments import Launcher


class Idle:
    """The CPU time of launchers, from its making on, without that spent on trials of their own.

    Args:
        launchers: of every server that is up, by the server's name.
        app_cpus: CPUs that they share with the server under load.
    """

    def __init__(self, launchers: Mapping[str, Launcher], app_cpus: int) -> None:
        self._launchers = launchers
        self._app_cpus = app_cpus
        self._began = time.monotonic()
        self._at_begin = {name: _cpu_s(launcher) for name, launcher in launchers.items()}
        self._in_trials = dict.fromkeys(launchers, 0.0)

    @contextmanager
    def not_idle(self, *servers: str) -> Iterator[None]:
        """While servers are measured their launchers work for the trial, and are not idle."""
        before = {server: self._read(server) for server in servers}
        try:
            yield
        finally:
            for server in servers:
                self._in_trials[server] += _used_s(before[server], self._read(server)) or 0.0

    def document(self) -> dict[str, float | int | None]:
        """What environment.json says: CPU seconds, and their share of the app's CPUs' time.

        None where no launcher could be read at both ends.
        """
        seconds = time.monotonic() - self._began
        used = {name: _used_s(begin, self._read(name)) for name, begin in self._at_begin.items()}
        idle_s = [
            max(0.0, cpu_s - self._in_trials[name])
            for name, cpu_s in used.items()
            if cpu_s is not None
        ]
        return {
            "launchers": len(idle_s),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(sum(idle_s), 6) if idle_s else None,
            "app_cpu_share": round(sum(idle_s) / seconds / self._app_cpus, 6) if idle_s else None,
        }

    def _read(self, server: str) -> float | None:
        return _cpu_s(self._launchers[server])


def _cpu_s(launcher: Launcher) -> float | None:
    """CPU seconds of a launcher since its start; None where it is gone."""
    with suppress(TrialError):
        return launcher.stats().launcher_cpu_seconds
    return None


def _used_s(before: float | None, after: float | None) -> float | None:
    """CPU seconds between two readings; a launcher that was restarted counts from there."""
    if before is None or after is None:
        return None
    return after - before if after >= before else after
