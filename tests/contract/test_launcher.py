"""The launcher: fresh processes, exact counters, an orderly end."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess

import httpx
import pytest

from connections import connections
from contract.conftest import OneOff
from engine import Engine
from lab import KEEP_NONE, POLL_S, START_TIMEOUT_S, Launcher, Server

Compose = Callable[..., CompletedProcess[str]]
MakeLauncher = Callable[[Server], Launcher]

KILLED = 128 + 9
# As many as a small machine has memory for.
STARTED_AT_ONCE = 6
# Longer than any server's own default of 2 or 5 s, and much shorter than the 30 s of the lab.
IDLE_S = 7
# What the launcher's own process looks like among those of a container.
NOT_THE_SERVER = ("launcher.py", "docker-init", "tini")


@pytest.fixture
def by_name(servers: list[Server]) -> dict[str, Server]:
    return {server.name: server for server in servers}


@contextlib.contextmanager
def until(what: str) -> Iterator[Callable[[bool], bool]]:
    """`with until("it is up") as is_time: while not is_time(done()): …`; fails when it is late."""
    deadline = time.monotonic() + START_TIMEOUT_S

    def is_time(done: bool) -> bool:
        assert done or time.monotonic() < deadline, f"not within {START_TIMEOUT_S} s: {what}"
        if not done:
            time.sleep(POLL_S)
        return done

    yield is_time


def server_processes(engine: Engine, container: str) -> list[str]:
    """The commands in the container that are the server's."""
    commands = engine.commands(container)
    return [text for text in commands if not any(name in text for name in NOT_THE_SERVER)]


def test_every_start_is_a_fresh_process_that_counts_from_nothing(
    by_name: dict[str, Server], launcher: MakeLauncher
) -> None:
    launch = launcher(by_name["gunicorn-100-threads"])

    with launch.running() as client:
        first = launch.about()["settings"], launch.stats()
        client.get("/sync/single/no-http/?delays_ms=0&cpu_ms=3000")
        worked = launch.stats()["cpu_seconds"]
    stopped = launch.stats()
    started = launch.start(settings="bare")
    fresh = launch.stats()

    assert first[0] == "startproject"
    assert started["generation"] == fresh["generation"] == first[1]["generation"] + 1
    assert started["settings"] == launch.about()["settings"] == "bare"
    assert not stopped["running"]
    assert worked >= 3
    # Its own start takes CPU too, but nothing like what the process before it has used.
    assert 0 <= fresh["cpu_seconds"] < 3
    # By itself, or by the signal where that came before it could listen to it.
    assert launch.stop()["exit_code"] in (0, 128 + 15)


def test_a_server_that_runs_is_not_started_twice(
    by_name: dict[str, Server], launcher: MakeLauncher
) -> None:
    launch = launcher(by_name["gunicorn-100-threads"])
    with launch.running():
        before = launch.stats()["generation"]
        answer = launch.http.get("/start")

        assert answer.status_code == 409
        assert "runs already" in answer.json()["error"]
        assert launch.stats()["generation"] == before


@pytest.mark.parametrize("name", ["uvicorn", "gunicorn-4x10", "uwsgi-gevent"])
def test_the_spare_runs_any_server_beside_the_servers_own_container(
    by_name: dict[str, Server], launcher: MakeLauncher, name: str
) -> None:
    own, spare = launcher(by_name[name]), Launcher(by_name[name], host="spare")
    command = own.about()["command"]

    with (
        spare.http,
        own.running() as first,
        spare.running(command=json.dumps(command)) as second,
    ):
        for client in (first, second):
            path = f"/{by_name[name].view}/fanout/no-http/?delays_ms=0"
            assert client.get(path).status_code == 200
        assert spare.about()["command"] == command
        assert spare.about()["settings"] == own.about()["settings"] == "startproject"


