"""`needs`: the services that a command line needs, for scripts/bench, which starts them first.

A command that measures is run as far as its list of trials; what these need is noted, and nothing
is measured. Of any other command the words are checked, no more: it reads what is there.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar

import httpx
import typer
from typer.core import TyperGroup

from loadgen.lab.compose import read_services
from loadgen.lab.lab import read_lab
from loadgen.runs.lock import RunLock
from loadgen.runs.services import Service

#: The commands that measure, and pass by `only_noted`.
MEASURING = ("run", "quick", "check")
#: The words of the line are those of another command, to be taken as they are.
SETTINGS = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}

_noted: ContextVar[list[Service] | None] = ContextVar("noted", default=None)


def only_noted(services: Callable[[httpx.Client], Iterable[Service]]) -> bool:
    """Whether `needs` is what asks: these services are noted then, and nothing may be measured."""
    noted = _noted.get()
    if noted is None:
        return False
    with httpx.Client(verify=False, trust_env=False) as http:
        noted += services(http)
    return True


def needs(context: typer.Context) -> None:
    """List the Compose services that must be up for a command, a line each; measure nothing.

    Give the command as you would give it to loadgen: needs run smoke --servers 'gun*'.
    """
    assert context.parent is not None
    group = context.parent.command
    assert isinstance(group, TyperGroup)
    noted: list[Service] = []
    token = _noted.set(noted)
    try:
        _ask(group, context.args)
    finally:
        _noted.reset(token)
    if noted:
        lab = read_lab()
        with RunLock(lab.results):  # nothing is started beside a run that measures
            names = to_start(noted, read_services(lab.project))
        print(*names, sep="\n")


def _ask(group: TyperGroup, words: list[str]) -> None:
    """Have the services noted that a command line needs.

    Raises:
        ConfigurationError: (and what typer raises) it is wrong, as it would be without `needs`.
    """
    if "--help" in words:
        return
    with group.make_context("loadgen", list(words)) as line:
        if not words or words[0] in MEASURING:
            group.invoke(line)
            return
        name, command, rest = group.resolve_command(line, words)
        assert command is not None
        command.make_context(name, rest, parent=line)


def to_start(needed: Iterable[Service], declared: Iterable[str]) -> list[str]:
    """The services that Compose has to start, each once.

    One that listens under another service's name needs that one too. One that listens under a name
    that no Compose file declares is elsewhere: it is up, or its reader starts it.

    Args:
        needed: by a command.
        declared: the services of the project's Compose files.
    """
    known = set(declared)
    names = [
        name
        for service in needed
        if service.host in known
        for name in (service.name, service.host)
        if name in known
    ]
    return list(dict.fromkeys(names))
