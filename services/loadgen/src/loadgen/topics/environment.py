"""The machine, the versions, and the commands."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from loadgen.documents import command_lines
from loadgen.documents.blocks import Block, Column, Command, Folded, Section, Table, TableRow, Text
from loadgen.documents.material import Material

#: What decides a row, before the rest of the packages.
TELLING = (
    *("Django", "gunicorn", "uvicorn", "uWSGI", "granian", "hypercorn", "daphne", "gevent"),
    *("uvloop", "httptools", "httpx", "httpx2", "requests", "urllib3", "aiohttp", "pyreqwest"),
    *("locust",),
)


def section(material: Material) -> Section:
    """What a reader needs to judge the run, or to repeat it."""
    found = material.environment
    facts = [TableRow((name, value)) for name, value in _facts(found) if value]
    blocks: list[Block] = [
        Command(
            "The whole run again, in the same order:", command_lines.repeat_run(found["arguments"])
        ),
        Command("This page again:", f"{command_lines.BENCH} report {material.path}"),
        Table("Machine and run", (Column("What", False), Column("Value", False)), facts),
    ]
    if checks := _self_checks(found):
        blocks.append(checks)
    if servers := found.get("servers"):
        rows = [
            TableRow((name, shlex.join(about.get("command") or ()) or about.get("url", "")))
            for name, about in servers.items()
        ]
        columns = (Column("Server", False), Column("Command", False))
        blocks.append(Table("Servers as they ran", columns, rows, folded="Every server's command"))
    packages = [
        TableRow((name, version, where))
        for where, key in (("server", "app_packages"), ("load", "loadgen_packages"))
        for name, version in (found.get(key) or {}).items()
    ]
    if packages:
        headings = (Column("Package", False), Column("Version", False), Column("Where", False))
        blocks.append(Folded("Every package", [Table("Installed packages", headings, packages)]))
    blocks.append(
        Text(
            [
                Markup(
                    "Beside this page: <code>trials.csv</code>, <code>summary.csv</code>, "
                    "<code>samples/</code>, <code>environment.json</code>, <code>charts/</code>."
                )
            ],
            kind="note",
        )
    )
    return Section("environment", "Machine, versions, commands", blocks)


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    host = found.get("host") or {}
    yield "Outcome", str(found.get("outcome", ""))
    yield (
        "Began, ended (UTC)",
        " – ".join(filter(None, (found["started_at"], found["finished_at"]))),
    )
    yield "CPU", f"{found.get('cpu_model') or 'unknown'} ({found.get('architecture')})"
    cpu_sets = found.get("cpu_sets") or {}
    yield (
        "CPU sets",
        "; ".join(f"{role} on {','.join(map(str, on))}" for role, on in cpu_sets.items()),
    )
    yield "Kernel", str(found.get("kernel"))
    docker = f"{host['docker']}, cgroup v{host['cgroup_version']}" if "docker" in host else ""
    yield "Docker", docker
    yield "Storage driver", str(host.get("storage_driver") or found.get("storage_driver") or "")
    yield "Base image", str(host.get("base_image", ""))
    yield "Python", str(found.get("python"))
    versions = {**(found.get("loadgen_packages") or {}), **(found.get("app_packages") or {})}
    by_name = {name.lower(): version for name, version in versions.items()}
    yield (
        "Versions",
        ", ".join(f"{name} {by_name[name.lower()]}" for name in TELLING if name.lower() in by_name),
    )
    git = host.get("git") or {}
    dirty = ", with changes that are not committed" if git.get("dirty") else ""
    yield "Commit", f"{found['git_commit']}{dirty}" if found.get("git_commit") else ""
    for number, session in enumerate(found.get("sessions") or (), start=1):
        for key, change in (session.get("changes") or {}).items():
            yield f"Changed in session {number}: {key}", f"{change['was']} → {change['is']}"


def _self_checks(found: Mapping[str, Any]) -> Table | None:
    """What the lab demanded of its own API before the run."""
    checks = found.get("self_check") or []
    rows = [
        TableRow(
            (
                f"{check['upstream']}, {check['delay_ms']:g} ms",
                f"{check['demanded_per_s']:.0f}",
                f"{check['calls_per_s']:.0f}",
                f"{check['late_p99_ms']:.2f}",
                ", ".join(check["faults"]) or "none",
            )
        )
        for check in checks
    ]
    columns = (
        Column("Upstream", False),
        Column("Calls/s demanded"),
        Column("made"),
        Column("late, p99 (ms)"),
        Column("Faults", False),
    )
    return Table("Self-check of API and load before the run", columns, rows) if rows else None