def test_a_server_is_not_told_another_command(
    by_name: dict[str, Server], launcher: MakeLauncher
) -> None:
    launch = launcher(by_name["uvicorn"])
    launch.stop(now="1")
    answer = launch.http.get("/start", params={"command": '["python"]'})

    assert answer.status_code == 403
    assert not launch.stats()["running"]


def test_unknown_settings_are_refused_with_those_that_are_allowed(
    by_name: dict[str, Server], launcher: MakeLauncher
) -> None:
    answer = launcher(by_name["uvicorn"]).http.get("/start", params={"settings": "mine"})

    assert answer.status_code == 400
    assert all(name in answer.json()["error"] for name in ("startproject", "bare", "article"))


def test_stats_answers_while_the_server_is_full(
    by_name: dict[str, Server], launcher: MakeLauncher, api: httpx.Client
) -> None:
    server = by_name["uwsgi-2-threads"]
    launch = launcher(server)
    url = f"http://{server.name}:8000/sync/single/requests-shared/?delays_ms=1000"

    async def ask_while_30_wait() -> tuple[dict[str, float], int]:
        async with httpx.AsyncClient(timeout=60) as client:
            waiting = [asyncio.create_task(client.get(url)) for _ in range(30)]
            while api.get("/-/stats").json()["in_flight"] < 2:
                await asyncio.sleep(POLL_S)
            stats = await asyncio.to_thread(launch.stats)
            still_waiting = sum(not task.done() for task in waiting)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return stats, still_waiting

    with launch.running():
        stats, still_waiting = asyncio.run(ask_while_30_wait())

    assert stats["running"]
    assert stats["pss_bytes"] > 0
    assert stats["threads"] >= 2
    assert still_waiting > 0


def test_every_server_keeps_an_idle_connection_and_leaves_no_process_when_it_stops(
    servers: list[Server], launcher: MakeLauncher, engine: Engine
) -> None:
    async def keeps(server: Server) -> bool:
        path = f"/{server.view}/single/no-http/?delays_ms=0"
        async with connections(server.name, 1) as (connection,):
            kept = not (await connection.get(path)).closes
            if kept:
                await asyncio.sleep(IDLE_S)
                assert (await connection.get(path)).status == 200
            return kept

    def has_kept(server: Server) -> bool:
        container = engine.container(server.name)
        launch = launcher(server)
        with launch.running():
            assert server_processes(engine, container) != []
            kept = asyncio.run(keeps(server))
            launch.stop()
            assert server_processes(engine, container) == [], server.name
        return kept

    with ThreadPoolExecutor(STARTED_AT_ONCE) as pool:
        kept = list(pool.map(has_kept, servers))

    kept_by = {server.name for server, has in zip(servers, kept, strict=True) if has}
    assert kept_by == {server.name for server in servers} - KEEP_NONE


def test_no_process_of_an_earlier_trial_is_left_not_even_a_zombie(
    by_name: dict[str, Server], launcher: MakeLauncher, engine: Engine
) -> None:
    """A trial ends its server at once: then workers outlive the parent that would wait for them."""
    # The engine does not list zombies, so this asks inside: init, the launcher and itself apart.
    script = """
import os, pathlib
for process in pathlib.Path("/proc").glob("[0-9]*"):
    command = (process / "cmdline").read_bytes()
    if int(process.name) not in (1, os.getpid()) and b"launcher.py" not in command:
        print((process / "stat").read_text().rpartition(")")[0], command)
"""
    for name in ("gunicorn-4x10", "uwsgi-100-threads", "uvicorn-4"):

        def left(container: str = engine.container(name)) -> list[str]:
            return engine.execute(container, "python", "-c", script).splitlines()

        launch = launcher(by_name[name])
        for _ in range(2):
            with launch.running():
                assert len(left()) > 2
                launch.stop(now="1")
            assert left() == [], name


