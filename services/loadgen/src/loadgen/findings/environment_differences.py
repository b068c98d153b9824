"""What two runs do not share besides their day: machine, versions, settings, commands."""

import shlex
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.findings.earlier_run import Run
from loadgen.lab.compose import read_services
from loadgen.records import environment
from loadgen.records.columns import Cell, Row, cell_text

#: What a reader calls it, by the key's first word.
KINDS = {
    "cpu_model": "CPU",
    "architecture": "CPU",
    "cpu_sets": "CPU sets",
    "kernel": "kernel",
    "storage_driver": "Docker",
    "host": "Docker",
    "git_commit": "git commit",
    "python": "versions",
    "app_packages": "versions",
    "loadgen_packages": "versions",
    "servers": "server commands",
    "compose": "settings",
    "trials": "settings",
}
PACKAGES = ("app_packages", "loadgen_packages")
#: The same as git_commit.
TWICE = ("host.git.commit",)
#: What a suite or a declaration decides of a case besides its axes.
PROTOCOL = ("processes", "slots", "window_s", "service_time_ms")
#: A window holds three response times as they were seen, so it may differ by this much by itself.
#: (A warm-up takes what it takes.)
WINDOW_SHARE = 0.25
#: Of a Compose service: these have lines of their own, or are words.
ELSEWHERE = ("command", "labels")


@dataclass(frozen=True)
class Differing:
    """Something that is not the same.

    Attributes:
        what: its key, with dots: `app_packages.Django`.
        a, b: what it is in each; `none` where it is not there.
    """

    what: str
    a: str
    b: str

    @property
    def kind(self) -> str:
        """What a reader calls it: `versions`."""
        return KINDS[self.what.partition(".")[0]]


def differing(a: Run, b: Run, cases: Container[str]) -> list[Differing]:
    """What differs of these cases, and of the servers that both measured.

    In the order of environment.json.
    """
    rows_a, rows_b = a.rows_of(cases), b.rows_of(cases)
    servers = {row.text("server") for row in rows_a} & {row.text("server") for row in rows_b}
    changed = [
        Differing(key, _words(change["was"]), _words(change["is"]))
        for key, change in environment.changes(a.environment, b.environment).items()
        if key not in TWICE and (not key.startswith("servers.") or key.split(".")[1] in servers)
    ]
    return [
        *changed,
        *_packages_of_one(a.environment, b.environment),
        *_services(a.folder, b.folder, servers),
        *_protocol(rows_a, rows_b),
    ]


def kinds(differences: Iterable[Differing]) -> list[str]:
    """What differs in a few words: `CPU`, `versions`."""
    return list(dict.fromkeys(difference.kind for difference in differences))


def _packages_of_one(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Differing]:
    """Packages that only one of the runs had, where both say what they had."""
    for key in PACKAGES:
        of_a, of_b = a.get(key) or {}, b.get(key) or {}
        if of_a and of_b:
            for name in sorted(of_a.keys() ^ of_b.keys()):
                yield Differing(f"{key}.{name}", of_a.get(name, "none"), of_b.get(name, "none"))


def _services(a: Path, b: Path, servers: Iterable[str]) -> Iterator[Differing]:
    """What Compose gives the servers: environment, memory, limits."""
    of_a, of_b = read_services(a), read_services(b)
    for server in sorted(servers):
        was, now = of_a.get(server, {}), of_b.get(server, {})
        for key in dict.fromkeys([*was, *now]):
            if key not in ELSEWHERE and was.get(key) != now.get(key):
                yield Differing(
                    f"compose.{server}.{key}", _words(was.get(key)), _words(now.get(key))
                )


def _protocol(a: Sequence[Row], b: Sequence[Row]) -> Iterator[Differing]:
    """How the cases were measured; what changed alike for several stands once."""
    by_case = {row.case: row for row in a}
    for column in PROTOCOL:
        changes: dict[tuple[Cell, Cell], None] = {}
        for row in b:
            before = by_case.get(row.case)
            if before and not _alike(column, before, row):
                changes[before[column], row[column]] = None
        for was, now in changes:
            yield Differing(f"trials.{column}", cell_text(was) or "none", cell_text(now) or "none")


def _alike(column: str, a: Row, b: Row) -> bool:
    """Whether a column says the same of both; a counted load has no planned window."""
    was, now = a.number(column), b.number(column)
    if column != "window_s" or was is None or now is None:
        return was == now
    return b["planned_requests"] is not None or abs(was - now) <= WINDOW_SHARE * min(was, now)


def _words(value: object) -> str:
    """A value in a line: a command as a shell has it, a digest by its first digits."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return shlex.join(map(str, value))
    if isinstance(value, str) and value.startswith("sha256:"):
        return value[: len("sha256:") + 12]
    return str(value)
