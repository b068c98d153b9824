"""Fixtures of the end-to-end tests: runs of loadgen, and a lab of the tests' own for some."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from lab import ROOT
from runs import Run, folder_in

Compose = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def loadgen(compose: Compose) -> Compose:
    """`loadgen("run", "smoke")`: as `docker compose run --rm loadgen …` gives it: the lab is up."""

    def run(*arguments: str) -> CompletedProcess[str]:
        return compose("run", "--rm", "-T", "--no-deps", "loadgen", *arguments)

    return run


@dataclass(frozen=True)
class Finished:
    """A run that has ended, with what it printed."""

    done: CompletedProcess[str]
    run: Run


@pytest.fixture(scope="session")
def smoke(loadgen: Compose) -> Finished:
    """One run of the suite `smoke`, into the project's results/."""
    done = loadgen("run", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(done, Run(ROOT / "results" / folder_in(done.stdout)))


SUITE = """
question = "Does a run do what it should where something goes wrong?"
warm_up_s = 1
window_s = 3
drain_s = 2

[defaults]
delays_ms = [50]
workload = "single"
http_client = "no-http"
users = 2

[[cases]]
server = {servers}
"""

# A server that ends some time after its first request, which is the one before the load.
ENDS = """
import os, threading, uvicorn
from consumer.asgi import application
ends = []
async def app(scope, receive, send):
    if scope["type"] == "http" and not ends:
        ends.append(threading.Timer(2.5, lambda: {end}))
        ends[0].start()
    await application(scope, receive, send)
print("some last words", flush=True)
uvicorn.run(app, host="0.0.0.0", port=8000, log_level="warning")
"""

# Servers that are uvicorn but for what they do to some requests. The first request is the one that
# the protocol looks at before the load, which has a connection of its own.
ODD = """
import asyncio, socket, struct, uvicorn
from consumer.asgi import application
connections, requests = {{}}, 0
async def app(scope, receive, send):
    global requests
    if scope["type"] == "http":
        connection = connections.setdefault(scope["client"], len(connections))
        number, requests = requests, requests + 1
        {odd}
    await application(scope, receive, send)
uvicorn.run(app, host="0.0.0.0", port=8000, log_level="warning")
"""
FOR_EVER = "await asyncio.Event().wait()"
# A connection that lingers for no time is reset, not closed.
RESET = """
            transport = receive.__self__.transport
            own = transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return transport.abort()
"""


def odd(title: str, what: str) -> dict[str, object]:
    """A server that does something to the request `number` (from 0) of the `connection`."""
    return a_server(title, command=["python", "-c", ODD.format(odd=what)])


def a_server(title: str, **different: object) -> dict[str, object]:
    """A Compose service: uvicorn with something else."""
    base = {"file": "compose.yaml", "service": "uvicorn"}
    return {"extends": base, "labels": {"lab.title": title}, **different}


OWN_SERVERS = {
    "broken": a_server(
        "Its command is wrong",
        command=["uvicorn", "consumer.asgi:no_such_thing", "--port", "8000"],
    ),
    "absent": a_server("Nobody starts it"),
    "mortal": a_server(
        "It kills itself", command=["python", "-c", ENDS.format(end="os.kill(os.getpid(), 9)")]
    ),
    "greedy": a_server(
        "It takes more memory than it may",
        command=["python", "-c", ENDS.format(end="b'x' * 2_000_000_000")],
        mem_limit="300m",
    ),
    # Of 30 users 10: the connections 3, 6, … 30.
    "starving": odd(
        "It never answers a third of its users",
        f"if connection and connection % 3 == 0: {FOR_EVER}",
    ),
    "resetting": odd("It resets 1 % of its connections", f"if number % 100 == 99:{RESET}"),
    "patient": a_server("It waits 20 s for its upstream"),
    "mute": odd("It answers nobody", f"if number: {FOR_EVER}"),
}

# 30 users of 1 s ask for 30 views a second at most: far from saturation, also where others use the
# machine. The time limit cuts the warm-up of servers with which it would never end.
OVERLOAD = """
question = "Do rows say the truth where users are not answered?"
at_most_s = 90
window_s = 6
drain_s = 2
sort = "rps"

[defaults]
workload = "single"
delays_ms = [1000]
http_client = "no-http"
users = 30

[[cases]]
server = ["uvicorn", "starving", "resetting", "mute"]

[[compare]]
a = {server = "uvicorn"}
b = {server = "mute"}
metrics = ["rps", "p95_ms"]
"""


# Long delays: everybody is answered once in the warm-up, and once in a window just over that.
PATIENT = """
question = "Can a delay of 20 s be measured?"
warm_up_s = 20.5
window_s = 21

[defaults]
workload = "single"
delays_ms = [20000]
http_client = "aiohttp-shared"
users = 100

[[cases]]
server = "patient"
"""


# Who owns the scratch results: nobody that the image of loadgen knows.
SOMEBODY = 12345


@dataclass(frozen=True)
class ScratchLab:
    """A copy of the project with servers and suites of its own, in volumes of the tests service.

    Its containers are those of the lab under test; only loadgen reads another project folder.

    Attributes:
        project, results: where the tests see the volumes.
        mounts: options of `docker compose run` that put them into loadgen; all that it depends on
            is up.
        files: options of `docker compose` that add its servers.
    """

    project: Path
    results: Path
    mounts: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def small(self) -> Path:
        """Where the tests see the volume `scratch-small`: results on a disk that can be filled."""
        return Path("/scratch/small")

    def results_on(self, volume: str, options: str = "rw") -> tuple[str, ...]:
        """The same mounts with another volume for results, by the end of its name."""
        *others, results = self.mounts
        source, target = results.rsplit(":", 1)
        return *others, f"{source.rsplit('-', 1)[0]}-{volume}:{target}:{options}"


@pytest.fixture(scope="session")
def scratch_lab() -> ScratchLab:
    """The servers and suites of runs in which something goes wrong."""
    project, results = Path("/scratch/lab"), Path("/scratch/results")
    copied = ("compose.yaml", ".env", "services/loadgen/suites", "services/app/src")
    for name in copied:
        source, copy = ROOT / name, project / name
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)
    os.chown(results, SOMEBODY, SOMEBODY)
    (project / "compose.override.yaml").write_text(yaml.safe_dump({"services": OWN_SERVERS}))
    suites = project / "services/loadgen/suites"
    (suites / "broken.toml").write_text(SUITE.format(servers='["broken", "uvicorn"]'))
    (suites / "absent.toml").write_text(SUITE.format(servers='["absent"]'))
    (suites / "steady.toml").write_text(SUITE.format(servers='["uvicorn", "uwsgi-2-threads"]'))
    (suites / "deaths.toml").write_text(SUITE.format(servers='["mortal", "greedy", "uvicorn"]'))
    # Another container comes up and looks while its first trial runs.
    lasting = SUITE.replace("window_s = 3", "window_s = 6")
    (suites / "lasting.toml").write_text(lasting.format(servers='["uvicorn", "uwsgi-2-threads"]'))
    (suites / "overload.toml").write_text(OVERLOAD)
    (suites / "patient.toml").write_text(PATIENT)
    calling = SUITE.replace("no-http", "requests-shared").replace("window_s = 3", "window_s = 6")
    two = '["gunicorn-100-threads", "uwsgi-2-threads"]'
    (suites / "calling.toml").write_text(calling.format(servers=two))

    volumes = f"{os.environ['COMPOSE_PROJECT_NAME']}_scratch"
    own_files = [*os.environ["COMPOSE_FILE"].split(":"), str(project / "compose.override.yaml")]
    return ScratchLab(
        project=project,
        results=results,
        mounts=(
            "--no-deps",
            f"--volume={volumes}-lab:/lab:ro",
            f"--volume={volumes}-results:/results",
        ),
        files=tuple(option for file in own_files for option in ("--file", file)),
    )