def test_the_bundle_of_a_server_holds_the_public_certificates_and_the_labs(
    by_name: dict[str, Server], launcher: MakeLauncher, engine: Engine
) -> None:
    """A bundle of the lab's CA alone would make a TLS context 40 times cheaper than in life."""
    script = """
import json, pathlib, ssl, sys
environment = dict(
    entry.split("=", 1)
    for entry in pathlib.Path(f"/proc/{sys.argv[1]}/environ").read_text().split("\\0") if entry
)
bundle = environment["SSL_CERT_FILE"]
trusted = ssl.create_default_context(cafile=bundle).get_ca_certs(binary_form=True)
(lab,) = ssl.create_default_context(cafile="/ca/lab-ca.pem").get_ca_certs(binary_form=True)
print(json.dumps({
    "same_for_requests": environment["REQUESTS_CA_BUNDLE"] == bundle,
    "certificates": len(trusted),
    "holds_the_labs": lab in trusted,
}))
"""
    for name in ("uwsgi-100-threads", "uvicorn"):
        launch = launcher(by_name[name])
        launch.stop(now="1")
        pid = str(launch.start()["pid"])
        bundle = json.loads(engine.execute(engine.container(name), "python", "-c", script, pid))
        launch.stop(now="1")

        assert bundle["certificates"] > 100
        assert bundle["holds_the_labs"]
        assert bundle["same_for_requests"]


def test_a_killed_server_ends_its_container_likewise_after_the_reason_could_be_read(
    by_name: dict[str, Server], launcher: MakeLauncher, engine: Engine
) -> None:
    server = by_name["uvicorn"]
    container = engine.container(server.name)
    restarts = engine.inspect(container)["RestartCount"]
    launch = launcher(server)
    began = time.time()
    launch.stop()
    pid = launch.start()["pid"]

    engine.execute(container, "sh", "-c", f"kill -9 {pid}")
    readable = launch.stats()
    with until("restart: on-failure brings the container back") as is_time:
        while not is_time(engine.inspect(container)["RestartCount"] > restarts):
            pass
    launch.wait_until_up()

    assert (readable["running"], readable["exit_code"]) == (False, KILLED)
    (death,) = engine.events(container, "die", began, time.time())
    assert death["exitCode"] == str(KILLED)
    with launch.running() as client:
        assert client.get("/async/single/no-http/?delays_ms=0").status_code == 200


def test_sigterm_ends_every_container_before_docker_has_to_kill_it(
    servers: list[Server], launcher: MakeLauncher, engine: Engine, compose: Compose
) -> None:
    running = ["uwsgi-100-threads", "gunicorn-4x10", "uvicorn-4"]
    names = [server.name for server in servers]
    containers = {name: engine.container(name) for name in names}
    for server in servers:
        launcher(server).stop()
        if server.name in running:
            launcher(server).start()
    began = time.time()
    try:
        stopped = compose("stop", *names)
        assert stopped.returncode == 0, stopped.stderr
        for name, container in containers.items():
            signals = engine.events(container, "kill", began, time.time())
            assert [event["signal"] for event in signals] == ["15"], name
            if name not in running:
                assert engine.inspect(container)["State"]["ExitCode"] == 0, name
    finally:
        compose("start", *names)
    for server in servers:
        launcher(server).wait_until_up()


def test_a_server_that_cannot_start_leaves_its_last_lines_and_its_exit_code(
    by_name: dict[str, Server], one_off: OneOff, engine: Engine
) -> None:
    command = ["uvicorn", "consumer.asgi:no_such_thing", "--port", "8000"]
    launch = one_off(by_name["uvicorn"], command=command)
    launch.start()
    with until("the server has given up") as is_time:
        while not is_time(not launch.stats()["running"]):
            pass
    exit_code = launch.stats()["exit_code"]
    log = "\n".join(launch.about()["log"])
    with until("the container has ended") as is_time:
        while not is_time(not engine.inspect(launch.host)["State"]["Running"]):
            pass

    assert "no_such_thing" in log
    assert exit_code > 0
    assert engine.inspect(launch.host)["State"]["ExitCode"] == exit_code
