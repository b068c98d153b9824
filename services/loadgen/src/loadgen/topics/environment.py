"""The machine, the versions, and the commands."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from loadgen.documents import command_lines
from loadgen.documents.document import (
    PAGE,
    Block,
    Command,
    Table,
    TableColumn,
    TableRow,
    Text,
    of_words,
)
from loadgen.documents.run_material import Material
from loadgen.documents.sessions import sessions_of
from loadgen.documents.words import decimals
from loadgen.records.columns import Row

#: What decides a row, before the rest of the packages.
TELLING = (
    *("Django", "gunicorn", "uvicorn", "uWSGI", "granian", "hypercorn", "daphne", "gevent"),
    *("uvloop", "httptools", "httpx", "httpx2", "requests", "urllib3", "aiohttp", "pyreqwest"),
    *("locust",),
)


def blocks(material: Material) -> Iterator[Block]:
    """What a reader needs to judge the run, or to repeat it."""
    environment = material.environment
    repeated = command_lines.repeat_run(environment["arguments"])
    yield Command("To repeat the whole run, in the same order:", repeated)
    yield Command("To draw this page again:", f"{command_lines.BENCH} report {material.path}")
    sessions = _sessions(environment, material.rows)
    facts = ((name, value) for name, value in (*_facts(environment), *sessions) if value)
    yield _table("Machine and run", ("What", "Value"), facts)
    if checks := environment.get("self_check"):
        yield _self_checks(checks)
    if servers := environment.get("servers"):
        commands = (
            (name, shlex.join(about.get("command") or ()) or about.get("url", ""))
            for name, about in servers.items()
        )
        folded = "Every server's command"
        yield _table("Servers as they ran", ("Server", "Command"), commands, folded)
    packages = [
        (name, version, where)
        for where, key in (("server", "app_packages"), ("load", "loadgen_packages"))
        for name, version in (environment.get(key) or {}).items()
    ]
    if packages:
        headings = ("Package", "Version", "Where")
        yield _table("Installed packages", headings, packages, "Every package")
    files = ("trials.csv", "summary.csv", "samples/", "environment.json", "charts/")
    listed = Markup(", ").join(Markup("<code>{}</code>").format(file) for file in files)
    yield Text([Markup("Beside this page: {}.").format(listed)], "note", shown=PAGE)


def _table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], folded: str = ""
) -> Table:
    return Table(
        caption, of_words(*headings), [TableRow(row) for row in rows], folded=folded, shown=PAGE
    )


def _facts(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    host = environment.get("host") or {}
    yield "Outcome", str(environment.get("outcome", ""))
    yield (
        "Began, ended (UTC)",
        " – ".join(filter(None, (environment["started_at"], environment["finished_at"]))),
    )
    yield "CPU", f"{environment.get('cpu_model') or 'unknown'} ({environment.get('architecture')})"
    cpu_sets = environment.get("cpu_sets") or {}
    yield (
        "CPU sets",
        "; ".join(f"{role} on {','.join(map(str, on))}" for role, on in cpu_sets.items()),
    )
    yield "Kernel", str(environment.get("kernel"))
    docker = f"{host['docker']}, cgroup v{host['cgroup_version']}" if "docker" in host else ""
    yield "Docker", docker
    yield (
        "Storage driver",
        str(host.get("storage_driver") or environment.get("storage_driver") or ""),
    )
    yield "Base image", str(host.get("base_image", ""))
    yield "Python", str(environment.get("python"))
    versions = {
        **(environment.get("loadgen_packages") or {}),
        **(environment.get("app_packages") or {}),
    }
    by_name = {name.lower(): version for name, version in versions.items()}
    yield (
        "Versions",
        ", ".join(f"{name} {by_name[name.lower()]}" for name in TELLING if name.lower() in by_name),
    )
    git = host.get("git") or {}
    dirty = ", with changes that are not committed" if git.get("dirty") else ""
    yield "Commit", f"{environment['git_commit']}{dirty}" if environment.get("git_commit") else ""


def _sessions(environment: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What each of several sessions has measured; and what had changed in it."""
    listed = sessions_of(environment, rows)
    if len(listed) > 1:
        yield from ((f"Session {each.number}", each.words) for each in listed)
    for number, session in enumerate(environment.get("sessions") or (), start=1):
        for key, change in (session.get("changes") or {}).items():
            yield f"Changed in session {number}: {key}", f"{change['was']} → {change['is']}"


def _self_checks(checks: Iterable[Mapping[str, Any]]) -> Table:
    """What the lab demanded of its own API before the run."""
    columns = (
        TableColumn("Upstream", numeric=False),
        TableColumn("Calls/s demanded"),
        TableColumn("made"),
        TableColumn("late, p99 (ms)"),
        TableColumn("Faults", numeric=False),
    )
    rows = [
        TableRow(
            (
                f"{check['upstream']}, {check['delay_ms']:g} ms",
                decimals(check["demanded_per_s"], 0),
                decimals(check["calls_per_s"], 0),
                decimals(check["late_p99_ms"], 2),
                ", ".join(check["faults"]) or "none",
            )
        )
        for check in checks
    ]
    return Table("Self-check of API and load before the run", columns, rows, shown=PAGE)
