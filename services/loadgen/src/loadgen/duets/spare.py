"""The spare container: where one server runs a second time."""

import json
from collections.abc import Sequence

import httpx

from loadgen.errors import TrialError
from loadgen.trials.instruments import HttpLauncher, Launcher


class SpareLauncher(HttpLauncher):
    """The launcher of a container without a command of its own: it is told that of a server.

    Args:
        origin: of the spare container's launcher.
        http: for control calls.
        command: of the server that it is to run.
    """

    def __init__(self, origin: str, http: httpx.Client, command: Sequence[str]) -> None:
        super().__init__(origin, http)
        self._command = json.dumps(list(command))

    def start(self, settings: str, http_client: str) -> None:
        self._ask("/start", settings=settings, preload=http_client, command=self._command)


def command_of(launcher: Launcher) -> list[str]:
    """The command that a launcher starts its server by.

    Raises:
        TrialError: it does not tell.
    """
    command = launcher.about().get("command")
    if not isinstance(command, list):
        raise TrialError("launcher-lost", "the launcher does not tell its server's command")
    return [str(word) for word in command]
